// Package jsonnet runs the operator's Jsonnet programs: the bodies of web hooks
// and of HTTP channels, the mapping of an upstream's claims, the claims of a
// session as a token.
//
// It owns the sandbox. A program sees what it is handed and nothing else: no
// file, no import, no native function, no environment. It runs in a process of
// its own, made from the same executable, because nothing else ends a program
// that loops or that asks for all the memory: the interpreter cannot be
// cancelled, and Go cannot end a goroutine. Such an evaluator is kept for the
// next program, sleeps in a read in between, and is killed when a program
// overruns its limits or its request. What the process was started with (keys,
// tokens) is not in its environment.
//
// It refuses to run a program inside this process, and so it needs Main to be
// called where the process starts.
package jsonnet
