// Package servicecenter speaks to the Service Center of every environment of a
// plan: it asks a server for its serial number, uploads a license, and
// publishes a module again. It is an [adapters.ServiceCenter] for whoever has
// an account there, and needs no person except for the licensing page.
//
// # What is known, and what is not
//
// None of this is documented by the vendor. What this package relies on was
// made public in the vendor's own scripts and in recorded service
// descriptions (facts.md 3.1, 3.4):
//
//   - GetPlatformInfo and SetLicense of OutSystemsPlatform.asmx and
//     PublishRunningVersion of Solutions.asmx are known to the letter.
//   - Of PlatformServices_v8_0_0.asmx the operations and the order of their
//     parameters are known, not the names on the wire. They are read from the
//     service description of the very server, as the vendor's scripts do, and
//     filled and read by position. A server whose description differs is
//     refused with [adapters.ErrUnsupported], before anything is started.
//   - That the publish of a prepared solution is followed by the same operation
//     as a staging, under its SolutionPubId, is not publicly confirmed.
//   - No public API reads the installed license (facts.md 3.6). A [LicensePage]
//     does: a person (adapters/attended), a program (adapters/command), or
//     [BackupLink], whose path, session and content type nobody has published.
//   - How a password is hashed is not documented (facts.md 3.2). A [Credential]
//     is passed on as it is.
//
// # Answers
//
// HTTP 200 is no success. An upload is done when the answer says success=true,
// and certainly not done when it says success=false; a publish is done when it
// has finished without a single error. The statuses 401, 403, 404, 405, 410, 429
// and 501 say that a request was turned away unread; until a publish is started
// they are conditions. A fault, any other status, a page, or an answer that is
// cut off, too long or of another form says nothing of what was done: the error
// then wraps no condition, or [adapters.ErrUncertain]. Texts are compared by
// their beginnings, without regard to case, since there are no codes (facts.md
// 6); only what is said of an account's rights is found anywhere in a text.
//
// The package starts no goroutine that outlives a call, keeps no connection and
// no credential, tries nothing twice, and decides nothing.
package servicecenter
