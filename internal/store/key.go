package store

import (
	"styx/internal/secret"
	"styx/internal/table"
)

// tenant begins every partition key. There is one tenant today.
const tenant = "0."

// only is the sort key of a partition's main item.
const only = "#"

// The kinds of partition; the letter follows the tenant.
const (
	identities = "I#"
	pointers   = "S#"
	flows      = "F#"
	errorsSeen = "E#"
	counters   = "R#"
	parked     = "O#"
)

// sessionsOf begins the sort key of a session within its identity's partition.
const sessionsOf = "S#"

// key is the one place where partition keys are made.
func key(kind, id string) table.Key { return table.Key{PK: tenant + kind + id, SK: only} }

// guardKey is where the uniqueness of a name is kept: a guard begins with its
// own kind, such as C#password#.
func guardKey(guard string) table.Key { return key("", guard) }

func sessionKey(identity, session string) table.Key {
	return table.Key{PK: tenant + identities + identity, SK: sessionsOf + session}
}

// onceOf begins the sort key of a number that may only rise.
const onceOf = "T#"

func onceKey(identity, name string) table.Key {
	return table.Key{PK: tenant + identities + identity, SK: onceOf + name}
}

// shards spread each list of the index over partitions.
const shards = "0123456789abcdef"

// identityShard orders identities by id across shards: shard after shard is id
// order. Sessions are spread by their random last digit.
func identityShard(id string) string { return tenant + identities + id[:1] }

func sessionShard(id string) string { return tenant + pointers + id[len(id)-1:] }

// parse accepts an id only in the one form it is stored in.
func parse(id string) (string, bool) {
	parsed, err := secret.ParseUUID(id)
	return parsed.String(), err == nil
}
