//go:build browser

package browser

import (
	"context"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

const (
	password = "correct horse battery staple"
	another  = "a quite different sentence"
)

// mail waits for a mail whose subject has a text, in a tab with the inbox, and
// returns the code it holds.
func (p *person) mail(subject string) string {
	p.t.Helper()
	inbox := p.tab()
	code := regexp.MustCompile(`code (\d{6})`)
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		inbox.visit("/ui/inbox")
		for _, mail := range value[[]string](inbox, `Array.from(document.querySelectorAll(".sessions li"), (e) => e.innerText)`) {
			if found := code.FindStringSubmatch(mail); found != nil && strings.Contains(mail, subject) {
				return found[1]
			}
		}
	}
	inbox.fail("wait for the mail "+subject, context.DeadlineExceeded)
	return ""
}

// signUp makes an account with a password, and proves its address.
func (p *person) signUp(email string) {
	p.t.Helper()
	p.visit("/ui/registration")
	p.fill("E-mail", email)
	p.press("Sign up")
	p.fill("Password", password)
	p.press("Sign up")
	p.at("/ui/verification")
	p.fill("Verification code", p.mail("verify your account"))
	p.press("Continue")
}

// signIn signs in with a password.
func (p *person) signIn(email, password string) {
	p.t.Helper()
	p.visit("/ui/login")
	p.fill("E-mail", email)
	p.fill("Password", password)
	p.press("Sign in with password")
}

// both runs a test in a browser as it comes, and in one that runs no scripts:
// what needs none has to work without.
func both(t *testing.T, test func(p *person), environ ...string) {
	t.Helper()
	for name, off := range map[string]bool{"with scripts": false, "without scripts": true} {
		t.Run(name, func(t *testing.T) {
			p := visitor(t, serve(t, environ...))
			call(p, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: off})
			test(p)
		})
	}
}

func TestSignUpVerifySignOutSignIn(t *testing.T) {
	both(t, func(p *person) {
		p.signUp("ann@example.org")
		p.sees("You successfully verified your email address.")
		p.press("Continue")
		p.at("/ui/welcome")
		p.sees("ann@example.org")
		p.press("Sign out")
		p.sees("You are not signed in")
		p.misses("ann@example.org")

		p.signIn("ann@example.org", "not her password")
		p.sees("The provided credentials are invalid")
		p.fill("Password", password)
		p.enter("Password")
		p.at("/ui/welcome")
	})
}

// TestSessionsElsewhere ends a session from another browser.
func TestSessionsElsewhere(t *testing.T) {
	base := serve(t)
	desk, phone := visitor(t, base), visitor(t, base)
	desk.signUp("ann@example.org")
	phone.signIn("ann@example.org", password)
	phone.visit("/ui/session")
	phone.in("Elsewhere").press("End")
	phone.sees("You are signed in nowhere else.")
	desk.visit("/ui/welcome")
	desk.sees("You are not signed in")
	desk.press("Create an account")
	desk.at("/ui/registration")
	desk.press("Sign in instead")
	desk.at("/ui/login")
}

// TestPagesThatAreNoFlow are looked at, too.
func TestPagesThatAreNoFlow(t *testing.T) {
	p := visitor(t, serve(t))
	for path, says := range map[string]string{
		"/":                     "This is the public API of Styx",
		"/ui/inbox":             "There is none yet.",
		"/ui/session":           "You are not signed in",
		"/ui/error?id=stub:500": "Something went wrong",
	} {
		p.visit(path)
		p.sees(says)
		p.walk()
	}
	p.do("open a page that is not there", chromedp.Navigate(p.base+"/ui/nowhere"))
	p.sees("Page not found")
	p.look()
}

// TestForgottenPassword recovers an account by mail, and changes address and
// password in its settings.
func TestForgottenPassword(t *testing.T) {
	both(t, func(p *person) {
		p.signUp("ann@example.org")
		p.visit("/ui/welcome")
		p.press("Sign out")
		p.visit("/ui/login")
		p.press("Forgot your password?")
		p.at("/ui/recovery")
		p.fill("Email", "ann@example.org")
		p.enter("Email")
		p.fill("Recovery code", "000000")
		p.press("Continue")
		p.sees("The recovery code is invalid or has already been used.")
		p.fill("Recovery code", p.mail("recover access to your account"))
		p.press("Continue")
		p.at("/ui/settings")
		p.sees("You successfully recovered your account.")

		p.fill("Password", "short")
		p.in("Change your password").press("Save")
		p.sees("The password must be at least 8 characters long")
		p.fill("Password", another)
		p.in("Change your password").press("Save")
		p.sees("Your changes have been saved!")
		p.in("Profile").fill("E-mail", "anna@example.org")
		p.in("Profile").fill("Name", "Anna")
		p.in("Profile").press("Save")
		p.sees("Your changes have been saved!")
		p.visit("/ui/welcome")
		p.sees("anna@example.org")
		p.press("Settings")
		p.press("Sign out")

		p.signIn("anna@example.org", password)
		p.sees("The provided credentials are invalid")
		p.signIn("anna@example.org", another)
		p.at("/ui/welcome")
	})
}

// TestRecoveryByAChosenAddress goes through the longer recovery.
func TestRecoveryByAChosenAddress(t *testing.T) {
	both(t, func(p *person) {
		p.signUp("ann@example.org")
		p.visit("/ui/welcome")
		p.press("Sign out")
		p.visit("/ui/recovery")
		p.fill("Recovery address", "ann@example.org")
		p.enter("Recovery address")
		p.sees("A recovery code has been sent to an****@example.org.")
		p.press("Back")
		p.fill("Recovery address", "ann@example.org")
		p.press("Continue")
		p.press("Resend code")
		p.fill("Recovery code", p.mail("recover access to your account"))
		p.press("Continue")
		p.at("/ui/settings")
	}, "FEATURE_FLAGS_CHOOSE_RECOVERY_ADDRESS=true")
}

// TestLinksOfMails verifies an address and recovers an account by links, each
// behind a page with a button, as careful operators have it.
func TestLinksOfMails(t *testing.T) {
	both(t, func(p *person) {
		p.visit("/ui/registration")
		p.fill("E-mail", "ann@example.org")
		p.press("Sign up")
		p.fill("Password", password)
		p.press("Sign up")
		p.openLink("verify your email address")
		p.sees("You successfully verified your email address.")
		p.visit("/ui/welcome")
		p.press("Sign out")

		p.visit("/ui/recovery")
		p.fill("Email", "ann@example.org")
		p.press("Continue")
		p.openLink("Recover access to your account")
		p.at("/ui/settings")
		p.sees("You successfully recovered your account.")
	}, "SELFSERVICE_METHODS_LINK_ENABLED=true", "SELFSERVICE_FLOWS_VERIFICATION_USE=link", "SELFSERVICE_FLOWS_RECOVERY_USE=link", "STYX_LINKS_CONFIRM=true")
}

// openLink waits for a mail, opens its link from the inbox, and confirms it.
func (p *person) openLink(subject string) {
	p.t.Helper()
	mail := "//li[contains(normalize-space(), " + quoted(subject) + ")]"
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		p.visit("/ui/inbox")
		if value[bool](p, "document.evaluate(`"+mail+"`, document, null, XPathResult.BOOLEAN_TYPE).booleanValue") {
			break
		}
	}
	p.follow("open the link of "+subject, chromedp.Click(chromedp.Search(mail+"//a[normalize-space()='Open its link']")))
	p.press("Continue")
}

// TestSettingsAskAgain who it is before they change what protects an account,
// once the sign-in is a while ago.
func TestSettingsAskAgain(t *testing.T) {
	both(t, func(p *person) {
		p.signUp("ann@example.org")
		p.visit("/ui/settings")
		time.Sleep(2 * time.Second)
		p.fill("Password", another)
		p.in("Change your password").press("Save")
		p.at("/ui/login")
		p.sees("Please confirm this action by verifying that it is you.")
		p.fill("Password", password)
		p.enter("Password")
		p.at("/ui/settings")
		p.sees("Your changes have been saved!")
	}, "SELFSERVICE_FLOWS_SETTINGS_PRIVILEGED_SESSION_MAX_AGE=2s")
}
