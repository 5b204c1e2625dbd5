// Package migrationtest is for programs that bring something of their own to a
// migration, and want to know that its promises still hold.
//
// [Check] is for tables: whoever extends the procedure by states, guards or
// effects has everything walked through that can happen to a run under the
// extended tables, in a second or two, with no adapter at all. [Sweep] is for
// adapters and steps: it runs the real thing over a double of the systems, and
// lets the process die at each point that there is.
//
// Both ask the invariants that the project asks of itself. Neither says
// anything about the OutSystems systems behind the adapters; what an adapter
// must promise is in package adaptertest.
package migrationtest
