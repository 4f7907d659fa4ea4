package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"
)

// command is a node of the command line: one that does something, or a group.
type command struct {
	name     string
	takes    string // what it takes besides flags, as "ID..."
	does     string // one line
	about    string // more, for its help
	examples []string
	parts    []*command // of a group
	// prepare declares the flags and returns what is then done with them; nil for
	// a group.
	prepare func(*flag.FlagSet) action
}

type action func(ctx context.Context, c *call) error

// call is one run of a command.
type call struct {
	path      string   // the command's whole name
	args      []string // without flags
	environ   []string
	in        io.Reader
	out, errs io.Writer
}

// misuse is a command line that can not be understood.
type misuse struct{ text string }

func (m *misuse) Error() string { return m.text }

func misused(format string, args ...any) error { return &misuse{fmt.Sprintf(format, args...)} }

// errReported fails a command that has told what went wrong.
var errReported = errors.New("failed")

// Exit codes.
const (
	exitDone     = 0
	exitFailed   = 1
	exitNotClear = 2
)

// leading are the flags that may stand before the command, and whether each has
// a value.
var leading = map[string]bool{
	"endpoint": true, "e": true, "format": true, "profile": true, "region": true, "sign": false,
}

// find follows words down from the root of a command line. It returns the command
// they name, its path and the words that are left: those are its own, and flags
// that stood before it.
func find(root *command, words []string) (at *command, path string, rest []string, err error) {
	at, path = root, root.name
	var flags []string
	for at.parts != nil && len(words) > 0 {
		word := words[0]
		if name := strings.TrimLeft(word, "-"); name != word {
			hasValue, known := leading[name[:strings.IndexByte(name+"=", '=')]]
			if !known {
				break
			}
			taken := 1
			if hasValue && !strings.Contains(name, "=") {
				taken = min(2, len(words))
			}
			flags, words = append(flags, words[:taken]...), words[taken:]
			continue
		}
		next := slices.IndexFunc(at.parts, func(c *command) bool { return c.name == word })
		if next < 0 {
			return at, path, words, misused("there is no command %q", word)
		}
		at, words = at.parts[next], words[1:]
		path += " " + at.name
	}
	return at, path, append(flags, words...), nil
}

// execute runs what the words say and returns the exit code.
func execute(ctx context.Context, root *command, words []string, c *call) int {
	at, path, rest, err := find(root, words)
	if err == nil && at.parts != nil {
		if len(rest) > 0 && isHelp(rest[0]) {
			_, _ = io.WriteString(c.out, at.help(path))
			return exitDone
		}
		err = misused("which command?")
		if len(rest) > 0 {
			err = misused("unexpected argument %q", rest[0])
		}
	}
	if err != nil {
		_, _ = fmt.Fprintf(c.errs, "%s: %v\n\n%s", path, err, at.help(path))
		return exitNotClear
	}
	c.path = path
	flags, do := at.declared(path)
	if c.args, err = parse(flags, rest); err == nil {
		err = do(ctx, c)
	}
	_, unclear := errors.AsType[*misuse](err)
	switch {
	case err == nil:
		return exitDone
	case errors.Is(err, flag.ErrHelp):
		_, _ = io.WriteString(c.out, at.help(path))
		return exitDone
	case unclear:
		_, _ = fmt.Fprintf(c.errs, "%s: %v\nSee: styx help%s\n", path, err, strings.TrimPrefix(path, root.name))
		return exitNotClear
	case !errors.Is(err, errReported):
		_, _ = fmt.Fprintf(c.errs, "%s: %v\n", path, err)
	}
	return exitFailed
}

func isHelp(word string) bool { return word == "-h" || word == "-help" || word == "--help" }

// declared returns the flags of a command, ready to parse.
func (at *command) declared(path string) (*flag.FlagSet, action) {
	flags := flag.NewFlagSet(path, flag.ContinueOnError)
	flags.SetOutput(io.Discard) // execute tells
	return flags, at.prepare(flags)
}

// parse reads flags wherever they stand and returns the other words. What
// follows "--" is no flag.
func parse(flags *flag.FlagSet, words []string) (args []string, err error) {
	for len(words) > 0 {
		if err := flags.Parse(words); err != nil {
			if errors.Is(err, flag.ErrHelp) {
				return nil, err
			}
			return nil, misused("%v", err)
		}
		rest := flags.Args()
		if ended := len(words) - len(rest); ended > 0 && words[ended-1] == "--" {
			return append(args, rest...), nil
		}
		if len(rest) == 0 {
			break
		}
		args, words = append(args, rest[0]), rest[1:]
	}
	return args, nil
}

// none refuses arguments.
func (c *call) none() error {
	if len(c.args) > 0 {
		return misused("unexpected argument %q", c.args[0])
	}
	return nil
}

// some refuses to go without arguments.
func (c *call) some(what string) error {
	if len(c.args) == 0 {
		return misused("needs %s", what)
	}
	return nil
}

// help is the text about a command.
func (at *command) help(path string) string {
	var b strings.Builder
	_, _ = fmt.Fprintf(&b, "%s\n\nUsage:\n  %s", at.does, path)
	if at.parts != nil {
		b.WriteString(" COMMAND\n\nCommands:\n")
		for _, part := range at.parts {
			_, _ = fmt.Fprintf(&b, "  %-11s %s\n", part.name, part.does)
		}
	} else {
		b.WriteString(strings.TrimRight(" [flags] "+at.takes, " ") + "\n")
	}
	if at.about != "" {
		b.WriteString("\n" + at.about + "\n")
	}
	if at.prepare != nil {
		flags, _ := at.declared(path)
		b.WriteString(describe(flags))
	}
	if len(at.examples) > 0 {
		b.WriteString("\nExamples:\n")
		for _, example := range at.examples {
			b.WriteString("  " + example + "\n")
		}
	}
	return b.String()
}

// describe lists flags, each with its default where it has one.
func describe(flags *flag.FlagSet) string {
	var b strings.Builder
	flags.VisitAll(func(f *flag.Flag) {
		if b.Len() == 0 {
			b.WriteString("\nFlags:\n")
		}
		value, does := flag.UnquoteUsage(f)
		name := "-" + f.Name
		if len(f.Name) > 1 {
			name = "--" + f.Name
		}
		if f.DefValue != "" && f.DefValue != "false" && f.DefValue != "0" && f.DefValue != "0s" {
			does += fmt.Sprintf(" (default %s)", f.DefValue)
		}
		_, _ = fmt.Fprintf(&b, "  %-26s %s\n", strings.TrimRight(name+" "+value, " "), does)
	})
	return b.String()
}

// list is a flag that may be repeated.
type list []string

func (l *list) String() string { return strings.Join(*l, ",") }

// Set adds a value.
func (l *list) Set(value string) error {
	*l = append(*l, value)
	return nil
}

// choice is a flag with few values, the first of them the default.
type choice struct {
	value string
	of    []string
}

func (c *choice) String() string { return c.value }

// Set takes one of the values.
func (c *choice) Set(value string) error {
	if !slices.Contains(c.of, value) {
		return fmt.Errorf("it is one of %s", strings.Join(c.of, ", "))
	}
	c.value = value
	return nil
}

// choose declares a flag with few values.
func choose(flags *flag.FlagSet, name, usage string, values ...string) *choice {
	c := &choice{values[0], values}
	flags.Var(c, name, usage+": "+strings.Join(values, ", "))
	return c
}
