package ceremony

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"styx/internal/identity"
)

// Upper bounds, of what is kept with a key and of what every sign-in has to
// reckon with.
const (
	maxAnswer     = 16 << 10 // bytes; a statement with a chain of certificates takes about half
	maxPublicKey  = 1 << 11  // bytes; an RSA key of 8192 bits takes half
	maxTransports = 8
	maxTransport  = 32 // bytes
)

var (
	errTooLong   = errors.New("answer is too long")
	errStatement = errors.New("attestation is not of the kind that the configuration wants")
	errOwner     = errors.New("user handle is not the owner's")
	errClone     = errors.New("signature counter did not rise")
)

// user is whose keys they are, in the library's words.
type user struct {
	handle []byte
	keys   []webauthn.Credential
}

func (u user) WebAuthnID() []byte                         { return u.handle }
func (u user) WebAuthnName() string                       { return "" }
func (u user) WebAuthnDisplayName() string                { return "" }
func (u user) WebAuthnCredentials() []webauthn.Credential { return u.keys }

// NewKey is a browser's answer to create().
type NewKey struct {
	parsed *protocol.ParsedCredentialCreationData
}

// ReadNewKey reads an answer, and believes nothing of it.
func ReadNewKey(answer string) (NewKey, error) {
	if len(answer) > maxAnswer {
		return NewKey{}, errTooLong
	}
	parsed, err := protocol.ParseCredentialCreationResponseBytes([]byte(answer))
	if err != nil {
		return NewKey{}, fmt.Errorf("read new key: %w", err)
	}
	if len(parsed.Response.AttestationObject.AuthData.AttData.CredentialPublicKey) > maxPublicKey {
		return NewKey{}, errTooLong
	}
	return NewKey{parsed}, nil
}

// KeyID is the id that the new key is said to have.
func (k NewKey) KeyID() []byte { return k.parsed.RawID }

// Accept returns the key that an answer made, when it is true in everything the
// standard wants (section 7.1). Whether somebody has that key already is for the
// store to say.
func (p *Party) Accept(asked Challenge, answer NewKey, now time.Time) (identity.Key, error) {
	if !p.wants(answer.parsed.Response.AttestationObject) {
		return identity.Key{}, errStatement // before any certificate is looked at
	}
	made, err := p.judge.CreateCredential(user{handle: asked.User}, webauthn.SessionData{
		Challenge: asked.text(), UserID: asked.User, CredParams: webauthn.CredentialParametersDefault(),
		UserVerification: protocol.UserVerificationRequirement(p.rules.UserVerification),
	}, answer.parsed)
	if err != nil {
		return identity.Key{}, fmt.Errorf("accept new key: %w", err)
	}
	key := identity.Key{
		ID: made.ID, PublicKey: made.PublicKey, AttestationType: made.AttestationFormat,
		Authenticator: identity.Authenticator{AAGUID: made.Authenticator.AAGUID, SignCount: made.Authenticator.SignCount},
		AddedAt:       now, Flags: flags(made.Flags),
	}
	if made.AttestationFormat != string(protocol.AttestationFormatNone) {
		key.Attestation = &identity.Attestation{
			ClientDataJSON: made.Attestation.ClientDataJSON, ClientDataHash: made.Attestation.ClientDataHash,
			AuthenticatorData:  made.Attestation.AuthenticatorData,
			PublicKeyAlgorithm: made.Attestation.PublicKeyAlgorithm, Object: made.Attestation.Object,
		}
	}
	for _, transport := range made.Transport {
		if len(key.Transport) < maxTransports && len(transport) <= maxTransport {
			key.Transport = append(key.Transport, string(transport))
		}
	}
	return key, nil
}

// wants tells whether an attestation is of the kind that was asked for. Who asks
// for none may still get what a key says of itself (section 5.1.3), which names
// no maker; who asks for the maker's word does not take silence for it.
func (p *Party) wants(said protocol.AttestationObject) bool {
	silent := said.Format == string(protocol.AttestationFormatNone)
	switch protocol.ConveyancePreference(p.rules.Attestation) {
	case protocol.PreferIndirectAttestation:
		return true
	case protocol.PreferDirectAttestation, protocol.PreferEnterpriseAttestation:
		return !silent
	case protocol.PreferNoAttestation:
	}
	_, certified := said.AttStatement["x5c"]
	return silent || said.Format == string(protocol.AttestationFormatPacked) && !certified
}

// Signature is a browser's answer to get().
type Signature struct {
	parsed *protocol.ParsedCredentialAssertionData
}

// ReadSignature reads an answer, and believes nothing of it.
func ReadSignature(answer string) (Signature, error) {
	if len(answer) > maxAnswer {
		return Signature{}, errTooLong
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes([]byte(answer))
	if err != nil {
		return Signature{}, fmt.Errorf("read signature: %w", err)
	}
	return Signature{parsed}, nil
}

// KeyID is the id of the key that is said to have signed.
func (s Signature) KeyID() []byte { return s.parsed.RawID }

// UserHandle is whose key it is said to be, empty where that was not said.
func (s Signature) UserHandle() []byte { return s.parsed.Response.UserHandle }

// Owner is who is said to have signed.
type Owner struct {
	Handles [][]byte // what keys know them by
	Keys    []identity.Key
}

// Verify returns the key that signed, as it is from now on, when an answer is
// true in everything the standard wants (section 7.2). A counter that did
// not rise marks the key as copied, and is an error where copies are refused.
func (p *Party) Verify(ctx context.Context, asked Challenge, answer Signature, of Owner) (identity.Key, error) {
	said := answer.UserHandle()
	if len(said) > 0 && !slices.ContainsFunc(of.Handles, func(handle []byte) bool { return bytes.Equal(handle, said) }) {
		return identity.Key{}, errOwner
	}
	owner := user{handle: said}
	for _, key := range of.Keys {
		owner.keys = append(owner.keys, credential(key, answer))
	}
	signed, err := p.judge.ValidateLogin(owner, webauthn.SessionData{
		Challenge: asked.text(), UserID: said, AllowedCredentialIDs: asked.Keys,
		UserVerification: protocol.UserVerificationRequirement(p.rules.UserVerification),
	}, answer.parsed)
	if err != nil {
		return identity.Key{}, fmt.Errorf("verify signature: %w", err)
	}
	at := slices.IndexFunc(of.Keys, func(key identity.Key) bool { return bytes.Equal(key.ID, signed.ID) })
	key := of.Keys[at]
	if signed.Authenticator.CloneWarning {
		slog.WarnContext(ctx, "a key's signature counter did not rise: the key may have been copied", "refused", p.rules.RefuseClones)
		if p.rules.RefuseClones {
			return identity.Key{}, errClone
		}
		key.Authenticator.CloneWarning = true
	}
	key.Authenticator.SignCount = signed.Authenticator.SignCount
	key.Flags = flags(signed.Flags)
	return key, nil
}

// credential is a key in the library's words. One that was stored before flags
// were has those of its first answer; that it was marked before says nothing of
// this answer.
func credential(key identity.Key, answer Signature) webauthn.Credential {
	made := webauthn.Credential{
		ID: key.ID, PublicKey: key.PublicKey, AttestationFormat: key.AttestationType,
		Authenticator: webauthn.Authenticator{AAGUID: key.Authenticator.AAGUID, SignCount: key.Authenticator.SignCount},
	}
	if key.Flags == nil {
		made.Flags = webauthn.NewCredentialFlags(answer.parsed.Response.AuthenticatorData.Flags)
		return made
	}
	made.Flags.UserPresent, made.Flags.UserVerified = key.Flags.UserPresent, key.Flags.UserVerified
	made.Flags.BackupEligible, made.Flags.BackupState = key.Flags.BackupEligible, key.Flags.BackupState
	return made
}

func flags(of webauthn.CredentialFlags) *identity.KeyFlags {
	return &identity.KeyFlags{
		UserPresent: of.UserPresent, UserVerified: of.UserVerified,
		BackupEligible: of.BackupEligible, BackupState: of.BackupState,
	}
}
