// Package check asks a JSON schema validator for a second opinion on a
// configuration, so that config.schema.json means the same to us as to every
// editor that reads it.
//
// It owns nothing but the question. It is linked by the command line alone: the
// validator costs a Lambda milliseconds before its first request.
package check
