// Package ordered reads and prints JSON whose member order matters: the
// properties of a schema decide the order of a form's nodes, and traits are
// stored as they were sent.
//
// It reads strangers' bytes, so depth and size are bounded, and a member that
// occurs twice keeps its first place and its last value, as encoding/json
// would read it. It refuses to interpret: a scalar stays the bytes it was.
package ordered
