//go:build dynamodb

package lambda_test

import (
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
			d := deployment{concurrency: 20}.drill(t)
			all := d.prepare(t)
			d.proxy.Reset()
			d.proxy.Script(script)
			answers := d.together(all)
			d.proxy.Script(nil)
			d.kept(t, all, answers)
		})
	}
}
