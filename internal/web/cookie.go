package web

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"styx/internal/config"
	"styx/internal/secret"
)

// csrfLife is how long a browser keeps its anti-CSRF cookie.
const csrfLife = 365 * 24 * time.Hour

// Cookies sets and reads the cookies of one instance.
type Cookies struct {
	Ring *secret.Ring
	Rand io.Reader

	session config.SessionCookie
	shared  config.Cookies
	prefix  string
	csrf    string
}

// NewCookies returns the cookies that the configuration describes.
func NewCookies(c *config.Config, ring *secret.Ring, rand io.Reader) *Cookies {
	cookies := &Cookies{Ring: ring, Rand: rand, session: c.Session.Cookie, shared: c.Cookies}
	if c.Styx.HostPrefix {
		cookies.prefix = "__Host-"
	}
	sum := sha256.Sum256([]byte(c.Serve.Public.BaseURL.String()))
	cookies.csrf = cookies.prefix + "csrf_token_" + hex.EncodeToString(sum[:])
	return cookies
}

func sameSite(name string, secure bool) http.SameSite {
	switch {
	case strings.EqualFold(name, "strict"):
		return http.SameSiteStrictMode
	case strings.EqualFold(name, "none") && secure:
		return http.SameSiteNoneMode
	default:
		return http.SameSiteLaxMode
	}
}

// GiveSession hands a session token to the browser, for as long as it lives.
func (c *Cookies) GiveSession(w http.ResponseWriter, token secret.Token, now, expires time.Time) {
	cookie := c.sessionCookie()
	cookie.Value = secret.SealCookie(c.Ring, cookie.Name, token, expires)
	if c.session.Persistent {
		cookie.MaxAge = int(expires.Sub(now) / time.Second)
		cookie.Expires = expires
	}
	setCookie(w, cookie)
}

// Session reads the browser's session token and the expiry its cookie was given.
func (c *Cookies) Session(r *http.Request) (token secret.Token, expires time.Time, found bool) {
	name := c.sessionCookie().Name
	for _, cookie := range r.CookiesNamed(name) {
		if token, expires, err := secret.OpenCookie(c.Ring, name, cookie.Value); err == nil {
			return token, expires, true
		}
	}
	return secret.Token{}, time.Time{}, false
}

// DropSession tells the browser to forget its session.
func (c *Cookies) DropSession(w http.ResponseWriter) {
	cookie := c.sessionCookie()
	cookie.Value = "-"
	cookie.MaxAge = -1
	cookie.Expires = time.Unix(1, 0)
	setCookie(w, cookie)
}

func (c *Cookies) sessionCookie() *http.Cookie {
	return &http.Cookie{
		Name: c.prefix + c.session.Name, Path: c.session.Path, Domain: c.session.Domain,
		Secure: c.session.Secure || c.prefix != "", HttpOnly: true,
		SameSite: sameSite(c.session.SameSite, c.session.Secure),
	}
}

// continuityLife is how long a browser keeps the cookie of what it left behind;
// what it stands for is forgotten much earlier.
const continuityLife = 30 * 24 * time.Hour

// GiveContinuity lets the browser find again what it left behind to prove who it
// is: the id of a parked submission, sealed.
func (c *Cookies) GiveContinuity(w http.ResponseWriter, id string, now time.Time) {
	cookie := c.continuityCookie()
	cookie.Value = c.Ring.Seal(secret.UseCookie, []byte(id), cookie.Name)
	cookie.MaxAge = int(continuityLife / time.Second)
	cookie.Expires = now.Add(continuityLife)
	setCookie(w, cookie)
}

// Continuity returns the id of what the browser left behind, "" for nothing.
func (c *Cookies) Continuity(r *http.Request) string {
	name := c.continuityCookie().Name
	for _, cookie := range r.CookiesNamed(name) {
		if id, err := c.Ring.Open(secret.UseCookie, cookie.Value, name); err == nil {
			return string(id)
		}
	}
	return ""
}

// DropContinuity lets the browser forget what it left behind.
func (c *Cookies) DropContinuity(w http.ResponseWriter, r *http.Request) {
	cookie := c.continuityCookie()
	if len(r.CookiesNamed(cookie.Name)) == 0 {
		return
	}
	cookie.Value, cookie.MaxAge, cookie.Expires = "-", -1, time.Unix(1, 0)
	setCookie(w, cookie)
}

func (c *Cookies) continuityCookie() *http.Cookie {
	return &http.Cookie{
		Name: c.prefix + "ory_kratos_continuity", Path: c.shared.Path, Domain: c.shared.Domain,
		Secure: c.shared.Secure || c.prefix != "", HttpOnly: true, SameSite: sameSite(c.shared.SameSite, c.shared.Secure),
	}
}

// setCookie adds a cookie to the answer, in place of an earlier one of its name.
func setCookie(w http.ResponseWriter, cookie *http.Cookie) {
	header := w.Header()
	earlier := header["Set-Cookie"]
	header.Del("Set-Cookie")
	for _, line := range earlier {
		if !strings.HasPrefix(line, cookie.Name+"=") {
			header.Add("Set-Cookie", line)
		}
	}
	http.SetCookie(w, cookie)
}

func (c *Cookies) giveCSRF(w http.ResponseWriter, token string) {
	setCookie(w, &http.Cookie{
		Name: c.csrf, Value: token, Path: c.shared.Path, Domain: c.shared.Domain,
		MaxAge: int(csrfLife / time.Second), Secure: c.shared.Secure || c.prefix != "", HttpOnly: true,
		SameSite: sameSite(c.shared.SameSite, c.shared.Secure),
	})
}

// foreignCookie tells whether a request carries a cookie of another name than
// Cloudflare's, as no native app does.
func foreignCookie(r *http.Request) bool {
	for _, cookie := range r.Cookies() {
		if !strings.HasPrefix(cookie.Name, "__cf") && !strings.HasPrefix(cookie.Name, "_cf") && !strings.HasPrefix(cookie.Name, "cf_") {
			return true
		}
	}
	return false
}

// UnderBase returns the public URL of a path and query, from the configuration.
func UnderBase(base *url.URL, path string, query url.Values) string {
	joined := *base
	joined.Path = strings.TrimSuffix(base.Path, "/") + path
	joined.RawPath = ""
	joined.RawQuery = query.Encode()
	return joined.String()
}
