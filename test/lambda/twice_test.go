//go:build dynamodb

package lambda_test

import "testing"

// TestEventThatComesTwice delivers each request a second time, once it was
// answered: what can be done once is done once, and the client is told so.
func TestEventThatComesTwice(t *testing.T) {
	d := deployment{}.drill(t)
	for _, one := range d.prepare(t) {
		first, second := d.send(one), d.send(one)
		if !first.acknowledged() {
			t.Fatalf("%s: %v", one.name, first)
		}
		if one.again != "" && !one.repeated(second) || one.again == "" && !second.acknowledged() {
			t.Errorf("%s, again: %v", one.name, second)
		}
		one.kept(t, first)
	}
	d.whole(t)
}

// TestEventThatComesTwiceAtOnce: of what can be done once, one wins.
func TestEventThatComesTwiceAtOnce(t *testing.T) {
	const copies = 4
	d := deployment{concurrency: copies}.drill(t)
	for _, one := range d.prepare(t) {
		var won []answer
		for _, a := range d.together([]attempt{one, one, one, one}) {
			switch {
			case a.acknowledged():
				won = append(won, a)
			case !one.repeated(a):
				t.Errorf("%s, one of %d: %v", one.name, copies, a)
			}
		}
		if one.again != "" && len(won) != 1 || one.again == "" && len(won) != copies {
			t.Fatalf("%s: %d of %d won", one.name, len(won), copies)
		}
		one.kept(t, won[0])
	}
	d.whole(t)
}
