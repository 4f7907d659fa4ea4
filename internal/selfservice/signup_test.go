package selfservice_test

import (
	"net/http"
	"slices"
	"sync"
	"testing"

	"styx/internal/ui"
)

// both asks for codes to two addresses, and returns the flow with the code of
// each address.
func (c *client) both(tb testing.TB, box *mailbox) (string, map[string]string) {
	tb.Helper()
	before := len(box.all())
	id := c.start(tb, "registration", "")
	f := c.again(tb, "registration", c.submit(tb, "registration", id, fields{"method": "code", "traits.email": ann, "traits.phone": tel}))
	if f.State != "sent_email" || f.Active != "code" || !slices.Equal(f.messages(), said(ui.RegistrationCodeSent)) {
		tb.Fatalf("%s: the flow is %s and says %v", c.kind, f.State, f.messages())
	}
	codes := map[string]string{}
	for _, letter := range box.all()[before:] {
		codes[letter.To] = letter.RegistrationCode
	}
	if len(codes) != 2 || codes[ann] == "" || codes[tel] == "" {
		tb.Fatalf("codes went to %v", codes)
	}
	return id, codes
}

// TestSignUpByCode: each address gets a code of its own, and either of them is
// enough; the one whose code comes back is verified.
func TestSignUpByCode(t *testing.T) {
	for _, style := range []string{"profile_first", "unified"} {
		for _, of := range kinds {
			h := open(t, byCode(), `selfservice: {flows: {registration: {style: `+style+`}}}`)
			box := h.mailbox(t)
			c := h.client(of)
			id, codes := c.both(t, box)
			sent := func(code string) fields {
				return fields{"method": "code", "traits.email": ann, "traits.phone": tel, "code": code}
			}
			c.says(t, "no code", "registration", c.submit(t, "registration", id, sent("")), ui.PropertyMissing)
			c.says(t, "a wrong code", "registration", c.submit(t, "registration", id, sent(other(codes[tel]))), ui.RegistrationCodeInvalid)
			changed := sent(codes[tel])
			changed["traits.email"] = eve
			c.says(t, "another address", "registration", c.submit(t, "registration", id, changed), ui.TraitsChanged)
			changed = sent(codes[tel])
			changed["traits.name"] = "Ann"
			c.says(t, "a trait more", "registration", c.submit(t, "registration", id, changed), ui.TraitsChanged)
			live := c.done(t, c.submit(t, "registration", id, sent(codes[tel])))
			for _, address := range h.stored(t, live.Identity.ID).VerifiableAddresses {
				if address.Verified != (address.Value == tel) {
					t.Errorf("%s: %s is verified: %v", of, address.Value, address.Verified)
				}
			}
			if of == api {
				c.token = ""
				c.says(t, "the flow once more", "registration", c.submit(t, "registration", id, sent(codes[ann])), ui.NoSignUpMethod)
			}
		}
	}
}

// TestSignUpCodeIsOfItsFlow, and void once there is a newer one.
func TestSignUpCodeIsOfItsFlow(t *testing.T) {
	h := open(t, byCode())
	box := h.mailbox(t)
	c := h.client(api)
	first, codes := c.both(t, box)
	second, newer := c.both(t, box)
	sent := fields{"method": "code", "traits.email": ann, "traits.phone": tel, "code": codes[ann]}
	c.says(t, "the code of another flow", "registration", c.submit(t, "registration", second, sent), ui.RegistrationCodeInvalid)
	sent["resend"] = "code"
	c.says(t, "asking again", "registration", c.submit(t, "registration", first, sent), ui.RegistrationCodeSent)
	delete(sent, "resend")
	c.says(t, "the code before", "registration", c.submit(t, "registration", first, sent), ui.RegistrationCodeInvalid)
	sent["code"] = newer[ann]
	c.done(t, c.submit(t, "registration", second, sent))
	// The name is taken by now. That is told to whoever has the code, once.
	sent["code"] = box.last(t).RegistrationCode
	c = h.client(api)
	c.says(t, "too late", "registration", c.submit(t, "registration", first, sent), ui.AccountExists)
	c.says(t, "the same code", "registration", c.submit(t, "registration", first, sent), ui.NoSignUpMethod)
}

// TestSignUpByCodeHappensOnce, and is guessed at few times.
func TestSignUpByCodeHappensOnce(t *testing.T) {
	h := open(t, byCode(), patient)
	box := h.mailbox(t)
	id, codes := h.client(api).both(t, box)
	many := func(code string) map[int]int {
		var all sync.WaitGroup
		var mu sync.Mutex
		answers := map[int]int{}
		for range 50 {
			all.Go(func() {
				a := h.client(api).submit(t, "registration", id, fields{"method": "code", "traits.email": ann, "traits.phone": tel, "code": code})
				mu.Lock()
				defer mu.Unlock()
				answers[a.Code]++
			})
		}
		all.Wait()
		return answers
	}
	if answers := many(codes[ann]); answers[http.StatusOK] != 1 || answers[http.StatusInternalServerError] != 0 {
		t.Errorf("the right code is answered %v", answers)
	}
	strict := open(t, byCode())
	h, box = strict, strict.mailbox(t)
	id, codes = h.client(api).both(t, box)
	many(other(codes[ann]))
	c := h.client(api)
	sent := fields{"method": "code", "traits.email": ann, "traits.phone": tel, "code": codes[ann]}
	c.says(t, "the right code after many", "registration", c.submit(t, "registration", id, sent), ui.ReasonGiven)
	c.submit(t, "registration", id, fields{"method": "password", "traits.email": ann, "password": "short"})
	c.says(t, "after something else", "registration", c.submit(t, "registration", id, sent), ui.ReasonGiven)
}

// TestBackFromTheCode leads to the other credentials, with the same traits.
func TestBackFromTheCode(t *testing.T) {
	for _, of := range kinds {
		h := open(t, byCode())
		box := h.mailbox(t)
		c := h.client(of)
		id, _ := c.both(t, box)
		f := c.says(t, "back", "registration", c.submit(t, "registration", id,
			fields{"screen": "credential-selection", "traits.email": ann, "traits.phone": tel}), ui.ChooseCredential)
		want := []string{"csrf_token:hidden", "traits.email:hidden", "traits.phone:hidden", "traits.name:hidden", "method:submit", "password:password", "method:submit", "screen:submit"}
		slices.Sort(want)
		got := f.names()
		slices.Sort(got)
		if f.State != "choose_method" || f.Active != "" || !slices.Equal(got, want) {
			t.Errorf("%s: the flow is %s with %v", of, f.State, got)
		}
		c.done(t, c.submit(t, "registration", id, fields{"method": "password", "traits.email": ann, "traits.phone": tel, "password": password}))
	}
}

// TestSignUpWithoutAnAddress tells so.
func TestSignUpWithoutAnAddress(t *testing.T) {
	h := open(t, byCode())
	c := h.client(api)
	id := c.start(t, "registration", "")
	c.says(t, "no address", "registration", c.submit(t, "registration", id, fields{"method": "code", "traits.name": "Ann"}), ui.NoIdentifiers)
	c.says(t, "a bad one", "registration", c.submit(t, "registration", id, fields{"method": "code", "traits.phone": "0151 12345678"}), ui.NotAPhone)
	c.says(t, "nothing", "registration", c.submit(t, "registration", id, fields{"method": "code"}), ui.NoIdentifiers)
}
