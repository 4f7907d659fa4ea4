//go:build browser

package browser

import (
	"testing"
	"time"

	"styx/test/authenticator"
)

func TestAuthenticatorApp(t *testing.T) {
	both(t, func(p *person) {
		p.signUp("ann@example.org")
		p.visit("/ui/settings")
		app := p.in("Authenticator app")
		secret := value[string](p, `document.getElementById("totp_secret_key").textContent`)
		app.fill("Verify code", "000000")
		app.press("Save")
		p.sees("The provided authentication code is invalid")
		app.fill("Verify code", authenticator.Code(p.t, secret, time.Now()))
		app.press("Save")
		p.sees("Your changes have been saved!")
		p.press("Sign out")

		p.signIn("ann@example.org", password)
		p.sees("Please complete the second authentication challenge.")
		p.visit("/ui/welcome")
		p.sees("One more step")
		p.press("Continue")
		// A code is good once, and the one before it is spent.
		p.fill("Authentication code", authenticator.Code(p.t, secret, time.Now().Add(30*time.Second)))
		p.enter("Authentication code")
		p.at("/ui/welcome")
		p.sees("You are signed in")

		p.visit("/ui/settings")
		app.press("Unlink TOTP Authenticator App")
		p.sees("Your changes have been saved!")
		p.press("Sign out")
		p.signIn("ann@example.org", password)
		p.sees("You are signed in")
	})
}

func TestBackupCodes(t *testing.T) {
	both(t, func(p *person) {
		p.signUp("ann@example.org")
		p.visit("/ui/settings")
		backup := p.in("Backup recovery codes")
		backup.press("Generate new backup recovery codes")
		codes := value[[]string](p, `Array.from(document.querySelectorAll("#lookup_secret_codes code"), (e) => e.textContent)`)
		if len(codes) != 12 {
			p.t.Errorf("%d codes", len(codes))
		}
		backup.press("Confirm backup recovery codes")
		p.sees("Your changes have been saved!")
		p.press("Sign out")

		p.signIn("ann@example.org", password)
		p.sees("Please complete the second authentication challenge.")
		p.fill("Backup recovery code", "nosuchco")
		p.press("Use backup recovery code")
		p.sees("The backup recovery code is not valid.")
		p.fill("Backup recovery code", codes[3])
		p.enter("Backup recovery code")
		p.at("/ui/welcome")

		p.visit("/ui/settings")
		backup.press("Reveal backup recovery codes")
		backup.sees("Secret was used at")
		backup.press("Disable this method")
		p.sees("Your changes have been saved!")
		backup.sees("Generate new backup recovery codes")
	})
}
