package lambda_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"styx/internal/gateway/gatewaytest"
	"styx/test/lambda"
)

// echo is the function in testdata, running.
func echo(t *testing.T, options lambda.Options) *lambda.Function {
	t.Helper()
	options.Binary = binary(t, "./testdata/echo")
	options.Name = "echo"
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	f, err := lambda.Start(ctx, options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.Stop)
	return f
}

type saw struct {
	Method    string              `json:"method"`
	Path      string              `json:"path"`
	Query     map[string][]string `json:"query"`
	Header    http.Header         `json:"header"`
	Host      string              `json:"host"`
	Remote    string              `json:"remote"`
	Body      []byte              `json:"body"`
	Caller    string              `json:"caller"`
	RequestID string              `json:"request_id"`
	Seconds   float64             `json:"seconds"`
}

func call(t *testing.T, f gatewaytest.Invoker, api gatewaytest.API, r *http.Request) (*http.Response, saw) {
	t.Helper()
	transport := &gatewaytest.Transport{API: api, Route: gatewaytest.To(f)}
	response, err := transport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	var what saw
	if response.StatusCode == http.StatusOK && len(body) > 0 && body[0] == '{' {
		if err := json.Unmarshal(body, &what); err != nil {
			t.Fatalf("%v in %s", err, body)
		}
	}
	response.Body = io.NopCloser(bytes.NewReader(body))
	return response, what
}

func request(t *testing.T, method, url, body string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestOneWarmProcessServesEveryKindOfEvent(t *testing.T) {
	f := echo(t, lambda.Options{Env: []string{"STYX_BASE_PATH=/auth"}})
	for _, api := range []gatewaytest.API{
		{IAM: gatewaytest.Signed()},
		{IAM: gatewaytest.Signed(), CookiesIn: gatewaytest.InHeader, PlainBodies: true},
		{IAM: gatewaytest.Signed(), CookiesIn: gatewaytest.InBoth, Stage: "prod", BasePath: "/auth"},
	} {
		r := request(t, http.MethodPost, "https://elsewhere.example/echo/a%20b/ü?x=1&x=2&y=%2F", "identifier=a%40b.example&password=%26")
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("User-Agent", "Mozilla/5.0 (X11, like Gecko)")
		r.Header.Set("Date", "Wed, 21 Oct 2026 07:28:00 GMT")
		r.Header.Set("Cookie", "csrf_token_1=a,b==; ory_kratos_session=c")
		response, what := call(t, f, api, r)

		if response.StatusCode != http.StatusOK {
			t.Fatalf("%+v: status %s\n%s", api, response.Status, f.Log())
		}
		want := saw{
			Method: http.MethodPost, Path: "/echo/a%20b/%C3%BC", Host: "styx.execute-api.eu-central-1.amazonaws.com",
			Remote: "192.0.2.1:0", Caller: "arn:aws:iam::000000000000:user/operator", RequestID: "request-1",
		}
		if what.Method != want.Method || what.Path != want.Path || what.Host != want.Host || what.Remote != want.Remote || what.Caller != want.Caller || what.RequestID != want.RequestID {
			t.Errorf("%+v:\n got %+v\nwant %+v", api, what, want)
		}
		if string(what.Body) != "identifier=a%40b.example&password=%26" {
			t.Errorf("body %q", what.Body)
		}
		if !slices.Equal(what.Query["x"], []string{"1", "2"}) || !slices.Equal(what.Query["y"], []string{"/"}) {
			t.Errorf("query %v", what.Query)
		}
		for name, value := range map[string]string{
			"User-Agent": "Mozilla/5.0 (X11, like Gecko)",
			"Date":       "Wed, 21 Oct 2026 07:28:00 GMT",
			"Cookie":     "csrf_token_1=a,b==; ory_kratos_session=c",
		} {
			if got := what.Header[name]; !slices.Equal(got, []string{value}) {
				t.Errorf("%+v: %s is %q, want %q once", api, name, got, value)
			}
		}
		if what.Seconds < 20 || what.Seconds > 27 {
			t.Errorf("the handler has %.1f s, want nearly 27", what.Seconds)
		}
		cookies := response.Header["Set-Cookie"]
		if len(cookies) != 2 || cookies[0] != "one=1; Path=/; HttpOnly" || cookies[1] != "two=2; Path=/; Expires=Wed, 21 Oct 2026 07:28:00 GMT" {
			t.Errorf("cookies %q", cookies)
		}
		if got := response.Header.Get("Vary"); got != "Cookie, Origin" {
			t.Errorf("Vary %q", got)
		}
	}
	if log := f.Log(); strings.Count(log, `"cold_start":true`) != 1 || strings.Count(log, `"route":"/echo/{rest...}"`) != 3 {
		t.Errorf("want one cold start and three routes in the log:\n%s", log)
	}
}

func TestHeadHasNoBody(t *testing.T) {
	f := echo(t, lambda.Options{})
	response, _ := call(t, f, gatewaytest.API{IAM: gatewaytest.Signed()}, request(t, http.MethodHead, "https://a.example/echo/x", ""))
	body, err := io.ReadAll(response.Body)
	if err != nil || len(body) != 0 || response.StatusCode != http.StatusOK || response.Header.Get("Content-Type") != "application/json" {
		t.Errorf("%s %q %v %v", response.Status, body, response.Header, err)
	}
}

func TestBinaryAnswerArrivesAsItWas(t *testing.T) {
	f := echo(t, lambda.Options{})
	response, _ := call(t, f, gatewaytest.API{IAM: gatewaytest.Signed()}, request(t, http.MethodGet, "https://a.example/binary", ""))
	body, err := io.ReadAll(response.Body)
	if err != nil || !bytes.Equal(body, []byte{0xff, 0x00, 0xfe}) {
		t.Errorf("%x %v", body, err)
	}
}

func TestUnmatchedRouteIsTheHandlersAnswer(t *testing.T) {
	f := echo(t, lambda.Options{})
	response, _ := call(t, f, gatewaytest.API{IAM: gatewaytest.Signed()}, request(t, http.MethodGet, "https://a.example/nowhere", ""))
	if response.StatusCode != http.StatusNotFound {
		t.Errorf("status %s", response.Status)
	}
}

func TestUnsignedEventIsRefused(t *testing.T) {
	f := echo(t, lambda.Options{})
	response, _ := call(t, f, gatewaytest.API{}, request(t, http.MethodGet, "https://a.example/echo/x", ""))
	if response.StatusCode != http.StatusForbidden || !strings.HasPrefix(response.Header.Get("Content-Type"), "application/json") {
		t.Errorf("%s %v", response.Status, response.Header)
	}
	emulated := echo(t, lambda.Options{Env: []string{"STYX_ADMIN_UNSIGNED=emulator"}})
	response, _ = call(t, emulated, gatewaytest.API{}, request(t, http.MethodGet, "https://a.example/echo/x", ""))
	if response.StatusCode != http.StatusOK {
		t.Errorf("in an emulator: %s", response.Status)
	}
}

func TestPanicIsOneAnswerAndTheProcessLives(t *testing.T) {
	f := echo(t, lambda.Options{})
	for range 2 {
		response, _ := call(t, f, gatewaytest.API{IAM: gatewaytest.Signed()}, request(t, http.MethodGet, "https://a.example/panic", ""))
		body, _ := io.ReadAll(response.Body)
		want := `{"error":{"code":500,"status":"Internal Server Error","message":"An internal server error occurred, please contact the system administrator"}}`
		if response.StatusCode != http.StatusInternalServerError || strings.TrimSpace(string(body)) != want {
			t.Errorf("%s %s", response.Status, body)
		}
	}
	log := f.Log()
	if strings.Count(log, `"err_kind":"panic"`) != 2 || strings.Count(log, "\n") != 2 || !strings.Contains(log, "echo/main.go") {
		t.Errorf("want two lines with a stack:\n%s", log)
	}
	if strings.Contains(log, "hunter2") {
		t.Error("the log quotes what was thrown")
	}
}

func TestStrangeEventsAreBadRequests(t *testing.T) {
	f := echo(t, lambda.Options{})
	for _, event := range []string{``, `x`, `null`, `[]`, `{}`, `"2.0"`, `{"version":"1.0"}`, `{"version":"2.0","requestContext":{"http":{"method":"G T"}}}`} {
		answer, err := f.Invoke(t.Context(), []byte(event))
		if err != nil {
			t.Fatalf("%q: %v", event, err)
		}
		response, err := gatewaytest.Response(answer)
		if err != nil || response.StatusCode != http.StatusBadRequest {
			t.Errorf("%q: %s %v", event, answer, err)
		}
	}
}

func TestFiftyEventsInParallel(t *testing.T) {
	for name, options := range map[string]lambda.Options{
		"queued for one process":          {},
		"queued for four processes":       {Processes: 4},
		"fifty at a time in one process":  {Concurrency: 50},
		"ten at a time in each of two":    {Processes: 2, Concurrency: 10},
		"one after another in one of two": {Processes: 2},
	} {
		t.Run(name, func(t *testing.T) {
			f := echo(t, options)
			var wait sync.WaitGroup
			for i := range 50 {
				wait.Go(func() {
					r := request(t, http.MethodPut, fmt.Sprintf("https://a.example/echo/%d", i), fmt.Sprintf("body %d", i))
					_, what := call(t, f, gatewaytest.API{IAM: gatewaytest.Signed()}, r)
					if what.Path != fmt.Sprintf("/echo/%d", i) || string(what.Body) != fmt.Sprintf("body %d", i) {
						t.Errorf("request %d was answered with %s %q", i, what.Path, what.Body)
					}
				})
			}
			wait.Wait()
			if log := f.Log(); strings.Contains(log, "DATA RACE") {
				t.Error(log)
			}
		})
	}
}

func TestDeadlineLeavesTimeToAnswer(t *testing.T) {
	f := echo(t, lambda.Options{Timeout: 5 * time.Second})
	_, what := call(t, f, gatewaytest.API{IAM: gatewaytest.Signed()}, request(t, http.MethodGet, "https://a.example/echo/x", ""))
	if what.Seconds < 3 || what.Seconds > 4 {
		t.Errorf("the handler has %.2f s, want four less what passed", what.Seconds)
	}
}

func TestRefusedStartIsReported(t *testing.T) {
	_, err := lambda.Start(t.Context(), lambda.Options{Binary: binary(t, "./testdata/echo"), Env: []string{"ECHO_REFUSE=1"}})
	if !errors.Is(err, lambda.ErrFunction) || !strings.Contains(err.Error(), `"errorMessage":"secrets.default is missing"`) {
		t.Errorf("got %v", err)
	}
}

func TestEndedProcessFailsItsEvent(t *testing.T) {
	f := echo(t, lambda.Options{})
	event, err := gatewaytest.API{IAM: gatewaytest.Signed()}.Event(request(t, http.MethodGet, "https://a.example/exit", ""), "request-1")
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if answer, err := f.Invoke(t.Context(), event); !errors.Is(err, lambda.ErrFunction) {
			t.Errorf("got %s, %v", answer, err)
		}
	}
}

func TestProcessThatTakesTooLongIsKilled(t *testing.T) {
	f := echo(t, lambda.Options{Timeout: 2 * time.Second})
	event, err := gatewaytest.API{IAM: gatewaytest.Signed()}.Event(request(t, http.MethodGet, "https://a.example/hang", ""), "request-1")
	if err != nil {
		t.Fatal(err)
	}
	if answer, err := f.Invoke(t.Context(), event); !errors.Is(err, lambda.ErrFunction) || !strings.Contains(err.Error(), "timed out") {
		t.Errorf("got %s, %v", answer, err)
	}
}

func TestMeasures(t *testing.T) {
	var starts []time.Duration
	for range 9 {
		f := echo(t, lambda.Options{})
		m := f.Measures()[0]
		if m.Start <= 0 || m.Start > 10*time.Second {
			t.Errorf("start took %v", m.Start)
		}
		if _, err := os.Stat("/proc/self/status"); err == nil && (m.Resident < 1<<20 || m.Peak < m.Resident) {
			t.Errorf("resident %d, peak %d", m.Resident, m.Peak)
		}
		starts = append(starts, m.Start)
		t.Logf("start to first /next %v, resident %.1f MB", m.Start, float64(m.Resident)/1e6)
		f.Stop()
	}
	slices.Sort(starts)
	size, err := os.Stat(binary(t, "./testdata/echo"))
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("start to first /next: p50 %v of %d; %s is %.1f MB", starts[len(starts)/2], len(starts), filepath.Base(size.Name()), float64(size.Size())/1e6)
}
