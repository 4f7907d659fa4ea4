package test

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"styx/test/program"
)

// TestCommandsOfThePagesExist holds what the pages tell an operator to type
// against the program's own help and the Makefile.
func TestCommandsOfThePagesExist(t *testing.T) {
	styx, err := program.Build()
	if err != nil {
		t.Fatal(err)
	}
	makefile, err := os.ReadFile("../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range []string{"../docs/aws.md", "../docs/operations.md", "../docs/cost.md", "../infra/README.md", "../localstack/README.md"} {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		commands := regexp.MustCompile("(?m)(?:^ *|`)(styx|make) ([a-z][^`\n]*)").FindAllStringSubmatch(string(text), -1)
		if len(commands) == 0 {
			t.Errorf("%s names no command", page)
		}
		for _, c := range commands {
			words := strings.Fields(c[2])
			if c[1] == "make" {
				if !regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(words[0]) + `:`).Match(makefile) {
					t.Errorf("%s: there is no make %s", page, words[0])
				}
				continue
			}
			if why := understood(styx, words); why != "" {
				t.Errorf("%s: styx %s: %s", page, c[2], why)
			}
		}
	}
}

// understood says what the program does not know of a command, "" for nothing.
func understood(styx string, words []string) string {
	name := []string{words[0]}
	help, err := exec.Command(styx, "help", words[0]).Output()
	if err != nil {
		return "no such command"
	}
	if strings.Contains(string(help), "\nCommands:\n") {
		if len(words) == 1 {
			return ""
		}
		name = words[:2]
		if help, err = exec.Command(styx, "help", name[0], name[1]).Output(); err != nil {
			return "no such command"
		}
	}
	for _, word := range words[len(name):] {
		if strings.HasPrefix(word, "#") {
			break
		}
		if strings.HasPrefix(word, "-") && !regexp.MustCompile(`(?m)^  `+regexp.QuoteMeta(word)+`\b`).Match(help) {
			return fmt.Sprintf("no flag %s", word)
		}
	}
	return ""
}
