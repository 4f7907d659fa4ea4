package config

import (
	"cmp"
	"encoding/base64"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"runtime"
	"strconv"
	"time"
)

// decode reads a settled document into the typed struct and resolves what one
// key takes from another. The DSN, whose errors matter, is [Load]'s.
func decode(v values) *Config {
	dev := v.flag("dev")
	c := &Config{
		Version:      v.text("version"),
		Revision:     v.text("revision"),
		Dev:          dev,
		Serve:        decodeServe(v.at("serve"), dev),
		Identity:     decodeIdentity(v.at("identity")),
		SelfService:  decodeSelfService(v.at("selfservice")),
		Flows:        decodeFlows(v.at("selfservice").at("flows")),
		Methods:      decodeMethods(v.at("selfservice").at("methods")),
		Cookies:      decodeCookies(v.at("cookies"), dev),
		Secrets:      decodeSecrets(v.at("secrets")),
		Hashers:      decodeHashers(v.at("hashers")),
		Ciphers:      Ciphers{Algorithm: v.at("ciphers").text("algorithm")},
		Courier:      decodeCourier(v.at("courier")),
		Clients:      decodeClients(v.at("clients"), dev),
		OAuth2:       decodeOAuth2(v.at("oauth2_provider")),
		FeatureFlags: decodeFeatureFlags(v.at("feature_flags")),
		Log:          decodeLog(v.at("log")),
		Security:     decodeSecurity(v.at("security")),
		Styx:         decodeStyx(v.at("styx")),
	}
	c.Session = decodeSession(v.at("session"), c.Cookies)

	public := c.Serve.Public.BaseURL
	c.Methods.Link.BaseURL = cmp.Or(c.Methods.Link.BaseURL, public)
	c.Methods.OIDC.BaseRedirectURI = cmp.Or(c.Methods.OIDC.BaseRedirectURI, public)
	c.Methods.TOTP.Issuer = cmp.Or(c.Methods.TOTP.Issuer, public.Hostname())
	return c
}

func decodeServe(v values, dev bool) Serve {
	public := v.at("public")
	cors := public.at("cors")
	return Serve{
		Admin: decodeServer(v.at("admin"), dev),
		Public: Public{
			Server: decodeServer(public, dev),
			CORS: CORS{
				Enabled:            cors.flag("enabled"),
				AllowedOrigins:     cors.texts("allowed_origins"),
				AllowedMethods:     cors.texts("allowed_methods"),
				AllowedHeaders:     cors.texts("allowed_headers"),
				ExposedHeaders:     cors.texts("exposed_headers"),
				AllowCredentials:   cors.flag("allow_credentials"),
				OptionsPassthrough: cors.flag("options_passthrough"),
				MaxAge:             cors.number("max_age"),
			},
		},
	}
}

// decodeServer derives a missing base URL from host and port, as Kratos does:
// https outside dev, with a path. Where Kratos would take the machine's name for
// an unspecified address, we take loopback: the name rarely resolves.
func decodeServer(v values, dev bool) Server {
	s := Server{
		BaseURL:       v.url("base_url"),
		Host:          v.text("host"),
		Port:          v.number("port"),
		SkipHealthLog: v.at("request_log").flag("disable_for_health"),
	}
	if s.BaseURL == nil {
		host, scheme := s.Host, "https"
		if ip, err := netip.ParseAddr(host); host == "" || err == nil && ip.IsUnspecified() {
			host = "127.0.0.1"
		}
		if dev {
			scheme = "http"
		}
		s.BaseURL = &url.URL{Scheme: scheme, Host: net.JoinHostPort(host, strconv.Itoa(s.Port)), Path: "/"}
	}
	return s
}

func decodeIdentity(v values) Identity {
	out := Identity{DefaultSchemaID: v.text("default_schema_id")}
	for _, s := range v.items("schemas") {
		out.Schemas = append(out.Schemas, Schema{
			ID:         s.text("id"),
			URL:        s.text("url"),
			Selectable: s.flag("selfservice_selectable"),
		})
	}
	return out
}

func decodeSelfService(v values) SelfService {
	out := SelfService{DefaultReturnURL: cmp.Or(v.url("default_browser_return_url"), &url.URL{})}
	for _, s := range v.texts("allowed_return_urls") {
		if u, err := url.Parse(s); err == nil {
			out.AllowedReturns = append(out.AllowedReturns, u)
		}
	}
	return out
}

func decodeFlows(v values) Flows {
	login, registration, settings := v.at("login"), v.at("registration"), v.at("settings")
	recovery, verification, logout := v.at("recovery"), v.at("verification"), v.at("logout")
	style := registration.text("style")
	if registration.flag("enable_legacy_one_step") {
		style = StyleUnified
	}
	return Flows{
		Error: ErrorFlow{UIURL: v.at("error").url("ui_url")},
		Login: Login{Flow: decodeFlow(login), Style: login.text("style")},
		Registration: Registration{
			Flow:       decodeFlow(registration),
			Enabled:    registration.flag("enabled"),
			Style:      style,
			LoginHints: registration.flag("login_hints"),
		},
		Settings: Settings{
			Flow:             decodeFlow(settings),
			PrivilegedMaxAge: settings.duration("privileged_session_max_age"),
			RequiredAAL:      settings.text("required_aal"),
		},
		Recovery: Recovery{
			Flow:          decodeFlow(recovery),
			Enabled:       recovery.flag("enabled"),
			Use:           recovery.text("use"),
			NotifyUnknown: recovery.flag("notify_unknown_recipients"),
		},
		Verification: Verification{
			Flow:          decodeFlow(verification),
			Enabled:       verification.flag("enabled"),
			Use:           verification.text("use"),
			NotifyUnknown: verification.flag("notify_unknown_recipients"),
		},
		Logout: Logout{
			ReturnURL:        logout.at("after").url("default_browser_return_url"),
			ClearBrowserData: logout.flag("clear_browser_data"),
		},
	}
}

func decodeFlow(v values) Flow {
	after := v.at("after")
	out := Flow{
		UIURL:    v.url("ui_url"),
		Lifespan: v.duration("lifespan"),
		Before:   decodeHooks(v.at("before")),
		After:    After{ReturnURL: after.url("default_browser_return_url"), Hooks: decodeHooks(after)},
	}
	for _, name := range after.keys() {
		method := AfterMethod{ReturnURL: after.at(name).url("default_browser_return_url"), Hooks: decodeHooks(after.at(name))}
		if method.ReturnURL == nil && method.Hooks == nil {
			continue // not a method, or nothing in it
		}
		if out.After.Methods == nil {
			out.After.Methods = make(map[string]AfterMethod)
		}
		out.After.Methods[name] = method
	}
	return out
}

func decodeHooks(v values) []Hook {
	var out []Hook
	for _, h := range v.items("hooks") {
		hook := Hook{Name: h.text("hook"), Config: h.raw("config")}
		if hook.Name == HookWeb {
			hook.web = decodeWebHook(h.at("config"))
		}
		if hook.Name == HookNotifyPrevious {
			hook.recipients = cmp.Or(h.at("config").text("recipients"), RecipientsRemoved)
		}
		out = append(out, hook)
	}
	return out
}

// decodeWebHook reads the config of a web_hook. Hooks stand in lists, where no
// default applies; as in Kratos, emit_analytics_event is on unless switched off.
func decodeWebHook(v values) WebHook {
	return WebHook{
		Request:      decodeRequest(v),
		ID:           v.text("id"),
		Ignore:       v.at("response").flag("ignore"),
		Parse:        v.at("response").flag("parse"),
		CanInterrupt: v.flag("can_interrupt"),
		Analytics:    v.flag("emit_analytics_event") || !v.has("emit_analytics_event"),
	}
}

// decodeRequest reads an outgoing call. Defaults do not reach into lists, so an
// unset method is POST here too. Credentials in the URL become basic auth: a URL
// gets printed.
func decodeRequest(v values) Request {
	auth := v.at("auth")
	config := auth.at("config")
	out := Request{
		URL:     v.url("url"),
		Method:  cmp.Or(v.text("method"), http.MethodPost),
		Headers: v.headers("headers"),
		Body:    v.text("body"),
		Auth: Auth{
			Type:     auth.text("type"),
			Name:     config.text("name"),
			Value:    config.secret("value"),
			In:       config.text("in"),
			User:     config.text("user"),
			Password: config.secret("password"),
		},
	}
	if out.URL != nil && out.URL.User != nil {
		if out.Auth.Type == AuthNone {
			password, _ := out.URL.User.Password()
			out.Auth = Auth{Type: AuthBasic, User: out.URL.User.Username(), Password: Secret(password)}
		}
		out.URL.User = nil
	}
	return out
}

func decodeMethods(v values) Methods {
	link, code, oidc := v.at("link"), v.at("code"), v.at("oidc")
	out := Methods{
		Profile:  Profile{Enabled: v.at("profile").flag("enabled")},
		Password: decodePassword(v.at("password")),
		Link: Link{
			Enabled:  link.flag("enabled"),
			BaseURL:  link.at("config").url("base_url"),
			Lifespan: link.at("config").duration("lifespan"),
		},
		Code: Code{
			Enabled:        code.flag("enabled") || code.flag("passwordless_enabled"),
			Passwordless:   code.flag("passwordless_enabled"),
			MFA:            code.flag("mfa_enabled"),
			Lifespan:       code.at("config").duration("lifespan"),
			MaxSubmissions: code.at("config").number("max_submissions"),
			Fallback:       code.at("config").flag("missing_credential_fallback_enabled"),
		},
		TOTP: TOTP{
			Enabled: v.at("totp").flag("enabled"),
			Issuer:  v.at("totp").at("config").text("issuer"),
		},
		LookupSecret: LookupSecret{Enabled: v.at("lookup_secret").flag("enabled")},
		WebAuthn: WebAuthn{
			Enabled:      v.at("webauthn").flag("enabled"),
			Passwordless: v.at("webauthn").at("config").flag("passwordless"),
			RP:           decodeRP(v.at("webauthn").at("config").at("rp")),
		},
		Passkey: decodePasskey(v.at("passkey")),
		OIDC:    OIDC{Enabled: oidc.flag("enabled"), BaseRedirectURI: oidc.at("config").url("base_redirect_uri")},
	}
	for _, p := range oidc.at("config").items("providers") {
		out.OIDC.Providers = append(out.OIDC.Providers, decodeProvider(p))
	}
	return out
}

func decodePassword(v values) Password {
	config := v.at("config")
	migrate := config.at("migrate_hook")
	return Password{
		Enabled:             v.flag("enabled"),
		BreachHost:          config.text("haveibeenpwned_host"),
		BreachCheck:         config.flag("haveibeenpwned_enabled"),
		MaxBreaches:         config.number("max_breaches"),
		IgnoreNetworkErrors: config.flag("ignore_network_errors"),
		MinLength:           config.number("min_password_length"),
		SimilarityCheck:     config.flag("identifier_similarity_check_enabled"),
		MigrateHook: MigrateHook{
			Enabled:   migrate.flag("enabled"),
			Request:   decodeRequest(migrate.at("config")),
			Analytics: migrate.at("config").flag("emit_analytics_event"),
		},
	}
}

func decodeRP(v values) RelyingParty {
	out := RelyingParty{ID: v.text("id"), DisplayName: v.text("display_name"), Origins: v.texts("origins")}
	if one := v.text("origin"); one != "" {
		out.Origins = append(out.Origins, one)
	}
	return out
}

func decodePasskey(v values) Passkey {
	config := v.at("config")
	selection := config.at("authenticator_selection")
	return Passkey{
		Enabled:             v.flag("enabled"),
		RP:                  decodeRP(config.at("rp")),
		Attachment:          selection.text("attachment"),
		ResidentKey:         selection.text("resident_key"),
		UserVerification:    selection.text("user_verification"),
		Attestation:         config.at("attestation").text("preference"),
		RegistrationTimeout: config.at("timeouts").duration("registration"),
		LoginTimeout:        config.at("timeouts").duration("login"),
	}
}

func decodeProvider(v values) Provider {
	return Provider{
		ID:                v.text("id"),
		Kind:              v.text("provider"),
		Label:             v.text("label"),
		ClientID:          v.text("client_id"),
		ClientSecret:      v.secret("client_secret"),
		Scope:             v.texts("scope"),
		IssuerURL:         v.text("issuer_url"),
		AuthURL:           v.text("auth_url"),
		TokenURL:          v.text("token_url"),
		MapperURL:         v.text("mapper_url"),
		MicrosoftTenant:   v.text("microsoft_tenant"),
		SubjectSource:     v.text("subject_source"),
		AppleTeamID:       v.text("apple_team_id"),
		ApplePrivateKeyID: v.text("apple_private_key_id"),
		ApplePrivateKey:   v.secret("apple_private_key"),
		RequestedClaims:   v.raw("requested_claims"),
		IDTokenAudiences:  v.texts("additional_id_token_audiences"),
		ClaimsSource:      v.text("claims_source"),
		PKCE:              v.text("pkce"),
		UpdateIdentity:    v.text("update_identity_on_login") == "automatic",
		AAL2ACR:           v.texts("aal2_acr_values"),
		AAL2AMR:           v.texts("aal2_amr_values"),
	}
}

func decodeCookies(v values, dev bool) Cookies {
	out := Cookies{
		Domain:   v.text("domain"),
		Path:     v.text("path"),
		SameSite: v.text("same_site"),
		Secure:   !dev,
	}
	if v.has("secure") {
		out.Secure = v.flag("secure")
	}
	return out
}

func decodeSession(v values, cookies Cookies) Session {
	cookie := v.at("cookie")
	out := Session{
		Lifespan: v.duration("lifespan"),
		Cookie: SessionCookie{
			Name:       cookie.text("name"),
			Persistent: cookie.flag("persistent"),
			Cookies: Cookies{
				Domain:   cmp.Or(cookie.text("domain"), cookies.Domain),
				Path:     cmp.Or(cookie.text("path"), cookies.Path),
				SameSite: cmp.Or(cookie.text("same_site"), cookies.SameSite),
				Secure:   cookies.Secure,
			},
		},
		EarliestExtend: v.duration("earliest_possible_extend"),
		WhoAmI:         WhoAmI{RequiredAAL: v.at("whoami").text("required_aal")},
	}
	if cookie.has("secure") {
		out.Cookie.Secure = cookie.flag("secure")
	}
	if !v.has("earliest_possible_extend") {
		out.EarliestExtend = out.Lifespan
	}
	templates := v.at("whoami").at("tokenizer").at("templates")
	for _, name := range templates.keys() {
		t := templates.at(name)
		if out.WhoAmI.Tokenizer == nil {
			out.WhoAmI.Tokenizer = make(map[string]TokenTemplate)
		}
		out.WhoAmI.Tokenizer[name] = TokenTemplate{
			TTL:             t.duration("ttl"),
			ClaimsMapperURL: t.text("claims_mapper_url"),
			JWKSURL:         t.secret("jwks_url"),
			SubjectSource:   cmp.Or(t.text("subject_source"), "id"), // no schema default in a map
		}
	}
	return out
}

func decodeSecrets(v values) Secrets {
	return Secrets{
		Default:    v.secrets("default"),
		Cookie:     v.secrets("cookie"),
		Cipher:     v.secrets("cipher"),
		Pagination: v.secrets("pagination"),
	}
}

// maxLanes is as many lanes as argon2 hashes may have anywhere in Styx.
const maxLanes = 16

func decodeHashers(v values) Hashers {
	argon2 := v.at("argon2")
	memory, _ := parseByteSize(argon2.text("memory")) // the format byte-size
	parallelism := argon2.number("parallelism")
	if parallelism == 0 {
		parallelism = min(2*runtime.NumCPU(), maxLanes)
	}
	return Hashers{
		Algorithm: v.text("algorithm"),
		Bcrypt:    Bcrypt{Cost: v.at("bcrypt").number("cost")},
		Argon2: Argon2{
			MemoryKiB:   uint32(min(memory>>10, 1<<32-1)),     //nolint:gosec // bounded, and never negative
			Iterations:  uint32(argon2.number("iterations")),  //nolint:gosec // the schema bounds this and the next
			Parallelism: uint8(parallelism),                   //nolint:gosec // as above
			SaltLength:  uint32(argon2.number("salt_length")), //nolint:gosec // as above
			KeyLength:   uint32(argon2.number("key_length")),  //nolint:gosec // as above
		},
	}
}

func decodeCourier(v values) Courier {
	smtp := v.at("smtp")
	out := Courier{
		Strategy: v.text("delivery_strategy"),
		SMTP: SMTP{
			URI:            smtp.secret("connection_uri"),
			FromAddress:    smtp.text("from_address"),
			FromName:       smtp.text("from_name"),
			LocalName:      smtp.text("local_name"),
			ClientCertPath: smtp.text("client_cert_path"),
			ClientKeyPath:  smtp.text("client_key_path"),
		},
		HTTP:           decodeRequest(v.at("http").at("request_config")),
		MessageRetries: v.number("message_retries"),
		TemplatePath:   v.text("template_override_path"),
		Templates:      decodeTemplates(v.at("templates")),
	}
	for _, name := range smtp.at("headers").keys() {
		if out.SMTP.Headers == nil {
			out.SMTP.Headers = make(map[string]string)
		}
		out.SMTP.Headers[name] = smtp.at("headers").text(name)
	}
	for _, c := range v.items("channels") {
		out.Channels = append(out.Channels, Channel{ID: c.text("id"), Request: decodeRequest(c.at("request_config"))})
	}
	return out
}

// decodeTemplates flattens the overrides to template types: most templates come
// as valid and invalid, two as they are.
func decodeTemplates(v values) map[string]Template {
	out := make(map[string]Template)
	add := func(kind string, t values) {
		email := t.at("email")
		made := Template{
			Subject: email.text("subject"),
			HTML:    email.at("body").text("html"),
			Plain:   email.at("body").text("plaintext"),
			SMS:     t.at("sms").at("body").text("plaintext"),
		}
		if made != (Template{}) {
			out[kind] = made
		}
	}
	for _, name := range v.keys() {
		add(name, v.at(name))
		add(name+"_valid", v.at(name).at("valid"))
		add(name+"_invalid", v.at(name).at("invalid"))
	}
	return out
}

func decodeClients(v values, dev bool) Clients {
	out := Clients{
		HTTP:            HTTPClient{NoPrivate: !dev, Exceptions: v.at("http").texts("private_ip_exception_urls")},
		SMTPNoPrivate:   v.at("smtp").flag("disallow_private_ip_ranges"),
		HeaderAllowlist: v.at("web_hook").texts("header_allowlist"),
	}
	if v.at("http").has("disallow_private_ip_ranges") {
		out.HTTP.NoPrivate = v.at("http").flag("disallow_private_ip_ranges")
	}
	return out
}

// decodeOAuth2 moves credentials in the URL to a header, as decodeRequest does.
func decodeOAuth2(v values) OAuth2 {
	out := OAuth2{URL: v.url("url"), Headers: v.headers("headers"), OverrideReturnTo: v.flag("override_return_to")}
	if out.URL != nil && out.URL.User != nil {
		password, _ := out.URL.User.Password()
		token := base64.StdEncoding.EncodeToString([]byte(out.URL.User.Username() + ":" + password))
		if out.Headers == nil {
			out.Headers = make(map[string]Secret)
		}
		out.Headers["Authorization"] = Secret("Basic " + token)
		out.URL.User = nil
	}
	return out
}

func decodeFeatureFlags(v values) FeatureFlags {
	return FeatureFlags{
		ContinueWithTransitions:      v.flag("use_continue_with_transitions"),
		ChooseRecoveryAddress:        v.flag("choose_recovery_address"),
		LegacyContinueVerificationUI: v.flag("legacy_continue_with_verification_ui"),
		LegacyRequireVerifiedError:   v.flag("legacy_require_verified_login_error"),
		CacheableSessions:            v.flag("cacheable_sessions"),
		CacheableSessionsMaxAge:      v.duration("cacheable_sessions_max_age"),
		FasterSessionExtend:          v.flag("faster_session_extend"),
		ProfileNodeGroup:             v.text("password_profile_registration_node_group"),
		LegacyOIDCNodeGroup:          v.flag("legacy_oidc_registration_node_group"),
		LegacyInsecureOrigins:        v.flag("legacy_allow_insecure_origins"),
		RefreshLoginChooseAddress:    v.flag("refresh_login_choose_address"),
	}
}

// Levels of Kratos that slog has no name for.
const (
	levelTrace = slog.LevelDebug - 4
	levelFatal = slog.LevelError + 4
	levelPanic = slog.LevelError + 8
)

func decodeLog(v values) Log {
	levels := map[string]slog.Level{
		"trace": levelTrace, "debug": slog.LevelDebug, "info": slog.LevelInfo, "warning": slog.LevelWarn,
		"error": slog.LevelError, "fatal": levelFatal, "panic": levelPanic,
	}
	return Log{Level: levels[v.text("level")], Format: v.text("format")}
}

func decodeSecurity(v values) Security {
	return Security{
		MitigateEnumeration: v.at("account_enumeration").flag("mitigate"),
		DisallowSchemaRefs:  v.flag("disallow_ref_in_identity_schemas"),
	}
}

func decodeStyx(v values) Styx {
	out := Styx{
		HostPrefix:   v.at("cookies").flag("host_prefix"),
		ConfirmLinks: v.at("links").flag("confirm"),
		RefuseClones: v.at("webauthn").flag("refuse_clones"),
	}
	if s := v.at("sessions").text("not_before"); s != "" {
		out.NotBefore, _ = time.Parse(time.RFC3339, s) // the format date-time
	}
	for _, s := range v.texts("trusted_proxies") {
		if p, err := netip.ParsePrefix(s); err == nil {
			out.TrustedProxies = append(out.TrustedProxies, p.Masked())
		}
	}
	return out
}
