// Package test holds the checks that see the whole house at once.
package test

import (
	"bufio"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
)

// module is the import path all of our own packages begin with.
const module = "styx/"

// serverWords are the names of net/http by which code answers a request or
// reads what a browser sent.
var serverWords = []string{
	"Cookie", "Error", "FileServer", "Handle", "HandleFunc", "Handler", "HandlerFunc", "ListenAndServe", "MaxBytesReader",
	"NewServeMux", "NotFound", "Redirect", "ResponseController", "ResponseWriter", "Serve", "ServeContent", "ServeMux",
	"Server", "SetCookie",
}

// plan is what docs/ARCHITECTURE.md says about imports, read from its fenced
// blocks named "rooms", "places" and "links".
type plan struct {
	// level tells a room's height in the column; the lowest room has the lowest.
	level map[string]int
	// places tells which folders may import a path that begins with the key,
	// links which functions may hold it in their binary.
	places, links map[string][]string
}

// TestArrows holds every import in the tree against docs/ARCHITECTURE.md.
func TestArrows(t *testing.T) {
	p := houseplan(t)
	problems, seen, err := p.check(os.DirFS(".."))
	if err != nil {
		t.Fatal(err)
	}
	if seen == 0 {
		t.Fatal("no Go file under internal/ was read")
	}
	for _, problem := range problems {
		t.Error(problem)
	}
}

// TestArrowsFail shows that the check finds each kind of wrong import, on a
// house drawn for that purpose.
func TestArrowsFail(t *testing.T) {
	p, err := readPlan("# Map\n\n```rooms\n" +
		"gateway  events\napp  root\nadmin  people\nweb  grammar\nmethod/  a folder each\nidentity  who\ntable/  verbs\nconfig  one struct\n" +
		"```\n\n```places\ngithub.com/aws/  internal/gateway internal/table/dynamo\nstyx/internal/config/check  cmd/styx\n```\n\n```links\ntext/template  courier\n```\n")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, file, source string
		want               string // part of the one problem; empty means none
	}{
		{"down", "internal/web/a.go", `import "styx/internal/identity"`, ""},
		{"own folder", "internal/table/local/a.go", `import "styx/internal/table"`, ""},
		{"up", "internal/identity/a.go", `import "styx/internal/web"`, "internal/identity/a.go imports styx/internal/web: web stands above identity"},
		{"up from a folder", "internal/table/local/a.go", `import "styx/internal/identity"`, "identity stands above table"},
		{"up into a folder", "internal/identity/a.go", `import "styx/internal/method/password"`, "method stands above identity"},
		{"up from a test", "internal/identity/a_test.go", `import "styx/internal/web"`, "web stands above identity"},
		{"up behind a build tag", "internal/identity/a.go", "import _ \"embed\"\nimport \"styx/internal/web\"", "web stands above identity"},
		{"strange room", "internal/cellar/a.go", ``, "internal/cellar is no room"},
		{"import of a strange room", "internal/web/a.go", `import "styx/internal/cellar"`, "internal/cellar is no room"},
		{"out of the house", "internal/web/a.go", `import "styx/cmd/styx"`, "a room imports only rooms"},
		{"a test tool in a test", "internal/web/a_test.go", `import "styx/test/dynamodb"`, ""},
		{"a test tool out of a test", "internal/web/a.go", `import "styx/test/dynamodb"`, "a room imports only rooms"},
		{"library in its place", "internal/table/dynamo/a.go", `import "github.com/aws/aws-sdk-go-v2/aws"`, ""},
		{"library out of place", "internal/table/local/a.go", `import "github.com/aws/aws-sdk-go-v2/aws"`, "only internal/gateway, internal/table/dynamo may"},
		{"library in a neighbour of its place", "internal/gatewayman/a.go", `import "github.com/aws/aws-lambda-go/lambda"`, "only internal/gateway, internal/table/dynamo may"},
		{"library in a program", "cmd/styx/main.go", `import "github.com/aws/aws-sdk-go-v2/aws"`, "only internal/gateway, internal/table/dynamo may"},
		{"library in a check", "test/lambda/a_test.go", `import "github.com/aws/aws-sdk-go-v2/aws"`, ""},
		{"part of a room in its place", "cmd/styx/main.go", `import "styx/internal/config/check"`, ""},
		{"part of a room within its room", "internal/config/a_test.go", `import "styx/internal/config/check"`, ""},
		{"part of a room out of place", "internal/app/a.go", `import "styx/internal/config/check"`, "only cmd/styx may"},
		{"method calls out", "internal/method/password/a.go", "import \"net/http\"\nvar c *http.Client", ""},
		{"method answers", "internal/method/password/a.go", "import \"net/http\"\nfunc f(w http.ResponseWriter) {}", "http.ResponseWriter is a server's"},
		{"method answers by another name", "internal/method/oidc/a.go", "import h \"net/http\"\nvar _ = h.Cookie{}", "http.Cookie is a server's"},
		{"a method's test may serve", "internal/method/password/a_test.go", "import \"net/http\"\nvar _ http.Handler", ""},
		{"function", "functions/login/main.go", "import \"context\"\nimport \"styx/internal/gateway\"\nimport \"styx/internal/app\"", ""},
		{"function takes a part of the root", "functions/admin/main.go", `import "styx/internal/app/full"`, ""},
		{"function reaches past", "functions/login/main.go", `import "styx/internal/web"`, "a function imports only gateway and app"},
		{"function with a library", "functions/login/main.go", `import "github.com/google/uuid"`, "a function imports only gateway and app"},
		{"another module", "infra/main.go", `import "github.com/aws/aws-cdk-go/awscdk/v2"`, ""},
		{"test data", "internal/web/testdata/a.go", `import "styx/internal/gateway"`, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			tree := fstest.MapFS{
				"go.mod":       {Data: []byte("module styx\n")},
				"infra/go.mod": {Data: []byte("module styx/infra\n")},
				c.file:         {Data: []byte("//go:build never\n\npackage x\n" + c.source + "\n")},
			}
			problems, _, err := p.check(tree)
			if err != nil {
				t.Fatal(err)
			}
			switch {
			case c.want == "" && len(problems) > 0:
				t.Errorf("found %q, want nothing", problems)
			case c.want != "" && !slices.ContainsFunc(problems, func(s string) bool { return strings.Contains(s, c.want) }):
				t.Errorf("found %q, want %q", problems, c.want)
			}
		})
	}
}

// TestFunctionsLinkWhatTheyServe looks into what each function's binary will
// hold: a library that costs start-up time, or the admin API, stays out of those
// that have no use for it.
func TestFunctionsLinkWhatTheyServe(t *testing.T) {
	list := exec.Command("go", "list", "-tags", "lambda.norpc", "-f", `{{.ImportPath}} {{join .Deps " "}}`, "./functions/...")
	list.Dir = ".."
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	p, functions := houseplan(t), 0
	for line := range strings.Lines(string(out)) {
		words := strings.Fields(line)
		functions++
		for _, problem := range p.linked(path.Base(words[0]), words[1:]) {
			t.Error(problem)
		}
	}
	if functions == 0 {
		t.Fatal("no function was read")
	}
}

// TestFunctionsLinkFail shows that the check above can find something.
func TestFunctionsLinkFail(t *testing.T) {
	p := plan{links: map[string][]string{"text/template": {"courier"}, "styx/internal/table/local": {"-"}}}
	if got := p.linked("courier", []string{"fmt", "text/template"}); len(got) > 0 {
		t.Errorf("a permitted package: %q", got)
	}
	if got := p.linked("login", []string{"fmt", "text/template", "styx/internal/table/local"}); len(got) != 2 {
		t.Errorf("two packages out of place: %q", got)
	}
}

// TestDependenciesHaveALine holds the modules that the source imports against
// the list in the decision record, both ways.
func TestDependenciesHaveALine(t *testing.T) {
	text, err := os.ReadFile("../docs/adr/0006-dependencies.md")
	if err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{} // module of the list to whether something imports it
	for _, row := range regexp.MustCompile("(?m)^\\| `([^`]+)`").FindAllSubmatch(text, -1) {
		used[string(row[1])] = false
	}
	err = eachFile(os.DirFS(".."), func(name string, file *ast.File) error {
		for _, spec := range file.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			if first, _, _ := strings.Cut(imported, "/"); !strings.Contains(first, ".") {
				continue // ours, or the standard library's
			}
			listed := false
			for module := range used {
				if imported == module || strings.HasPrefix(imported, module+"/") {
					used[module], listed = true, true
				}
			}
			if !listed {
				t.Errorf("%s imports %s, which has no line in docs/adr/0006-dependencies.md", name, imported)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for module, is := range used {
		if !is {
			t.Errorf("docs/adr/0006-dependencies.md lists %s, which nothing imports", module)
		}
	}
}

// TestEveryRoomOpensWithDoc finds a room that does not say what it owns.
func TestEveryRoomOpensWithDoc(t *testing.T) {
	rooms, err := fs.Glob(os.DirFS("../internal"), "*")
	if err != nil || len(rooms) == 0 {
		t.Fatalf("rooms: %v, %v", rooms, err)
	}
	for _, room := range rooms {
		if files, _ := fs.Glob(os.DirFS("../internal/"+room), "*.go"); len(files) > 0 && !slices.Contains(files, "doc.go") {
			t.Errorf("internal/%s has no doc.go", room)
		}
	}
}

// TestPlanIsRead shows that a map without its blocks is an error, not a house
// in which everything is allowed.
func TestPlanIsRead(t *testing.T) {
	const rest = "```places\ngithub.com/aws/  x\n```\n```links\ntext/template  x\n```\n"
	if _, err := readPlan("```rooms\nweb  a\n```\n" + rest); err != nil {
		t.Fatal(err)
	}
	for name, doc := range map[string]string{
		"no blocks": "# Map\n",
		"no places": "```rooms\nweb  grammar\n```\n```links\ntext/template  x\n```\n",
		"no links":  "```rooms\nweb  grammar\n```\n```places\ngithub.com/aws/  x\n```\n",
		"empty":     "```rooms\n```\n" + rest,
		"twice":     "```rooms\nweb  a\nweb  b\n```\n" + rest,
		"no place":  "```rooms\nweb  a\n```\n" + rest + "```places\nbbolt\n```\n",
	} {
		if p, err := readPlan(doc); err == nil {
			t.Errorf("%s: read as %v", name, p)
		}
	}
}

// houseplan reads the plan of this house.
func houseplan(t *testing.T) plan {
	t.Helper()
	doc, err := os.ReadFile("../docs/ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	p, err := readPlan(string(doc))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// readPlan takes the blocks out of the map's text. A line of the column begins
// with the room's name, a slash after it when it has folders; a line of the
// others with an import path, and the places follow.
func readPlan(doc string) (plan, error) {
	p := plan{level: map[string]int{}, places: map[string][]string{}, links: map[string][]string{}}
	block := ""
	for s := bufio.NewScanner(strings.NewReader(doc)); s.Scan(); {
		line := s.Text()
		if name, ok := strings.CutPrefix(line, "```"); ok {
			block = name
			continue
		}
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		switch block {
		case "rooms":
			room := strings.TrimSuffix(words[0], "/")
			if _, twice := p.level[room]; twice {
				return plan{}, fmt.Errorf("room %s stands twice", room)
			}
			p.level[room] = -len(p.level)
		case "places", "links":
			if len(words) == 1 {
				return plan{}, fmt.Errorf("%s has no place", words[0])
			}
			map[string]map[string][]string{"places": p.places, "links": p.links}[block][words[0]] = words[1:]
		}
	}
	if len(p.level) == 0 || len(p.places) == 0 || len(p.links) == 0 {
		return plan{}, errors.New("the map lacks a block: rooms, places or links")
	}
	return p, nil
}

// check reads the imports of the module rooted at tree and returns what breaks
// the plan, and how many files it read under internal/.
func (p plan) check(tree fs.FS) (problems []string, seen int, err error) {
	err = eachFile(tree, func(name string, file *ast.File) error {
		if strings.HasPrefix(name, "internal/") {
			seen++
			if _, ok := p.level[roomOf(name)]; !ok {
				problems = append(problems, fmt.Sprintf("%s: internal/%s is no room of the map", name, roomOf(name)))
			}
		}
		if strings.HasPrefix(name, "internal/method/") && !strings.HasSuffix(name, "_test.go") {
			for _, word := range served(file) {
				problems = append(problems, fmt.Sprintf("%s: http.%s is a server's; a method never sees a request", name, word))
			}
		}
		for _, spec := range file.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			for _, why := range p.against(name, imported) {
				problems = append(problems, fmt.Sprintf("%s imports %s: %s", name, imported, why))
			}
		}
		return nil
	})
	return problems, seen, err
}

// eachFile parses every Go file of the module rooted at tree, whatever its
// build tags, and leaves out test data and modules within.
func eachFile(tree fs.FS, visit func(name string, file *ast.File) error) error {
	return fs.WalkDir(tree, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && name != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata" || isModule(tree, name)):
			return fs.SkipDir
		case d.IsDir() || path.Ext(name) != ".go":
			return nil
		}
		source, err := fs.ReadFile(tree, name)
		if err != nil {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, source, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		return visit(name, file)
	})
}

// against says what is wrong with one file importing one path.
func (p plan) against(file, imported string) (whys []string) {
	top, _, _ := strings.Cut(file, "/")
	for prefix, places := range p.places {
		free := top == "test" || strings.HasPrefix(file, roomDir(prefix)+"/")
		if strings.HasPrefix(imported, prefix) && !free &&
			!slices.ContainsFunc(places, func(place string) bool { return strings.HasPrefix(file, place+"/") }) {
			whys = append(whys, fmt.Sprintf("only %s may", strings.Join(places, ", ")))
		}
	}
	ours, isOurs := strings.CutPrefix(imported, module)
	switch top {
	case "internal":
		room, other := roomOf(file), roomOf(ours)
		above, listed := p.level[other]
		switch {
		case isOurs && strings.HasPrefix(ours, "test/") && strings.HasSuffix(file, "_test.go"):
		case isOurs && !strings.HasPrefix(ours, "internal/"):
			whys = append(whys, "a room imports only rooms")
		case isOurs && !listed:
			whys = append(whys, fmt.Sprintf("internal/%s is no room of the map", other))
		case isOurs && above > p.level[room]:
			whys = append(whys, fmt.Sprintf("%s stands above %s", other, room))
		}
	case "functions":
		standard := !isOurs && !strings.Contains(imported, ".")
		door := strings.HasPrefix(ours, "internal/") && (roomOf(ours) == "gateway" || roomOf(ours) == "app")
		if !standard && !door && !strings.HasSuffix(file, "_test.go") {
			whys = append(whys, "a function imports only gateway and app")
		}
	}
	return whys
}

// linked says which packages of a function's binary are not for it.
func (p plan) linked(function string, packages []string) (problems []string) {
	for prefix, functions := range p.links {
		if slices.Contains(functions, function) {
			continue
		}
		for _, linked := range packages {
			if strings.HasPrefix(linked, prefix) {
				problems = append(problems, fmt.Sprintf("functions/%s links %s, not being one of: %s", function, linked, strings.Join(functions, " ")))
			}
		}
	}
	return problems
}

// served lists what a file uses of net/http that only a server needs. A client,
// and the request it sends, are no business of this check.
func served(file *ast.File) (words []string) {
	name := ""
	for _, spec := range file.Imports {
		if spec.Path.Value == `"net/http"` {
			name = "http"
			if spec.Name != nil {
				name = spec.Name.Name
			}
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		if use, ok := n.(*ast.SelectorExpr); ok {
			if from, ok := use.X.(*ast.Ident); ok && name != "" && from.Name == name && slices.Contains(serverWords, use.Sel.Name) {
				words = append(words, use.Sel.Name)
			}
		}
		return true
	})
	return words
}

// roomOf is "table" for internal/table/local/local.go.
func roomOf(name string) string {
	room, _, _ := strings.Cut(strings.TrimPrefix(name, "internal/"), "/")
	return room
}

// roomDir is the folder of the room that a path of ours lies in: a room may
// import its own parts. Of a library's path it is a folder that does not exist.
func roomDir(imported string) string {
	ours, isOurs := strings.CutPrefix(imported, module+"internal/")
	if !isOurs {
		return "/none"
	}
	return path.Join("internal", roomOf(ours))
}

// isModule tells whether a folder is a module of its own, as infra is.
func isModule(tree fs.FS, dir string) bool {
	_, err := fs.Stat(tree, path.Join(dir, "go.mod"))
	return err == nil
}
