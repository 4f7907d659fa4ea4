//go:build dynamodb

package lambda_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"testing"
)

// attempts are requests of every kind, a read, a write of one item, transactions,
// each on behalf of somebody of its own.
var attempts = map[string]func(*drill, *testing.T) attempt{
	"ask who I am":               (*drill).whoami,
	"start a registration":       (*drill).registration,
	"submit a registration":      (*drill).signUp,
	"submit a login":             (*drill).logIn,
	"change a password":          (*drill).password,
	"ask for a recovery code":    (*drill).recovery,
	"submit a recovery code":     (*drill).recoveryCode,
	"submit a verification code": (*drill).verificationCode,
	"log out":                    (*drill).logOut,
}

// prepare makes one attempt of each kind.
func (d *drill) prepare(t *testing.T) []attempt {
	t.Helper()
	var all []attempt
	for _, name := range slices.Sorted(maps.Keys(attempts)) {
		one := attempts[name](d, t)
		one.name = name
		all = append(all, one)
	}
	return all
}

func (d *drill) whoami(t *testing.T) attempt {
	t.Helper()
	email := d.person(t)
	return attempt{
		function: "session", method: http.MethodGet, target: base + "/sessions/whoami", token: d.enters(t, email, firstPassword),
		kept: func(t *testing.T, a answer) {
			t.Helper()
			if who, _ := a.body["identity"].(map[string]any); a.status != http.StatusOK || who["traits"].(map[string]any)["email"] != email {
				t.Errorf("I am %v", a)
			}
		},
	}
}

func (d *drill) registration(*testing.T) attempt {
	return attempt{
		function: "registration", method: http.MethodGet, target: base + "/self-service/registration/api",
		kept: func(t *testing.T, a answer) {
			t.Helper()
			read := d.send(attempt{method: http.MethodGet, target: base + "/self-service/registration/flows?id=" + a.body["id"].(string)})
			if a.status != http.StatusOK || read.status != http.StatusOK {
				t.Errorf("the flow is %v", read)
			}
		},
	}
}

func (d *drill) signUp(t *testing.T) attempt {
	t.Helper()
	email := address()
	return attempt{
		function: "registration", method: http.MethodPost, target: d.begins(t, "registration", ""),
		body:  map[string]any{"method": "password", "password": firstPassword, "traits": map[string]string{"email": email}},
		again: `"id":4040002,`,
		kept: func(t *testing.T, a answer) {
			t.Helper()
			if a.status == http.StatusOK {
				d.lives(t, a.body["session_token"].(string))
			}
			d.enters(t, email, firstPassword)
			d.sole(t, email)
			if d.sweep(t); len(mailsTo(t, email)) != 1 {
				t.Errorf("%d mails arrived", len(mailsTo(t, email)))
			}
		},
	}
}

func (d *drill) logIn(t *testing.T) attempt {
	t.Helper()
	email := d.person(t)
	return attempt{
		function: "login", method: http.MethodPost, target: d.begins(t, "login", ""),
		body: map[string]string{"method": "password", "identifier": email, "password": firstPassword},
		kept: func(t *testing.T, a answer) {
			t.Helper()
			d.lives(t, a.body["session_token"].(string))
		},
	}
}

func (d *drill) password(t *testing.T) attempt {
	t.Helper()
	email := d.person(t)
	token := d.enters(t, email, firstPassword)
	return attempt{
		function: "settings", method: http.MethodPost, target: d.begins(t, "settings", token), token: token,
		body:  map[string]string{"method": "password", "password": nextPassword},
		again: `"id":4000039,`,
		kept: func(t *testing.T, a answer) {
			t.Helper()
			if a.body["state"] != "success" {
				t.Errorf("the change is %v", a)
			}
			d.lives(t, token)
			d.enters(t, email, nextPassword)
			if _, err := signIn(d.app, email, firstPassword); err == nil {
				t.Error("the old password signs in")
			}
		},
	}
}

func (d *drill) recovery(t *testing.T) attempt {
	t.Helper()
	email := d.person(t)
	return attempt{
		function: "recovery", method: http.MethodPost, target: d.begins(t, "recovery", ""),
		body: map[string]string{"method": "code", "email": email},
		kept: func(t *testing.T, a answer) {
			t.Helper()
			d.sweep(t)
			if mails := mailsTo(t, email); a.body["state"] != "sent_email" || len(mails) == 0 {
				t.Errorf("%d mails arrived after %v", len(mails), a)
			}
		},
	}
}

func (d *drill) recoveryCode(t *testing.T) attempt {
	t.Helper()
	email := d.person(t)
	one := d.codeOf(t, "recovery", email)
	one.again = `The code was already used. Please request another code.`
	one.kept = func(t *testing.T, a answer) {
		t.Helper()
		if !a.acknowledged() {
			// Who never had the answer asks for another code.
			a = d.send(d.codeOf(t, "recovery", email))
		}
		ways, _ := a.body["continue_with"].([]any)
		if len(ways) == 0 {
			t.Fatalf("the code leads nowhere: %v", a)
		}
		for _, way := range ways {
			if token, ok := way.(map[string]any)["ory_session_token"].(string); ok {
				d.lives(t, token)
			}
		}
	}
	return one
}

func (d *drill) verificationCode(t *testing.T) attempt {
	t.Helper()
	email := d.person(t)
	one := d.codeOf(t, "verification", email)
	one.again = `"id":"self_service_flow_replaced"`
	one.kept = func(t *testing.T, a answer) {
		t.Helper()
		addresses, _ := d.sole(t, email)["verifiable_addresses"].([]any)
		if len(addresses) != 1 || addresses[0].(map[string]any)["verified"] != true {
			t.Errorf("after %v the addresses are %v", a, addresses)
		}
	}
	return one
}

func (d *drill) logOut(t *testing.T) attempt {
	t.Helper()
	token := d.enters(t, d.person(t), firstPassword)
	return attempt{
		function: "session", method: http.MethodDelete, target: base + "/self-service/logout/api", body: map[string]string{"session_token": token},
		kept: func(t *testing.T, a answer) {
			t.Helper()
			if who := d.send(attempt{method: http.MethodGet, target: base + "/sessions/whoami", token: token}); who.status != http.StatusUnauthorized {
				t.Errorf("after %v I am %v", a, who)
			}
		},
	}
}

// lives checks that a session's token is good.
func (d *drill) lives(t *testing.T, token string) {
	t.Helper()
	if who := d.send(attempt{method: http.MethodGet, target: base + "/sessions/whoami", token: token}); who.status != http.StatusOK {
		t.Errorf("whoami of a session that was handed out: %v", who)
	}
}

// sole returns the identity of an address, which is the only one.
func (d *drill) sole(t *testing.T, email string) map[string]any {
	t.Helper()
	response, said, err := exchange(&http.Client{Transport: d.admin}, http.MethodGet, "https://admin.example/admin/identities?credentials_identifier="+email, "", nil)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("list identities: %s %v", said, err)
	}
	var all []map[string]any
	if err := json.Unmarshal(said, &all); err != nil || len(all) != 1 {
		t.Fatalf("%d identities own %s (%v)", len(all), email, err)
	}
	return all[0]
}
