//go:build browser

package browser

import (
	"cmp"
	"context"
	_ "embed"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

var shots = flag.String("shots", "", "folder to leave a picture of every page in, narrow and wide")

// patience is how long a person waits for a page, or for something on it.
const patience = 30 * time.Second

// quit ends Chromium, if it was started.
var quit = func() {}

func TestMain(m *testing.M) {
	code := m.Run()
	quit()
	os.Exit(code)
}

// chromium starts the one browser process of all tests, quiet and with nothing
// else to do. Each person has a profile of their own in it.
var chromium = sync.OnceValues(func() (context.Context, error) {
	data, err := os.MkdirTemp("", "styx-chromium-")
	if err != nil {
		return nil, err
	}
	options := []chromedp.ExecAllocatorOption{
		chromedp.Headless, chromedp.DisableGPU, chromedp.NoFirstRun, chromedp.UserDataDir(data),
	}
	for _, name := range []string{
		"disable-quic", "disable-background-networking", "disable-component-update", "disable-sync", "disable-dev-shm-usage",
	} {
		options = append(options, chromedp.Flag(name, true))
	}
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox) // Chromium has no sandbox for root
	}
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	browser, cancel := chromedp.NewContext(allocator)
	quit = func() {
		cancel()
		stop()
		_ = os.RemoveAll(data) // in a folder that the system empties
	}
	if err := chromedp.Do(browser); err != nil {
		return nil, fmt.Errorf("start Chromium (Debian has it in the package chromium): %w", err)
	}
	return browser, nil
})

// person is somebody with a browser of their own, looking at one tab.
type person struct {
	t    *testing.T
	ctx  context.Context
	base string // URL without a trailing slash
	part string // XPath of the part of the page that is meant; "" = all of it
	note *notes
}

// notes are what the browser complained about.
type notes struct {
	mu   sync.Mutex
	text []string
}

// visitor is a new person at a site.
func visitor(t *testing.T, base string) *person {
	t.Helper()
	browser, err := chromium()
	if err != nil {
		t.Fatal(err)
	}
	return open(browser, t, base, chromedp.WithNewBrowserContext())
}

// open opens a tab and watches its console.
func open(parent context.Context, t *testing.T, base string, options ...chromedp.ContextOption) *person {
	t.Helper()
	ctx, cancel := chromedp.NewContext(parent, options...)
	t.Cleanup(cancel)
	p := &person{t: t, ctx: ctx, base: base, note: &notes{}}
	// The tab lives as long as the context of its first action, so it is not do's.
	if err := chromedp.Do(ctx); err != nil {
		t.Fatal(err)
	}
	console := chromedp.Console(ctx)
	var listening sync.WaitGroup
	listening.Go(func() {
		for m, err := range console {
			if err != nil {
				return
			}
			// That a page is answered with an error is for the test to judge.
			if (m.IsException() || m.Type == "error") && !strings.Contains(m.Text, "Failed to load resource") {
				p.note.mu.Lock()
				p.note.text = append(p.note.text, m.String())
				p.note.mu.Unlock()
			}
		}
	})
	t.Cleanup(func() {
		cancel()
		listening.Wait()
		for _, text := range p.note.text {
			t.Errorf("the browser says %s", text)
		}
	})
	return p
}

// do runs actions, and ends the test with the page's text when one fails.
func (p *person) do(what string, steps ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		p.fail(what, err)
	}
}

func (p *person) fail(what string, err error) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	where, _ := chromedp.Run(ctx, chromedp.Location())
	text, _ := chromedp.Run(ctx, chromedp.Evaluate[string]("document.body.innerText"))
	if errors.Is(err, context.DeadlineExceeded) {
		err = errors.New("waited in vain")
	}
	p.t.Fatalf("%s: %v\non %s:\n%s", what, err, where, text)
}

// value evaluates a JavaScript expression in the page.
func value[T any](p *person, expression string) T {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		p.fail("evaluate "+expression, err)
	}
	return v
}

// until waits until an expression is true, on this page or on the next.
func (p *person) until(expression string) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	for {
		// An error is a page that goes, while another comes.
		if is, err := chromedp.Run(ctx, chromedp.Evaluate[bool]("Boolean("+expression+")")); err == nil && is {
			return
		}
		if err := chromedp.Do(ctx, chromedp.Sleep(20*time.Millisecond)); err != nil {
			p.fail("wait for "+expression, err)
		}
	}
}

// call sends a command of the DevTools protocol to a person's tab.
func call[P, R any](p *person, command cdp.Command[P, R], params P) R {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	result, err := chromedp.Call(ctx, command, params)
	if err != nil {
		p.fail(command.Method, err)
	}
	return result
}

// load runs what leads to another page and looks at that page.
func (p *person) load(what string, step chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	p.follow(what, step)
	p.look()
}

// follow runs what leads to another page.
func (p *person) follow(what string, step chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	answer, err := chromedp.RunResponse(ctx, step)
	if err != nil {
		p.fail(what, err)
	}
	if answer.Status != http.StatusOK {
		p.fail(what, fmt.Errorf("answered %d", answer.Status))
	}
}

// visit opens a path of the site.
func (p *person) visit(path string) {
	p.t.Helper()
	p.load("open "+path, chromedp.Navigate(p.base+path))
}

// quoted is a text as XPath 1.0 writes it, which knows no escapes.
func quoted(text string) string {
	if !strings.Contains(text, "'") {
		return "'" + text + "'"
	}
	return `"` + text + `"`
}

// in is the same person, minding one section of the page by its heading.
func (p *person) in(heading string) *person {
	part := *p
	part.part = "//section[h2[normalize-space()=" + quoted(heading) + "]]"
	return &part
}

// field is the input that a label names.
func (p *person) field(label string) chromedp.Search {
	return chromedp.Search(p.part + "//*[@id=(//label[normalize-space()=" + quoted(label) + "]/@for)]")
}

// button is a button or link by its text; the beginning of it is enough. What
// waits for a script to show it is none yet.
func (p *person) button(text string) chromedp.Search {
	named := "[starts-with(normalize-space(), " + quoted(text) + ") and not(ancestor-or-self::*[@hidden])]"
	return chromedp.Search(p.part + "//button" + named + "|" + p.part + "//a" + named)
}

// fill replaces what stands in the field of a label.
func (p *person) fill(label, text string) {
	p.t.Helper()
	p.do("fill in "+label, chromedp.Focus(p.field(label), chromedp.NodeVisible),
		chromedp.Evaluate[chromedp.Void]("document.activeElement.select()"), chromedp.KeyEvent(text))
}

// press presses a button or follows a link to another page.
func (p *person) press(text string) {
	p.t.Helper()
	p.load("press "+text, chromedp.Click(p.button(text), chromedp.NodeVisible))
}

// enter sends the form of a field by the Enter key.
func (p *person) enter(label string) {
	p.t.Helper()
	p.load("press Enter in "+label, chromedp.SendKeys(p.field(label), kb.Enter))
}

// tap presses a button that leads to no other page.
func (p *person) tap(text string) {
	p.t.Helper()
	p.do("press "+text, chromedp.Click(p.button(text), chromedp.NodeVisible))
}

// sees waits for a text on the page.
func (p *person) sees(text string) {
	p.t.Helper()
	has := "contains(normalize-space(), " + quoted(text) + ")"
	innermost := cmp.Or(p.part, "//body") + "//*[" + has + " and not(*[" + has + "])]"
	p.do("look for "+text, chromedp.WaitVisible(chromedp.Search(innermost)))
}

// misses checks that a text is not on the page.
func (p *person) misses(text string) {
	p.t.Helper()
	if strings.Contains(value[string](p, "document.body.innerText"), text) {
		p.fail("look", fmt.Errorf("%q is still there", text))
	}
}

// at checks the path a person has come to.
func (p *person) at(path string) {
	p.t.Helper()
	if u, err := url.Parse(value[string](p, "location.href")); err != nil || u.Path != path {
		p.fail("look where this is", fmt.Errorf("not at %s", path))
	}
}

// tab is another tab of the same browser.
func (p *person) tab() *person {
	p.t.Helper()
	return open(p.ctx, p.t, p.base)
}

//go:embed testdata/look.js
var lookAround string

// look finds what is wrong with the page: on a phone by day, on a desk by night.
func (p *person) look() {
	p.t.Helper()
	for _, screen := range []struct {
		width  int64
		scheme string
	}{{320, "light"}, {1280, "dark"}} {
		p.do("turn the screen", chromedp.EmulateViewport(screen.width, 900))
		call(p, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
			{Name: "prefers-color-scheme", Value: screen.scheme}, {Name: "prefers-reduced-motion", Value: "reduce"},
		}})
		for _, problem := range value[[]string](p, lookAround) {
			p.t.Errorf("%s, %d px, %s: %s", value[string](p, "document.title+' '+location.pathname"), screen.width, screen.scheme, problem)
		}
		p.shoot(screen.width)
	}
	p.listen()
}

// shoot leaves a picture of the page, if asked to.
func (p *person) shoot(width int64) {
	if *shots == "" {
		return
	}
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	picture, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	if err != nil {
		p.fail("take a picture", err)
	}
	pictures++
	name := fmt.Sprintf("%s-%03d-%d.png", strings.ReplaceAll(p.t.Name(), "/", "_"), pictures, width)
	if err := os.MkdirAll(*shots, 0o700); err != nil {
		p.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(*shots, name), picture, 0o600); err != nil {
		p.t.Fatal(err)
	}
}

var pictures int // taken so far

// listen finds what a screen reader could only call by its role.
func (p *person) listen() {
	p.t.Helper()
	tree := call(p, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{})
	for _, node := range tree.Nodes {
		if node.Ignored || node.Role == nil {
			continue
		}
		role := strings.Trim(string(node.Role.Value), `"`)
		spoken := []string{"button", "link", "textbox", "checkbox", "combobox", "spinbutton", "image", "heading", "searchbox"}
		if slices.Contains(spoken, role) && (node.Name == nil || strings.Trim(string(node.Name.Value), `" `) == "") {
			p.t.Errorf("%s: a %s without a name", value[string](p, "document.title"), role)
		}
	}
}
