package config

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"net/url"
	"time"
)

// Config is a whole configuration: defaults filled in, checked, and never
// changed after [Load]. Fields are named for the keys they come from.
type Config struct {
	Version  string // `version`; nothing depends on it
	Revision string // `revision`; a label
	Dev      bool   // `dev` or --dev: relaxed checks, cookies over plain http, readable courier bodies
	DSN      DSN

	Serve        Serve
	Identity     Identity
	SelfService  SelfService
	Flows        Flows
	Methods      Methods
	Session      Session
	Cookies      Cookies
	Secrets      Secrets
	Hashers      Hashers
	Ciphers      Ciphers
	Courier      Courier
	Clients      Clients
	OAuth2       OAuth2
	FeatureFlags FeatureFlags
	Log          Log
	Security     Security
	Styx         Styx
}

// Serve is `serve`: the two faces of Styx and where the local server listens.
type Serve struct {
	Public Public
	Admin  Server
}

// Server is one face. BaseURL is never nil and its path ends as configured;
// Host, Port and SkipHealthLog only mean something to the local server.
type Server struct {
	BaseURL       *url.URL
	Host          string
	Port          int
	SkipHealthLog bool
}

// Public is the face that browsers and apps see.
type Public struct {
	Server
	CORS CORS
}

// CORS is `serve.public.cors`.
type CORS struct {
	Enabled            bool
	AllowedOrigins     []string // "*" or an origin with at most one wildcard
	AllowedMethods     []string
	AllowedHeaders     []string
	ExposedHeaders     []string
	AllowCredentials   bool
	OptionsPassthrough bool
	MaxAge             int // seconds; 0 = no Access-Control-Max-Age
}

// Identity is `identity`.
type Identity struct {
	DefaultSchemaID string
	Schemas         []Schema
}

// Schema names one identity schema. URL is file://, http(s):// or base64://.
type Schema struct {
	ID         string
	URL        string
	Selectable bool // may be asked for with ?identity_schema=
}

// SelfService holds what all self-service flows share.
type SelfService struct {
	DefaultReturnURL *url.URL   // never nil
	AllowedReturns   []*url.URL // usable entries only; a host may start with "*."
}

// Login and registration styles.
const (
	StyleUnified         = "unified"
	StyleIdentifierFirst = "identifier_first"
	StyleProfileFirst    = "profile_first"
)

// Assurance levels that a session can be asked for.
const (
	AAL1             = "aal1"
	HighestAvailable = "highest_available"
)

// Ways to prove an address.
const (
	UseCode = "code"
	UseLink = "link"
)

// Flows is `selfservice.flows`.
type Flows struct {
	Error        ErrorFlow
	Login        Login
	Registration Registration
	Settings     Settings
	Recovery     Recovery
	Verification Verification
	Logout       Logout
}

// ErrorFlow is `selfservice.flows.error`.
type ErrorFlow struct {
	UIURL *url.URL // nil: the built-in page
}

// Flow is what every flow with a form has. A nil UIURL means that nobody
// configured a page, so the built-in one serves.
type Flow struct {
	UIURL    *url.URL
	Lifespan time.Duration
	Before   []Hook
	After    After
}

// After says what happens once a flow is done. Which of the lists applies is
// the flow engine's business: Methods has an entry only where one was
// configured.
type After struct {
	ReturnURL *url.URL // nil: SelfService.DefaultReturnURL
	Hooks     []Hook
	Methods   map[string]AfterMethod
}

// AfterMethod is After for one method of the flow.
type AfterMethod struct {
	ReturnURL *url.URL // nil: the flow's
	Hooks     []Hook
}

// Login is `selfservice.flows.login`.
type Login struct {
	Flow
	Style string // StyleUnified, StyleIdentifierFirst
}

// Registration is `selfservice.flows.registration`; the deprecated
// enable_legacy_one_step is folded into Style.
type Registration struct {
	Flow
	Enabled    bool
	Style      string // StyleUnified, StyleProfileFirst
	LoginHints bool
}

// Settings is `selfservice.flows.settings`.
type Settings struct {
	Flow
	PrivilegedMaxAge time.Duration
	RequiredAAL      string // AAL1, HighestAvailable
}

// Recovery is `selfservice.flows.recovery`.
type Recovery struct {
	Flow
	Enabled       bool
	Use           string // UseCode, UseLink
	NotifyUnknown bool
}

// Verification is `selfservice.flows.verification`.
type Verification struct {
	Flow
	Enabled       bool
	Use           string // UseCode, UseLink
	NotifyUnknown bool
}

// Logout is `selfservice.flows.logout`.
type Logout struct {
	ReturnURL        *url.URL // nil: SelfService.DefaultReturnURL
	ClearBrowserData bool
}

// Names of the hooks.
const (
	HookWeb                = "web_hook"
	HookSession            = "session"
	HookRevokeSessions     = "revoke_active_sessions"
	HookRequireVerified    = "require_verified_address"
	HookVerification       = "verification"
	HookShowVerificationUI = "show_verification_ui"
	HookVerifyNewAddress   = "verify_new_address"
	HookNotifyPrevious     = "notify_previous_addresses"
)

// Whom HookNotifyPrevious tells.
const (
	RecipientsRemoved     = "removed"
	RecipientsAllVerified = "all_verified"
	RecipientsAll         = "all"
)

// Hook is one entry of a hooks list. Config is its `config` object as JSON, nil
// when there is none; it may hold credentials, so a Hook prints as its name.
type Hook struct {
	Name   string
	Config json.RawMessage

	web        WebHook
	recipients string
}

// Web returns the call a web_hook makes; of another hook, a zero one.
func (h Hook) Web() WebHook { return h.web }

// Recipients says whom notify_previous_addresses tells, RecipientsRemoved unless
// configured; of another hook, "".
func (h Hook) Recipients() string { return h.recipients }

// Format prints the name for every verb.
func (h Hook) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, h.Name) }

// LogValue logs the name.
func (h Hook) LogValue() slog.Value { return slog.StringValue(h.Name) }

// MarshalText encodes the name.
func (h Hook) MarshalText() ([]byte, error) { return []byte(h.Name), nil }

// Request describes an outgoing HTTP call. Body is the URI of a Jsonnet
// function, "" when none is configured.
type Request struct {
	URL     *url.URL
	Method  string
	Headers map[string]Secret
	Body    string
	Auth    Auth
}

// Kinds of Auth.
const (
	AuthNone   = ""
	AuthAPIKey = "api_key"
	AuthBasic  = "basic_auth"
)

// Auth is how an outgoing call proves itself. Name, Value and In belong to
// AuthAPIKey, User and Password to AuthBasic.
type Auth struct {
	Type     string
	Name     string
	Value    Secret
	In       string // "header", "cookie"
	User     string
	Password Secret
}

// WebHook is the configuration of a web_hook.
type WebHook struct {
	Request
	ID           string
	Ignore       bool // response.ignore: in the background, whatever it answers
	Parse        bool // response.parse: the answer may change the identity or refuse
	CanInterrupt bool // deprecated: the answer may refuse
	Analytics    bool // emit_analytics_event: adds the trigger and request id headers
}

// Methods is `selfservice.methods`.
type Methods struct {
	Profile      Profile
	Password     Password
	Link         Link
	Code         Code
	TOTP         TOTP
	LookupSecret LookupSecret
	WebAuthn     WebAuthn
	Passkey      Passkey
	OIDC         OIDC
}

// Profile is `selfservice.methods.profile`.
type Profile struct {
	Enabled bool
}

// Password is `selfservice.methods.password`.
type Password struct {
	Enabled             bool
	BreachHost          string // haveibeenpwned_host, without a scheme
	BreachCheck         bool   // haveibeenpwned_enabled
	MaxBreaches         int
	IgnoreNetworkErrors bool
	MinLength           int // bytes
	SimilarityCheck     bool
	MigrateHook         MigrateHook
}

// MigrateHook asks an older system whether a password is right.
type MigrateHook struct {
	Enabled   bool
	Request   Request
	Analytics bool
}

// Link is `selfservice.methods.link`.
type Link struct {
	Enabled  bool
	BaseURL  *url.URL // Serve.Public.BaseURL unless configured
	Lifespan time.Duration
}

// Code is `selfservice.methods.code`.
type Code struct {
	Enabled        bool
	Passwordless   bool // first factor
	MFA            bool // second factor
	Lifespan       time.Duration
	MaxSubmissions int
	Fallback       bool // missing_credential_fallback_enabled
}

// TOTP is `selfservice.methods.totp`.
type TOTP struct {
	Enabled bool
	Issuer  string // host of Serve.Public.BaseURL unless configured
}

// LookupSecret is `selfservice.methods.lookup_secret`.
type LookupSecret struct {
	Enabled bool
}

// RelyingParty is who a browser makes WebAuthn keys for.
type RelyingParty struct {
	ID          string
	DisplayName string
	Origins     []string
}

// WebAuthn is `selfservice.methods.webauthn`.
type WebAuthn struct {
	Enabled      bool
	Passwordless bool // first factor instead of second
	RP           RelyingParty
}

// Passkey is `selfservice.methods.passkey`. A zero time-out means the library's.
type Passkey struct {
	Enabled             bool
	RP                  RelyingParty
	Attachment          string // "", "platform", "cross-platform"
	ResidentKey         string // "required", "preferred", "discouraged"
	UserVerification    string // same
	Attestation         string // "none", "indirect", "direct", "enterprise"
	RegistrationTimeout time.Duration
	LoginTimeout        time.Duration
}

// OIDC is `selfservice.methods.oidc`.
type OIDC struct {
	Enabled         bool
	BaseRedirectURI *url.URL // Serve.Public.BaseURL unless configured
	Providers       []Provider
}

// Provider is one sign-in provider. Empty strings mean "not configured".
type Provider struct {
	ID           string
	Kind         string // `provider`: "generic", "google", …
	Label        string
	ClientID     string
	ClientSecret Secret
	Scope        []string
	IssuerURL    string
	AuthURL      string
	TokenURL     string
	MapperURL    string

	MicrosoftTenant   string
	SubjectSource     string // "userinfo", "me", "oid"
	AppleTeamID       string
	ApplePrivateKeyID string
	ApplePrivateKey   Secret

	RequestedClaims  json.RawMessage // the OIDC claims parameter; nil when none
	IDTokenAudiences []string
	ClaimsSource     string // "id_token", "userinfo"
	PKCE             string // "auto", "never", "force"
	UpdateIdentity   bool   // update_identity_on_login: automatic
	AAL2ACR          []string
	AAL2AMR          []string
}

// Session is `session`.
type Session struct {
	Lifespan       time.Duration
	Cookie         SessionCookie
	EarliestExtend time.Duration // Lifespan unless configured: always extendable
	WhoAmI         WhoAmI
}

// SessionCookie is `session.cookie` after falling back to `cookies`.
type SessionCookie struct {
	Name       string // without the __Host- prefix
	Persistent bool
	Cookies
}

// WhoAmI is `session.whoami`.
type WhoAmI struct {
	RequiredAAL string // AAL1, HighestAvailable
	Tokenizer   map[string]TokenTemplate
}

// TokenTemplate says how a session becomes a JWT. JWKSURL may carry the key
// itself (base64://), so it is a secret.
type TokenTemplate struct {
	TTL             time.Duration // 0: expires when issued, as in Kratos
	ClaimsMapperURL string
	JWKSURL         Secret
	SubjectSource   string // "id", "external_id"
}

// Cookies are the attributes of the cookies Styx sets.
type Cookies struct {
	Domain   string // "": host only
	Path     string
	SameSite string // "Strict", "Lax", "None"
	Secure   bool
}

// Secrets are the instance's keys: the first of a list writes, all read. A list
// may be empty; see [Secrets.Complete].
type Secrets struct {
	Default    []Secret
	Cookie     []Secret
	Cipher     []Secret
	Pagination []Secret
}

// Hashers says how new passwords are hashed.
type Hashers struct {
	Algorithm string // HashArgon2, HashBcrypt
	Bcrypt    Bcrypt
	Argon2    Argon2
}

// Password hash algorithms.
const (
	HashArgon2 = "argon2"
	HashBcrypt = "bcrypt"
)

// Bcrypt is `hashers.bcrypt`.
type Bcrypt struct {
	Cost int
}

// Argon2 holds the parameters of argon2id.
type Argon2 struct {
	MemoryKiB   uint32
	Iterations  uint32
	Parallelism uint8  // twice the CPUs unless configured
	SaltLength  uint32 // bytes
	KeyLength   uint32 // bytes
}

// Ciphers is `ciphers`.
type Ciphers struct {
	Algorithm string // "noop", "aes", "xchacha20-poly1305"
}

// Courier is `courier`.
type Courier struct {
	Strategy       string // "smtp", "http"
	SMTP           SMTP
	HTTP           Request
	Channels       []Channel
	MessageRetries int
	TemplatePath   string // template_override_path
	// Templates is keyed by template type, such as "recovery_code_valid".
	Templates map[string]Template
}

// SMTP is `courier.smtp`. An empty URI means SES in AWS and the inbox locally.
type SMTP struct {
	URI            Secret
	FromAddress    string
	FromName       string
	Headers        map[string]string
	LocalName      string
	ClientCertPath string
	ClientKeyPath  string
}

// Channel delivers messages of one kind over HTTP; ID is "sms" today.
type Channel struct {
	ID      string
	Request Request
}

// Template holds the URIs of an overridden template; "" is not overridden.
type Template struct {
	Subject string
	HTML    string
	Plain   string
	SMS     string
}

// Clients is `clients`: rules for calls Styx makes.
type Clients struct {
	HTTP            HTTPClient
	SMTPNoPrivate   bool     // clients.smtp.disallow_private_ip_ranges
	HeaderAllowlist []string // request headers that web hooks may see
}

// HTTPClient guards outgoing HTTP. NoPrivate is what
// clients.http.disallow_private_ip_ranges says; when it says nothing, private
// addresses are refused outside dev.
type HTTPClient struct {
	NoPrivate  bool
	Exceptions []string // exact URLs
}

// OAuth2 is `oauth2_provider`.
type OAuth2 struct {
	URL              *url.URL // nil: login challenges are not supported
	Headers          map[string]Secret
	OverrideReturnTo bool
}

// FeatureFlags is `feature_flags`.
type FeatureFlags struct {
	ContinueWithTransitions      bool // use_continue_with_transitions
	ChooseRecoveryAddress        bool
	LegacyContinueVerificationUI bool
	LegacyRequireVerifiedError   bool
	CacheableSessions            bool
	CacheableSessionsMaxAge      time.Duration // 0: the rest of the session
	FasterSessionExtend          bool
	ProfileNodeGroup             string // password_profile_registration_node_group: "default", "password"
	LegacyOIDCNodeGroup          bool
	LegacyInsecureOrigins        bool
	RefreshLoginChooseAddress    bool
}

// Log is `log`.
type Log struct {
	Level  slog.Level
	Format string // "text", "json"
}

// Security is `security`.
type Security struct {
	MitigateEnumeration bool
	DisallowSchemaRefs  bool // disallow_ref_in_identity_schemas
}

// Styx is `styx`: what Kratos has no key for.
type Styx struct {
	HostPrefix     bool           // styx.cookies.host_prefix: names start with __Host-
	ConfirmLinks   bool           // styx.links.confirm: a button before a link takes effect
	NotBefore      time.Time      // styx.sessions.not_before: older sessions are dead; zero = none
	RefuseClones   bool           // styx.webauthn.refuse_clones
	TrustedProxies []netip.Prefix // whose forwarded headers count
}
