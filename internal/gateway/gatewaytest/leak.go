package gatewaytest

import (
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// grace is how long a goroutine that was told to stop may take to be gone.
const grace = time.Second

// NoneLeft fails the test if, at its end, goroutines live that were started
// after this call. Call it first: what the test itself cleans up later is then
// gone before the count.
func NoneLeft(t testing.TB) {
	t.Helper()
	before := Watch()
	t.Cleanup(func() {
		for _, stack := range before.Left() {
			t.Errorf("a goroutine outlived its request:\n%s", stack)
		}
	})
}

// Watched knows the goroutines of one moment.
type Watched struct{ known []string }

// Watch notes which goroutines there are.
func Watch() Watched {
	var w Watched
	for _, stack := range stacks() {
		w.known = append(w.known, id(stack))
	}
	return w
}

// Left is the stacks of the goroutines started since that are still there after
// a second. Connections that net/http keeps open for the next request do not
// count: they wait for bytes and do nothing by themselves.
func (w Watched) Left() []string {
	for until := time.Now().Add(grace); ; time.Sleep(5 * time.Millisecond) {
		var left []string
		for _, stack := range stacks() {
			if !slices.Contains(w.known, id(stack)) && !strings.Contains(stack, "net/http.(*persistConn)") {
				left = append(left, stack)
			}
		}
		if len(left) == 0 || time.Now().After(until) {
			return left
		}
	}
}

// stacks is one text for each goroutine, "goroutine 7 [select]:" at its head.
func stacks() []string {
	buffer := make([]byte, 1<<16)
	for {
		n := runtime.Stack(buffer, true)
		if n < len(buffer) {
			return strings.Split(strings.TrimSpace(string(buffer[:n])), "\n\n")
		}
		buffer = make([]byte, 2*len(buffer))
	}
}

// id is the number in a stack's first line; the runtime never uses one twice.
func id(stack string) string {
	head, _, _ := strings.Cut(stack, " [")
	return head
}
