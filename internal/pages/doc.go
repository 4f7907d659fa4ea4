// Package pages is the built-in UI: it shows the self-service flows, the
// session and errors as plain HTML that works without JavaScript.
//
// It owns the pages under /ui/, the page at the root, their style sheet, logo
// and script, and the headers that keep them from being framed, cached or
// scripted.
//
// It is a client of the public HTTP API and nothing more: it reads a flow as
// any other UI would, with the browser's own cookies, and its forms post to the
// flow's action. It knows no method, no storage and no configuration; a node is
// drawn by its type and group. It refuses to judge a return_to, which it only
// hands on, to keep anything between two requests, and to log a query string,
// since flow and error ids stand there.
package pages
