// Package migrate turns what other identity systems hand out into bodies of the
// admin API: exports and admin APIs of an Ory Kratos, user lists of an Amazon
// Cognito user pool. It reads in one pass and holds one identity at a time.
package migrate
