package admin

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"styx/internal/config"
	"styx/internal/fault"
	"styx/internal/flow"
	"styx/internal/selfservice"
	"styx/internal/web"
)

// recoveryRequest asks for a way back in to hand over to an identity's owner.
type recoveryRequest struct {
	IdentityID string `json:"identity_id"`
	ExpiresIn  string `json:"expires_in"`
	FlowType   string `json:"flow_type"`
}

type recoveryAnswer struct {
	Link      string    `json:"recovery_link"`
	Code      string    `json:"recovery_code,omitempty"`
	ExpiresAt time.Time `json:"expires_at"`
}

// recoveryCode answers with a code and the page that takes it.
func (a *API) recoveryCode(w http.ResponseWriter, r *http.Request) error {
	missing := fault.Missing()
	missing.Reason = "could not find identity"
	handed, err := a.handOver(w, r, config.UseCode, a.Config.Methods.Code.Lifespan, missing)
	if err != nil {
		return err
	}
	web.JSON(w, http.StatusCreated, recoveryAnswer{
		Link: a.Engine.Page(handed.Flow), Code: handed.Secret, ExpiresAt: handed.Flow.ExpiresAt,
	})
	return nil
}

// recoveryLink answers with a link that signs its opener in.
func (a *API) recoveryLink(w http.ResponseWriter, r *http.Request) error {
	handed, err := a.handOver(w, r, config.UseLink, a.Config.Methods.Link.Lifespan, fault.Bad("The requested identity id does not exist."))
	if err != nil {
		return err
	}
	web.JSON(w, http.StatusOK, recoveryAnswer{
		Link: web.UnderBase(a.Config.Methods.Link.BaseURL, "/self-service/recovery",
			url.Values{"flow": {handed.Flow.ID}, "token": {handed.Secret}}),
		ExpiresAt: handed.Flow.ExpiresAt,
	})
	return nil
}

func (a *API) handOver(w http.ResponseWriter, r *http.Request, by string, life time.Duration, missing error) (*selfservice.Handed, error) {
	var asked recoveryRequest
	if err := read(w, r, &asked); err != nil {
		return nil, err
	}
	if asked.ExpiresIn != "" {
		given, err := time.ParseDuration(asked.ExpiresIn)
		if err != nil {
			return nil, fault.Bad(fmt.Sprintf(
				`Unable to parse "expires_in" as a duration string (e.g. "1h", "1m30s", "500ms"): %s`, asked.ExpiresIn))
		}
		life = given
	}
	if life <= 0 {
		return nil, fault.Bad(`Value from "expires_in" must result to a future time: ` + asked.ExpiresIn)
	}
	typ := flow.Browser
	switch asked.FlowType {
	case "", flow.Browser:
	case flow.API:
		typ = flow.API
	default:
		return nil, fault.Bad(fmt.Sprintf("Value for `flow_type` must be %q or %q but is %q.", flow.Browser, flow.API, asked.FlowType))
	}
	who, err := a.Store.Identity(r.Context(), asked.IdentityID)
	if fault.Is(err, fault.NotFound) {
		return nil, missing
	}
	if err != nil {
		return nil, err
	}
	return a.Engine.HandOver(r, selfservice.HandOver{By: by, Type: typ, Who: who, Life: life, RequestURL: a.requestURL(r)})
}

// requestURL is the request's own URL under the configured base.
func (a *API) requestURL(r *http.Request) string {
	asked := strings.TrimSuffix(a.Config.Serve.Admin.BaseURL.String(), "/") + r.URL.EscapedPath()
	if r.URL.RawQuery != "" {
		asked += "?" + r.URL.RawQuery
	}
	return asked
}
