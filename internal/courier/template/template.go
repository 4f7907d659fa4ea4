package template

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	htmltemplate "html/template"
	"io"
	"io/fs"
	"path"
	"strings"
	"sync"
	texttemplate "text/template"

	"github.com/Masterminds/sprig/v3"

	"styx/internal/config"
	"styx/internal/courier"
)

// part is one template of a message.
type part string

// The parts, and the names of their files in a folder of overrides.
const (
	subject part = "email.subject.gotmpl"
	html    part = "email.body.gotmpl"
	plain   part = "email.body.plaintext.gotmpl"
	sms     part = "sms.body.gotmpl"
)

// maxMessage bounds a rendered part in bytes; a provider takes no more.
const maxMessage = 1 << 20

// folders is where a template's overrides lie.
var folders = map[courier.Template]string{
	courier.RecoveryCodeValid:       "recovery_code/valid",
	courier.RecoveryCodeInvalid:     "recovery_code/invalid",
	courier.RecoveryValid:           "recovery/valid",
	courier.RecoveryInvalid:         "recovery/invalid",
	courier.VerificationCodeValid:   "verification_code/valid",
	courier.VerificationCodeInvalid: "verification_code/invalid",
	courier.VerificationValid:       "verification/valid",
	courier.VerificationInvalid:     "verification/invalid",
	courier.RegistrationCodeValid:   "registration_code/valid",
	courier.LoginCodeValid:          "login_code/valid",
	courier.AddressChanged:          "verifiable_address_changed",
	courier.AuthenticatorAdded:      "authenticator_key_added",
	courier.Stub:                    "test_stub",
}

// Options are what a Renderer needs.
type Options struct {
	// Templates are the operator's, by template_type.
	Templates map[string]config.Template
	// Fetch returns what a template's URI points to.
	Fetch func(ctx context.Context, uri string) ([]byte, error)
	// Folder holds the operator's template files, nil for none.
	Folder fs.FS
}

// Renderer renders messages. It is safe for concurrent use.
type Renderer struct {
	opts Options

	mu       sync.Mutex
	compiled map[key]executor // grows to one per template and part
}

type key struct {
	template courier.Template
	part     part
}

// executor is a compiled template, of text or of HTML.
type executor interface {
	Execute(w io.Writer, data any) error
}

// New returns a renderer. It reads nothing yet.
func New(opts Options) *Renderer {
	return &Renderer{opts: opts, compiled: map[key]executor{}}
}

// Render makes the text of a message; it is what courier.Courier.Render asks for.
func (r *Renderer) Render(ctx context.Context, t courier.Template, kind courier.Type, f *courier.Fields) (courier.Content, error) {
	var c courier.Content
	parts := map[part]*string{subject: &c.Subject, plain: &c.Text, html: &c.HTML}
	if kind == courier.SMS {
		parts = map[part]*string{sms: &c.Text}
	}
	for p, into := range parts {
		text, err := r.part(ctx, key{t, p}, f)
		if err != nil {
			return courier.Content{}, fmt.Errorf("template %s of %s: %w", p, t, err)
		}
		*into = text
	}
	// A subject is one line, whatever a template makes of it.
	c.Subject = strings.Join(strings.Fields(c.Subject), " ")
	return c, nil
}

func (r *Renderer) part(ctx context.Context, k key, f *courier.Fields) (string, error) {
	compiled, err := r.compile(ctx, k)
	if err != nil {
		return "", err
	}
	var out bounded
	if err := compiled.Execute(&out, f); err != nil {
		return "", err
	}
	return out.String(), nil
}

// compile returns a template, compiled at its first use. A template that could
// not be read is read again the next time.
func (r *Renderer) compile(ctx context.Context, k key) (executor, error) {
	r.mu.Lock()
	ready := r.compiled[k]
	r.mu.Unlock()
	if ready != nil {
		return ready, nil
	}
	compiled, err := r.read(ctx, k)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.compiled[k] = compiled
	return compiled, nil
}

// read finds the template of a part: configured by URI, in the folder, or the
// default.
func (r *Renderer) read(ctx context.Context, k key) (executor, error) {
	if uri := configured(r.opts.Templates[string(k.template)], k.part); uri != "" {
		source, err := r.opts.Fetch(ctx, uri)
		if err != nil {
			return nil, err
		}
		remote := strings.HasPrefix(uri, "http://") || strings.HasPrefix(uri, "https://")
		return parse(k.part, string(source), remote)
	}
	if r.opts.Folder != nil {
		source, err := fs.ReadFile(r.opts.Folder, path.Join(folders[k.template], string(k.part)))
		if err == nil {
			return parse(k.part, string(source), false)
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	words, ok := wordings[k.template]
	if !ok {
		return nil, errors.New("there is no such template")
	}
	return parse(k.part, words.source(k.part), false)
}

// configured is the URI of a part, "" for none.
func configured(t config.Template, p part) string {
	switch p {
	case subject:
		return t.Subject
	case html:
		return t.HTML
	case plain:
		return t.Plain
	case sms:
		return t.SMS
	default:
		return ""
	}
}

// parse compiles a template. One from elsewhere gets the functions that neither
// read this process's environment nor its clock.
func parse(p part, source string, remote bool) (executor, error) {
	if p == html {
		functions := sprig.HtmlFuncMap()
		if remote {
			functions = sprig.HermeticHtmlFuncMap()
		}
		return htmltemplate.New(string(p)).Funcs(functions).Parse(source)
	}
	functions := sprig.TxtFuncMap()
	if remote {
		functions = sprig.HermeticTxtFuncMap()
	}
	return texttemplate.New(string(p)).Funcs(functions).Parse(source)
}

// bounded is a buffer that refuses to grow past what a message may be.
type bounded struct{ bytes.Buffer }

func (b *bounded) Write(p []byte) (int, error) {
	if b.Len()+len(p) > maxMessage {
		return 0, errors.New("the rendered message is too large")
	}
	return b.Buffer.Write(p)
}
