//go:build !race

package lambda_test

// raced is set in a test run with the race detector: the functions are built
// with it, too.
const raced = false
