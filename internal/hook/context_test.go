package hook_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"styx/internal/hook"
)

// sent returns what the body function(ctx) ctx makes of a context.
func sent(t *testing.T, in hook.Context, allowed ...string) string {
	t.Helper()
	c := caller(t)
	if allowed != nil {
		c.HeaderAllowlist = allowed
	}
	r := receive(t, reply{status: 204})
	if _, err := c.Call(t.Context(), r.hook(t, everything), in); err != nil {
		t.Fatal(err)
	}
	return r.got()[0].Body
}

func TestContextAsItIsDocumented(t *testing.T) {
	in := person()
	in.Session = json.RawMessage(`{"id":"s1","identity":{"id":"i1"}}`)
	want := `{"flow":{"id":"f1","transient_payload":{"note":"pier"},"type":"api"},` +
		`"identity":{"id":"i1","traits":{"email":"a@b.c"}},` +
		`"request_cookies":{"theme":"dark"},"request_headers":{"User-Agent":["test"]},"request_method":"POST",` +
		`"request_url":"https://id.example/self-service/login?flow=f1","session":{"id":"s1","identity":{"id":"i1"}}}`
	if got := sent(t, in); got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	var nobody *struct{}
	want = `{"flow":null,"request_cookies":{},"request_headers":{},"request_method":"","request_url":""}`
	if got := sent(t, hook.Context{Identity: nobody, Session: nobody}); got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
}

func TestHeadersNeedTheAllowlist(t *testing.T) {
	in := person()
	in.RequestCookies = map[string]string{"theme": "dark", "ory_kratos_session": "s3cret"}
	for _, row := range []struct {
		allowed []string
		want    string
	}{
		{[]string{}, `"request_cookies":{"theme":"dark"},"request_headers":{}`},
		{[]string{"user-agent", "Accept"}, `"request_cookies":{"theme":"dark"},"request_headers":{"User-Agent":["test"]}`},
		{[]string{"authorization"}, `"request_cookies":{"theme":"dark"},"request_headers":{"Authorization":["Bearer t0ken"]}`},
		{[]string{"cookie"}, `"request_cookies":{"ory_kratos_session":"s3cret","theme":"dark"},"request_headers":{"Cookie":["a=b"]}`},
	} {
		if got := sent(t, in, row.allowed...); !strings.Contains(got, row.want) {
			t.Errorf("%q: %s, want %s", row.allowed, got, row.want)
		}
	}
}

// Every "s3cret" proves who somebody is; every "kept" is what a receiver needs.
func TestContextHoldsNoSecret(t *testing.T) {
	person := `{"id":"kept","credentials":{"password":{"config":{"hashed_password":"s3cret"}}},"metadata_admin":{"note":"s3cret"},
		"metadata_public":{"token":"kept"},"traits":{"code":"kept","credentials":"kept"}}`
	in := hook.Context{
		Flow: json.RawMessage(`{"id":"kept","type":"browser","session_token":"s3cret","session_token_exchange_code":"s3cret","csrf_token":"s3cret",
			"internal_context":{"x":"s3cret"},"request_url":"https://id.example/self-service/recovery/browser?token=s3cret&return_to=kept",
			"transient_payload":{"code":"kept","token":"kept"},"identity":` + person + `,
			"continue_with":[{"action":"set_ory_session_token","ory_session_token":"s3cret"},{"action":"show_settings_ui","flow":{"id":"kept"}},"odd"],
			"ui":{"action":"kept","nodes":[
				{"type":"input","attributes":{"name":"csrf_token","type":"hidden","value":"s3cret"}},
				{"type":"input","attributes":{"name":"password","type":"password","value":"s3cret"}},
				{"type":"input","attributes":{"name":"traits.pin","type":"password","value":"s3cret"}},
				{"type":"input","attributes":{"name":"code","type":"text","value":"s3cret"}},
				{"type":"input","attributes":{"name":"traits.email","type":"email","value":"kept"}},
				{"type":"img","attributes":{"id":"totp_qr","src":"s3cret"}},
				{"type":"text","attributes":{"id":"totp_secret_key","text":{"text":"s3cret"}}},
				{"type":"text","attributes":{"id":"lookup_secret_codes","text":{"text":"s3cret"}}},
				{"type":"input","attributes":{"name":"method","type":"submit","value":"kept"}},
				null, {"attributes":7}]}}`),
		RequestURL:     "https://id.example/self-service/verification?flow=kept&c%6Fde=s3cret&state=s3cret&code=s3cret#kept",
		RequestHeaders: http.Header{"Referer": {"https://id.example/x?token=s3cret&a=kept"}, "User-Agent": {"kept"}, "Cookie": {"s3cret"}, "Authorization": {"s3cret"}},
		RequestCookies: map[string]string{
			"theme": "kept", "ory_kratos_session": "s3cret", "__Host-ory_kratos_session": "s3cret", "ory_kratos_continuity": "s3cret",
			"csrf_token_82b119fa": "s3cret", "__Host-csrf_token_82b119fa": "s3cret",
		},
		Identity: json.RawMessage(person),
		Session:  json.RawMessage(`{"id":"kept","token":"s3cret","tokenized":"s3cret","devices":[{"user_agent":"kept"}],"identity":` + person + `}`),
	}
	before, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	got := sent(t, in)
	if at := strings.Index(got, "s3cret"); at >= 0 {
		t.Errorf("…%s…", got[max(0, at-80):min(len(got), at+20)])
	}
	if n := strings.Count(got, "kept"); n != strings.Count(string(before), "kept") {
		t.Errorf("%d of %d are kept: %s", n, strings.Count(string(before), "kept"), got)
	}
	if after, err := json.Marshal(in); err != nil || string(after) != string(before) {
		t.Errorf("the caller's context has changed: %s, %v", after, err)
	}
}

func TestURLsKeepTheRest(t *testing.T) {
	for in, want := range map[string]string{
		"":                                   "",
		"https://x/y":                        "https://x/y",
		"https://x/y?flow=1&aal=aal2":        "https://x/y?flow=1&aal=aal2",
		"https://x/y?code=1":                 "https://x/y",
		"https://x/y?a=%zz&token=1&b":        "https://x/y?a=%zz&b",
		"https://x/y?b=code&a=token&id=code": "https://x/y?b=code&a=token&id=code",
	} {
		if got := sent(t, hook.Context{RequestURL: in}); !strings.Contains(got, `"request_url":"`+want+`"`) {
			t.Errorf("%s: %s", in, got)
		}
	}
}
