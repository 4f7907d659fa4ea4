package identity

import (
	"fmt"
	"slices"

	"styx/internal/fault"
)

// MaxGuards bounds how many unique names an identity may hold: the old and the
// new ones and everything else a request writes have to fit one transaction.
const MaxGuards = 40

// CredentialGuard names the guard of a credential's identifier in normal form.
func CredentialGuard(kind CredentialType, identifier string) string {
	return "C#" + string(kind) + "#" + Hash(identifier)
}

// VerifiableGuard names the guard of a verifiable address.
func VerifiableGuard(via Via, value string) string {
	return "A#v#" + string(via) + "#" + Hash(Normalize(value))
}

// RecoveryGuard names the guard of a recovery address.
func RecoveryGuard(via Via, value string) string {
	return "A#r#" + string(via) + "#" + Hash(Normalize(value))
}

// KeyGuard names the guard of a WebAuthn key: an id that two people hold would
// let the one sign in with the other's key (WebAuthn Level 3, section 7.1).
func KeyGuard(id []byte) string { return "C#webauthn-id#" + Hash(string(id)) }

// ExternalGuard names the guard of an external id, which is compared as it is.
func ExternalGuard(id string) string { return "C#external#" + Hash(id) }

// Guards returns the names that keep the identity's identifiers, addresses,
// external id and the ids of its keys unique, sorted and without repetitions;
// the store puts the tenant before each. The name too many is a 400 that says which trait it came from.
// TOTP and lookup secrets are identified by the identity's own id and need none.
func Guards(who *Identity) ([]string, error) {
	var names []string
	over := ""
	add := func(name, what string) {
		if slices.Contains(names, name) {
			return
		}
		if names = append(names, name); len(names) == MaxGuards+1 {
			over = what
		}
	}
	if who.ExternalID != "" {
		add(ExternalGuard(who.ExternalID), "external_id")
	}
	for _, kind := range []CredentialType{Password, Code, WebAuthn, Passkey, OIDC, SAML} {
		for _, identifier := range who.Credentials[kind].Identifiers {
			add(CredentialGuard(kind, identifier), who.traitOf(identifier))
		}
	}
	for _, kind := range []CredentialType{WebAuthn, Passkey} {
		keys, err := who.WebAuthnKeys(kind)
		if err != nil {
			return nil, err
		}
		for _, key := range keys {
			add(KeyGuard(key.ID), "credentials."+string(kind))
		}
	}
	for _, address := range who.VerifiableAddresses {
		add(VerifiableGuard(address.Via, address.Value), who.traitOf(address.Value))
	}
	for _, address := range who.RecoveryAddresses {
		add(RecoveryGuard(address.Via, address.Value), who.traitOf(address.Value))
	}
	if over != "" {
		return nil, fault.Bad(fmt.Sprintf(
			"An identity can have at most %d identifiers and addresses; %s is one too many.", MaxGuards, over))
	}
	slices.Sort(names)
	return names, nil
}

// traitOf names the trait that holds a value, for a person to find it.
func (i *Identity) traitOf(value string) string {
	for _, trait := range Flatten(i.Traits) {
		if text, ok := trait.Value.(string); ok && Normalize(text) == Normalize(value) {
			return trait.Name
		}
	}
	return "traits"
}
