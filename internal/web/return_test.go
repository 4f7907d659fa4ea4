package web

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"styx/internal/fault"
)

func parseURL(tb testing.TB, text string) *url.URL {
	tb.Helper()
	parsed, err := url.Parse(text)
	if err != nil {
		tb.Fatal(err)
	}
	return parsed
}

// allowing returns an allow-list as the configuration hands it over.
func allowing(tb testing.TB, fallback string, entries ...string) Returns {
	tb.Helper()
	t := Returns{Default: parseURL(tb, fallback)}
	for _, entry := range entries {
		t.Allowed = append(t.Allowed, parseURL(tb, entry))
	}
	return t
}

// house is the allow-list of these tests.
func house(tb testing.TB) Returns {
	tb.Helper()
	return allowing(tb, "https://app.example.org/start",
		"https://app.example.org/", "https://*.shop.example.org/area", "http://127.0.0.1:4455/app", "shop-app://callback")
}

// TestReturnTo is a corpus of what open redirects were made of, beside what has
// to keep working. An empty want means refused.
func TestReturnTo(t *testing.T) {
	for _, c := range []struct{ name, asked, want string }{
		{"nothing asked", "", "https://app.example.org/start"},
		{"an allowed host", "https://app.example.org/x?y=1#z", "https://app.example.org/x?y=1#z"},
		{"the host alone", "https://app.example.org", "https://app.example.org"},
		{"a path of the default's host", "/inside?a=b", "https://app.example.org/inside?a=b"},
		{"a query of the default's host", "?a=b", "https://app.example.org?a=b"},
		{"without a scheme", "//app.example.org/x", "https://app.example.org/x"},
		{"an upper-case scheme", "HTTPS://app.example.org/x", "https://app.example.org/x"},
		{"a subdomain under the wildcard", "https://eu.shop.example.org/area/51", "https://eu.shop.example.org/area/51"},
		{"a deep subdomain under the wildcard", "https://a.b.shop.example.org/area", "https://a.b.shop.example.org/area"},
		{"a port that is named", "http://127.0.0.1:4455/app/x", "http://127.0.0.1:4455/app/x"},
		{"an app", "shop-app://callback/done?code=1", "shop-app://callback/done?code=1"},
		{"a URL in the query", "https://app.example.org/?next=https://evil.example", "https://app.example.org/?next=https://evil.example"},

		{"another host", "https://evil.example/", ""},
		{"the host as a prefix", "https://app.example.org.evil.example/", ""},
		{"the host as a suffix", "https://evilapp.example.org/", ""},
		{"the host as a path", "https://evil.example/app.example.org", ""},
		{"the host as a query", "https://evil.example?app.example.org", ""},
		{"the host as a fragment", "https://evil.example#app.example.org", ""},
		{"the wildcard's host without a dot before it", "https://evilshop.example.org/area", ""},
		{"the wildcard's host itself", "https://shop.example.org/area", ""},
		{"the wildcard outside its path", "https://eu.shop.example.org/", ""},
		{"the wildcard, a fragment before it", "https://evil.example#.shop.example.org/area", ""},
		{"the wildcard, an encoded slash before it", "https://evil.example%2f.shop.example.org/area", ""},
		{"the wildcard, an encoded hash before it", "https://evil.example%23.shop.example.org/area", ""},
		{"another scheme", "http://app.example.org/", ""},
		{"another port", "https://app.example.org:8443/", ""},
		{"no port where one is named", "http://127.0.0.1/app", ""},
		{"a path that is not below", "http://127.0.0.1:4455/other", ""},
		{"dot segments out of the path", "http://127.0.0.1:4455/app/../admin", ""},
		{"encoded dot segments out of the path", "http://127.0.0.1:4455/app/%2e%2E/admin", ""},
		{"an upper-case host", "https://APP.example.org/", ""},
		{"a user", "https://app.example.org@evil.example/", ""},
		{"a user of the allowed host", "https://evil.example@app.example.org/", ""},
		{"a user and a password", "https://app.example.org:443@evil.example/", ""},
		{"another host without a scheme", "//evil.example/", ""},
		{"three slashes", "///evil.example/", ""},
		{"four slashes", "////evil.example/", ""},
		{"a scheme and one slash", "https:/evil.example/", ""},
		{"a scheme and three slashes", "https:///evil.example/", ""},
		{"a scheme without slashes", "https:evil.example", ""},
		{"a backslash for a slash", `https:\\evil.example`, ""},
		{"a slash and a backslash", `/\evil.example`, ""},
		{"two backslashes", `\\evil.example`, ""},
		{"a backslash before the host", `https://evil.example\@app.example.org`, ""},
		{"a tab between the slashes", "/\t/evil.example", ""},
		{"a newline between the slashes", "/\n/evil.example", ""},
		{"a carriage return between the slashes", "/\r/evil.example", ""},
		{"a newline within the scheme", "java\nscript:alert(1)", ""},
		{"a header behind a newline", "https://app.example.org/\r\nSet-Cookie: a=b", ""},
		{"a space before the slashes", " //evil.example", ""},
		{"a NUL", "https://app.example.org\x00.evil.example/", ""},
		{"a script", "javascript:alert(1)", ""},
		{"a script with slashes", "javascript://app.example.org/%0aalert(1)", ""},
		{"data", "data:text/html,<script>alert(1)</script>", ""},
		{"a file", "file:///etc/passwd", ""},
		{"the app without slashes", "shop-app:callback", ""},
		{"another place of the app", "shop-app://callback.evil/x", ""},
		{"a homograph", "https://аpp.example.org/", ""},
		{"punycode of a homograph", "https://xn--pp-7kc.example.org/", ""},
		{"an ideographic full stop", "https://evil。example/", ""},
		{"a host that is no host", "https://[::1/", ""},
		{"a broken escape", "https://app.example.org/%zz", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			target, err := house(t).Resolve(c.asked, nil)
			switch {
			case c.want == "" && err == nil:
				t.Fatalf("%q leads to %s", c.asked, target)
			case c.want == "":
				if !fault.HasID(err, "self_service_flow_return_to_forbidden") || !fault.Is(err, fault.BadRequest) {
					t.Errorf("refused with %v", err)
				}
			case err != nil:
				t.Fatalf("%q is refused: %v", c.asked, err)
			case target.String() != c.want:
				t.Errorf("%q leads to %s, want %s", c.asked, target, c.want)
			}
		})
	}
}

func TestReturnFallback(t *testing.T) {
	own := parseURL(t, "http://127.0.0.1:4455/app/done")
	got, err := house(t).Resolve("", own)
	if err != nil || got != own {
		t.Errorf("nothing asked leads to %v, %v, want the fallback", got, err)
	}
	// A path is one of the fallback's host, and has to be allowed there.
	got, err = house(t).Resolve("/app/x", own)
	if err != nil || got.String() != "http://127.0.0.1:4455/app/x" {
		t.Errorf("a path leads to %v, %v", got, err)
	}
	if got, err = house(t).Resolve("/x", own); err == nil {
		t.Errorf("a path that the fallback's host does not allow leads to %v", got)
	}
}

// TestNothingAllowed shows that an empty list allows nothing, the default's own
// host included.
func TestNothingAllowed(t *testing.T) {
	for _, asked := range []string{"/", "https://app.example.org/", "https://evil.example/"} {
		if got, err := allowing(t, "https://app.example.org/").Resolve(asked, nil); err == nil {
			t.Errorf("%s leads to %v", asked, got)
		}
	}
}

// FuzzReturnTo states what an allow-list is for: wherever an accepted text takes
// a browser, as it stands or as we print it, is a place on the list.
func FuzzReturnTo(f *testing.F) {
	for _, seed := range []string{
		"", "/x", "//app.example.org", "https://app.example.org/x", "https:/evil.example", "https:///evil.example",
		"///evil.example", " //evil.example", `/\evil.example`, "https://a.shop.example.org/area", "shop-app://callback/x",
		"https://evil.example%E3%80%82shop.example.org/area", "HTTPS://app.example.org:443", "https:app.example.org",
	} {
		f.Add(seed)
	}
	list := house(f)
	f.Fuzz(func(t *testing.T, asked string) {
		target, err := list.Resolve(asked, nil)
		if err != nil {
			return
		}
		if asked == "" {
			if target != list.Default {
				t.Fatalf("nothing asked leads to %s", target)
			}
			return
		}
		for _, text := range []string{asked, target.String()} {
			if scheme, host := browse(text, "https", "app.example.org"); !onTheList(scheme, host) {
				t.Fatalf("%q is accepted and takes a browser to %s %q", text, scheme, host)
			}
		}
		again, err := list.Resolve(target.String(), nil)
		if err != nil || again.String() != target.String() {
			t.Fatalf("%q was accepted as %s, which is then %v, %v", asked, target, again, err)
		}
	})
}

func onTheList(scheme, host string) bool {
	switch scheme {
	case "https":
		return host == "app.example.org" || strings.HasSuffix(host, ".shop.example.org")
	case "http":
		return host == "127.0.0.1:4455"
	default:
		return scheme == "shop-app" && host == "callback"
	}
}

// browse reads a URL as browsers do (URL Standard, section 4.4), as far as
// scheme and host go; base is the page it stands on.
func browse(text, baseScheme, baseHost string) (scheme, host string) {
	text = strings.TrimFunc(text, func(r rune) bool { return r <= ' ' })
	text = strings.NewReplacer("\t", "", "\n", "", "\r", "").Replace(text)
	scheme, rest := schemeOf(text)
	special := slices.Contains([]string{"", "http", "https", "ws", "wss", "ftp", "file"}, scheme)
	slash := func(r rune) bool { return r == '/' || special && r == '\\' }
	switch authority := strings.TrimLeftFunc(rest, slash); {
	case scheme == "" && len(rest)-len(authority) < 2:
		return baseScheme, baseHost
	case scheme == "":
		scheme, rest = baseScheme, authority
	case special:
		rest = authority
	case !strings.HasPrefix(rest, "//"):
		return scheme, ""
	default:
		rest = rest[2:]
	}
	if end := strings.IndexFunc(rest, func(r rune) bool { return slash(r) || r == '?' || r == '#' }); end >= 0 {
		rest = rest[:end]
	}
	host = strings.ToLower(rest[strings.LastIndex(rest, "@")+1:])
	if decoded, err := url.PathUnescape(host); err == nil {
		host = decoded
	}
	return scheme, host
}

func schemeOf(text string) (scheme, rest string) {
	before, after, found := strings.Cut(text, ":")
	letter := func(r rune) bool { return 'a' <= r|0x20 && r|0x20 <= 'z' }
	inside := func(r rune) bool { return letter(r) || '0' <= r && r <= '9' || strings.ContainsRune("+-.", r) }
	if !found || before == "" || !letter(rune(before[0])) || strings.ContainsFunc(before, func(r rune) bool { return !inside(r) }) {
		return "", text
	}
	return strings.ToLower(before), after
}

// TestBrowse holds the browser of the fuzz test to what browsers are known to do.
func TestBrowse(t *testing.T) {
	for text, want := range map[string]string{
		"/x": "https own", "x": "https own", "?x": "https own", "//a.example/x": "https a.example", `/\a.example`: "https a.example",
		"///a.example": "https a.example", "https:/a.example": "https a.example", "https:a.example": "https a.example",
		"ht\ntps://a.example": "https a.example", " //a.example": "https a.example", "HTTP://u:p@A.example:1#x": "http a.example:1",
		`https://a.example\@b.example`: "https a.example", "app://a/x": "app a", "app:a": "app ", "https://a.ex%61mple": "https a.example",
	} {
		if scheme, host := browse(text, "https", "own"); scheme+" "+host != want {
			t.Errorf("%q takes a browser to %s %s, want %s", text, scheme, host, want)
		}
	}
}
