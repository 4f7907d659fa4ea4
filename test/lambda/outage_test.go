//go:build dynamodb

package lambda_test

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"styx/test/dynamodb"
)

// busy is all that a client learns while the table does not answer.
const busy = `{"error":{"code":503,"message":"The service is busy, please try again in a moment","status":"Service Unavailable"}}`

// refused checks that an answer asks the client to come back, and says no more.
func refused(t *testing.T, name string, a answer) {
	t.Helper()
	if a.status != http.StatusServiceUnavailable || a.header.Get("Retry-After") != "1" ||
		a.header.Get("Content-Type") != "application/json" || strings.TrimSpace(a.said) != busy {
		t.Errorf("%s: %v %v", name, a, a.header)
	}
}

// outages are the ways in which a table does not answer.
var outages = map[string]dynamodb.Answer{
	"throttled": dynamodb.Throttle,
	"failing":   dynamodb.Fail,
	"cut off":   dynamodb.Refuse,
	"silent":    dynamodb.Silent,
}

// TestOutageOfTheTable: whatever a client asks for while the table does not
// answer, it is told in time to come back; the process lives on, and the very
// same request goes through once the table is back.
func TestOutageOfTheTable(t *testing.T) {
	for name, outage := range outages {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := deployment{concurrency: 20, timeout: 6 * time.Second}.drill(t)
			all := d.prepare(t)
			d.proxy.Script(func(dynamodb.Call) dynamodb.Answer { return outage })
			for n, a := range d.together(all) {
				refused(t, all[n].name, a)
			}
			d.proxy.Script(nil)
			d.kept(t, all, d.together(all))
			for line := range strings.Lines(d.log()) {
				if strings.Contains(line, "request failed") && !strings.Contains(line, "request-") {
					t.Errorf("of which request is this: %s", line)
				}
			}
			if busy := strings.Count(d.log(), `"err_kind":"busy"`); busy != len(all) {
				t.Errorf("the log tells of %d requests that were refused, want %d", busy, len(all))
			}
		})
	}
}

// TestTableThatIsNotHeard carries everything out and loses every answer. The
// client is told to come back as well; what it asked for was done, and is not
// done again.
func TestTableThatIsNotHeard(t *testing.T) {
	for name, unheard := range map[string]func(dynamodb.Call) bool{
		"of any write":       dynamodb.Call.Writes,
		"of any transaction": func(c dynamodb.Call) bool { return c.Verb == "TransactWriteItems" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := deployment{concurrency: 20, timeout: 6 * time.Second}.drill(t)
			all := d.prepare(t)
			d.proxy.Script(func(c dynamodb.Call) dynamodb.Answer {
				if unheard(c) {
					return dynamodb.Drop
				}
				return dynamodb.Forward
			})
			told := 0
			for n, a := range d.together(all) {
				if !a.acknowledged() { // else it needed no such write
					refused(t, all[n].name, a)
					told++
				}
			}
			d.proxy.Script(nil)
			repeated := 0
			for n, a := range d.together(all) {
				if all[n].repeated(a) {
					repeated++
				} else if !a.acknowledged() {
					t.Errorf("%s, once the table is heard: %v", all[n].name, a)
					continue
				}
				all[n].kept(t, a)
			}
			d.whole(t)
			t.Logf("%d of %d were told to come back, of which %d had been carried out", told, len(all), repeated)
			if told < len(all)/2 {
				t.Errorf("only %d of %d were told to come back", told, len(all))
			}
		})
	}
}

// TestTableThatCanNotBeReached: functions that start while nobody listens at the
// table's address work as soon as somebody does.
func TestTableThatCanNotBeReached(t *testing.T) {
	t.Parallel()
	listen, address := closed(t)
	s := deployment{endpoint: "http://" + address, timeout: 3 * time.Second, concurrency: 2}.deploy(t)
	d := &drill{stack: s, app: &http.Client{Transport: s.public, Timeout: time.Minute}}
	var all []attempt
	for _, kind := range []string{"registration", "login", "recovery", "verification"} {
		for _, client := range []string{"api", "browser"} {
			all = append(all, attempt{name: kind, method: http.MethodGet, target: base + "/self-service/" + kind + "/" + client})
		}
	}
	for n, a := range d.together(all) {
		refused(t, all[n].name, a)
	}
	listen()
	if err := journey(d.app, "ann@example.com"); err != nil {
		t.Error(err)
	}
}

// closed is an address that is the test's own and refuses connections, until
// listen has the DynamoDB API answer there.
func closed(t *testing.T) (listen func(), address string) {
	t.Helper()
	socket, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	syscall.CloseOnExec(socket)
	file := os.NewFile(uintptr(socket), "closed")
	t.Cleanup(func() { _ = file.Close() })
	if err := syscall.Bind(socket, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	name, err := syscall.Getsockname(socket)
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: dynamodb.NewProxy(t, dynamodb.Endpoint(t)), ReadHeaderTimeout: time.Minute}
	t.Cleanup(func() { _ = server.Close() })
	return func() {
		if err := syscall.Listen(socket, 128); err != nil {
			t.Error(err)
		}
		listener, err := net.FileListener(file)
		if err != nil {
			t.Error(err)
			return
		}
		go func() { _ = server.Serve(listener) }() // until it is closed
	}, fmt.Sprintf("127.0.0.1:%d", name.(*syscall.SockaddrInet4).Port)
}

// TestTableThatRefuses: where no patience helps, the table being another's or
// gone, the answer comes at once, tells nothing of the table, and does not ask
// the client to come back.
func TestTableThatRefuses(t *testing.T) {
	const internal = `{"error":{"code":500,"message":"An internal server error occurred, please contact the system administrator","status":"Internal Server Error"}}`
	for name, row := range map[string]struct {
		env    []string
		script func(dynamodb.Call) dynamodb.Answer
	}{
		"no such table": {[]string{"STYX_TABLE=no-such-table"}, nil},
		"no permission": {nil, func(dynamodb.Call) dynamodb.Answer { return dynamodb.Deny }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := deployment{env: row.env, functions: []string{"registration", "login"}}.drill(t)
			d.proxy.Script(row.script)
			for _, target := range []string{"/self-service/registration/api", "/self-service/registration/browser", "/self-service/login/flows?id=5f2e3b1c-9d1a-4c7e-8a55-0d7c0f5b2a11"} {
				if a := d.send(attempt{method: http.MethodGet, target: base + target}); a.status != http.StatusInternalServerError || a.said != internal+"\n" || a.header.Get("Retry-After") != "" {
					t.Errorf("%s: %v", target, a)
				}
			}
			if !strings.Contains(d.log(), `"err_kind":"internal"`) {
				t.Error("the log does not say what went wrong")
			}
		})
	}
}
