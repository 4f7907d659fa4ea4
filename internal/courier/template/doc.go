// Package template renders messages.
//
// It owns the default wording, mail in plain text and in HTML that mail clients
// render, and reads an operator's own templates in its place: per part of a
// message, from a URI or from a folder. Each is compiled once, at first use.
//
// It refuses to lend a template that came over the network anything of this
// process: it gets the functions that depend on their arguments alone.
package template
