package schema

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"strings"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v5"

	"styx/internal/fault"
	"styx/internal/identity"
	"styx/internal/identity/ordered"
)

// Bounds of traits: an identity has to fit an item of the table with room for
// its credentials.
const (
	maxTraits      = 100 << 10
	maxTraitValues = 5_000
	maxTraitDepth  = 32
)

// ErrRefRefused tells that a schema refers to a document that it may not.
var ErrRefRefused = errors.New("$ref to another document is refused")

// Options say where a schema may get other documents from.
type Options struct {
	// DisallowRefs refuses every $ref but "#/…" and base64://.
	DisallowRefs bool
	// Fetch reads the document of a file or http(s) URL; nil refuses them.
	Fetch func(url string) ([]byte, error)
}

// Validator is a compiled identity schema. It is safe for concurrent use.
type Validator struct {
	schema *identity.Schema
	root   *jsonschema.Schema
	ranks  map[string]int // path of a trait → its place in the schema, from 1
}

// Compile compiles a schema. Its error is for the operator: it names the
// schema's mistake.
func Compile(s *identity.Schema, options Options) (*Validator, error) {
	compiler := jsonschema.NewCompiler()
	compiler.Draft = jsonschema.Draft7
	compiler.AssertFormat = true
	compiler.Formats = formats()
	compiler.LoadURL = options.load
	compiler.RegisterExtension(identity.Keyword, nil, keyword{})

	const url = "styx:///identity.schema.json"
	if err := compiler.AddResource(url, bytes.NewReader(s.Raw())); err != nil {
		return nil, fmt.Errorf("compile identity schema %q: %w", s.ID(), err)
	}
	root, err := compiler.Compile(url)
	if err != nil {
		return nil, fmt.Errorf("compile identity schema %q: %w", s.ID(), err)
	}
	ranks := map[string]int{}
	for at, leaf := range s.Leaves() {
		// A trait's objects take the place of the first leaf below them.
		for depth := range leaf.Path {
			name := strings.Join(leaf.Path[:depth+1], "\x00")
			if _, known := ranks[name]; !known {
				ranks[name] = at + 1
			}
		}
	}
	return &Validator{schema: s, root: root, ranks: ranks}, nil
}

func (o Options) load(url string) (io.ReadCloser, error) {
	if encoded, ok := strings.CutPrefix(url, "base64://"); ok {
		raw, err := base64.StdEncoding.DecodeString(encoded)
		return io.NopCloser(bytes.NewReader(raw)), err
	}
	if o.DisallowRefs || o.Fetch == nil {
		return nil, fmt.Errorf("%w: %s", ErrRefRefused, url)
	}
	raw, err := o.Fetch(url)
	return io.NopCloser(bytes.NewReader(raw)), err
}

// Schema returns what was compiled.
func (v *Validator) Schema() *identity.Schema { return v.schema }

// Validate checks traits. Everything that is wrong is in one *fault.Error: a
// field per message, whose Note is the validator's own line.
func (v *Validator) Validate(traits json.RawMessage) error {
	_, err := v.check(traits)
	return err
}

// check reads, canonicalises and validates traits; it returns the instance that
// schemas apply to, {"traits": …}.
func (v *Validator) check(traits json.RawMessage) (*ordered.Value, error) {
	if len(traits) > maxTraits {
		return nil, tooLarge()
	}
	if len(traits) == 0 || bytes.Equal(bytes.TrimSpace(traits), []byte("null")) {
		traits = json.RawMessage("{}")
	}
	value, err := ordered.Parse(traits, ordered.Limits{Depth: maxTraitDepth, Values: maxTraitValues})
	switch {
	case errors.Is(err, ordered.ErrTooLarge):
		return nil, tooLarge()
	case err != nil:
		return nil, fault.Bad("The traits are not valid JSON.")
	}
	instance := ordered.Empty()
	instance.Set("traits", value)
	v.canonical(instance)
	err = v.root.Validate(instance.Any())
	if found, ok := errors.AsType[*jsonschema.ValidationError](err); ok {
		return nil, v.translate(found, instance)
	}
	if err != nil {
		return nil, fmt.Errorf("validate traits: %w", err)
	}
	return instance, nil
}

func tooLarge() error {
	return fault.Bad(fmt.Sprintf("The traits are too large: at most %d bytes, %d values and %d levels.",
		maxTraits, maxTraitValues, maxTraitDepth))
}

// Extract validates traits and returns what the schema says they are.
func (v *Validator) Extract(traits json.RawMessage) (Found, error) {
	instance, err := v.check(traits)
	if err != nil {
		return Found{}, err
	}
	return v.find(instance), nil
}

// Apply validates an identity's traits and derives from them the identifiers of
// its credentials and its addresses. Telephone numbers become E.164. What the
// traits did not change keeps its row and its state. An error leaves the
// identity as it was.
func (v *Validator) Apply(who *identity.Identity, now time.Time, rand io.Reader) error {
	instance, err := v.check(who.Traits)
	if err != nil {
		return err
	}
	found := v.find(instance)
	draft := *who
	draft.Credentials = maps.Clone(who.Credentials)
	draft.Traits = instance.Get("traits").AppendJSON(nil)
	draft.Identify(identity.Password, found.Password, now)
	draft.Identify(identity.WebAuthn, found.WebAuthn, now)
	if err := draft.SetCodeAddresses(found.Code, now); err != nil {
		return err
	}
	draft.SetVerifiable(found.Verifiable, now, rand)
	draft.SetRecovery(found.Recovery, now, rand)
	draft.Touch(now)
	*who = draft
	return nil
}

// rank is the place of a path within {"traits": …} in the schema's order: 0 for
// the traits as a whole, the last for what the schema does not name.
func (v *Validator) rank(path []string) int {
	if len(path) < 2 {
		return 0
	}
	for below := path[1:]; len(below) > 0; below = below[:len(below)-1] {
		if rank, known := v.ranks[strings.Join(below, "\x00")]; known {
			return rank
		}
	}
	return len(v.ranks) + 1
}
