//go:build dynamodb

package lambda_test

import (
	"maps"
	"slices"
	"sync/atomic"
	"testing"

	"styx/test/dynamodb"
)

// TestFunctionKilledMidRequest kills a function at each call of the table in
// turn, before the table has it and after it carried it out. The client has no
// answer, and sends the request again: it is carried out then, or was before.
func TestFunctionKilledMidRequest(t *testing.T) {
	for _, name := range slices.Sorted(maps.Keys(attempts)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := deployment{}.drill(t)
			d.person(t) // a bystander
			for killed, call := true, int64(1); killed; call++ {
				for _, last := range []dynamodb.Answer{dynamodb.Refuse, dynamodb.Drop} {
					killed = d.killedAt(t, attempts[name](d, t), call, last)
				}
			}
			d.whole(t)
		})
	}
}

// killedAt kills the function that serves a request at that call of the table,
// whose answer is the last that the table gives. It returns false when there is
// no such call.
func (d *drill) killedAt(t *testing.T, one attempt, call int64, last dynamodb.Answer) bool {
	t.Helper()
	var calls atomic.Int64
	d.proxy.Script(func(dynamodb.Call) dynamodb.Answer {
		if calls.Add(1) != call {
			return dynamodb.Forward
		}
		d.kill(one.function)
		return last
	})
	first := d.send(one)
	d.proxy.Script(nil)
	if first.acknowledged() {
		if calls.Load() >= call {
			t.Fatalf("killed at call %d it answers %v", call, first)
		}
		if call == 1 {
			t.Fatal("the request needs no table")
		}
		return false
	}
	if !first.died() {
		t.Fatalf("killed at call %d it answers %v", call, first)
	}
	d.start(t.Context(), t, one.function)
	second := d.send(one)
	if !second.acknowledged() && !one.repeated(second) {
		t.Errorf("killed at call %d, carried out %v: the next is told %v", call, last == dynamodb.Drop, second)
		return true
	}
	one.kept(t, second)
	return true
}
