package dynamo

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"styx/internal/table"
)

// What a few conditions and changes become; that DynamoDB understands them as table.Holds does, the suite shows.
func TestExpressions(t *testing.T) {
	for _, c := range []struct {
		cond table.Cond
		text string
	}{
		{table.Absent(), "(NOT (attribute_exists(#pk)))"},
		{table.Any(table.Absent(), table.Is(table.AttrSt, "a")), "((NOT (attribute_exists(#pk))) OR (#st = :0))"},
		{table.Is(table.AttrSt, ""), "(attribute_not_exists(#st))"},
		{table.Is(table.AttrN, 0), "(attribute_not_exists(#n) OR #n = :0)"},
		{table.Less(table.AttrN, 5), "(attribute_not_exists(#n) OR #n < :0)"},
		{table.Less(table.AttrN, 0), "(#n < :0)"},
		{table.More(table.AttrExp, 9), "(#exp > :0)"},
		{table.More(table.AttrV, -1), "(attribute_not_exists(#v) OR #v > :0)"},
		{table.Any(), "(attribute_exists(#pk) AND attribute_not_exists(#pk))"},
	} {
		if got := newExpression().cond(c.cond); got != c.text {
			t.Errorf("got %s, want %s", got, c.text)
		}
	}
	x := newExpression()
	text := x.update([]table.Change{table.Add(table.AttrN, 1), table.Set(table.AttrSt, "a"), table.Set(table.AttrV, 0)}, "id")
	want := "SET #w = :1, #w1 = if_not_exists(#w, :0), #w2 = if_not_exists(#w1, :0), #w3 = if_not_exists(#w2, :0), #st = :3 ADD #n :2 REMOVE #v"
	if text != want {
		t.Errorf("got %s\nwant %s", text, want)
	}
}

func TestUnmarshal(t *testing.T) {
	for name, c := range map[string]struct {
		from attributes
		want string
	}{
		"unknown attributes": {
			attributes{"pk": str("p"), "sk": str("s"), "w": str("x"), "later": num(1), "list": &types.AttributeValueMemberL{}},
			"{Key:{PK:p SK:s} Doc:[] V:0 DV:0 Exp:0 TTL:0 N:0 St: GK: GS:}",
		},
		"all": {
			attributes{"pk": str("p"), "sk": str("s"), "doc": str("{}"), "v": num(1), "dv": num(2), "exp": num(3), "ttl": num(4), "n": num(-5), "st": str("a"), "gk": str("g"), "gs": str("h")},
			"{Key:{PK:p SK:s} Doc:[123 125] V:1 DV:2 Exp:3 TTL:4 N:-5 St:a GK:g GS:h}",
		},
		"no key":         {attributes{"pk": str("p")}, "error"},
		"not an integer": {attributes{"pk": str("p"), "sk": str("s"), "n": &types.AttributeValueMemberN{Value: "1.5"}}, "error"},
	} {
		item, err := unmarshal(c.from)
		got := "error"
		if err == nil {
			got = fmt.Sprintf("%+v", *item)
		}
		if got != c.want {
			t.Errorf("%s: got %s, want %s", name, got, c.want)
		}
	}
}
