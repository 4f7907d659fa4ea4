package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"strings"
)

func versionCommand() *command {
	return &command{
		name: "version", does: "print the version", examples: []string{"styx version"},
		prepare: func(*flag.FlagSet) action {
			return func(_ context.Context, c *call) error {
				if err := c.none(); err != nil {
					return err
				}
				_, err := fmt.Fprintln(c.out, "styx", versionText())
				return err
			}
		},
	}
}

func helpCommand(root *command) *command {
	return &command{
		name: "help", takes: "[COMMAND]", does: "explain a command", examples: []string{"styx help", "styx help identities list"},
		prepare: func(*flag.FlagSet) action {
			return func(_ context.Context, c *call) error {
				at, path, rest, err := find(root, c.args)
				if err == nil && len(rest) > 0 {
					err = misused("%s has no command %q", path, rest[0])
				}
				if err == nil {
					_, _ = io.WriteString(c.out, at.help(path))
				}
				return err
			}
		},
	}
}

// completions are the shells' own parts: each asks styx what may come next.
var completions = map[string]string{
	"bash": `_styx() {
  local IFS=$'\n'
  COMPREPLY=($(styx completion words -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
  [[ ${#COMPREPLY[@]} -gt 0 ]] || COMPREPLY=($(compgen -f -- "${COMP_WORDS[COMP_CWORD]}"))
}
complete -F _styx styx
`,
	"zsh": `#compdef styx
_styx() {
  local -a found
  found=("${(@f)$(styx completion words -- "${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ -n "$found" ]]; then compadd -- "${found[@]}"; else _files; fi
}
compdef _styx styx
`,
	"fish": `function __styx
  set -l said (commandline -opc) (commandline -ct)
  styx completion words -- $said[2..-1] 2>/dev/null
end
complete -c styx -a '(__styx)'
`,
}

func completionCommand(root *command) *command {
	group := &command{
		name: "completion", does: "print a shell's completion of this command line",
		examples: []string{
			"source <(styx completion bash)",
			"styx completion zsh > ~/.zfunc/_styx",
			"styx completion fish > ~/.config/fish/completions/styx.fish",
		},
	}
	for _, shell := range []string{"bash", "zsh", "fish"} {
		group.parts = append(group.parts, &command{
			name: shell, does: "print the completion of " + shell, examples: []string{"styx completion " + shell},
			prepare: func(*flag.FlagSet) action {
				return func(_ context.Context, c *call) error {
					if err := c.none(); err != nil {
						return err
					}
					_, err := io.WriteString(c.out, completions[shell])
					return err
				}
			},
		})
	}
	group.parts = append(group.parts, &command{
		name: "words", takes: "-- WORD...", does: "print what the last word may become; shells call it",
		examples: []string{"styx completion words -- identities l"},
		prepare: func(*flag.FlagSet) action {
			return func(_ context.Context, c *call) error {
				for _, word := range complete(root, c.args) {
					_, _ = fmt.Fprintln(c.out, word)
				}
				return nil
			}
		},
	})
	return group
}

// complete returns what the last of the words may become.
func complete(root *command, words []string) (found []string) {
	if len(words) == 0 {
		words = []string{""}
	}
	before, last := words[:len(words)-1], words[len(words)-1]
	at, path, rest, err := find(root, before)
	if err != nil {
		return nil
	}
	offer := func(word string) {
		if strings.HasPrefix(word, last) {
			found = append(found, word)
		}
	}
	for _, part := range at.parts {
		offer(part.name)
	}
	if at.prepare == nil {
		return found
	}
	flags, _ := at.declared(path)
	if len(rest) > 0 {
		if f := flags.Lookup(strings.TrimLeft(rest[len(rest)-1], "-")); f != nil {
			if few, ok := f.Value.(*choice); ok {
				for _, value := range few.of {
					offer(value)
				}
				return found
			}
		}
	}
	if strings.HasPrefix(last, "-") {
		flags.VisitAll(func(f *flag.Flag) {
			if len(f.Name) > 1 {
				offer("--" + f.Name)
			}
		})
	}
	return found
}
