package config

import (
	"log/slog"
	"strings"
)

// Mistake is one thing wrong with a configuration. No part of it repeats a
// value that could be a secret.
type Mistake struct {
	Key   string // dotted; list items by index: "identity.schemas.0.url"; "" = the whole file
	Place string // "styx.yml:12:7", "environment variable LOG_LEVEL", "command line"; "" = nowhere yet
	Text  string // what is wrong and what is allowed
}

// String prints the mistake on one line.
func (m Mistake) String() string {
	s := m.Text
	if m.Key != "" {
		s = m.Key + ": " + s
	}
	if m.Place != "" {
		s = m.Place + ": " + s
	}
	return s
}

// Mistakes is everything wrong with a configuration, as one error.
type Mistakes []Mistake

// Error prints one mistake per line.
func (ms Mistakes) Error() string {
	lines := make([]string, len(ms))
	for i, m := range ms {
		lines[i] = m.String()
	}
	return strings.Join(lines, "\n")
}

// Kind says what a Notice is about.
type Kind string

// Kinds of Notice.
const (
	Inert   Kind = "inert"   // accepted for compatibility; does nothing
	Local   Kind = "local"   // only matters to the local server; a Lambda ignores it
	Later   Kind = "later"   // part of the format, not built yet
	Ignored Kind = "ignored" // a value or key that was left out
	Advice  Kind = "advice"  // works, and deserves a second look
)

// Notice is something to log once at start. It stops nothing.
type Notice struct {
	Kind Kind
	Key  string
	Text string
}

// Level is how loud the notice should be logged.
func (n Notice) Level() slog.Level {
	if n.Kind == Inert || n.Kind == Local {
		return slog.LevelInfo
	}
	return slog.LevelWarn
}

// String prints the notice on one line.
func (n Notice) String() string {
	if n.Key == "" {
		return n.Text
	}
	return n.Key + ": " + n.Text
}
