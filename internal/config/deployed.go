package config

// Deployed returns, as overrides for [Load], what the stack brings each function
// by its environment, over whatever the file says: its table, its secrets and its
// public URL. The values stand for those; whoever judges a file before it is
// deployed judges the rest of it.
func Deployed() map[string]any {
	list := []any{"0f8e2c6b4a917d35e1c08b6f2a4d9735"} // as secrets.cipher must be
	return map[string]any{
		"dsn":                   "dynamodb://deployed",
		"secrets":               map[string]any{"default": list, "cookie": list, "cipher": list, "pagination": list},
		"serve.public.base_url": "https://deployed.invalid",
	}
}
