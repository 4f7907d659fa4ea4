package identity

import (
	"encoding/json"
	"slices"

	"styx/internal/config"
)

// AAL is an authenticator assurance level (NIST SP 800-63B-4).
type AAL string

// The assurance levels.
const (
	AAL0 AAL = "aal0" // nothing to sign in with
	AAL1 AAL = "aal1" // a first factor
	AAL2 AAL = "aal2" // a second factor
)

// Policy is what the configuration says about factors: only enabled methods count.
type Policy struct {
	Password     bool
	OIDC         bool
	SAML         bool
	Passkey      bool
	WebAuthn     bool
	TOTP         bool
	LookupSecret bool
	Passwordless bool // code signs in: a first factor of every identity
	CodeMFA      bool // code is a second factor
}

// PolicyOf reads the policy from the configuration.
func PolicyOf(m config.Methods) Policy {
	return Policy{
		Password: m.Password.Enabled, OIDC: m.OIDC.Enabled, Passkey: m.Passkey.Enabled,
		WebAuthn: m.WebAuthn.Enabled, TOTP: m.TOTP.Enabled, LookupSecret: m.LookupSecret.Enabled,
		Passwordless: m.Code.Passwordless, CodeMFA: m.Code.MFA,
	}
}

// Counts says how many credentials of each kind an identity can use.
type Counts struct {
	Password     int // 1 with an identifier and a hash or a pending migration
	OIDC         int // providers
	SAML         int // providers
	Passkey      int // keys
	WebAuthn     int // keys that are a second factor
	Passwordless int // WebAuthn keys that are a first factor
	TOTP         int
	LookupSecret int // sets of recovery codes
	Code         int // addresses
}

// Counts reads the credentials as they are. Nothing of it is stored: a count
// kept beside the credentials could only be stale (CVE-2024-45042), and whoever
// has the document has the credentials.
func (i *Identity) Counts() Counts {
	var counts Counts
	for kind, credential := range i.Credentials {
		switch kind {
		case Password:
			config := credential.password()
			if len(credential.Identifiers) > 0 && (config.Hash != "" || config.Migration) {
				counts.Password = 1
			}
		case OIDC:
			counts.OIDC = credential.entries("providers")
		case SAML:
			counts.SAML = credential.entries("providers")
		case Passkey:
			counts.Passkey = credential.entries("credentials")
		case WebAuthn:
			counts.Passwordless, counts.WebAuthn = credential.keys()
		case TOTP:
			if !credential.empty() {
				counts.TOTP = 1
			}
		case LookupSecret:
			if credential.entries("recovery_codes") > 0 {
				counts.LookupSecret = 1
			}
		case Code:
			counts.Code = len(credential.code().Addresses)
		}
	}
	return counts
}

// entries counts the entries of a list in the config.
func (c Credential) entries(member string) int {
	var config map[string]json.RawMessage
	var list []json.RawMessage
	if json.Unmarshal(c.Config, &config) != nil || json.Unmarshal(config[member], &list) != nil {
		return 0
	}
	return len(list)
}

// keys counts the WebAuthn keys that are a first and a second factor.
func (c Credential) keys() (first, second int) {
	var config struct {
		Credentials []struct {
			Passwordless bool `json:"is_passwordless"`
		} `json:"credentials"`
	}
	if json.Unmarshal(c.Config, &config) != nil {
		return 0, 0
	}
	for _, key := range config.Credentials {
		if key.Passwordless {
			first++
		}
	}
	return first, len(config.Credentials) - first
}

// FirstFactors is the number of ways to sign in; the last one may not be removed.
func (c Counts) FirstFactors(policy Policy) int {
	sum := 0
	for _, factor := range []struct {
		enabled bool
		count   int
	}{
		{policy.Password, c.Password},
		{policy.OIDC, c.OIDC},
		{policy.SAML, c.SAML},
		{policy.Passkey, c.Passkey},
		{policy.WebAuthn, c.Passwordless},
		{policy.Passwordless, 1},
	} {
		if factor.enabled {
			sum += factor.count
		}
	}
	return sum
}

// SecondFactor tells whether there is a second factor.
func (c Counts) SecondFactor(policy Policy) bool {
	return policy.TOTP && c.TOTP > 0 ||
		policy.LookupSecret && c.LookupSecret > 0 ||
		policy.WebAuthn && c.WebAuthn > 0 ||
		policy.CodeMFA && c.Code > 0
}

// AvailableAAL is the highest level that the identity's credentials reach. A
// second factor reaches AAL2 even where no first factor is left.
func (i *Identity) AvailableAAL(policy Policy) AAL {
	counts := i.Counts()
	switch {
	case counts.SecondFactor(policy):
		return AAL2
	case counts.FirstFactors(policy) > 0:
		return AAL1
	default:
		return AAL0
	}
}

// Factors returns the types of the credentials by which the identity can sign
// in, sorted.
func (i *Identity) Factors() []CredentialType {
	counts := i.Counts()
	var kinds []CredentialType
	for kind, count := range map[CredentialType]int{
		Password: counts.Password, OIDC: counts.OIDC, SAML: counts.SAML, Passkey: counts.Passkey,
		WebAuthn: counts.Passwordless, Code: counts.Code,
	} {
		if count > 0 {
			kinds = append(kinds, kind)
		}
	}
	slices.Sort(kinds)
	return kinds
}
