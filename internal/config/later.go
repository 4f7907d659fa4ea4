package config

import "slices"

// laterKeys are the parts of the format that this build does not serve yet, with
// what makes them count: a key that is true, or an object that is not empty. They
// are accepted with a warning. A release that builds one takes its row away.
func laterKeys() []string {
	return []string{
		"selfservice.methods.oidc.enabled",
		"session.whoami.tokenizer.templates",
		"oauth2_provider.url",
	}
}

// enterpriseHooks are accepted and do nothing, now and later.
func enterpriseHooks() []string { return []string{"b2b_sso", "organization"} }

// later returns a notice for everything configured that is not built yet, and
// for the hooks that never will be.
func later(v values, c *Config) []Notice {
	var out []Notice
	for _, key := range laterKeys() {
		if v.on(key) {
			out = append(out, Notice{Later, key, "is not built yet and has no effect"})
		}
	}
	for key, hooks := range c.Flows.hooks() {
		for _, h := range hooks {
			if slices.Contains(enterpriseHooks(), h.Name) {
				out = append(out, Notice{Inert, key, "hook " + h.Name + " is accepted, has no effect in Styx"})
			}
		}
	}
	return out
}
