// Package command answers for any port through a program of your own: a
// PowerShell or Python script, a shell script, or the vendor's Configuration
// Tool behind one. It is for those who can operate a portal, a Service Center
// or LifeTime from a script already, and do not write Go; programs written in
// Go use [Serve]. It knows no server, repeats nothing and decides nothing.
//
// # A call
//
// For every call the program is started anew. It reads one request, a JSON
// object, from stdin, and ends with an exit code:
//
//	0           done; stdout is one answer, a JSON object
//	200 to 217  certainly not done, for the reason (package adapters'
//	            conditions, in their order) that the code stands for
//	other       nobody knows
//
// schema.md, beside this file, lists the fields of every request and answer and
// the exit codes. In short:
//
//	{"version":1,"port":"ServiceCenter","method":"UploadLicense","environment":{…},"file":"…"}
//	{"version":1,"method":"UploadLicense"}
//
// A code from 200 asserts that nothing was changed. The range is one that
// shells, curl, rsync and interpreters do not end with when something breaks
// (facts of those tools, not of OutSystems); a script that stops anyway ends
// with another, and the engine looks before it acts again. When in doubt, end
// with 1.
//
// What is not an answer is unknown as well: stdout that is not exactly one
// complete object of this version and method, with any field missing, unknown,
// repeated or spelled in another case; more than 8 MiB; a signal; the time that
// has run out; a process left behind that holds the output open. The error then
// wraps [adapters.ErrUncertain]. A program that could not be started at all has
// done nothing: [adapters.ErrNotReached].
//
// stderr is for people. Its lines go to Options.Log, and the last one is the
// reason in the error of a call that was not done. With a code other than 0,
// stdout stays empty, or is an object with version, method and testimony only.
//
// # The process
//
// No shell takes part, nothing of the environment is inherited, and of the open
// files only stdin, stdout, stderr and Options.Lock. The program leads a
// process group of its own, which is killed when the context is done, when the
// time is over, and, should anything be left of it, when the program has ended.
// A call that is canceled while the program runs is unknown. A program that
// becomes another user (sudo) cannot be killed by us, and is waited for: let it
// end by itself in time. Windows has no such groups: only the program itself is
// killed there, and no lock inherited.
//
// # Secrets
//
// Activation codes and license bytes go over stdin and stdout only, never as
// arguments or in the environment, which other users of the machine may be able
// to read. What the program was handed is hidden should it print that to
// stderr; what it has fetched itself nobody knows, and it must not print.
// Passwords in Options.Env are not hidden, nor is a secret that is printed in
// very short pieces or encoded in an unusual way.
package command
