//go:build dynamodb

package lambda_test

import (
	"net/http"
	"strings"
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
			d := site{concurrency: 20, timeout: 6 * time.Second}.drill(t)
			all := d.prepare(t)
			d.proxy.Script(func(dynamodb.Call) dynamodb.Answer { return outage })
			for n, a := range d.together(all) {
				refused(t, all[n].name, a)
			}
			d.proxy.Script(nil)
			for n, a := range d.together(all) {
				if !a.acknowledged() {
					t.Errorf("%s, once the table is back: %v", all[n].name, a)
					continue
				}
				all[n].kept(t, a)
			}
			d.whole(t)
			d.discreet(t, all)
			if !strings.Contains(d.log(), `"err_kind":"busy"`) {
				t.Error("the log does not say what went wrong")
			}
		})
	}
}
