package web

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
)

// TestClientAddress is a corpus of forwarded headers, true ones and made-up
// ones. An address is believed only from a trusted proxy, and a text that is no
// address never skips or changes anything (CVE-2024-47070).
func TestClientAddress(t *testing.T) {
	proxies := Proxies{
		netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("192.0.2.7/32"), netip.MustParsePrefix("2001:db8::/32"),
	}
	const (
		stranger, strangerIP = "203.0.113.9:5555", "203.0.113.9"
		proxy, proxyIP       = "10.1.2.3:443", "10.1.2.3"
	)
	type header = map[string]string
	for _, c := range []struct {
		name, remote string
		header       header
		want         string
	}{
		{"no header", stranger, nil, strangerIP},
		{"no header behind a proxy", proxy, nil, proxyIP},
		{"one hop", proxy, header{"X-Forwarded-For": "203.0.113.9"}, "203.0.113.9"},
		{"spaces around it", proxy, header{"X-Forwarded-For": "  203.0.113.9\t"}, "203.0.113.9"},
		{"two proxies", proxy, header{"X-Forwarded-For": "203.0.113.9, 192.0.2.7"}, "203.0.113.9"},
		{"IPv6", proxy, header{"X-Forwarded-For": "2a00::1"}, "2a00::1"},
		{"a proxy of IPv6", "[2001:db8::1]:443", header{"X-Forwarded-For": "203.0.113.9"}, "203.0.113.9"},
		{"a proxy of IPv4 in IPv6", "[::ffff:10.1.2.3]:443", header{"X-Forwarded-For": "203.0.113.9"}, "203.0.113.9"},
		{"a hop of IPv4 in IPv6 that is a proxy", proxy, header{"X-Forwarded-For": "203.0.113.9, ::ffff:10.9.9.9"}, "203.0.113.9"},
		{"an address without a port", "10.1.2.3", header{"X-Forwarded-For": "203.0.113.9"}, "203.0.113.9"},

		{"a stranger's claim", stranger, header{"X-Forwarded-For": "198.51.100.1"}, strangerIP},
		{"a stranger's claims everywhere", stranger, header{"True-Client-IP": "198.51.100.1", "Cf-Connecting-IP": "198.51.100.1", "X-Real-IP": "198.51.100.1"}, strangerIP},
		{"a stranger who claims to be the proxy", stranger, header{"X-Forwarded-For": "10.1.2.3"}, strangerIP},
		{"a claim to the left of the truth", proxy, header{"X-Forwarded-For": "198.51.100.1, 203.0.113.9"}, "203.0.113.9"},
		{"a claim of many hops", proxy, header{"X-Forwarded-For": "10.0.0.1, 198.51.100.1, 10.0.0.2, 203.0.113.9, 10.0.0.3"}, "203.0.113.9"},
		{"garbage to the left of the truth", proxy, header{"X-Forwarded-For": "' OR 1=1, 203.0.113.9"}, "203.0.113.9"},

		{"garbage", proxy, header{"X-Forwarded-For": "unknown"}, proxyIP},
		{"garbage to the right", proxy, header{"X-Forwarded-For": "203.0.113.9, unknown"}, proxyIP},
		{"nothing between commas", proxy, header{"X-Forwarded-For": ",,"}, proxyIP},
		{"an empty header", proxy, header{"X-Forwarded-For": ""}, proxyIP},
		{"a hop with a port", proxy, header{"X-Forwarded-For": "203.0.113.9:1234"}, proxyIP},
		{"a hop in brackets", proxy, header{"X-Forwarded-For": "[2a00::1]"}, proxyIP},
		{"an address out of range", proxy, header{"X-Forwarded-For": "999.1.1.1"}, proxyIP},
		{"an address with a leading zero", proxy, header{"X-Forwarded-For": "203.0.113.010"}, proxyIP},
		{"proxies alone", proxy, header{"X-Forwarded-For": "10.0.0.1, 10.0.0.2"}, proxyIP},
		{"a remote that is no address", "@", header{"X-Forwarded-For": "203.0.113.9"}, "@"},
		{"no remote", "", header{"X-Forwarded-For": "203.0.113.9"}, ""},

		{"the first header that is one address", proxy, header{"True-Client-IP": "198.51.100.1", "Cf-Connecting-IP": "198.51.100.2", "X-Real-IP": "198.51.100.3", "X-Forwarded-For": "198.51.100.4"}, "198.51.100.1"},
		{"Cloudflare's", proxy, header{"Cf-Connecting-IP": "198.51.100.2", "X-Real-IP": "198.51.100.3"}, "198.51.100.2"},
		{"nginx'", proxy, header{"X-Real-IP": "198.51.100.3", "X-Forwarded-For": "198.51.100.4"}, "198.51.100.3"},
		{"a broken one is passed over", proxy, header{"True-Client-IP": "1.1.1.1, 2.2.2.2", "X-Real-IP": "198.51.100.3"}, "198.51.100.3"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
			r.RemoteAddr = c.remote
			for name, value := range c.header {
				r.Header.Set(name, value)
			}
			if got := proxies.Device(r).IPAddress; got != c.want {
				t.Errorf("the client is %s, want %s", got, c.want)
			}
			// Without a trusted proxy no header counts.
			r.Header = http.Header{}
			bare := Proxies{}.Device(r)
			for name, value := range c.header {
				r.Header.Set(name, value)
			}
			if got := (Proxies{}).Device(r); got != bare {
				t.Errorf("without proxies the client is %v, want %v", got, bare)
			}
		})
	}
}

func TestHopsInSeveralHeaders(t *testing.T) {
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
	r.RemoteAddr = "10.0.0.1:1"
	r.Header.Add("X-Forwarded-For", "198.51.100.1")
	r.Header.Add("X-Forwarded-For", "203.0.113.9, 10.0.0.2")
	if got := (Proxies{netip.MustParsePrefix("10.0.0.0/8")}).Device(r).IPAddress; got != "203.0.113.9" {
		t.Errorf("the client is %s", got)
	}
}

func TestDeviceDescription(t *testing.T) {
	proxies := Proxies{netip.MustParsePrefix("10.0.0.0/8")}
	for _, c := range []struct {
		name, remote string
		header       [][2]string
		agent, place string
	}{
		{"nothing", "10.0.0.1:1", nil, "", ""},
		{"Cloudflare's place", "10.0.0.1:1", [][2]string{{"Cf-Ipcity", "Bern"}, {"Cf-Ipcountry", "CH"}}, "", "Bern, CH"},
		{"CloudFront's place", "10.0.0.1:1", [][2]string{{"CloudFront-Viewer-City", "Bern"}, {"CloudFront-Viewer-Country", "CH"}}, "", "Bern, CH"},
		{"a country", "10.0.0.1:1", [][2]string{{"Cf-Ipcountry", "CH"}}, "", "CH"},
		{"Cloudflare's before CloudFront's", "10.0.0.1:1", [][2]string{{"CloudFront-Viewer-City", "Basel"}, {"Cf-Ipcity", "Bern"}}, "", "Bern"},
		{"a stranger's claim of a place", "203.0.113.9:1", [][2]string{{"Cf-Ipcity", "Bern"}}, "", ""},
		{"two agents", "203.0.113.9:1", [][2]string{{"User-Agent", "a"}, {"User-Agent", "b"}}, "a b", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
			r.RemoteAddr = c.remote
			for _, pair := range c.header {
				r.Header.Add(pair[0], pair[1])
			}
			if got := proxies.Device(r); got.UserAgent != c.agent || got.Location != c.place {
				t.Errorf("the device is %q at %q, want %q at %q", got.UserAgent, got.Location, c.agent, c.place)
			}
		})
	}
}
