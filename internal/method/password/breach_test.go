package password

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"styx/internal/outbound"
)

// SHA-1 of "password", 5BAA6 and the rest.
const (
	breachedPrefix = "5BAA6"
	breachedSuffix = "1E4C9B93F3F0682250B6CF8331B7EE68FD8"
)

// service is a breached-password service on loopback that answers alike to all.
func service(t *testing.T, answer http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(answer)
	t.Cleanup(server.Close)
	return server.URL
}

func says(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func loopback() *http.Client {
	return outbound.New(outbound.Policy{AllowPrivate: true})
}

func TestBreachCheckSendsFiveDigitsAndNoMore(t *testing.T) {
	var seen []string
	host := service(t, func(w http.ResponseWriter, r *http.Request) {
		seen = append(seen, r.Method+" "+r.RequestURI)
		if r.Header.Get("Add-Padding") != "true" {
			t.Error("the answer is not to be padded")
		}
		for name, values := range r.Header {
			if strings.Contains(strings.ToUpper(strings.Join(values, " ")), breachedSuffix[:6]) {
				t.Errorf("header %s: %v", name, values)
			}
		}
		_, _ = io.WriteString(w, "0018A45C4D1DEF81644B54AB7F969B88D65:3\r\n"+breachedSuffix+":52256179\r\n")
	})
	count, err := newBreaches(loopback(), host, 0, false).check(t.Context(), "password")
	if err != nil || count != 52256179 {
		t.Errorf("check = %d, %v", count, err)
	}
	if want := "GET /range/" + breachedPrefix; len(seen) != 1 || seen[0] != want {
		t.Errorf("the service saw %q, want %q", seen, want)
	}
	count, err = newBreaches(loopback(), host+"/", 0, false).check(t.Context(), "an unheard-of password")
	if err != nil || count != 0 {
		t.Errorf("check of another password = %d, %v", count, err)
	}
}

func TestBreachedCountsTheTolerated(t *testing.T) {
	host := service(t, says(http.StatusOK, breachedSuffix+":5"))
	for tolerated, want := range map[int]bool{0: true, 4: true, 5: false, 6: false} {
		if got, err := newBreaches(loopback(), host, tolerated, false).breached(t.Context(), "password"); err != nil || got != want {
			t.Errorf("5 sightings, %d tolerated: %t, %v", tolerated, got, err)
		}
	}
}

func TestBareHostIsAskedOverTLS(t *testing.T) {
	if got := newBreaches(nil, "api.pwnedpasswords.com", 0, true).base; got != "https://api.pwnedpasswords.com" {
		t.Errorf("base = %q", got)
	}
}

func TestServiceThatCannotBeAsked(t *testing.T) {
	gone := httptest.NewServer(nil)
	gone.Close()
	for name, row := range map[string]struct {
		host   string
		client *http.Client
	}{
		"gone":         {gone.URL, loopback()},
		"refused":      {gone.URL, outbound.New(outbound.Policy{})},
		"failing":      {service(t, says(http.StatusServiceUnavailable, breachedSuffix+":5")), loopback()},
		"not found":    {service(t, says(http.StatusNotFound, "")), loopback()},
		"a login page": {service(t, says(http.StatusOK, "<html>\nlog in: here\n</html>")), loopback()},
		"endless":      {service(t, says(http.StatusOK, strings.Repeat("0018A45C4D1DEF81644B54AB7F969B88D65:3\r\n", 30_000))), loopback()},
		"no URL":       {"http://%zz", loopback()},
		"hanging up":   {service(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }), loopback()},
	} {
		if got, err := newBreaches(row.client, row.host, 0, true).breached(t.Context(), "password"); err != nil || got {
			t.Errorf("%s, ignored: %t, %v", name, got, err)
		}
		got, err := newBreaches(row.client, row.host, 0, false).breached(t.Context(), "password")
		if !errors.Is(err, errBreachService) || got {
			t.Errorf("%s: %t, %v", name, got, err)
		}
		if err != nil && (strings.Contains(err.Error(), breachedPrefix) || strings.Contains(err.Error(), row.host)) {
			t.Errorf("%s: the error tells too much: %v", name, err)
		}
	}
}

// silent accepts connections and never speaks, so a TLS handshake never ends.
func silent(t *testing.T) string {
	t.Helper()
	var listen net.ListenConfig
	listener, err := listen.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	return listener.Addr().String()
}

func TestSlowServiceEndsInTime(t *testing.T) {
	t.Parallel()
	stop := make(chan struct{})
	hanging := service(t, func(http.ResponseWriter, *http.Request) { <-stop })
	t.Cleanup(func() { close(stop) })
	for name, row := range map[string]struct {
		host   string
		budget time.Duration // of the request
		most   time.Duration
	}{
		"no connection":                   {"https://" + silent(t), time.Minute, 2 * time.Second},
		"no answer":                       {hanging, time.Minute, 4 * time.Second},
		"half a second above the reserve": {hanging, outbound.Reserve + 500*time.Millisecond, 1500 * time.Millisecond},
		"less than the reserve":           {hanging, outbound.Reserve - time.Second, 500 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), row.budget)
			defer cancel()
			start := time.Now()
			if count, err := newBreaches(loopback(), row.host, 0, true).check(ctx, "password"); err != nil || count != 0 {
				t.Errorf("ignored: %d, %v", count, err)
			}
			if took := time.Since(start); took > row.most {
				t.Errorf("it took %v", took)
			}
			if ctx.Err() != nil {
				t.Error("nothing is left to write in")
			}
		})
	}
}

// A request that is over is over, whether or not network errors are ignored: no
// password passes because its owner hung up.
func TestEndedRequestIsNoIgnoredError(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	host := service(t, says(http.StatusOK, ""))
	for _, ignore := range []bool{true, false} {
		if got, err := newBreaches(loopback(), host, 0, ignore).breached(ctx, "password"); !errors.Is(err, context.Canceled) || got {
			t.Errorf("ignore %t: %t, %v", ignore, got, err)
		}
	}
}

func TestSightings(t *testing.T) {
	const other = "0018A45C4D1DEF81644B54AB7F969B88D65"
	for name, row := range map[string]struct {
		body string
		want int
		err  error
	}{
		"empty":                {"", 0, nil},
		"blank lines":          {"\r\n\r\n", 0, nil},
		"not in it":            {other + ":3\r\n", 0, nil},
		"windows line ends":    {other + ":3\r\n" + breachedSuffix + ":7\r\n", 7, nil},
		"unix line ends":       {other + ":3\n" + breachedSuffix + ":7\n", 7, nil},
		"no last line end":     {other + ":3\n" + breachedSuffix + ":7", 7, nil},
		"lower case":           {strings.ToLower(breachedSuffix) + ":7", 7, nil},
		"padding":              {breachedSuffix + ":0\r\n" + other + ":0", 0, nil},
		"twice":                {breachedSuffix + ":7\n" + breachedSuffix + ":0", 7, nil},
		"among nonsense":       {"#\n:\nx:1\n" + breachedSuffix + ":7\n::::", 7, nil},
		"count beyond an int":  {breachedSuffix + ":99999999999999999999999", math.MaxInt, nil},
		"negative count":       {other + ":3\n" + breachedSuffix + ":-7", 0, nil},
		"no count":             {other + ":3\n" + breachedSuffix + ":", 0, nil},
		"no colon":             {other + ":3\n" + breachedSuffix, 0, nil},
		"a digit more":         {other + ":3\nA" + breachedSuffix + ":7", 0, nil},
		"nonsense alone":       {"<html>", 0, errRange},
		"its own line is torn": {breachedSuffix + ":x", 0, errRange},
	} {
		if got, err := sightings([]byte(row.body), breachedSuffix); got != row.want || !errors.Is(err, row.err) {
			t.Errorf("%s: sightings = %d, %v, want %d, %v", name, got, err, row.want, row.err)
		}
	}
}

// No answer of a stranger's hides a sound line from the check or makes one up.
func FuzzSightings(f *testing.F) {
	f.Add("", uint32(0))
	f.Add("0018A45C4D1DEF81644B54AB7F969B88D65:3\r\n", uint32(7))
	f.Add(breachedSuffix+":99999999999999999999\n<html>", uint32(1))
	f.Fuzz(func(t *testing.T, body string, count uint32) {
		got, err := sightings([]byte(body), breachedSuffix)
		if got < 0 || err != nil && (got != 0 || !errors.Is(err, errRange)) {
			t.Fatalf("sightings = %d, %v", got, err)
		}
		if got > 0 && !strings.Contains(strings.ToUpper(body), breachedSuffix+":") {
			t.Fatalf("%d sightings out of nothing", got)
		}
		more, err := sightings([]byte(body+"\n"+fmt.Sprintf("%s:%d", breachedSuffix, count)), breachedSuffix)
		if err != nil || more != max(got, int(count)) {
			t.Fatalf("sightings = %d, %v after another line, want %d", more, err, max(got, int(count)))
		}
	})
}
