//go:build browser

package browser

import "testing"

// TestCodeByMail signs up and in with codes, the identifier first.
func TestCodeByMail(t *testing.T) {
	p := visitor(t, serve(t, "SELFSERVICE_METHODS_CODE_PASSWORDLESS_ENABLED=true", "SELFSERVICE_FLOWS_LOGIN_STYLE=identifier_first"))
	p.visit("/ui/registration")
	p.fill("E-mail", "ann@example.org")
	p.press("Sign up")
	p.press("Send sign up code")
	p.fill("Registration code", p.mail("complete your account registration"))
	p.press("Continue")
	p.visit("/ui/welcome")
	p.sees("ann@example.org")
	p.press("Sign out")

	p.visit("/ui/login")
	p.fill("E-mail", "ann@example.org")
	p.enter("E-mail")
	p.fill("Login code", "000000")
	p.press("Continue")
	p.sees("The login code is invalid or has already been used.")
	p.fill("Login code", p.mail("to log in"))
	p.press("Continue")
	p.at("/ui/welcome")
}

// TestCodeAsSecondFactor asks for a code by mail after the password.
func TestCodeAsSecondFactor(t *testing.T) {
	p := visitor(t, serve(t, "SELFSERVICE_METHODS_CODE_MFA_ENABLED=true", "SESSION_WHOAMI_REQUIRED_AAL=highest_available"))
	p.signUp("ann@example.org")
	p.visit("/ui/login?aal=aal2")
	p.fill("Login code", p.mail("to log in"))
	p.press("Continue")
	p.at("/ui/welcome")
	p.sees("ann@example.org")
}
