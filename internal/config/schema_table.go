// Code generated from config.schema.json by go test -run TestSchemaTable -update; DO NOT EDIT.

package config

// schemaRoot is the schema of the whole configuration.
var schemaRoot = node{kind: "object", required: []string{"identity", "selfservice"}, closed: true, members: []member{
	{"ciphers", &node{kind: "object", members: []member{
		{"algorithm", &node{kind: "string", enum: []string{"noop", "aes", "xchacha20-poly1305"}, preset: "noop"}},
	}}},
	{"clients", &node{kind: "object", members: []member{
		{"http", &node{kind: "object", closed: true, members: []member{
			{"disallow_private_ip_ranges", &node{kind: "boolean"}},
			{"private_ip_exception_urls", &node{kind: "array", preset: []any{}, items: &node{kind: "string", format: "uri"}}},
		}}},
		{"smtp", &node{kind: "object", closed: true, members: []member{
			{"disallow_private_ip_ranges", &node{kind: "boolean", preset: false}},
		}}},
		{"web_hook", &node{kind: "object", closed: true, members: []member{
			{"header_allowlist", &node{kind: "array", preset: []any{"Accept", "Accept-Encoding", "Accept-Language", "Content-Length", "Content-Type", "Origin", "Priority", "Referer", "Sec-Ch-Ua", "Sec-Ch-Ua-Mobile", "Sec-Ch-Ua-Platform", "Sec-Fetch-Dest", "Sec-Fetch-Mode", "Sec-Fetch-Site", "Sec-Fetch-User", "True-Client-Ip", "User-Agent"}, items: &node{kind: "string"}}},
		}}},
	}}},
	{"config", &node{mark: "inert"}},
	{"cookies", &node{kind: "object", closed: true, members: []member{
		{"domain", &node{kind: "string"}},
		{"path", &node{kind: "string", preset: "/"}},
		{"same_site", &node{kind: "string", enum: []string{"Strict", "Lax", "None"}, preset: "Lax"}},
		{"secure", &node{kind: "boolean"}},
	}}},
	{"courier", &node{kind: "object", closed: true, members: []member{
		{"channels", &node{kind: "array", items: &node{kind: "object", required: []string{"id", "request_config"}, closed: true, members: []member{
			{"id", &node{kind: "string", enum: []string{"sms"}}},
			{"request_config", &defRequest},
			{"type", &node{kind: "string", enum: []string{"http"}}},
		}}}},
		{"delivery_strategy", &node{kind: "string", enum: []string{"smtp", "http"}, preset: "smtp"}},
		{"http", &node{kind: "object", closed: true, members: []member{
			{"request_config", &defRequest},
		}}},
		{"message_retries", &node{kind: "integer", max: 1000, preset: 5}},
		{"smtp", &node{kind: "object", closed: true, members: []member{
			{"client_cert_path", &node{kind: "string", mark: "local", preset: ""}},
			{"client_key_path", &node{kind: "string", mark: "local", preset: ""}},
			{"connection_uri", &node{kind: "string", format: "uri"}},
			{"from_address", &node{kind: "string", minLen: 3, preset: "no-reply@ory.kratos.sh"}},
			{"from_name", &node{kind: "string"}},
			{"headers", &node{kind: "object", rest: &node{kind: "string"}}},
			{"local_name", &node{kind: "string", mark: "local", preset: "localhost"}},
		}}},
		{"template_override_path", &node{kind: "string"}},
		{"templates", &node{kind: "object", closed: true, members: []member{
			{"authenticator_key_added", &defMailSms},
			{"login_code", &defTemplateCodeValid},
			{"recovery", &defTemplateMail},
			{"recovery_code", &defTemplateCode},
			{"registration_code", &defTemplateCodeValid},
			{"verifiable_address_changed", &defMailSms},
			{"verification", &defTemplateMail},
			{"verification_code", &defTemplateCode},
		}}},
		{"worker", &node{mark: "inert"}},
	}}},
	{"database", &node{mark: "inert"}},
	{"dev", &node{kind: "boolean", preset: false}},
	{"dsn", &node{kind: "string"}},
	{"enterprise", &node{mark: "inert"}},
	{"expose-metrics-port", &node{mark: "inert"}},
	{"feature_flags", &node{kind: "object", closed: true, members: []member{
		{"cacheable_sessions", &node{kind: "boolean", preset: false}},
		{"cacheable_sessions_max_age", &node{kind: "string", format: "go-duration"}},
		{"choose_recovery_address", &node{kind: "boolean", preset: false}},
		{"faster_session_extend", &node{kind: "boolean", preset: false}},
		{"legacy_allow_insecure_origins", &node{kind: "boolean", preset: false}},
		{"legacy_continue_with_verification_ui", &node{kind: "boolean", preset: false}},
		{"legacy_oidc_registration_node_group", &node{kind: "boolean", preset: false}},
		{"legacy_require_verified_login_error", &node{kind: "boolean", preset: false}},
		{"password_profile_registration_node_group", &node{kind: "string", enum: []string{"default", "password"}, preset: "default"}},
		{"refresh_login_choose_address", &node{kind: "boolean", preset: false}},
		{"use_continue_with_transitions", &node{kind: "boolean", preset: false}},
	}}},
	{"hashers", &node{kind: "object", closed: true, members: []member{
		{"algorithm", &node{kind: "string", enum: []string{"argon2", "bcrypt"}, preset: "bcrypt"}},
		{"argon2", &node{kind: "object", closed: true, members: []member{
			{"dedicated_memory", &node{mark: "inert"}},
			{"expected_deviation", &node{mark: "inert"}},
			{"expected_duration", &node{mark: "inert"}},
			{"iterations", &node{kind: "integer", min: 1, max: 1000, preset: 1}},
			{"key_length", &node{kind: "integer", min: 16, max: 1024, preset: 32}},
			{"memory", &node{kind: "string", format: "byte-size", preset: "128MB"}},
			{"parallelism", &node{kind: "integer", min: 1, max: 255}},
			{"salt_length", &node{kind: "integer", min: 16, max: 1024, preset: 16}},
		}}},
		{"bcrypt", &node{kind: "object", closed: true, members: []member{
			{"cost", &node{kind: "integer", min: 4, max: 31, preset: 12}},
		}}},
	}}},
	{"help", &node{mark: "inert"}},
	{"identity", &node{kind: "object", required: []string{"schemas"}, closed: true, members: []member{
		{"default_schema_id", &node{kind: "string", minLen: 1, preset: "default"}},
		{"schemas", &node{kind: "array", minItems: 1, items: &node{kind: "object", required: []string{"id", "url"}, members: []member{
			{"id", &node{kind: "string", minLen: 1}},
			{"selfservice_selectable", &node{kind: "boolean"}},
			{"url", &node{kind: "string", format: "data-uri"}},
		}}}},
	}}},
	{"log", &node{kind: "object", closed: true, members: []member{
		{"format", &node{kind: "string", enum: []string{"json", "text"}, preset: "text"}},
		{"leak_sensitive_values", &node{mark: "inert"}},
		{"level", &node{kind: "string", enum: []string{"trace", "debug", "info", "warning", "error", "fatal", "panic"}, preset: "info"}},
		{"redaction_text", &node{mark: "inert"}},
	}}},
	{"oauth2_provider", &node{kind: "object", closed: true, members: []member{
		{"headers", &node{kind: "object", rest: &node{kind: "string"}}},
		{"override_return_to", &node{kind: "boolean", preset: false}},
		{"url", &node{kind: "string", format: "uri"}},
	}}},
	{"organizations", &node{mark: "inert"}},
	{"preview", &node{mark: "inert"}},
	{"revision", &node{kind: "string"}},
	{"secrets", &node{kind: "object", closed: true, members: []member{
		{"cipher", &node{kind: "array", minItems: 1, items: &node{kind: "string", minLen: 32, maxLen: 32}}},
		{"cookie", &defSecrets},
		{"default", &defSecrets},
		{"pagination", &defSecrets},
	}}},
	{"security", &node{kind: "object", members: []member{
		{"account_enumeration", &node{kind: "object", closed: true, members: []member{
			{"mitigate", &node{kind: "boolean", preset: false}},
		}}},
		{"disallow_ref_in_identity_schemas", &node{kind: "boolean", preset: false}},
	}}},
	{"selfservice", &node{kind: "object", required: []string{"default_browser_return_url"}, closed: true, members: []member{
		{"allowed_return_urls", &node{kind: "array", preset: []any{}, items: &node{kind: "string", format: "uri-reference"}}},
		{"default_browser_return_url", &node{kind: "string", format: "uri-reference"}},
		{"flows", &node{kind: "object", closed: true, members: []member{
			{"error", &node{kind: "object", closed: true, members: []member{
				{"ui_url", &node{kind: "string", format: "uri-reference"}},
			}}},
			{"login", &node{kind: "object", closed: true, members: []member{
				{"after", &node{kind: "object", closed: true, members: []member{
					{"code", &defAfterLoginMethod},
					{"default_browser_return_url", &node{kind: "string", format: "uri-reference"}},
					{"hooks", &defHooksAfterLogin},
					{"lookup_secret", &defAfterLoginMethod},
					{"oidc", &defAfterLoginMethod},
					{"passkey", &defAfterLoginMethod},
					{"password", &defAfterLoginMethod},
					{"totp", &defAfterLoginMethod},
					{"webauthn", &defAfterLoginMethod},
				}}},
				{"before", &node{kind: "object", closed: true, members: []member{
					{"hooks", &defHooksBeforeLogin},
				}}},
				{"lifespan", &node{kind: "string", format: "go-duration", preset: "1h"}},
				{"style", &node{kind: "string", enum: []string{"unified", "identifier_first"}, preset: "unified"}},
				{"ui_url", &node{kind: "string", format: "uri-reference"}},
			}}},
			{"logout", &node{kind: "object", closed: true, members: []member{
				{"after", &node{kind: "object", closed: true, members: []member{
					{"default_browser_return_url", &node{kind: "string", format: "uri-reference"}},
				}}},
				{"clear_browser_data", &node{kind: "boolean", preset: false}},
			}}},
			{"recovery", &node{kind: "object", closed: true, members: []member{
				{"after", &defAfterRecovery},
				{"before", &defBefore},
				{"enabled", &node{kind: "boolean", preset: false}},
				{"lifespan", &node{kind: "string", format: "go-duration", preset: "1h"}},
				{"notify_unknown_recipients", &node{kind: "boolean", preset: false}},
				{"ui_url", &node{kind: "string", format: "uri-reference"}},
				{"use", &node{kind: "string", enum: []string{"code", "link"}, preset: "code"}},
			}}},
			{"registration", &node{kind: "object", closed: true, members: []member{
				{"after", &node{kind: "object", closed: true, members: []member{
					{"code", &defAfterRegistrationMethod},
					{"default_browser_return_url", &node{kind: "string", format: "uri-reference"}},
					{"hooks", &defHooksWeb},
					{"oidc", &defAfterRegistrationMethod},
					{"passkey", &defAfterRegistrationMethod},
					{"password", &defAfterRegistrationMethod},
					{"webauthn", &defAfterRegistrationMethod},
				}}},
				{"before", &defBefore},
				{"enable_legacy_one_step", &node{kind: "boolean", preset: false}},
				{"enabled", &node{kind: "boolean", preset: true}},
				{"lifespan", &node{kind: "string", format: "go-duration", preset: "1h"}},
				{"login_hints", &node{kind: "boolean", preset: false}},
				{"style", &node{kind: "string", enum: []string{"unified", "profile_first"}, preset: "profile_first"}},
				{"ui_url", &node{kind: "string", format: "uri-reference"}},
			}}},
			{"settings", &node{kind: "object", closed: true, members: []member{
				{"after", &node{kind: "object", closed: true, members: []member{
					{"default_browser_return_url", &node{kind: "string", format: "uri-reference"}},
					{"hooks", &defHooksWeb},
					{"lookup_secret", &defAfterSettingsMethod},
					{"oidc", &defAfterSettingsMethod},
					{"passkey", &defAfterSettingsMethod},
					{"password", &defAfterSettingsMethod},
					{"profile", &defAfterProfile},
					{"totp", &defAfterSettingsMethod},
					{"webauthn", &defAfterSettingsMethod},
				}}},
				{"before", &defBefore},
				{"lifespan", &node{kind: "string", format: "go-duration", preset: "1h"}},
				{"privileged_session_max_age", &node{kind: "string", format: "go-duration", preset: "1h"}},
				{"required_aal", &node{kind: "string", enum: []string{"aal1", "highest_available"}, preset: "highest_available"}},
				{"ui_url", &node{kind: "string", format: "uri-reference"}},
			}}},
			{"verification", &node{kind: "object", closed: true, members: []member{
				{"after", &defAfterWeb},
				{"before", &defBefore},
				{"enabled", &node{kind: "boolean", preset: false}},
				{"lifespan", &node{kind: "string", format: "go-duration", preset: "1h"}},
				{"notify_unknown_recipients", &node{kind: "boolean", preset: false}},
				{"ui_url", &node{kind: "string", format: "uri-reference"}},
				{"use", &node{kind: "string", enum: []string{"code", "link"}, preset: "code"}},
			}}},
		}}},
		{"methods", &node{kind: "object", closed: true, members: []member{
			{"b2b", &node{mark: "inert"}},
			{"code", &node{kind: "object", members: []member{
				{"config", &node{kind: "object", members: []member{
					{"lifespan", &node{kind: "string", format: "go-duration", preset: "1h"}},
					{"max_submissions", &node{kind: "integer", min: 1, max: 255, preset: 5}},
					{"missing_credential_fallback_enabled", &node{kind: "boolean", preset: false}},
				}}},
				{"enabled", &node{kind: "boolean", preset: true}},
				{"mfa_enabled", &node{kind: "boolean", preset: false}},
				{"passwordless_enabled", &node{kind: "boolean", preset: false}},
			}}},
			{"link", &node{kind: "object", closed: true, members: []member{
				{"config", &node{kind: "object", members: []member{
					{"base_url", &node{kind: "string", format: "uri"}},
					{"lifespan", &node{kind: "string", format: "go-duration", preset: "1h"}},
				}}},
				{"enabled", &node{kind: "boolean", preset: false}},
			}}},
			{"lookup_secret", &node{kind: "object", closed: true, members: []member{
				{"enabled", &node{kind: "boolean", preset: false}},
			}}},
			{"oidc", &node{kind: "object", closed: true, members: []member{
				{"config", &node{kind: "object", closed: true, members: []member{
					{"base_redirect_uri", &node{kind: "string", format: "uri"}},
					{"providers", &node{kind: "array", items: &node{kind: "object", required: []string{"id", "provider", "client_id", "mapper_url"}, closed: true, members: []member{
						{"aal2_acr_values", &node{kind: "array", items: &node{kind: "string"}}},
						{"aal2_amr_values", &node{kind: "array", items: &node{kind: "string"}}},
						{"account_linking_mode", &node{mark: "inert"}},
						{"additional_id_token_audiences", &node{kind: "array", items: &node{kind: "string"}}},
						{"apple_private_key", &node{kind: "string"}},
						{"apple_private_key_id", &node{kind: "string"}},
						{"apple_team_id", &node{kind: "string"}},
						{"auth_url", &node{kind: "string", format: "uri"}},
						{"claims_source", &node{kind: "string", enum: []string{"id_token", "userinfo"}}},
						{"client_id", &node{kind: "string", minLen: 1}},
						{"client_secret", &node{kind: "string"}},
						{"fedcm_config_url", &node{mark: "inert"}},
						{"id", &node{kind: "string", minLen: 1}},
						{"issuer_url", &node{kind: "string", format: "uri"}},
						{"label", &node{kind: "string"}},
						{"mapper_url", &node{kind: "string", format: "data-uri"}},
						{"microsoft_tenant", &node{kind: "string"}},
						{"net_id_token_origin_header", &node{mark: "inert"}},
						{"organization_id", &node{mark: "inert"}},
						{"pkce", &node{kind: "string", enum: []string{"auto", "never", "force"}}},
						{"provider", &node{kind: "string", enum: []string{"generic", "google", "github", "github-app", "gitlab", "microsoft", "discord", "salesforce", "slack", "facebook", "auth0", "vk", "yandex", "apple", "spotify", "netid", "dingtalk", "patreon", "line", "linkedin", "linkedin_v2", "lark", "x", "amazon", "uaepass"}}},
						{"requested_claims", &node{kind: "object", closed: true, members: []member{
							{"id_token", &node{kind: "object", rest: &node{}}},
							{"userinfo", &node{kind: "object", rest: &node{}}},
						}}},
						{"scope", &node{kind: "array", items: &node{kind: "string"}}},
						{"subject_source", &node{kind: "string", enum: []string{"userinfo", "me", "oid"}}},
						{"token_url", &node{kind: "string", format: "uri"}},
						{"update_identity_on_login", &node{kind: "string", enum: []string{"never", "automatic"}}},
					}}}},
				}}},
				{"enabled", &node{kind: "boolean", preset: false}},
			}}},
			{"passkey", &node{kind: "object", closed: true, members: []member{
				{"config", &node{kind: "object", closed: true, members: []member{
					{"attestation", &node{kind: "object", closed: true, members: []member{
						{"preference", &node{kind: "string", enum: []string{"none", "indirect", "direct", "enterprise"}, preset: "none"}},
					}}},
					{"authenticator_selection", &node{kind: "object", closed: true, members: []member{
						{"attachment", &node{kind: "string", enum: []string{"platform", "cross-platform"}}},
						{"resident_key", &node{kind: "string", enum: []string{"required", "preferred", "discouraged"}, preset: "required"}},
						{"user_verification", &node{kind: "string", enum: []string{"required", "preferred", "discouraged"}, preset: "preferred"}},
					}}},
					{"rp", &defRp},
					{"timeouts", &node{kind: "object", closed: true, members: []member{
						{"login", &node{kind: "string", format: "go-duration"}},
						{"registration", &node{kind: "string", format: "go-duration"}},
					}}},
				}}},
				{"enabled", &node{kind: "boolean", preset: false}},
			}}},
			{"password", &node{kind: "object", closed: true, members: []member{
				{"config", &node{kind: "object", closed: true, members: []member{
					{"haveibeenpwned_enabled", &node{kind: "boolean", preset: true}},
					{"haveibeenpwned_host", &node{kind: "string", minLen: 1, preset: "api.pwnedpasswords.com"}},
					{"identifier_similarity_check_enabled", &node{kind: "boolean", preset: true}},
					{"ignore_network_errors", &node{kind: "boolean", preset: true}},
					{"max_breaches", &node{kind: "integer", max: 100, preset: 0}},
					{"migrate_hook", &node{kind: "object", closed: true, members: []member{
						{"config", &node{kind: "object", closed: true, members: []member{
							{"auth", &defAuth},
							{"body", &node{kind: "string", format: "data-uri"}},
							{"emit_analytics_event", &node{kind: "boolean", preset: true}},
							{"headers", &node{kind: "object", rest: &node{kind: "string"}}},
							{"method", &node{kind: "string", preset: "POST"}},
							{"url", &node{kind: "string", format: "uri"}},
						}}},
						{"enabled", &node{kind: "boolean", preset: false}},
					}}},
					{"min_password_length", &node{kind: "integer", min: 6, preset: 8}},
				}}},
				{"enabled", &node{kind: "boolean", preset: true}},
			}}},
			{"profile", &node{kind: "object", closed: true, members: []member{
				{"enabled", &node{kind: "boolean", preset: true}},
			}}},
			{"totp", &node{kind: "object", closed: true, members: []member{
				{"config", &node{kind: "object", closed: true, members: []member{
					{"issuer", &node{kind: "string"}},
				}}},
				{"enabled", &node{kind: "boolean", preset: false}},
			}}},
			{"webauthn", &node{kind: "object", closed: true, members: []member{
				{"config", &node{kind: "object", closed: true, members: []member{
					{"passwordless", &node{kind: "boolean", preset: false}},
					{"rp", &defRp},
				}}},
				{"enabled", &node{kind: "boolean", preset: false}},
			}}},
		}}},
	}}},
	{"serve", &node{kind: "object", closed: true, members: []member{
		{"admin", &node{kind: "object", closed: true, members: []member{
			{"base_url", &node{kind: "string", format: "uri"}},
			{"host", &node{kind: "string", mark: "local", preset: "127.0.0.1"}},
			{"port", &node{kind: "integer", mark: "local", max: 65535, preset: 4434}},
			{"request_log", &node{kind: "object", closed: true, members: []member{
				{"disable_for_health", &node{kind: "boolean", mark: "local", preset: false}},
			}}},
			{"socket", &node{mark: "inert"}},
			{"tls", &node{mark: "inert"}},
		}}},
		{"public", &node{kind: "object", closed: true, members: []member{
			{"base_url", &node{kind: "string", format: "uri"}},
			{"cors", &node{kind: "object", closed: true, members: []member{
				{"allow_credentials", &node{kind: "boolean", preset: true}},
				{"allowed_headers", &node{kind: "array", preset: []any{"Authorization", "Content-Type", "Max-Age", "X-Session-Token", "X-XSRF-TOKEN", "X-CSRF-TOKEN"}, items: &node{kind: "string"}}},
				{"allowed_methods", &node{kind: "array", preset: []any{"POST", "GET", "PUT", "PATCH", "DELETE"}, items: &node{kind: "string"}}},
				{"allowed_origins", &node{kind: "array", preset: []any{"*"}, items: &node{kind: "string", minLen: 1}}},
				{"debug", &node{mark: "inert"}},
				{"enabled", &node{kind: "boolean", preset: false}},
				{"exposed_headers", &node{kind: "array", preset: []any{"Content-Type"}, items: &node{kind: "string"}}},
				{"max_age", &node{kind: "integer", preset: 0}},
				{"options_passthrough", &node{kind: "boolean", preset: false}},
			}}},
			{"host", &node{kind: "string", mark: "local", preset: "0.0.0.0"}},
			{"port", &node{kind: "integer", mark: "local", max: 65535, preset: 4433}},
			{"request_log", &node{kind: "object", closed: true, members: []member{
				{"disable_for_health", &node{kind: "boolean", mark: "local", preset: false}},
			}}},
			{"socket", &node{mark: "inert"}},
			{"tls", &node{mark: "inert"}},
		}}},
	}}},
	{"session", &node{kind: "object", closed: true, members: []member{
		{"cookie", &node{kind: "object", closed: true, members: []member{
			{"domain", &node{kind: "string"}},
			{"name", &node{kind: "string", minLen: 1, preset: "ory_kratos_session"}},
			{"path", &node{kind: "string"}},
			{"persistent", &node{kind: "boolean", preset: true}},
			{"same_site", &defSameSite},
			{"secure", &node{kind: "boolean"}},
		}}},
		{"earliest_possible_extend", &node{kind: "string", format: "go-duration"}},
		{"lifespan", &node{kind: "string", format: "go-duration", preset: "24h"}},
		{"whoami", &node{kind: "object", closed: true, members: []member{
			{"required_aal", &node{kind: "string", enum: []string{"aal1", "highest_available"}, preset: "highest_available"}},
			{"tokenizer", &node{kind: "object", closed: true, members: []member{
				{"templates", &node{kind: "object", rest: &node{kind: "object", required: []string{"jwks_url"}, members: []member{
					{"claims_mapper_url", &node{kind: "string", format: "data-uri"}},
					{"jwks_url", &node{kind: "string", format: "data-uri"}},
					{"subject_source", &node{kind: "string", enum: []string{"id", "external_id"}}},
					{"ttl", &node{kind: "string", format: "go-duration"}},
				}}}},
			}}},
		}}},
	}}},
	{"sqa-opt-out", &node{mark: "inert"}},
	{"styx", &node{kind: "object", closed: true, members: []member{
		{"cookies", &node{kind: "object", closed: true, members: []member{
			{"host_prefix", &node{kind: "boolean", preset: false}},
		}}},
		{"links", &node{kind: "object", closed: true, members: []member{
			{"confirm", &node{kind: "boolean", preset: false}},
		}}},
		{"sessions", &node{kind: "object", closed: true, members: []member{
			{"not_before", &node{kind: "string", format: "date-time"}},
		}}},
		{"trusted_proxies", &node{kind: "array", preset: []any{}, items: &node{kind: "string", format: "cidr"}}},
		{"webauthn", &node{kind: "object", closed: true, members: []member{
			{"refuse_clones", &node{kind: "boolean", preset: false}},
		}}},
	}}},
	{"tracing", &node{mark: "inert"}},
	{"version", &node{kind: "string"}},
	{"watch-courier", &node{mark: "inert"}},
}}

// Schemas that stand in several places.
var (
	defAfterLoginMethod = node{kind: "object", closed: true, members: []member{
		{"default_browser_return_url", &node{kind: "string", format: "uri-reference"}},
		{"hooks", &defHooksAfterLogin},
	}}
	defAfterProfile = node{kind: "object", closed: true, members: []member{
		{"default_browser_return_url", &node{kind: "string", format: "uri-reference"}},
		{"hooks", &defHooksAfterProfile},
	}}
	defAfterRecovery = node{kind: "object", closed: true, members: []member{
		{"default_browser_return_url", &node{kind: "string", format: "uri-reference"}},
		{"hooks", &defHooksAfterRecovery},
	}}
	defAfterRegistrationMethod = node{kind: "object", closed: true, members: []member{
		{"default_browser_return_url", &node{kind: "string", format: "uri-reference"}},
		{"hooks", &defHooksAfterRegistration},
	}}
	defAfterSettingsMethod = node{kind: "object", closed: true, members: []member{
		{"default_browser_return_url", &node{kind: "string", format: "uri-reference"}},
		{"hooks", &defHooksAfterSettings},
	}}
	defAfterWeb = node{kind: "object", closed: true, members: []member{
		{"default_browser_return_url", &node{kind: "string", format: "uri-reference"}},
		{"hooks", &defHooksWeb},
	}}
	defApiKey = node{kind: "object", required: []string{"name", "value", "in"}, closed: true, members: []member{
		{"in", &node{kind: "string", enum: []string{"header", "cookie"}}},
		{"name", &node{kind: "string"}},
		{"value", &node{kind: "string"}},
	}}
	defAuth = node{kind: "object", required: []string{"type", "config"}, closed: true, rules: []rule{{"type", "api_key", &node{members: []member{
		{"config", &defApiKey},
	}}}, {"type", "basic_auth", &node{members: []member{
		{"config", &defBasicAuth},
	}}}}, members: []member{
		{"config", &node{kind: "object"}},
		{"type", &node{kind: "string", enum: []string{"api_key", "basic_auth"}}},
	}}
	defBasicAuth = node{kind: "object", required: []string{"user", "password"}, closed: true, members: []member{
		{"password", &node{kind: "string"}},
		{"user", &node{kind: "string"}},
	}}
	defBefore = node{kind: "object", closed: true, members: []member{
		{"hooks", &defHooksWeb},
	}}
	defEmailTemplate = node{kind: "object", closed: true, members: []member{
		{"body", &node{kind: "object", closed: true, members: []member{
			{"html", &node{kind: "string", format: "data-uri"}},
			{"plaintext", &node{kind: "string", format: "data-uri"}},
		}}},
		{"subject", &node{kind: "string", format: "data-uri"}},
	}}
	defHooksAfterLogin = node{kind: "array", items: &node{kind: "object", required: []string{"hook"}, closed: true, rules: []rule{{"hook", "web_hook", &node{required: []string{"config"}, members: []member{
		{"config", &defWebHook},
	}}}}, members: []member{
		{"config", &node{kind: "object"}},
		{"hook", &node{kind: "string", enum: []string{"revoke_active_sessions", "require_verified_address", "web_hook", "verification", "show_verification_ui"}}},
	}}}
	defHooksAfterProfile = node{kind: "array", items: &node{kind: "object", required: []string{"hook"}, closed: true, rules: []rule{{"hook", "web_hook", &node{required: []string{"config"}, members: []member{
		{"config", &defWebHook},
	}}}, {"hook", "notify_previous_addresses", &node{members: []member{
		{"config", &defNotifyPreviousAddresses},
	}}}}, members: []member{
		{"config", &node{kind: "object"}},
		{"hook", &node{kind: "string", enum: []string{"web_hook", "show_verification_ui", "verify_new_address", "notify_previous_addresses"}}},
	}}}
	defHooksAfterRecovery = node{kind: "array", items: &node{kind: "object", required: []string{"hook"}, closed: true, rules: []rule{{"hook", "web_hook", &node{required: []string{"config"}, members: []member{
		{"config", &defWebHook},
	}}}}, members: []member{
		{"config", &node{kind: "object"}},
		{"hook", &node{kind: "string", enum: []string{"web_hook", "revoke_active_sessions"}}},
	}}}
	defHooksAfterRegistration = node{kind: "array", items: &node{kind: "object", required: []string{"hook"}, closed: true, rules: []rule{{"hook", "web_hook", &node{required: []string{"config"}, members: []member{
		{"config", &defWebHook},
	}}}}, members: []member{
		{"config", &node{kind: "object"}},
		{"hook", &node{kind: "string", enum: []string{"session", "web_hook", "show_verification_ui"}}},
	}}}
	defHooksAfterSettings = node{kind: "array", items: &node{kind: "object", required: []string{"hook"}, closed: true, rules: []rule{{"hook", "web_hook", &node{required: []string{"config"}, members: []member{
		{"config", &defWebHook},
	}}}}, members: []member{
		{"config", &node{kind: "object"}},
		{"hook", &node{kind: "string", enum: []string{"web_hook", "revoke_active_sessions"}}},
	}}}
	defHooksBeforeLogin = node{kind: "array", items: &node{kind: "object", required: []string{"hook"}, closed: true, rules: []rule{{"hook", "web_hook", &node{required: []string{"config"}, members: []member{
		{"config", &defWebHook},
	}}}}, members: []member{
		{"config", &node{kind: "object"}},
		{"hook", &node{kind: "string", enum: []string{"web_hook", "b2b_sso", "organization"}}},
	}}}
	defHooksWeb = node{kind: "array", items: &node{kind: "object", required: []string{"hook"}, closed: true, rules: []rule{{"hook", "web_hook", &node{required: []string{"config"}, members: []member{
		{"config", &defWebHook},
	}}}}, members: []member{
		{"config", &node{kind: "object"}},
		{"hook", &node{kind: "string", enum: []string{"web_hook"}}},
	}}}
	defMail = node{kind: "object", closed: true, members: []member{
		{"email", &defEmailTemplate},
	}}
	defMailSms = node{kind: "object", closed: true, members: []member{
		{"email", &defEmailTemplate},
		{"sms", &defSmsTemplate},
	}}
	defNotifyPreviousAddresses = node{kind: "object", closed: true, members: []member{
		{"recipients", &node{kind: "string", enum: []string{"removed", "all_verified", "all"}}},
	}}
	defRequest = node{kind: "object", closed: true, members: []member{
		{"auth", &defAuth},
		{"body", &node{kind: "string", format: "data-uri"}},
		{"headers", &node{kind: "object", rest: &node{kind: "string"}}},
		{"method", &node{kind: "string", preset: "POST"}},
		{"url", &node{kind: "string", format: "uri"}},
	}}
	defRp = node{kind: "object", members: []member{
		{"display_name", &node{kind: "string", minLen: 1}},
		{"icon", &node{mark: "inert"}},
		{"id", &node{kind: "string", minLen: 1}},
		{"origin", &node{kind: "string", format: "uri"}},
		{"origins", &node{kind: "array", items: &node{kind: "string", format: "uri"}}},
	}}
	defSameSite    = node{kind: "string", enum: []string{"Strict", "Lax", "None"}}
	defSecrets     = node{kind: "array", minItems: 1, items: &node{kind: "string", minLen: 16}}
	defSmsTemplate = node{kind: "object", closed: true, members: []member{
		{"body", &node{kind: "object", closed: true, members: []member{
			{"plaintext", &node{kind: "string", format: "data-uri"}},
		}}},
	}}
	defTemplateCode = node{kind: "object", closed: true, members: []member{
		{"invalid", &defMail},
		{"valid", &defMailSms},
	}}
	defTemplateCodeValid = node{kind: "object", closed: true, members: []member{
		{"valid", &defMailSms},
	}}
	defTemplateMail = node{kind: "object", closed: true, members: []member{
		{"invalid", &defMail},
		{"valid", &defMail},
	}}
	defWebHook = node{kind: "object", required: []string{"url", "method"}, closed: true, members: []member{
		{"auth", &defAuth},
		{"body", &node{kind: "string", format: "data-uri"}},
		{"can_interrupt", &node{kind: "boolean"}},
		{"emit_analytics_event", &node{kind: "boolean"}},
		{"headers", &node{kind: "object", rest: &node{kind: "string"}}},
		{"id", &node{kind: "string"}},
		{"method", &node{kind: "string"}},
		{"response", &node{kind: "object", closed: true, members: []member{
			{"ignore", &node{kind: "boolean"}},
			{"parse", &node{kind: "boolean"}},
		}}},
		{"url", &node{kind: "string", format: "uri"}},
	}}
)
