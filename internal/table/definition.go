package table

// Layout is what the one table is made of. DynamoDB tables are created from it, by dynamo.Create as by the stack.
type Layout struct {
	PartitionKey, SortKey string // both strings
	Index                 Index
	TTL                   string // the attribute by which the store deletes
	Stream                string // StreamViewType
	BillingMode           string
	PointInTimeRecovery   bool // where data is to last; dynamo.Create makes tables for development and leaves both out
	DeletionProtection    bool
}

// Index is the table's one global secondary index, on two string attributes.
type Index struct {
	Name, PartitionKey, SortKey string
	Projection                  string
}

// Definition returns the layout of the one table.
func Definition() Layout {
	return Layout{
		PartitionKey:        "pk",
		SortKey:             "sk",
		Index:               Index{Name: "list", PartitionKey: string(AttrGK), SortKey: string(AttrGS), Projection: "ALL"},
		TTL:                 string(AttrTTL),
		Stream:              "NEW_IMAGE",
		BillingMode:         "PAY_PER_REQUEST",
		PointInTimeRecovery: true,
		DeletionProtection:  true,
	}
}
