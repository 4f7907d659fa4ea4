//go:build dynamodb

package lambda_test

import (
	"net/http"
	"sync/atomic"
	"testing"

	"styx/test/dynamodb"
)

// hiccups are ways in which the table is out for a moment.
func hiccups() map[string]func(dynamodb.Call) dynamodb.Answer {
	var calls atomic.Int64
	return map[string]func(dynamodb.Call) dynamodb.Answer{
		"the first answer to each write is lost": dynamodb.DropFirst,
		"every other call is throttled": func(dynamodb.Call) dynamodb.Answer {
			if calls.Add(1)%2 == 1 {
				return dynamodb.Throttle
			}
			return dynamodb.Forward
		},
		"each transaction is in conflict once, each batch read is half": func(c dynamodb.Call) dynamodb.Answer {
			switch {
			case c.Verb == "BatchGetItem" && c.Items > 1:
				return dynamodb.Unprocessed
			case c.Writes() && !c.Repeat:
				return dynamodb.Conflict
			}
			return dynamodb.Forward
		},
	}
}

// TestHiccupOfTheTable: no client notices one, and nothing happens twice.
func TestHiccupOfTheTable(t *testing.T) {
	for name, script := range hiccups() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := site{concurrency: 20}.drill(t)
			all := d.prepare(t)
			d.proxy.Reset()
			d.proxy.Script(script)
			answers := d.together(all)
			d.proxy.Script(nil)
			for n, a := range answers {
				if !a.acknowledged() {
					t.Errorf("%s: %v", all[n].name, a)
					continue
				}
				all[n].kept(t, a)
			}
			d.whole(t)
			d.discreet(t, all)
		})
	}
}

// TestTableThatIsGone: no patience helps, so the answer comes at once, tells
// nothing of the table, and does not ask the client to come back.
func TestTableThatIsGone(t *testing.T) {
	d := site{env: []string{"STYX_TABLE=no-such-table"}, functions: []string{"registration", "session", "login"}}.drill(t)
	const internal = `{"error":{"code":500,"message":"An internal server error occurred, please contact the system administrator","status":"Internal Server Error"}}`
	for _, one := range []attempt{
		{method: http.MethodGet, target: base + "/self-service/registration/api"},
		{method: http.MethodGet, target: base + "/self-service/login/flows?id=5f2e3b1c-9d1a-4c7e-8a55-0d7c0f5b2a11"},
	} {
		if a := d.send(one); a.status != http.StatusInternalServerError || a.said != internal+"\n" || a.header.Get("Retry-After") != "" {
			t.Errorf("%s: %v", one.target, a)
		}
	}
}
