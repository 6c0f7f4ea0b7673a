// Package frontend is the gateway: it takes a build request from BuildKit,
// turns the spec and the context into a plan, draws the graph and returns the
// result.
//
//	request ─dockerui─▶ spec.Parse ─┐
//	context ─scan.Scan──────────────┴─▶ plan.Resolve ─▶ llb.New ─▶ solve ─▶ result
//
// Invariants: it is the only package with a context, and with calls to the
// daemon; whatever a user or a daemon does, Build answers with one
// result or one error; nothing is printed on standard output, which is the
// gateway's connection.
package frontend
