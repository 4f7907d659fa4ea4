package config

import (
	"cmp"
	"errors"
	"slices"
)

// Source is one configuration file: YAML or JSON. Name is what messages call it.
type Source struct {
	Name string
	Data []byte
}

// Load reads a configuration: the sources merged in order, over them the
// environment ("NAME=value" entries, as os.Environ has them), over that the
// overrides, which go by dotted key ("dev": true) and are what the command line
// said; defaults fill the rest. The notices are to be logged once.
//
// The error is [Mistakes]: all of them, in the order of their keys. No Config
// comes with it.
func Load(sources []Source, environ []string, overrides map[string]any) (*Config, []Notice, error) {
	doc, err := Read(sources, environ, overrides)
	var mistakes Mistakes
	if err != nil && !errors.As(err, &mistakes) {
		return nil, nil, err
	}
	if slices.ContainsFunc(mistakes, func(m Mistake) bool { return m.Key == "" }) {
		return nil, nil, mistakes // a file could not be read: the rest would only guess
	}
	s := settle{doc: doc}
	_, hasCourier := doc.Value["courier"]
	s.object(&schemaRoot, doc.Value, "", true)
	v := values(doc.Value)

	c := decode(v)
	if c.DSN, err = ParseDSN(v.text("dsn")); err != nil {
		s.refuse("dsn", err.Error())
	}
	k := checks{settle: &s, written: v, hasCourier: hasCourier}
	k.all(c)

	// What is wrong with a key comes first; what follows from that is noise.
	for _, m := range s.mistakes {
		known := func(o Mistake) bool { return o.Key == m.Key }
		if !slices.ContainsFunc(mistakes, known) {
			mistakes = append(mistakes, m)
		}
	}
	if len(mistakes) > 0 {
		slices.SortStableFunc(mistakes, func(a, b Mistake) int { return cmp.Compare(a.Key, b.Key) })
		return nil, nil, mistakes
	}
	s.notices = append(s.notices, later(v, c)...)
	return c, s.notices, nil
}
