package method

import (
	"io"
	"net/http"

	"styx/internal/config"
	"styx/internal/flow"
	"styx/internal/method/code"
	"styx/internal/method/idfirst"
	"styx/internal/method/link"
	"styx/internal/method/lookup"
	"styx/internal/method/passkey"
	"styx/internal/method/password"
	"styx/internal/method/profile"
	"styx/internal/method/totp"
	"styx/internal/method/webauthn"
	"styx/internal/secret"
)

// All returns the methods that are switched on, in the order in which they fill
// a form and are asked about a submission.
func All(c *config.Config, hash *secret.Hasher, ring *secret.Ring, rand io.Reader, client *http.Client) []flow.Method {
	roster := []struct {
		on     bool
		method func() flow.Method
	}{
		{c.Methods.Profile.Enabled, func() flow.Method { return profile.New(c) }},
		{c.Methods.Password.Enabled, func() flow.Method { return password.New(c.Methods.Password, hash, client) }},
		{c.Methods.Code.Enabled, func() flow.Method { return code.New(c, ring, rand) }},
		{c.Methods.Link.Enabled, func() flow.Method { return link.New(c, ring, rand) }},
		{c.Methods.TOTP.Enabled, func() flow.Method { return totp.New(c.Methods.TOTP, ring) }},
		{c.Methods.Passkey.Enabled, func() flow.Method { return passkey.New(c) }},
		{c.Methods.WebAuthn.Enabled, func() flow.Method { return webauthn.New(c) }},
		{c.Methods.LookupSecret.Enabled, func() flow.Method { return lookup.New(ring) }},
		{c.Flows.Login.Style == config.StyleIdentifierFirst, idfirst.New},
	}
	var all []flow.Method
	for _, entry := range roster {
		if entry.on {
			all = append(all, entry.method())
		}
	}
	return all
}
