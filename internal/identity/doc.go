// Package identity says who somebody is: traits and the schema they follow,
// the identifiers and addresses derived from them, and credentials.
//
// It owns the stored document of an identity and its two views, the normal form
// of identifiers and the names of the guards that keep them unique, the reading
// of an identity schema in its written order, and the decoding of submitted
// forms along such a schema.
//
// It refuses to validate: JSON Schema takes milliseconds to start, so that part
// is the package identity/schema, which functions that only read identities do
// not link. It knows no table, no request and no flow.
package identity
