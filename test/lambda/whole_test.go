//go:build dynamodb

package lambda_test

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"styx/test/dynamodb"
)

// whole checks that nothing in the table is there by half: every name that is
// taken is taken by somebody who knows of it and the other way around, and every
// session has its pointer and somebody it is of.
func (s *stack) whole(t *testing.T) {
	t.Helper()
	names := map[string][]string{} // of an identity, by its id
	var taken [][2]string          // a name and whose it is
	sessions, pointers := map[string]string{}, map[string]string{}
	for _, item := range dynamodb.Items(t, dynamodb.Endpoint(t), s.table) {
		kind, id, _ := strings.Cut(strings.TrimPrefix(item["pk"].S, "0."), "#")
		session, ofSession := strings.CutPrefix(item["sk"].S, "S#")
		switch {
		case kind == "I" && ofSession:
			sessions[session] = id
		case kind == "I" && item["sk"].S == "#":
			var who struct{ Guards []string }
			if err := json.Unmarshal([]byte(cmp.Or(item["doc"].S, string(item["doc"].B))), &who); err != nil {
				t.Fatal(err)
			}
			names[id] = who.Guards
		case kind == "S":
			pointers[id] = item["st"].S
		case kind == "A" || kind == "C":
			taken = append(taken, [2]string{kind + "#" + id, item["st"].S})
		}
	}
	for _, name := range taken {
		if !slices.Contains(names[name[1]], name[0]) {
			t.Errorf("%s is taken by %s, who does not have it", name[0], name[1])
		}
	}
	for id, all := range names {
		for _, name := range all {
			if !slices.Contains(taken, [2]string{name, id}) {
				t.Errorf("%s has %s, which is not taken", id, name)
			}
		}
	}
	for session, id := range sessions {
		if _, known := names[id]; !known || pointers[session] != id {
			t.Errorf("session %s is of %s, and its pointer names %q", session, id, pointers[session])
		}
	}
	for session := range pointers {
		if _, known := sessions[session]; !known {
			t.Errorf("a pointer names the session %s, which is not there", session)
		}
	}
	if len(names) == 0 || len(taken) == 0 {
		t.Errorf("the table holds %d identities and %d names", len(names), len(taken))
	}
}
