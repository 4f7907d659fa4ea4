package sdk

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"regexp"
	"strings"
	"testing"

	ory "github.com/ory/client-go"
)

// strict fails on a member that the client's types do not know: they gather it in
// a field of each struct, AdditionalProperties.
func strict(t *testing.T, value any) {
	t.Helper()
	var visit func(v reflect.Value, path string)
	visit = func(v reflect.Value, path string) {
		switch v.Kind() {
		case reflect.Pointer, reflect.Interface:
			if !v.IsNil() {
				visit(v.Elem(), path)
			}
		case reflect.Slice:
			for at := range v.Len() {
				visit(v.Index(at), fmt.Sprintf("%s[%d]", path, at))
			}
		case reflect.Map:
			for _, key := range v.MapKeys() {
				visit(v.MapIndex(key), fmt.Sprintf("%s.%v", path, key))
			}
		case reflect.Struct:
			for at := range v.NumField() {
				field := v.Type().Field(at)
				if !field.IsExported() {
					continue
				}
				if field.Name == "AdditionalProperties" {
					if v.Field(at).Len() > 0 {
						t.Errorf("%s has what the client does not know: %v", path, v.Field(at))
					}
					continue
				}
				visit(v.Field(at), path+"."+field.Name)
			}
		}
	}
	visit(reflect.ValueOf(value), fmt.Sprintf("%T", value))
}

// must takes what a call of the client returns, and holds it to be strictly as
// the client knows it.
func must[T any](t *testing.T) func(value T, resp *http.Response, err error) T {
	t.Helper()
	return func(value T, _ *http.Response, err error) T {
		t.Helper()
		if err != nil {
			var answered *ory.GenericOpenAPIError
			if errors.As(err, &answered) {
				t.Fatalf("%v: %s", err, answered.Body())
			}
			t.Fatal(err)
		}
		strict(t, value)
		return value
	}
}

func done(t *testing.T, resp *http.Response, err error, status int) {
	t.Helper()
	if err != nil || resp.StatusCode != status {
		t.Fatalf("%v, %v", resp, err)
	}
}

func client(s server) *ory.APIClient {
	c := ory.NewConfiguration()
	c.Servers = ory.ServerConfigurations{{URL: s.admin}}
	return ory.NewAPIClient(c)
}

func create(t *testing.T, c *ory.APIClient, email string, change func(*ory.CreateIdentityBody)) *ory.Identity {
	t.Helper()
	body := ory.NewCreateIdentityBody("person", map[string]any{"email": email})
	if change != nil {
		change(body)
	}
	return must[*ory.Identity](t)(c.IdentityAPI.CreateIdentity(t.Context()).CreateIdentityBody(*body).Execute())
}

// withPassword imports a password.
func withPassword(body *ory.CreateIdentityBody) {
	body.Credentials = &ory.IdentityWithCredentials{Password: &ory.IdentityWithCredentialsPassword{
		Config: &ory.IdentityWithCredentialsPasswordConfig{Password: ory.PtrString("correct horse battery staple")},
	}}
}

func TestIdentities(t *testing.T) {
	s := start(t)
	c, ctx := client(s), t.Context()
	ann := create(t, c, "ann@example.org", func(body *ory.CreateIdentityBody) {
		withPassword(body)
		body.ExternalId = ory.PtrString("customer-1")
		body.MetadataAdmin, body.MetadataPublic = map[string]any{"note": "vip"}, map[string]any{"plan": "gold"}
		body.Credentials.Oidc = &ory.IdentityWithCredentialsOidc{Config: &ory.IdentityWithCredentialsOidcConfig{
			Providers: []ory.IdentityWithCredentialsOidcConfigProvider{{Provider: "google", Subject: "117"}},
		}}
		body.Credentials.Totp = &ory.IdentityWithCredentialsTotp{Config: &ory.IdentityWithCredentialsTotpConfig{
			TotpUrl: ory.PtrString("otpauth://totp/x:ann?secret=JBSWY3DPEHPK3PXP"),
		}}
		body.VerifiableAddresses = []ory.VerifiableIdentityAddress{{Value: "ann@example.org", Verified: true, Via: "email", Status: "completed"}}
	})
	if ann.MetadataAdmin["note"] != "vip" || !ann.VerifiableAddresses[0].Verified || *ann.State != "active" {
		t.Errorf("created as %+v", ann)
	}
	got := must[*ory.Identity](t)(c.IdentityAPI.GetIdentity(ctx, ann.Id).IncludeCredential([]string{"password", "oidc"}).Execute())
	if credentials := *got.Credentials; credentials["password"].Config["hashed_password"] == nil || credentials["oidc"].Identifiers[0] != "google:117" {
		t.Errorf("got with %+v", credentials)
	}
	got = must[*ory.Identity](t)(c.IdentityAPI.GetIdentityByExternalID(ctx, "customer-1").Execute())
	if got.Id != ann.Id {
		t.Errorf("by its external id: %+v", got)
	}
	got = must[*ory.Identity](t)(c.IdentityAPI.PatchIdentity(ctx, ann.Id).JsonPatch([]ory.JsonPatch{{Op: "replace", Path: "/state", Value: "inactive"}}).Execute())
	if *got.State != "inactive" {
		t.Errorf("patched to %+v", got)
	}
	update := ory.NewUpdateIdentityBody("person", "active", map[string]any{"email": "anna@example.org"})
	got = must[*ory.Identity](t)(c.IdentityAPI.UpdateIdentity(ctx, ann.Id).UpdateIdentityBody(*update).Execute())
	if got.Traits.(map[string]any)["email"] != "anna@example.org" || got.MetadataAdmin != nil || got.ExternalId != nil {
		t.Errorf("updated to %+v", got)
	}
	resp, err := c.IdentityAPI.DeleteIdentityCredentials(ctx, ann.Id, "totp").Execute()
	done(t, resp, err, http.StatusNoContent)
	resp, err = c.IdentityAPI.DeleteIdentity(ctx, ann.Id).Execute()
	done(t, resp, err, http.StatusNoContent)

	_, resp, err = c.IdentityAPI.GetIdentity(ctx, ann.Id).Execute()
	var missing *ory.GenericOpenAPIError
	if !errors.As(err, &missing) || resp.StatusCode != http.StatusNotFound {
		t.Fatalf("a missing identity: %v", err)
	}
	if told, ok := missing.Model().(ory.ErrorGeneric); !ok || told.Error.GetMessage() == "" {
		t.Errorf("a missing identity: %+v", missing.Model())
	}
	create(t, c, "bea@example.org", nil)
	_, resp, err = c.IdentityAPI.CreateIdentity(ctx).CreateIdentityBody(*ory.NewCreateIdentityBody("person", map[string]any{"email": "bea@example.org"})).Execute()
	if err == nil || resp.StatusCode != http.StatusConflict {
		t.Errorf("twice: %v", err)
	}
}

func TestBatchAndList(t *testing.T) {
	s := start(t)
	c, ctx := client(s), t.Context()
	var patches []ory.IdentityPatch
	for n := range 5 {
		patch := ory.NewIdentityPatch()
		patch.SetPatchId(fmt.Sprintf("11111111-1111-4111-8111-11111111111%d", n))
		patch.SetCreate(*ory.NewCreateIdentityBody("person", map[string]any{"email": fmt.Sprintf("n%d@example.org", n%4)}))
		patches = append(patches, *patch)
	}
	made := must[*ory.BatchPatchIdentitiesResponse](t)(c.IdentityAPI.BatchPatchIdentities(ctx).PatchIdentitiesBody(ory.PatchIdentitiesBody{Identities: patches}).Execute())
	var actions []string
	for at, one := range made.Identities {
		actions = append(actions, one.GetAction())
		if one.GetPatchId() != patches[at].GetPatchId() {
			t.Errorf("no. %d: %+v", at, one)
		}
	}
	if got := strings.Join(actions, " "); got != "create create create create error" {
		t.Errorf("a batch: %s", got)
	}
	// Page by page, as the Link header leads.
	seen, token := map[string]bool{}, ""
	for {
		request := c.IdentityAPI.ListIdentities(ctx).PageSize(3)
		if token != "" {
			request = request.PageToken(token)
		}
		list, resp, err := request.Execute()
		must[[]ory.Identity](t)(list, resp, err)
		for _, one := range list {
			seen[one.Id] = true
		}
		next := regexp.MustCompile(`<([^>]*)>; rel="next"`).FindStringSubmatch(resp.Header.Get("Link"))
		if next == nil {
			break
		}
		link, err := url.Parse(next[1])
		if err != nil {
			t.Fatal(err)
		}
		token = link.Query().Get("page_token")
	}
	if len(seen) != 4 {
		t.Errorf("pages hold %v", seen)
	}
	first := made.Identities[0].GetIdentity()
	for name, request := range map[string]ory.IdentityAPIListIdentitiesRequest{
		"ids":        c.IdentityAPI.ListIdentities(ctx).Ids([]string{first}),
		"identifier": c.IdentityAPI.ListIdentities(ctx).CredentialsIdentifier("N0@example.org").IncludeCredential([]string{"password"}),
		"similar":    c.IdentityAPI.ListIdentities(ctx).PreviewCredentialsIdentifierSimilar("n0@"),
	} {
		if list := must[[]ory.Identity](t)(request.Execute()); len(list) != 1 || list[0].Id != first {
			t.Errorf("by %s: %+v", name, list)
		}
	}
}

// signIn signs in at the public API, by the same client, and returns the session.
func signIn(t *testing.T, s server, email string) ory.Session {
	t.Helper()
	c := ory.NewConfiguration()
	c.Servers = ory.ServerConfigurations{{URL: s.public}}
	public, ctx := ory.NewAPIClient(c), t.Context()
	flow := must[*ory.LoginFlow](t)(public.FrontendAPI.CreateNativeLoginFlow(ctx).Execute())
	in, _, err := public.FrontendAPI.UpdateLoginFlow(ctx).Flow(flow.Id).UpdateLoginFlowBody(ory.UpdateLoginFlowBody{
		UpdateLoginFlowWithPasswordMethod: ory.NewUpdateLoginFlowWithPasswordMethod(email, "password", "correct horse battery staple"),
	}).Execute()
	if err != nil {
		t.Fatal(err)
	}
	return in.Session
}

func TestSessions(t *testing.T) {
	s := start(t)
	c, ctx := client(s), t.Context()
	ann := create(t, c, "ann@example.org", withPassword)
	first, second := signIn(t, s, "ann@example.org"), signIn(t, s, "ann@example.org")
	all := must[[]ory.Session](t)(c.IdentityAPI.ListSessions(ctx).Active(true).Expand([]string{"identity", "devices"}).Execute())
	if len(all) != 2 || all[0].Id != second.Id || all[1].Identity.Id != ann.Id || len(all[0].Devices) != 1 {
		t.Errorf("all: %+v", all)
	}
	if own := must[[]ory.Session](t)(c.IdentityAPI.ListIdentitySessions(ctx, ann.Id).Execute()); len(own) != 2 {
		t.Errorf("of one: %+v", own)
	}
	if one := must[*ory.Session](t)(c.IdentityAPI.GetSession(ctx, first.Id).Expand([]string{"identity"}).Execute()); !one.GetActive() {
		t.Errorf("one: %+v", one)
	}
	must[*ory.Session](t)(c.IdentityAPI.ExtendSession(ctx, first.Id).Execute())
	resp, err := c.IdentityAPI.DisableSession(ctx, first.Id).Execute()
	done(t, resp, err, http.StatusNoContent)
	body := ory.NewManageSessionsBody("disable")
	body.SetIdentities([]string{ann.Id})
	if managed := must[*ory.ManageSessionsResponse](t)(c.IdentityAPI.ManageSessions(ctx).ManageSessionsBody(*body).Execute()); managed.GetProcessed() != 1 {
		t.Errorf("managed: %+v", managed)
	}
	if live := must[[]ory.Session](t)(c.IdentityAPI.ListSessions(ctx).Active(true).Execute()); len(live) != 0 {
		t.Errorf("live: %+v", live)
	}
	resp, err = c.IdentityAPI.DeleteIdentitySessions(ctx, ann.Id).Execute()
	done(t, resp, err, http.StatusNoContent)
}

func TestRecoveryAndCourier(t *testing.T) {
	s := start(t)
	c, ctx := client(s), t.Context()
	ann := create(t, c, "ann@example.org", nil)
	code := must[*ory.RecoveryCodeForIdentity](t)(c.IdentityAPI.CreateRecoveryCodeForIdentity(ctx).
		CreateRecoveryCodeForIdentityBody(*ory.NewCreateRecoveryCodeForIdentityBody(ann.Id)).Execute())
	if len(code.RecoveryCode) != 6 || code.ExpiresAt == nil {
		t.Errorf("a code: %+v", code)
	}
	link := must[*ory.RecoveryLinkForIdentity](t)(c.IdentityAPI.CreateRecoveryLinkForIdentity(ctx).
		CreateRecoveryLinkForIdentityBody(*ory.NewCreateRecoveryLinkForIdentityBody(ann.Id)).Execute())
	if !strings.HasPrefix(link.RecoveryLink, s.public) {
		t.Errorf("a link: %+v", link)
	}
	configured := ory.NewConfiguration()
	configured.Servers = ory.ServerConfigurations{{URL: s.public}}
	public := ory.NewAPIClient(configured)
	flow := must[*ory.RecoveryFlow](t)(public.FrontendAPI.CreateNativeRecoveryFlow(ctx).Execute())
	email := ory.NewUpdateRecoveryFlowWithCodeMethod("code")
	email.SetEmail("ann@example.org")
	must[*ory.RecoveryFlow](t)(public.FrontendAPI.UpdateRecoveryFlow(ctx).Flow(flow.Id).
		UpdateRecoveryFlowBody(ory.UpdateRecoveryFlowBody{UpdateRecoveryFlowWithCodeMethod: email}).Execute())
	list := must[[]ory.Message](t)(c.CourierAPI.ListCourierMessages(ctx).Recipient("ann@example.org").Execute())
	if len(list) != 1 {
		t.Fatalf("messages: %+v", list)
	}
	if one := must[*ory.Message](t)(c.CourierAPI.GetCourierMessage(ctx, list[0].Id).Execute()); one.Recipient != "ann@example.org" {
		t.Errorf("a message: %+v", one)
	}
	if version := must[*ory.GetVersion200Response](t)(c.MetadataAPI.GetVersion(ctx).Execute()); version.Version == "" {
		t.Errorf("the version: %+v", version)
	}
}
