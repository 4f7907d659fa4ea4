// Package config is the one typed description of how a Styx instance behaves.
//
// It owns the format of styx.yml, which is Ory Kratos' kratos.yml plus a
// `styx:` section: [Load] merges the given files, the environment and the
// command line, fills in the defaults, and hands out a [Config] with a section
// per concern. A room gets its section and nothing else.
//
// config.schema.json is the only place that knows keys, types, bounds and
// defaults; the Go code walks it. Nothing here compiles a regular expression
// or a JSON schema, because a Lambda reads its configuration before its first
// request. The sub-package check asks a JSON schema validator for a second
// opinion and is linked by the command line alone.
//
// It refuses to open files, to read the environment or the clock by itself
// (all of that is handed in), to fetch what a URL in the configuration names,
// and to print a secret.
package config
