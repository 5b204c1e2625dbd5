package machine

import "context"

// A Call is one attempt at an effect, as a host hands it to a [Do].
type Call[F any] struct {
	ID          string // the same for every attempt, over crashes too: an idempotency key
	Environment string // name of the environment; "*" for the infrastructure
	Leg         string
	State       State
	Effect      Effect
	Attempt     int // counts from 1
	// Facts are the facts known before the call. The step changes them to what
	// it has learned; they are kept whatever it returns.
	Facts F
}

// A Do carries out an effect, or observes what came of it. It returns the
// trigger that says what has happened. An error means one of three things:
//
//   - an error with a method Condition() string that is not empty: the effect
//     is known not to have happened, for that reason; the table decides;
//   - an error that is a hold (package journal): the run must wait for a
//     person;
//   - any other error: the outcome is unknown.
//
// A Do that observes returns [NotDone] when it is certain that the effect did
// not happen.
type Do[F any] func(ctx context.Context, c *Call[F]) (Trigger, error)

// NotDone is returned by an observation that is certain that the effect did
// not happen.
const NotDone Trigger = ""

// A Step is what a host needs to carry out one effect.
type Step[F any] struct {
	// Before changes the facts that are recorded with the intent, before the
	// call; nil leaves them alone.
	Before func(F) F
	// Do carries the effect out.
	Do Do[F]
	// Observe finds out what came of an attempt whose outcome is unknown. nil
	// means that Do itself may be called again to find out; an effect that
	// mutates needs one.
	Observe Do[F]
}
