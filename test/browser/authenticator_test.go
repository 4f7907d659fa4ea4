//go:build browser

package browser

import "github.com/chromedp/cdproto/webauthn"

// key is a simulated authenticator in a person's hand.
type key struct {
	p  *person
	id webauthn.AuthenticatorID
}

// pickUp gives a person an authenticator: one that is part of the machine and
// keeps passkeys, or one for the USB port that does not.
func (p *person) pickUp(transport webauthn.AuthenticatorTransport) key {
	p.t.Helper()
	call(p, webauthn.Enable, webauthn.EnableParams{})
	machine := transport == webauthn.AuthenticatorTransportInternal
	added := call(p, webauthn.AddVirtualAuthenticator, webauthn.AddVirtualAuthenticatorParams{Options: &webauthn.VirtualAuthenticatorOptions{
		Protocol: webauthn.AuthenticatorProtocolCtap2, Transport: transport,
		HasResidentKey: machine, HasUserVerification: machine, IsUserVerified: machine,
		AutomaticPresenceSimulation: true,
	}})
	return key{p, added.AuthenticatorID}
}

// holds are the credentials the authenticator keeps.
func (k key) holds() []*webauthn.Credential {
	k.p.t.Helper()
	return call(k.p, webauthn.GetCredentials, webauthn.GetCredentialsParams{AuthenticatorID: k.id}).Credentials
}
