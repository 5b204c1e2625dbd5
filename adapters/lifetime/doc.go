// Package lifetime answers for the port [adapters.LifeTime] through LifeTime's
// REST interface, version 2 (facts.md 2). It is for everybody whose LifeTime
// has that interface and a service account for it. It registers, deploys and
// aborts nothing, and remembers nothing between two calls.
//
// # What is documented
//
//   - Environments: their key, name, host, and whether the vendor hosts them.
//     An empty list is an answer without a body (204). LifeTime is not in its
//     own list.
//   - Deployments to an environment, from a date on, and the status of each,
//     which takes a call of its own.
//   - Maintenance mode, from LifeTime 11.9.0: it pauses deployments to the
//     environment, and aborts those that are running. That is why they are
//     looked for first. It does not keep developers from publishing in Service
//     Studio or Service Center: that nobody does has to be attested.
//
// A deployment is running while its status is running, aborting or
// needs_user_intervention, or a word that this package does not know. One that
// was saved and never started is not running; neither is one that has vanished
// by the time it is asked about. Whether a running deployment could still be
// aborted makes no difference: the answer is [adapters.ErrBusy].
//
// # What is not documented
//
//   - How maintenance mode is read. Newer answers have a field IsOffline; its
//     name, and one database that was described in public, suggest that it is
//     this. It may mean more: an environment that is offline for another reason
//     would be taken for paused. Where the field is missing, Registered claims
//     no pause, and pausing and resuming answer [adapters.ErrUnsupported]
//     before anything is changed: let a person answer for LifeTime then
//     (adapters/attended).
//   - Which of LifeTime's roles may switch maintenance mode.
//   - Whether a deployment whose abortion was asked for has ended: the date in
//     AbortedOn is not relied on.
//   - How long the list of deployments may get. Only the newest that were
//     started, [DefaultNewest] for each environment unless the options say
//     otherwise, are asked for their status, and an answer of more than 8 MiB is
//     refused; Options.Since shortens it. A deployment that has been running
//     since before those is not seen.
//   - Whether the pause also aborts deployments from the environment to
//     another. Only those to it are looked for.
//   - What happens between the look at the deployments and the pause: one that
//     is started in that moment is aborted by the pause.
//
// # Answers
//
// What LifeTime turns down in the documented form is a condition, and so are
// the statuses 401, 403 and 429 in any form, and what was provably never sent.
// From the moment that the request to change something is on its way, everything
// else is unknown: only what LifeTime shows afterwards counts as done.
package lifetime
