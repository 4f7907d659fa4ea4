// Package app is the composition root: from a configuration and a table it
// makes the handlers of each function. Its folder app/routes is the one table of
// routes.
//
// It opens no connection. What needs a heavy library stands in a folder of its
// own, so that a function links only what it serves: app/signup judges traits,
// app/full has everything in one process.
package app
