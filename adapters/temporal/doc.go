// Package temporal runs changeovers on a Temporal server: one workflow for each
// infrastructure, whose port calls are activities and whose waits are timers. It
// is for programs that have such a server already, and for those that move many
// infrastructures with workers that come and go. The engine, the tables, the
// journal and the report are those of package changeover: a [Host] gives a
// worker its ports and its journal, [NewWorkers] starts it, and [Start] and
// [Open] are the operator's side.
//
// The history of a workflow is not the record of the run: the journal is, and a
// run goes over from a process to a workflow and back with it. License files
// never get into a history; the plan, with its activation codes, does.
//
// It is not a service with users and permissions: whoever reaches the namespace
// may decide. It does not carry runs on in a new workflow when a history is
// full: [NewRequest] refuses what does not fit in one.
package temporal
