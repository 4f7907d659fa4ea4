// Package ui holds what a form is made of: nodes, messages and the text ids
// that user interfaces key on, all as data.
//
// It owns the one table that turns a text id into English, the JSON shape of a
// form and the order of its nodes. It knows no flow, no method and no request.
package ui
