package jsonnet

import (
	"context"
	"fmt"
	"net/http"
	"sync"

	"styx/internal/outbound"
)

// maxSource bounds the source of a program, in bytes.
const maxSource = 256 << 10

// Catalog finds programs by the URI that the configuration gives. It reads a
// source when it is first asked for and keeps it as long as the process lives.
type Catalog struct {
	Evaluator *Evaluator
	Client    *http.Client // for http:// and https:// sources
	Dir       string       // where relative file:// paths start

	mu       sync.Mutex
	programs map[string]*Program
}

// Program returns the program at that URI; what fails is tried again next time.
// Errors are outbound.Fetch's.
func (c *Catalog) Program(ctx context.Context, uri string) (*Program, error) {
	c.mu.Lock()
	known := c.programs[uri]
	c.mu.Unlock()
	if known != nil {
		return known, nil
	}
	source, err := outbound.Fetch(ctx, c.Client, c.Dir, uri, maxSource)
	if err != nil {
		return nil, fmt.Errorf("read a Jsonnet program: %w", err)
	}
	program := c.Evaluator.Program(source)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.programs == nil {
		c.programs = make(map[string]*Program)
	}
	c.programs[uri] = program
	return program, nil
}
