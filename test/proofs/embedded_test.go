//go:build !dynamodb

package proofs

// backends are those that need nothing but Go.
func backends() []backend { return embedded() }
