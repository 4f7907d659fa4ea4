package dynamo

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// A transaction that is sent again after its answer was lost says what it read to know that it was carried out.
func TestRepeatedTransactionsRead(t *testing.T) {
	for name, c := range map[string]struct {
		said     types.ConsumedCapacity
		rcu, wcu float64
	}{
		"carried out":    {types.ConsumedCapacity{CapacityUnits: new(5.0), WriteCapacityUnits: new(4.0)}, 0, 5}, // the index took one
		"said before":    {types.ConsumedCapacity{CapacityUnits: new(4.0), ReadCapacityUnits: new(4.0)}, 4, 0},
		"a total alone":  {types.ConsumedCapacity{CapacityUnits: new(2.0)}, 0, 2},
		"nothing at all": {types.ConsumedCapacity{}, 0, 0},
	} {
		if rcu, wcu := transacted(&c.said); rcu != c.rcu || wcu != c.wcu {
			t.Errorf("%s: %v and %v, want %v and %v", name, rcu, wcu, c.rcu, c.wcu)
		}
	}
}
