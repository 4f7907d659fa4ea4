// Package selfservice is the flow engine: everything people do for themselves
// under /self-service and /sessions.
//
// It owns the phases of a request (load, guard, bind, judge, hooks, one write,
// render), so that no method can forget one, and every answer of these
// endpoints. Methods judge; the engine acts.
package selfservice
