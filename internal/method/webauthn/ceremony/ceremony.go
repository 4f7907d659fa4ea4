// Package ceremony holds what security keys and passkeys share: what a browser
// is asked for, and whether what it brings back is true (WebAuthn Level 3).
// Whom a form asks, and what follows from an answer, is for the two methods.
package ceremony

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"styx/internal/config"
	"styx/internal/identity"
	"styx/internal/secret"
)

// What a browser is given to answer, unless configured. A key that does not have
// to recognise its owner is quicker to use.
const (
	patience      = 5 * time.Minute
	shortPatience = 2 * time.Minute
)

// challengeSize is how many random bytes a challenge has; the standard wants 16.
const challengeSize = 32

// Rules are what a relying party wants of keys.
type Rules struct {
	RP config.RelyingParty

	UserVerification string // "required", "preferred", "discouraged"
	ResidentKey      string // the same; "" says nothing of it
	Attachment       string // "platform", "cross-platform", "" for any
	Attestation      string // "none", "indirect", "direct", "enterprise"; "" is "none", unsaid
	RefuseClones     bool   // a key whose signature counter does not rise is turned away

	// Registration and Login are what a browser is given to answer, 0 for what is
	// usual.
	Registration, Login time.Duration
}

// Party is a relying party: it makes options and judges answers.
type Party struct {
	rules Rules
	judge webauthn.WebAuthn
}

// New returns the relying party of a site. Without origins of its own it is at
// home where the public API is.
func New(c *config.Config, rules Rules) *Party {
	origins := rules.RP.Origins
	if len(origins) == 0 {
		public := c.Serve.Public.BaseURL
		origins = []string{public.Scheme + "://" + public.Host}
	}
	usual := patience
	if rules.UserVerification == string(protocol.VerificationDiscouraged) {
		usual = shortPatience
	}
	if rules.Registration == 0 {
		rules.Registration = usual
	}
	if rules.Login == 0 {
		rules.Login = usual
	}
	return &Party{rules: rules, judge: webauthn.WebAuthn{Config: &webauthn.Config{
		RPID: rules.RP.ID, RPDisplayName: rules.RP.DisplayName, RPOrigins: origins,
		RPTopOriginVerificationMode: protocol.TopOriginExplicitVerificationMode, // and none is listed
		// Password managers report extensions that nobody asked for; the standard
		// has us ignore them (section 9).
		ExtensionsUnsolicitedOutputPolicy: protocol.UnsolicitedOutputPolicyIgnore,
	}}}
}

// Challenge is what a flow remembers of what it asked a browser for.
type Challenge struct {
	Value []byte   `json:"value"`
	User  []byte   `json:"user,omitempty"`    // the user handle that a new key is made for
	Keys  [][]byte `json:"allowed,omitempty"` // the ids of the keys that may answer; none: any
}

// Ask returns a new challenge, for a key that is made for a user handle or for
// keys that may sign.
func Ask(rand io.Reader, user []byte, keys []identity.Key) Challenge {
	asked := Challenge{Value: secret.Bytes(rand, challengeSize), User: user}
	for _, key := range keys {
		asked.Keys = append(asked.Keys, key.ID)
	}
	return asked
}

// text is the challenge as browsers hand it back.
func (c Challenge) text() string { return base64.RawURLEncoding.EncodeToString(c.Value) }

// Creation returns the options of navigator.credentials.create():
// {"publicKey": {…}}. Known are the keys that need not be made again.
func (p *Party) Creation(asked Challenge, name string, known []identity.Key) json.RawMessage {
	selection := protocol.AuthenticatorSelection{
		AuthenticatorAttachment: protocol.AuthenticatorAttachment(p.rules.Attachment),
		ResidentKey:             protocol.ResidentKeyRequirement(p.rules.ResidentKey),
		UserVerification:        protocol.UserVerificationRequirement(p.rules.UserVerification),
	}
	if p.rules.ResidentKey != "" {
		required := selection.ResidentKey == protocol.ResidentKeyRequirementRequired
		selection.RequireResidentKey = &required
	}
	return options(protocol.CredentialCreation{Response: protocol.PublicKeyCredentialCreationOptions{
		RelyingParty: protocol.RelyingPartyEntity{
			CredentialEntity: protocol.CredentialEntity{Name: p.rules.RP.DisplayName}, ID: p.rules.RP.ID,
		},
		User: protocol.UserEntity{
			CredentialEntity: protocol.CredentialEntity{Name: name}, DisplayName: name,
			ID: protocol.URLEncodedBase64(asked.User),
		},
		Challenge: asked.Value, Parameters: webauthn.CredentialParametersDefault(),
		Timeout:               int(p.rules.Registration.Milliseconds()),
		CredentialExcludeList: describe(known), AuthenticatorSelection: selection,
		Attestation: protocol.ConveyancePreference(p.rules.Attestation),
	}})
}

// Request returns the options of navigator.credentials.get(): {"publicKey": {…}}.
// Without keys any key of the site may answer.
func (p *Party) Request(asked Challenge, keys []identity.Key) json.RawMessage {
	return options(protocol.CredentialAssertion{Response: protocol.PublicKeyCredentialRequestOptions{
		Challenge: asked.Value, Timeout: int(p.rules.Login.Milliseconds()), RelyingPartyID: p.rules.RP.ID,
		AllowedCredentials: describe(keys),
		UserVerification:   protocol.UserVerificationRequirement(p.rules.UserVerification),
	}})
}

func options(of any) json.RawMessage {
	raw, err := json.Marshal(of)
	if err != nil {
		panic(fmt.Sprintf("ceremony: write options: %v", err)) // they are plain texts and numbers
	}
	return raw
}

// describe lists keys as options name them.
func describe(keys []identity.Key) []protocol.CredentialDescriptor {
	var list []protocol.CredentialDescriptor
	for _, key := range keys {
		list = append(list, protocol.CredentialDescriptor{
			Type: protocol.PublicKeyCredentialType, CredentialID: key.ID, Transport: transports(key),
		})
	}
	return list
}

func transports(key identity.Key) []protocol.AuthenticatorTransport {
	var list []protocol.AuthenticatorTransport
	for _, transport := range key.Transport {
		list = append(list, protocol.AuthenticatorTransport(transport))
	}
	return list
}
