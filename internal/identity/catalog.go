package identity

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"styx/internal/config"
	"styx/internal/fault"
)

// Rules judge an identity by its schema and derive from its traits what follows
// from them. They are an interface because a function that only reads
// identities must not link the validator.
type Rules interface {
	// Validate checks traits; what is wrong is a *fault.Error.
	Validate(traits json.RawMessage) error
	// Apply validates an identity's traits and derives its identifiers and addresses.
	Apply(who *Identity, now time.Time, rand io.Reader) error
}

// Compile makes the rules of a schema.
type Compile func(context.Context, *Schema) (Rules, error)

// Catalog holds the configured identity schemas. Each is fetched, read and
// compiled at its first use and kept.
type Catalog struct {
	entries []*entry
}

type entry struct {
	id      string
	mu      sync.Mutex
	fetch   func(context.Context) ([]byte, error)
	compile Compile
	schema  *Schema
	rules   Rules
}

// NewCatalog returns the catalog of the configured schemas. Fetch reads a
// schema's URL; compile makes its rules and may be nil where none are needed.
func NewCatalog(
	schemas []config.Schema,
	fetch func(context.Context, string) ([]byte, error),
	compile Compile,
) *Catalog {
	c := &Catalog{}
	for _, configured := range schemas {
		c.entries = append(c.entries, &entry{
			id:      configured.ID,
			fetch:   func(ctx context.Context) ([]byte, error) { return fetch(ctx, configured.URL) },
			compile: compile,
		})
	}
	return c
}

// IDs returns the ids of the schemas as configured.
func (c *Catalog) IDs() []string {
	ids := make([]string, len(c.entries))
	for i, one := range c.entries {
		ids[i] = one.id
	}
	return ids
}

// Find returns the id that a path names: an id, or its base64url form.
func (c *Catalog) Find(name string) (id string, found bool) {
	if slices.Contains(c.IDs(), name) {
		return name, true
	}
	decoded, err := base64.RawURLEncoding.DecodeString(name)
	return string(decoded), err == nil && slices.Contains(c.IDs(), string(decoded))
}

// Schema returns the schema of that id, read. An unknown id is a 400 fault.
func (c *Catalog) Schema(ctx context.Context, id string) (*Schema, error) {
	one, err := c.entry(id)
	if err != nil {
		return nil, err
	}
	one.mu.Lock()
	defer one.mu.Unlock()
	return one.read(ctx)
}

// Rules returns the compiled rules of the schema of that id.
func (c *Catalog) Rules(ctx context.Context, id string) (Rules, error) {
	one, err := c.entry(id)
	if err != nil {
		return nil, err
	}
	one.mu.Lock()
	defer one.mu.Unlock()
	if one.rules != nil {
		return one.rules, nil
	}
	schema, err := one.read(ctx)
	if err != nil {
		return nil, err
	}
	one.rules, err = one.compile(ctx, schema)
	return one.rules, err
}

// Check reads and compiles every schema, for a start that should fail early.
func (c *Catalog) Check(ctx context.Context) error {
	for _, one := range c.entries {
		if _, err := c.Rules(ctx, one.id); err != nil {
			return err
		}
	}
	return nil
}

func (c *Catalog) entry(id string) (*entry, error) {
	for _, one := range c.entries {
		if one.id == id {
			return one, nil
		}
	}
	return nil, fault.Bad("Unable to find JSON Schema ID: " + id)
}

func (e *entry) read(ctx context.Context) (*Schema, error) {
	if e.schema != nil {
		return e.schema, nil
	}
	raw, err := e.fetch(ctx)
	if err != nil {
		return nil, fmt.Errorf("fetch identity schema %q: %w", e.id, err)
	}
	schema, err := ParseSchema(e.id, raw)
	if err != nil {
		return nil, fmt.Errorf("read identity schema %q: %w", e.id, err)
	}
	e.schema = schema
	return schema, nil
}
