package dynamo

import (
	"fmt"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"styx/internal/table"
)

// attributes are an item's, as DynamoDB has them.
type attributes = map[string]types.AttributeValue

func str(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

func num(n int64) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(n, 10)}
}

func marshalKey(k table.Key) attributes { return attributes{"pk": str(k.PK), "sk": str(k.SK)} }

// marshal returns the changes that make an item what it is: one for each attribute, in a fixed order. The document is a
// string, so that people can read it in the console.
func marshal(i *table.Item) []table.Change {
	return []table.Change{
		table.Set(table.AttrDoc, i.Doc),
		table.Set(table.AttrV, i.V),
		table.Set(table.AttrDV, i.DV),
		table.Set(table.AttrExp, i.Exp),
		table.Set(table.AttrTTL, i.TTL),
		table.Set(table.AttrN, i.N),
		table.Set(table.AttrSt, i.St),
		table.Set(table.AttrGK, i.GK),
		table.Set(table.AttrGS, i.GS),
	}
}

// unmarshal reads an item. Attributes it does not know are left alone.
func unmarshal(from attributes) (*table.Item, error) {
	item := &table.Item{}
	texts := map[string]*string{"pk": &item.PK, "sk": &item.SK, "st": &item.St, "gk": &item.GK, "gs": &item.GS}
	numbers := map[string]*int64{"v": &item.V, "dv": &item.DV, "exp": &item.Exp, "ttl": &item.TTL, "n": &item.N}
	for name, value := range from {
		switch v := value.(type) {
		case *types.AttributeValueMemberS:
			if to := texts[name]; to != nil {
				*to = v.Value
			} else if name == string(table.AttrDoc) && v.Value != "" {
				item.Doc = []byte(v.Value)
			}
		case *types.AttributeValueMemberN:
			if to := numbers[name]; to != nil {
				n, err := strconv.ParseInt(v.Value, 10, 64)
				if err != nil {
					return nil, fmt.Errorf("attribute %q of a stored item: %w", name, err)
				}
				*to = n
			}
		}
	}
	if item.PK == "" || item.SK == "" {
		return nil, fmt.Errorf("a stored item has no key")
	}
	return item, nil
}

// unmarshalOld reads the item that stood where a condition failed, nil if there was none.
func unmarshalOld(from attributes) (*table.Item, error) {
	if len(from) == 0 {
		return nil, nil
	}
	return unmarshal(from)
}
