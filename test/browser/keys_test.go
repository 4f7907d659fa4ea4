//go:build browser

package browser

import (
	"testing"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"
)

// putAway takes the authenticator out of the person's hand.
func (k key) putAway() {
	k.p.t.Helper()
	call(k.p, webauthn.RemoveVirtualAuthenticator, webauthn.RemoveVirtualAuthenticatorParams{AuthenticatorID: k.id})
}

func TestPasskey(t *testing.T) {
	p := visitor(t, serve(t))
	laptop := p.pickUp(webauthn.AuthenticatorTransportInternal)
	p.visit("/ui/registration")
	p.fill("E-mail", "ann@example.org")
	p.press("Sign up")
	p.press("Sign up with passkey")
	p.at("/ui/verification")
	if held := laptop.holds(); len(held) != 1 || held[0].UserName != "ann@example.org" {
		t.Errorf("the laptop holds %+v", held)
	}
	p.visit("/ui/welcome")
	p.sees("ann@example.org")

	// A passkey offered while one types would be touched at once, before anybody
	// pressed the button: some browsers offer none.
	p.press("Sign out")
	offers := call(p, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{
		Source: `PublicKeyCredential.isConditionalMediationAvailable = async () => false`,
	})
	p.visit("/ui/login")
	p.press("Sign in with passkey")
	p.at("/ui/welcome")
	call(p, page.RemoveScriptToEvaluateOnNewDocument, page.RemoveScriptToEvaluateOnNewDocumentParams(offers))

	p.press("Sign out")
	p.do("have a passkey offered in the field", chromedp.Navigate(p.base+"/ui/login"))
	p.sees("You are signed in")

	p.visit("/ui/settings")
	p.in("Passkeys").tap("Add passkey")
	p.sees("This key is already registered with your account.")
	laptop.putAway()
	phone := p.pickUp(webauthn.AuthenticatorTransportInternal)
	p.in("Passkeys").press("Add passkey")
	p.sees("Your changes have been saved!")
	if held := phone.holds(); len(held) != 1 {
		t.Errorf("the phone holds %d passkeys", len(held))
	}
	p.in("Passkeys").press("Remove passkey")
	p.sees("Your changes have been saved!")
}

// TestSecurityKey asks for a key after the password.
func TestSecurityKey(t *testing.T) {
	p := visitor(t, serve(t))
	p.pickUp(webauthn.AuthenticatorTransportUsb)
	p.signUp("ann@example.org")
	p.visit("/ui/settings")
	p.in("Security keys").fill("Name of the security key", "blue key")
	p.in("Security keys").enter("Name of the security key")
	p.sees("Your changes have been saved!")
	p.in("Security keys").sees(`Remove security key "blue key"`)
	p.press("Sign out")

	p.signIn("ann@example.org", password)
	p.sees("Please complete the second authentication challenge.")
	p.press("Sign in with a hardware key")
	p.at("/ui/welcome")
	p.sees("You are signed in")

	p.visit("/ui/settings")
	p.in("Security keys").press("Remove security key")
	p.sees("Your changes have been saved!")
	p.press("Sign out")
	p.signIn("ann@example.org", password)
	p.at("/ui/welcome")
	p.sees("You are signed in")
}

// TestSecurityKeyAlone signs up and in with a key and no password.
func TestSecurityKeyAlone(t *testing.T) {
	p := visitor(t, serve(t, "SELFSERVICE_METHODS_WEBAUTHN_CONFIG_PASSWORDLESS=true", "SELFSERVICE_METHODS_PASSKEY_ENABLED=false"))
	p.pickUp(webauthn.AuthenticatorTransportUsb)
	p.visit("/ui/registration")
	p.fill("E-mail", "ann@example.org")
	p.press("Sign up")
	p.fill("Name of the security key", "blue key")
	p.press("Sign up with security key")
	p.at("/ui/verification")
	p.visit("/ui/welcome")
	p.sees("ann@example.org")
	p.press("Sign out")

	p.visit("/ui/login")
	p.fill("E-mail", "ann@example.org")
	p.press("Sign in with a hardware key")
	p.sees("Prepare your WebAuthn device")
	p.press("Continue")
	p.at("/ui/welcome")
	p.sees("You are signed in")
}
