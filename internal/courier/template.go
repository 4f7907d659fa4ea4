package courier

// Template says what a message is about; the value is the API's template_type.
type Template string

// The templates.
const (
	RecoveryCodeValid       Template = "recovery_code_valid"
	RecoveryCodeInvalid     Template = "recovery_code_invalid"
	RecoveryValid           Template = "recovery_valid"
	RecoveryInvalid         Template = "recovery_invalid"
	VerificationCodeValid   Template = "verification_code_valid"
	VerificationCodeInvalid Template = "verification_code_invalid"
	VerificationValid       Template = "verification_valid"
	VerificationInvalid     Template = "verification_invalid"
	RegistrationCodeValid   Template = "registration_code_valid"
	LoginCodeValid          Template = "login_code_valid"
	AddressChanged          Template = "verifiable_address_changed"
	AuthenticatorAdded      Template = "authenticator_key_added"
	Stub                    Template = "stub"
)

// Names of template data, as HTTP channels see them and as [Draft] takes them.
const (
	To                 = "to"
	RecoveryCode       = "recovery_code"
	RecoveryURL        = "recovery_url"
	VerificationCode   = "verification_code"
	VerificationURL    = "verification_url"
	RegistrationCode   = "registration_code"
	LoginCode          = "login_code"
	Identity           = "identity" // the public view
	Traits             = "traits"
	RequestURL         = "request_url"
	RequestURLDomain   = "request_url_domain"
	TransientPayload   = "transient_payload"
	ExpiresInMinutes   = "expires_in_minutes"
	OAuth2LoginRequest = "oauth2_login_request"
	ChangedAt          = "changed_at"
	AddedAt            = "added_at"
)

// model is the data of one template, by name; sms is nil where the template is
// mail only.
type model struct{ email, sms []string }

// models holds every template's data. The request's domain is derived for text
// messages and never drafted.
var models = map[Template]model{
	RecoveryCodeValid: {
		email: []string{To, RecoveryCode, Identity, RequestURL, TransientPayload, ExpiresInMinutes},
		sms:   []string{To, RecoveryCode, Identity, RequestURL, RequestURLDomain, TransientPayload, ExpiresInMinutes},
	},
	RecoveryCodeInvalid: {email: []string{To, RequestURL, TransientPayload}},
	RecoveryValid:       {email: []string{To, RecoveryURL, Identity, RequestURL, TransientPayload, ExpiresInMinutes}},
	RecoveryInvalid:     {email: []string{To, RequestURL, TransientPayload}},
	VerificationCodeValid: {
		email: []string{To, VerificationURL, VerificationCode, Identity, RequestURL, TransientPayload, ExpiresInMinutes, OAuth2LoginRequest},
		sms:   []string{To, VerificationCode, Identity, RequestURL, RequestURLDomain, TransientPayload, ExpiresInMinutes},
	},
	VerificationCodeInvalid: {email: []string{To, RequestURL, TransientPayload}},
	VerificationValid:       {email: []string{To, VerificationURL, Identity, RequestURL, TransientPayload, ExpiresInMinutes, OAuth2LoginRequest}},
	VerificationInvalid:     {email: []string{To, RequestURL, TransientPayload}},
	RegistrationCodeValid: {
		email: []string{To, Traits, RegistrationCode, RequestURL, TransientPayload, ExpiresInMinutes, OAuth2LoginRequest},
		sms:   []string{To, RegistrationCode, Identity, RequestURL, RequestURLDomain, TransientPayload, ExpiresInMinutes},
	},
	LoginCodeValid: {
		email: []string{To, LoginCode, Identity, RequestURL, TransientPayload, ExpiresInMinutes, OAuth2LoginRequest},
		sms:   []string{To, LoginCode, Identity, RequestURL, RequestURLDomain, TransientPayload, ExpiresInMinutes},
	},
	AddressChanged: {
		email: []string{To, Identity, ChangedAt, TransientPayload},
		sms:   []string{To, Identity, ChangedAt, TransientPayload},
	},
	AuthenticatorAdded: {
		email: []string{To, Identity, AddedAt, TransientPayload},
		sms:   []string{To, Identity, AddedAt, TransientPayload},
	},
	Stub: {email: []string{To}, sms: []string{To}},
}

// names returns the data of a template for one type of message, nil if there is
// no such message.
func (t Template) names(kind Type) []string {
	switch kind {
	case Email:
		return models[t].email
	case SMS:
		return models[t].sms
	default:
		return nil
	}
}
