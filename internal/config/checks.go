package config

import (
	"iter"
	"maps"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/publicsuffix"
)

// checks holds what no schema can say: rules between keys, and the stricter ones
// of a production start, which is any without dev. It notes every mistake.
type checks struct {
	*settle
	written    values // the settled document
	hasCourier bool   // the document had a courier before defaults
}

// row is one rule: when bad holds, key is refused with text.
type row struct {
	bad       bool
	key, text string
}

func (k *checks) table(rows []row) {
	for _, r := range rows {
		if r.bad {
			k.refuse(r.key, r.text)
		}
	}
}

func (k *checks) advise(kind Kind, key, text string) {
	k.notices = append(k.notices, Notice{kind, key, text})
}

// all runs every check on c, and drops from c what is ignored with a warning.
func (k *checks) all(c *Config) {
	k.urls(c)
	k.schemas(c)
	k.flows(c)
	k.methods(c)
	k.relyingParty("webauthn", c.Methods.WebAuthn.Enabled, c.Methods.WebAuthn.RP)
	k.relyingParty("passkey", c.Methods.Passkey.Enabled, c.Methods.Passkey.RP)
	k.cookies(c)
	k.secrets(c)
	k.hashers(c)
	k.courier(c)
	k.wildcards(c)
	k.data(c)
}

func (k *checks) urls(c *Config) {
	public, admin := c.Serve.Public.BaseURL, c.Serve.Admin.BaseURL
	hasBase := k.written.at("serve").at("public").has("base_url")
	const plain = "must be an http or https URL with a host and without user, query or fragment"
	k.table([]row{
		{!c.Dev && !hasBase, "serve.public.base_url", "is required outside dev: links, redirects and cookies depend on it"},
		{!plainWeb(public), "serve.public.base_url", plain},
		{!plainWeb(admin), "serve.admin.base_url", plain},
		{c.Methods.Link.BaseURL != public && !plainWeb(c.Methods.Link.BaseURL), "selfservice.methods.link.config.base_url", plain},
		{c.Methods.OIDC.BaseRedirectURI != public && !plainWeb(c.Methods.OIDC.BaseRedirectURI), "selfservice.methods.oidc.config.base_redirect_uri", plain},
		{c.OAuth2.URL != nil && !web(c.OAuth2.URL), "oauth2_provider.url", "must be an http or https URL"},
	})
	if !c.Dev && public.Scheme == "http" && c.Session.Cookie.Secure {
		k.advise(Advice, "serve.public.base_url", "is http, and cookies are Secure: browsers will not send them")
	}
	pages := []struct {
		key string
		url *url.URL
	}{
		{"selfservice.default_browser_return_url", c.SelfService.DefaultReturnURL},
		{"selfservice.flows.error.ui_url", c.Flows.Error.UIURL},
		{"selfservice.flows.login.ui_url", c.Flows.Login.UIURL},
		{"selfservice.flows.registration.ui_url", c.Flows.Registration.UIURL},
		{"selfservice.flows.settings.ui_url", c.Flows.Settings.UIURL},
		{"selfservice.flows.recovery.ui_url", c.Flows.Recovery.UIURL},
		{"selfservice.flows.verification.ui_url", c.Flows.Verification.UIURL},
	}
	for _, p := range pages {
		if p.url != nil && p.url.User != nil {
			k.refuse(p.key, "must not hold a user or password")
		}
	}
}

func web(u *url.URL) bool {
	return (u.Scheme == "http" || u.Scheme == "https") && u.Hostname() != ""
}

func plainWeb(u *url.URL) bool {
	return web(u) && u.User == nil && u.RawQuery == "" && !u.ForceQuery && u.Fragment == ""
}

func (k *checks) schemas(c *Config) {
	seen := make(map[string]bool)
	for i, s := range c.Identity.Schemas {
		if seen[s.ID] {
			k.refuse("identity.schemas."+strconv.Itoa(i)+".id", "is the id of an earlier schema too")
		}
		seen[s.ID] = true
	}
	if len(seen) > 0 && !seen[c.Identity.DefaultSchemaID] {
		k.refuse("identity.default_schema_id", "names none of the schemas: must be one of "+strings.Join(slices.Sorted(maps.Keys(seen)), ", "))
	}
}

func (k *checks) flows(c *Config) {
	f := c.Flows
	lifespans := []struct {
		key  string
		life time.Duration
	}{
		{"selfservice.flows.login.lifespan", f.Login.Lifespan},
		{"selfservice.flows.registration.lifespan", f.Registration.Lifespan},
		{"selfservice.flows.settings.lifespan", f.Settings.Lifespan},
		{"selfservice.flows.recovery.lifespan", f.Recovery.Lifespan},
		{"selfservice.flows.verification.lifespan", f.Verification.Lifespan},
		{"selfservice.methods.link.config.lifespan", c.Methods.Link.Lifespan},
		{"selfservice.methods.code.config.lifespan", c.Methods.Code.Lifespan},
		{"session.lifespan", c.Session.Lifespan},
	}
	for _, l := range lifespans {
		if l.life <= 0 {
			k.refuse(l.key, "must be longer than nothing")
		}
	}
	addressed := []struct {
		key     string
		enabled bool
		use     string
	}{
		{"selfservice.flows.recovery", f.Recovery.Enabled, f.Recovery.Use},
		{"selfservice.flows.verification", f.Verification.Enabled, f.Verification.Use},
	}
	for _, a := range addressed {
		if a.enabled && !k.hasCourier {
			k.refuse("courier", "is required while "+a.key+".enabled is true")
		}
		if a.enabled && (a.use == UseLink && !c.Methods.Link.Enabled || a.use == UseCode && !c.Methods.Code.Enabled) {
			k.advise(Advice, a.key+".use", "names a method that is not enabled")
		}
	}
	for key, hooks := range f.hooks() {
		for i, h := range hooks {
			at := key + "." + strconv.Itoa(i) + ".config"
			w := h.Web()
			if h.Name == HookWeb && w.URL != nil && !web(w.URL) {
				k.refuse(at+".url", "must be an http or https URL")
			}
			if w.Ignore && (w.Parse || w.CanInterrupt) {
				k.advise(Advice, at+".response.ignore", "contradicts parse and can_interrupt: the hook will fail when it runs")
			}
		}
	}
}

// hooks yields every hooks list with its key, in a fixed order.
func (f Flows) hooks() iter.Seq2[string, []Hook] {
	flows := []struct {
		name string
		Flow
	}{
		{"login", f.Login.Flow},
		{"registration", f.Registration.Flow},
		{"settings", f.Settings.Flow},
		{"recovery", f.Recovery.Flow},
		{"verification", f.Verification.Flow},
	}
	return func(yield func(string, []Hook) bool) {
		for _, flow := range flows {
			at := "selfservice.flows." + flow.name
			if !yield(at+".before.hooks", flow.Before) || !yield(at+".after.hooks", flow.After.Hooks) {
				return
			}
			for _, method := range slices.Sorted(maps.Keys(flow.After.Methods)) {
				if !yield(at+".after."+method+".hooks", flow.After.Methods[method].Hooks) {
					return
				}
			}
		}
	}
}

func (k *checks) methods(c *Config) {
	m := c.Methods
	const at = "selfservice.methods."
	tooLong := c.Hashers.Algorithm == HashBcrypt && m.Password.MinLength > maxBcrypt
	migrate := m.Password.MigrateHook
	k.table([]row{
		{m.Code.Passwordless && m.Code.MFA, at + "code.mfa_enabled", "cannot be on together with passwordless_enabled"},
		{tooLong, at + "password.config.min_password_length", "cannot be met: bcrypt takes at most 72 bytes; lower it or use argon2"},
		{migrate.Enabled && (migrate.Request.URL == nil || !web(migrate.Request.URL)), at + "password.config.migrate_hook.config.url", "must be an http or https URL while the hook is enabled"},
		{strings.ContainsAny(m.Password.BreachHost, "/@?# "), at + "password.config.haveibeenpwned_host", "must be a host without scheme and path"},
	})
	seen := make(map[string]bool)
	for i, p := range m.OIDC.Providers {
		if seen[p.ID] && p.ID != "" {
			k.refuse(at+"oidc.config.providers."+strconv.Itoa(i)+".id", "is the id of an earlier provider too")
		}
		seen[p.ID] = true
	}
}

// maxBcrypt is the longest password bcrypt looks at, in bytes.
const maxBcrypt = 72

// relyingParty wants browsers to agree that the origins may use keys of rp.ID: it
// is their host or a parent of it, and nobody else's.
func (k *checks) relyingParty(method string, enabled bool, rp RelyingParty) {
	if !enabled {
		return
	}
	at := "selfservice.methods." + method + ".config.rp"
	raw := k.written.at("selfservice").at("methods").at(method).at("config").at("rp")
	k.table([]row{
		{rp.ID == "", at + ".id", "is required while " + method + " is enabled: the domain that the origins end in"},
		{rp.DisplayName == "", at + ".display_name", "is required while " + method + " is enabled"},
		{raw.has("origin") && raw.has("origins"), at + ".origin", "cannot stand beside origins"},
		{rp.ID != "" && publicSuffix(rp.ID), at + ".id", "is a public suffix: it must be a domain of yours"},
	})
	for i, origin := range rp.Origins {
		u, err := url.Parse(origin)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" {
			continue // an app's origin, such as android:apk-key-hash:…
		}
		if host := u.Hostname(); rp.ID != "" && host != rp.ID && !strings.HasSuffix(host, "."+rp.ID) {
			key := at + ".origins." + strconv.Itoa(i)
			if raw.has("origin") {
				key = at + ".origin"
			}
			k.refuse(key, "does not belong to rp.id "+rp.ID+": its host must be that or end in ."+rp.ID)
		}
	}
}

// publicSuffix says whether anybody can register names below host, as for "com"
// and "co.uk". Names that no registry knows, such as localhost, are not.
func publicSuffix(host string) bool {
	if _, err := netip.ParseAddr(host); err == nil {
		return false
	}
	suffix, listed := publicsuffix.PublicSuffix(strings.ToLower(host))
	return suffix == strings.ToLower(host) && (listed || strings.Contains(suffix, "."))
}

func (k *checks) cookies(c *Config) {
	session := c.Session.Cookie
	none := func(x Cookies) bool { return x.SameSite == "None" && !x.Secure && !c.Dev }
	noDomain := func(s string) bool { return strings.ContainsAny(s, " :/;,") }
	noPath := func(s string) bool { return !strings.HasPrefix(s, "/") || strings.ContainsAny(s, ";\r\n") }
	const host = "cannot be on together with "
	k.table([]row{
		{!token(session.Name), "session.cookie.name", "must be a cookie name: letters, digits and !#$%&'*+-.^_`|~"},
		{none(c.Cookies), "cookies.same_site", "None needs cookies.secure"},
		{none(session.Cookies) && !none(c.Cookies), "session.cookie.same_site", "None needs session.cookie.secure"},
		{noDomain(c.Cookies.Domain), "cookies.domain", "must be a domain without scheme, port and path"},
		{noDomain(session.Domain) && !noDomain(c.Cookies.Domain), "session.cookie.domain", "must be a domain without scheme, port and path"},
		{noPath(c.Cookies.Path), "cookies.path", "must start with /"},
		{noPath(session.Path) && !noPath(c.Cookies.Path), "session.cookie.path", "must start with /"},
	})
	if !c.Styx.HostPrefix {
		return
	}
	const key = "styx.cookies.host_prefix"
	if c.Dev && !session.Secure {
		// A browser refuses a __Host- cookie that is not Secure, and in
		// development there is no https to make it so.
		c.Styx.HostPrefix = false
		k.advise(Ignored, key, "is off in dev: __Host- cookies need https")
	}
	k.table([]row{
		{c.Cookies.Domain != "", key, host + "cookies.domain: __Host- binds a cookie to one host"},
		{c.Cookies.Domain == "" && session.Domain != "", key, host + "session.cookie.domain: __Host- binds a cookie to one host"},
		{c.Cookies.Path != "/" || session.Path != "/", key, "needs the cookie path /"},
		{!c.Dev && !(c.Cookies.Secure && session.Secure), key, "needs Secure cookies"},
	})
}

// token says whether s can be a cookie's name (RFC 6265, 4.1.1).
func token(s string) bool {
	for _, b := range []byte(s) {
		letter := 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z' || '0' <= b && b <= '9'
		if !letter && strings.IndexByte("!#$%&'*+-.^_`|~", b) < 0 {
			return false
		}
	}
	return s != ""
}

func (k *checks) secrets(c *Config) {
	lists := []struct {
		key  string
		list []Secret
	}{
		{"secrets.default", c.Secrets.Default},
		{"secrets.cookie", c.Secrets.Cookie},
		{"secrets.cipher", c.Secrets.Cipher},
		{"secrets.pagination", c.Secrets.Pagination},
	}
	for _, l := range lists {
		for i, s := range l.list {
			if !c.Dev && placeholder(s.Reveal()) {
				k.refuse(l.key+"."+strconv.Itoa(i), "is an example's or easy to guess: outside dev it must be random, such as the output of `openssl rand -hex 16`")
			}
		}
	}
	missing := len(c.Secrets.Default) == 0
	k.table([]row{
		{missing && !c.Dev && c.DSN.Kind != Memory, "secrets.default", "is required outside dev: at least one random text of 16 characters or more"},
		{len(c.Secrets.Cipher) == 0 && c.Ciphers.Algorithm != "noop" && c.Ciphers.Algorithm != "", "secrets.cipher", "is required while ciphers.algorithm is " + c.Ciphers.Algorithm},
	})
	if missing {
		k.advise(Advice, "secrets.default", "is not set: a random one lasts until this process ends")
	}
	if !k.written.has("dsn") || k.written.text("dsn") == "" {
		k.advise(Advice, "dsn", "is not set: data lives in memory until this process ends")
	}
}

// placeholder says whether a secret was copied from an example or has too few
// different characters to be random.
func placeholder(s string) bool {
	plain := strings.NewReplacer("-", "", "_", "", " ", "").Replace(strings.ToUpper(s))
	for _, word := range []string{"CHANGEME", "CHANGETHIS", "REPLACEME", "INSECURE", "NOTSECURE", "NOTFORPRODUCTION", "YOURSECRET"} {
		if strings.Contains(plain, word) {
			return true
		}
	}
	different := make(map[rune]bool)
	for _, r := range s {
		different[r] = true
	}
	return len(different) < 6
}

func (k *checks) hashers(c *Config) {
	a := c.Hashers.Argon2
	k.table([]row{
		{!c.Dev && c.Hashers.Algorithm == HashBcrypt && c.Hashers.Bcrypt.Cost < 12, "hashers.bcrypt.cost", "must be a whole number from 12 to 31 outside dev"},
		{a.MemoryKiB < 8*uint32(a.Parallelism), "hashers.argon2.memory", "must be at least 8KB for each of hashers.argon2.parallelism"},
		{a.MemoryKiB > maxArgonKiB, "hashers.argon2.memory", "must be at most 4GB"},
	})
}

const maxArgonKiB = 4 << 20

func (k *checks) courier(c *Config) {
	u, err := url.Parse(c.Courier.SMTP.URI.Reveal())
	smtp := err == nil && (u.Scheme == "smtp" || u.Scheme == "smtps") && u.Host != ""
	mailURL := c.Courier.HTTP.URL
	k.table([]row{
		{c.Courier.SMTP.URI != "" && !smtp, "courier.smtp.connection_uri", "must be smtp://host:port or smtps://host:port"},
		{!strings.Contains(c.Courier.SMTP.FromAddress, "@"), "courier.smtp.from_address", "must be a mail address"},
		{c.Courier.Strategy == "http" && (mailURL == nil || !web(mailURL)), "courier.http.request_config.url", "must be an http or https URL while courier.delivery_strategy is http"},
	})
	for i, ch := range c.Courier.Channels {
		if ch.Request.URL == nil || !web(ch.Request.URL) {
			k.refuse("courier.channels."+strconv.Itoa(i)+".request_config.url", "must be an http or https URL")
		}
	}
}

// wildcards leaves out the return URLs and origins that would let in domains of
// strangers, unless the legacy flag insists on them.
func (k *checks) wildcards(c *Config) {
	if c.FeatureFlags.LegacyInsecureOrigins {
		return
	}
	const text = "entry is ignored: a wildcard must stand for subdomains of a domain of yours, as in https://*.example.com"
	var returns []*url.URL
	for _, u := range c.SelfService.AllowedReturns {
		if !bounded(u.Hostname()) {
			k.advise(Ignored, "selfservice.allowed_return_urls", text)
			continue
		}
		returns = append(returns, u)
	}
	c.SelfService.AllowedReturns = returns
	var origins []string
	for _, origin := range c.Serve.Public.CORS.AllowedOrigins {
		_, host, ok := strings.Cut(origin, "://")
		if !ok {
			host = origin
		}
		host, _, _ = strings.Cut(host, ":")
		if origin != "*" && !bounded(host) {
			k.advise(Ignored, "serve.public.cors.allowed_origins", text)
			continue
		}
		origins = append(origins, origin)
	}
	c.Serve.Public.CORS.AllowedOrigins = origins
}

// bounded says whether host has no wildcard, or one that stays below a domain
// somebody registered: "*.example.com", but not "*", "*.com" or "*foo.com".
func bounded(host string) bool {
	if !strings.Contains(host, "*") {
		return true
	}
	domain, ok := strings.CutPrefix(host, "*.")
	if !ok || domain == "" || strings.Contains(domain, "*") {
		return false
	}
	_, err := publicsuffix.EffectiveTLDPlusOne(strings.ToLower(domain))
	return err == nil
}

func (k *checks) data(c *Config) {
	for _, name := range slices.Sorted(maps.Keys(c.Session.WhoAmI.Tokenizer)) {
		keys := c.Session.WhoAmI.Tokenizer[name].JWKSURL.Reveal()
		if keys != "" && !strings.HasPrefix(keys, "file://") && !strings.HasPrefix(keys, "base64://") {
			k.refuse("session.whoami.tokenizer.templates."+name+".jwks_url", "must be a file:// or base64:// URL: private keys do not travel")
		}
	}
}
