// Package law states what must hold of every run, as predicates that can be
// broken: the invariants of reliability.md B5, under their numbers. It is for
// the tiers of package reliability and for the public test kit; all of them ask
// this one package, so that a promise has one wording.
//
// A [Monitor] follows a run as a sequence of [Event]s, the moments that matter:
// what became durable in the journal, what was asked of the world, what was
// seen. It is a small value that can be compared, so the model checker keeps
// one in every state. A [Watch] stands between an engine and its ports, journal
// and clock, and makes events of what goes through; it needs no help from
// either side. [Clean] looks through what was printed.
//
// It does not know the engine, the procedures' code, or any world: it would not
// notice a mistake that it shared with them.
package law

import (
	"fmt"
	"math/bits"
	"strings"
	"time"
)

// What is promised of readings, said here once more so that the tables cannot
// take it back unnoticed.
const (
	Window = 2 * time.Minute // in which a change settles
	Reads  = 2               // equal readings in a row that can be believed
)

// A Law is the number of an invariant.
type Law uint8

// The laws, by the numbers of reliability.md B5.
const (
	BK1 Law = iota
	BK3
	BK4
	BK8
	OR1
	OR2
	OR3
	OR4
	OR5
	OR6
	OR7
	PA1
	PA2
	PA4
	PA5
	RB1
	RB2
	RB3
	RB4
	RB5
	RB7
	RB8
	MX1
	MX2
	MX3
	MX4
	CC2
	JR1
	JR3
	JR6
	XS1
	XS5
	laws
)

var sentences = [laws]struct{ number, sentence string }{
	BK1: {"BK1", "No license is uploaded to an environment before a source license for its server is in the vault, in enough copies that were read back."},
	BK3: {"BK3", "What is uploaded was stored in the vault before, byte for byte."},
	BK4: {"BK4", "What is uploaded is for the serial number that the server itself states."},
	BK8: {"BK8", "No target license is registered or uploaded anywhere before every environment has its backup and the gate was opened."},
	OR1: {"OR1", "Every mutating call is preceded by a durable intent, one attempt at a time."},
	OR2: {"OR2", "No state is entered on an answer that left open what was done; only a reading after the call settles it."},
	OR3: {"OR3", "A serial number is never registered again while it is open whether it was registered."},
	OR4: {"OR4", "IPVerified needs equal readings after the upload that show the license of the leg, this server, and an accepted word."},
	OR5: {"OR5", "Republished needs a publish that finished without errors and left the same version."},
	OR6: {"OR6", "No state is skipped."},
	OR7: {"OR7", "No target license that was fetched before the vendor corrected the licenses is uploaded."},
	PA1: {"PA1", "No upload and no republish of the way forward unless deployments were seen paused since it was decided."},
	PA2: {"PA2", "Once deployments were seen going on, nothing goes forward until they are seen paused again."},
	PA4: {"PA4", "A pause that the run has not set is never released by the run."},
	PA5: {"PA5", "Deployments are resumed only after a sweep has found one license everywhere, tested, or a person took responsibility."},
	RB1: {"RB1", "Once the line is stopped on record nothing is issued forward anywhere; nothing is put back before."},
	RB2: {"RB2", "Every environment that shows, or was sent, a target license is put back before the run counts as rolled back."},
	RB3: {"RB3", "Every environment that may hold a target license is attempted, whatever happens to the others."},
	RB4: {"RB4", "A restore counts only after a reading shows the source license for this server."},
	RB5: {"RB5", "What was put back counts as rolled back only after it was tested."},
	RB7: {"RB7", "Where no target license is or was, nothing is put back."},
	RB8: {"RB8", "Nothing is put back while a forward upload may still land, unless it was given time to."},
	MX1: {"MX1", "A run is never called done while an environment differs."},
	MX2: {"MX2", "The sweep comes after the last change and after the time that it needs to settle."},
	MX3: {"MX3", "A run that is not over says what holds it, who can end that, and how."},
	MX4: {"MX4", "Where a reading contradicts what the run has done, nothing goes forward before it is read again."},
	CC2: {"CC2", "Every process writes under an epoch of its own, higher than those before."},
	JR1: {"JR1", "Replaying a journal twice gives the same record."},
	JR3: {"JR3", "However often a run is interrupted, the world ends as it does without, or a hold names the doubt."},
	JR6: {"JR6", "What was acknowledged is in the journal for good."},
	XS1: {"XS1", "No secret is in anything that is printed or recorded."},
	XS5: {"XS5", "No control character of a stranger is in anything that is printed."},
}

// String returns the law's number, for example "BK1".
func (l Law) String() string {
	if l < laws {
		return sentences[l].number
	}
	return fmt.Sprintf("Law(%d)", uint8(l))
}

// Sentence returns what the law says.
func (l Law) Sentence() string { return sentences[l].sentence }

// Laws returns all laws, in the order of their declaration.
func Laws() []Law {
	all := make([]Law, laws)
	for i := range all {
		all[i] = Law(i)
	}
	return all
}

// Parse returns the law with that number.
func Parse(number string) (Law, error) {
	for _, l := range Laws() {
		if l.String() == number {
			return l, nil
		}
	}
	return 0, fmt.Errorf("there is no law %q; the laws are %v", number, Laws())
}

// A Set is a set of laws.
type Set uint64

// Of returns the set of the laws.
func Of(all ...Law) (s Set) {
	for _, l := range all {
		s |= 1 << l
	}
	return s
}

// Has reports whether l is in the set.
func (s Set) Has(l Law) bool { return s&(1<<l) != 0 }

// Laws returns the laws of the set, in the order of their declaration.
func (s Set) Laws() []Law {
	all := make([]Law, 0, bits.OnesCount64(uint64(s)))
	for _, l := range Laws() {
		if s.Has(l) {
			all = append(all, l)
		}
	}
	return all
}

// String lists the numbers, for example "BK1 OR1".
func (s Set) String() string {
	var names []string
	for _, l := range s.Laws() {
		names = append(names, l.String())
	}
	return strings.Join(names, " ")
}

// A Violation is a law that was broken, and by what.
type Violation struct {
	Law  Law
	What string // the event, or what was found
}

// Error says which law was broken, what it says, and what broke it.
func (v Violation) Error() string {
	return fmt.Sprintf("%v is broken by %s (%s)", v.Law, v.What, v.Law.Sentence())
}
