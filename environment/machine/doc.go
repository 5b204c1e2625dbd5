// Package machine is the kernel of changeover: declarative state machines that
// can be validated, explained, drawn and extended as data. It is for the
// procedures (packages migration and rollback), for hosts that drive them, and
// for users who extend a procedure or define one of their own.
//
// A [Table] is the definition; [New] validates and compiles it into a
// [Machine], which holds no state of its own and serves any number of
// environments from any number of goroutines. Deciding is pure: no I/O, no
// clock, no goroutine, no order of maps. Effects are only named here; a host
// carries them out ([Do]) and hands their outcome back as a trigger. This
// package does not run anything, keep anything, or wait for anything.
//
// # How to define a table
//
//   - Facts come first: a struct F of small values that are learned on the way.
//     It never holds a secret.
//   - A [Node] is a state: a fact that has been verified, named by a participle
//     (BackedUp). It may ask for one effect; a state that asks for none rests
//     until somebody else fires a trigger; a final one may be the end.
//   - An [Edge] leads from a state, on a trigger, to a state. There is one edge
//     for a state and a trigger: route by trigger, refuse by guard. When an
//     effect can end in two ways, it fires two triggers.
//   - A [Guard] is a named pure condition over the facts. On an edge it says
//     what must hold before the destination may be claimed; in Needs, what must
//     hold before the effect may be issued at all.
//   - An [Effect] says how work may be repeated and what its failures mean.
//
// [Table.Validate] reports every mistake at once, [Table.WriteMermaid] and
// [Table.WriteDOT] draw the table, and [Table.WriteMatrix] writes down what
// every trigger does in every state, for a test to compare. [Table.Insert],
// [Table.Require], [Table.Guard] and [Table.Replace] extend a table that
// somebody else has defined.
//
// Transitions are executed by github.com/qmuntal/stateless, which no other
// package imports. Its entry and exit actions are never used: a state is
// entered only when what its name says has been verified.
package machine
