package selfservice

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	"styx/internal/fault"
	"styx/internal/method/webauthn/script"
	"styx/internal/web"
)

// Meta returns the handlers of what is nobody's flow: schemas, health, the
// script for security keys and passkeys, and the well-known address of the page
// that changes a password.
func (e *Engine) Meta() Handlers {
	return Handlers{
		"GET /schemas":                     e.listSchemas,
		"GET /schemas/{id}":                e.schema,
		"GET /health/alive":                alive,
		"GET /health/ready":                e.Ready,
		"GET /.well-known/change-password": e.changePassword,
		"GET " + script.Path:               webauthnScript,
	}
}

func alive(w http.ResponseWriter, _ *http.Request) {
	web.JSON(w, http.StatusOK, map[string]string{"status": "ok"})
}

// Ready answers whether the table can be read.
func (e *Engine) Ready(w http.ResponseWriter, r *http.Request) {
	if err := e.Store.Reachable(r.Context()); err != nil {
		web.JSON(w, http.StatusServiceUnavailable, map[string]any{"errors": map[string]string{"table": "the table can not be read"}})
		return
	}
	alive(w, r)
}

func (e *Engine) changePassword(w http.ResponseWriter, r *http.Request) {
	web.Redirect(w, r, e.Config.Flows.Settings.UIURL.String(), http.StatusSeeOther)
}

// webauthnScript serves the script to pages of any origin: it is the same for
// everybody, and a page elsewhere can only check its hash where it may read it.
func webauthnScript(w http.ResponseWriter, _ *http.Request) {
	h := w.Header()
	h.Set("Content-Type", "text/javascript; charset=UTF-8")
	h.Set("X-Content-Type-Options", "nosniff")
	if h.Get("Access-Control-Allow-Origin") == "" { // else the configured CORS answered
		h.Set("Access-Control-Allow-Origin", "*")
	}
	_, _ = io.WriteString(w, script.Source) // the browser went away: nothing to do
}

// schemaView is one member of the list of schemas.
type schemaView struct {
	ID     string          `json:"id"`
	Schema json.RawMessage `json:"schema"`
}

func (e *Engine) listSchemas(w http.ResponseWriter, r *http.Request) {
	page, err := web.OffsetPage(r)
	if err != nil {
		web.Fail(w, r, err)
		return
	}
	views := []schemaView{}
	for _, id := range web.Slice(page, e.Schemas.IDs(), w, r) {
		schema, err := e.Schemas.Schema(r.Context(), id)
		if err != nil {
			web.Fail(w, r, err)
			return
		}
		views = append(views, schemaView{ID: id, Schema: schema.Raw()})
	}
	web.JSON(w, http.StatusOK, views)
}

func (e *Engine) schema(w http.ResponseWriter, r *http.Request) {
	id, found := e.Schemas.Find(r.PathValue("id"))
	if !found {
		web.Fail(w, r, &fault.Error{
			Kind: fault.NotFound, Reason: fmt.Sprintf("Identity schema `%s` could not be found.", r.PathValue("id")),
		})
		return
	}
	schema, err := e.Schemas.Schema(r.Context(), id)
	if err != nil {
		web.Fail(w, r, err)
		return
	}
	web.JSON(w, http.StatusOK, json.RawMessage(schema.Raw()))
}
