// Command tally counts tests.
//
//	go test -json ./... | tally -to DIR/unit
//	tally -sum DIR
//
// The first form reads go test's JSON from standard input, shows the output of
// whatever failed or was skipped, writes the counts to the named file and exits
// 1 unless every test ran and passed. The second adds up the files of a folder
// and closes with one line, "N passed, N failed, N skipped". A file may come
// from elsewhere: it holds one such line.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

func main() {
	to := flag.String("to", "", "file the counts are written to")
	sum := flag.String("sum", "", "folder of counts to add up")
	flag.Parse()
	var c counts
	var err error
	if *sum != "" {
		c, err = addUp(*sum)
	} else {
		c, err = read(os.Stdin, os.Stdout)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "tally:", err)
		os.Exit(1)
	}
	if *to != "" {
		if err := os.WriteFile(*to, []byte(c.String()+"\n"), 0o600); err != nil {
			fmt.Fprintln(os.Stderr, "tally:", err)
			os.Exit(1)
		}
		fmt.Printf("%s: %s\n", filepath.Base(*to), c)
	} else {
		fmt.Println(c)
	}
	if !c.good() {
		os.Exit(1)
	}
}

// counts are numbers of tests, subtests included. A package that did not build
// or died counts as one failed test.
type counts struct{ passed, failed, skipped int }

func (c counts) String() string {
	return fmt.Sprintf("%d passed, %d failed, %d skipped", c.passed, c.failed, c.skipped)
}

// good tells whether something ran, and nothing failed or was left out.
func (c counts) good() bool { return c.passed > 0 && c.failed == 0 && c.skipped == 0 }

// event is one line of go test -json, as cmd/test2json documents it, and of go
// build -json, whose lines name an ImportPath instead of a Package.
type event struct {
	Action, Package, ImportPath, Test, Output string
}

// read counts the events of one run of go test. It shows the output of each
// test that failed or was skipped and of each package that failed, and a line
// for each package that passed, as it ends. A run that stops in the middle of a
// package is an error.
func read(in io.Reader, out io.Writer) (counts, error) {
	var c counts
	type test struct{ pkg, name string }
	said := map[test][]string{}
	failedIn := map[string]int{} // failed tests of a package
	open := map[string]bool{}    // packages that started and did not end
	show := func(text string) { _, _ = io.WriteString(out, text) }
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var e event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			return c, fmt.Errorf("not a line of go test -json: %q", lines.Text())
		}
		key := test{e.Package, e.Test}
		switch e.Action {
		case "start":
			open[e.Package] = true
		case "output":
			said[key] = append(said[key], e.Output)
		case "build-output":
			show(e.Output)
		case "pass", "fail", "skip":
			if e.Test == "" {
				delete(open, e.Package)
			}
			switch {
			case e.Action == "fail" && e.Test != "":
				c.failed++
				failedIn[e.Package]++
			case e.Action == "fail" && failedIn[e.Package] == 0:
				c.failed++ // it did not build, or died outside of any test
			case e.Action == "pass" && e.Test != "":
				c.passed++
			case e.Action == "skip" && e.Test != "":
				c.skipped++
			}
			switch {
			case e.Action == "fail", e.Action == "skip" && e.Test != "":
				show(strings.Join(said[key], ""))
			case e.Action == "pass" && e.Test == "" && len(said[key]) > 0:
				show(said[key][len(said[key])-1]) // "ok", the package and its time
			}
			delete(said, key)
		}
	}
	if err := lines.Err(); err != nil {
		return c, err
	}
	if len(open) > 0 {
		return c, fmt.Errorf("no end of %s", strings.Join(slices.Sorted(maps.Keys(open)), ", "))
	}
	return c, nil
}

// addUp reads every file of a folder, each one line of counts.
func addUp(dir string) (counts, error) {
	var all counts
	files, err := os.ReadDir(dir)
	if err != nil {
		return all, err
	}
	for _, file := range files {
		text, err := os.ReadFile(filepath.Join(dir, file.Name()))
		if err != nil {
			return all, err
		}
		one, err := parse(string(text))
		if err != nil {
			return all, fmt.Errorf("%s: %w", file.Name(), err)
		}
		all.passed += one.passed
		all.failed += one.failed
		all.skipped += one.skipped
	}
	return all, nil
}

// parse reads "N passed, N failed" with or without ", N skipped".
func parse(line string) (counts, error) {
	var c counts
	_, err := fmt.Sscanf(line, "%d passed, %d failed", &c.passed, &c.failed)
	if err != nil {
		return counts{}, errors.New("holds no counts")
	}
	if _, rest, ok := strings.Cut(line, "failed, "); ok {
		if _, err := fmt.Sscanf(rest, "%d skipped", &c.skipped); err != nil {
			return counts{}, errors.New("holds no counts")
		}
	}
	return c, nil
}
