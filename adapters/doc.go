// Package adapters declares what changeover needs from the outside: the ports
// that its users implement for their own portals, the conditions with which
// adapters answer, and [Set], which holds one adapter for every port. If you
// are writing an adapter, this is the page to read; if you are embedding
// changeover, you fill a Set and read package changeover.
//
// # How to write an adapter
//
// Implement one port, two or three methods, and run its suite from package
// adapters/adaptertest in a test of your own; the suite is the contract,
// clause by clause. adapters/fake has a complete world to test against.
//
// What holds for every method of every port:
//
//   - Calls come from several goroutines, at most one at a time for one
//     environment.
//   - The same call may come again, after a crash even if it was completed. It
//     then does nothing more, or the same again.
//   - Return soon after ctx is done. A call whose ctx is done before it begins
//     changes nothing and returns an error. A call may take hours, since an
//     adapter may be a person.
//   - Add what you know with fmt.Errorf and %w: the environment, the request,
//     the server's text. Put no license bytes, activation codes, passwords or
//     tokens into errors.
//   - Adapters hold no policy: they do not retry, do not remember, do not
//     decide. The tables of the procedures do.
//
// # Three answers
//
// Every call ends in one of three ways. A nil error means done. An error that
// wraps one of the conditions of this package ([ErrRejected], [ErrBusy], …)
// means that it was certainly not done, and why. Every other error, and every
// error that wraps [ErrUncertain], means that nobody knows. Then the engine
// looks before it acts again, and holds for a person when it cannot see. When
// in doubt, return the plain error: it costs one look. A condition that is not
// true can cost Production its license.
//
// A success answer of the other system is not enough: Service Center answers
// HTTP 200 with success=false (facts.md 3.1).
//
// # People
//
// Any port may be answered by a person (package adapters/attended). An adapter
// that knows who stated something, and when, says so with [Testify]; the
// journal keeps it.
package adapters
