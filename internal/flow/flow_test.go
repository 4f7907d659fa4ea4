package flow

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"styx/internal/identity"
	"styx/internal/session"
)

func noon() time.Time { return time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC) }

func TestExpiryIsExact(t *testing.T) {
	f := &Flow{ExpiresAt: noon()}
	for after, want := range map[time.Duration]bool{-time.Microsecond: false, 0: true, time.Hour: true} {
		if got := f.Expired(noon().Add(after)); got != want {
			t.Errorf("%s after its end it is expired: %v", after, got)
		}
	}
}

func TestNativeIsTheTypeOfApps(t *testing.T) {
	for kind, want := range map[string]bool{API: true, Browser: false, "": false} {
		if got := (&Flow{Type: kind}).Native(); got != want {
			t.Errorf("%q is native: %v", kind, got)
		}
	}
}

// TestWhatIsNotStored stays out of the document.
func TestWhatIsNotStored(t *testing.T) {
	stored, err := json.Marshal(Flow{
		ID: "f", Kind: Login, Transient: json.RawMessage(`{"transient":1}`), V: 7, Done: true, Stored: json.RawMessage(`{"stored":1}`),
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"ransient", "Done", "tored", "\"V\""} {
		if strings.Contains(string(stored), name) {
			t.Errorf("%s is stored: %s", name, stored)
		}
	}
}

func TestDoorsByKind(t *testing.T) {
	login, registration := new(Door), new(Door)
	m := Method{Login: login, Registration: registration}
	for kind, want := range map[Kind]*Door{Login: login, Registration: registration, Verification: nil, "": nil, "sorcery": nil} {
		if got := m.Door(kind); got != want {
			t.Errorf("the door of %q is %p, want %p", kind, got, want)
		}
	}
	if (Method{}).Door(Login) != nil {
		t.Error("a method without a door has one")
	}
}

// TestDoorAnswers to its method's name alone, or to what it says it takes.
func TestDoorAnswers(t *testing.T) {
	form := func(method string) identity.Form {
		return identity.Form{Values: map[string][]string{"method": {method}}}
	}
	for method, want := range map[string]bool{"password": true, "Password": false, "": false, "password ": false} {
		if got := new(Door).Answers("password", form(method)); got != want {
			t.Errorf("%q: %v", method, got)
		}
	}
	choosy := &Door{Takes: func(f identity.Form) bool { return f.Has("screen") }}
	if choosy.Answers("password", form("password")) || !choosy.Answers("password", identity.Form{Values: map[string][]string{"screen": {"x"}}}) {
		t.Error("the door does not decide for itself")
	}
}

func TestOutcomes(t *testing.T) {
	if Again().Who != nil {
		t.Error("a further screen passed somebody")
	}
	who := &identity.Identity{ID: "i"}
	if got := Passed(who, "password", session.AAL1); got.Who != who || got.Method.Method != "password" || got.Method.AAL != session.AAL1 || got.Upgrade != nil {
		t.Errorf("passed is %+v", got)
	}
}
