// Package fault breaks the calls of an [adapters.Set] on purpose: the n-th one,
// or those of one port, method or environment, before they are passed on or
// after. It is for tests of everything that drives the ports: this library, and
// automation that embeds it. It knows nothing of what the ports do; failures
// that follow from the state of the other system are better made in a world of
// package adapters/fake, which is usually what is wrapped.
//
// The point is to sweep instead of to sample:
//
//	for n := 0; ; n++ {
//		inj := fault.OnIndex(n, fault.After, errors.New("the line went dead"))
//		err := run(fault.Wrap(set, inj))
//		if !inj.Hit() {
//			break // every call has had its turn
//		}
//		// what must hold whichever call was lost; inj says which one it was
//	}
//
// [After] is the interesting half: the call took effect and nobody was told.
// [Hang], [Panic] and [Cancel] stand for an error in the third place and make
// the call hang, panic, or be canceled while it is under way. [Watch] sees every
// call before it is passed on, for example to check that the journal knows of
// it already.
//
// Calls are counted in the order in which they arrive. Where only one is under
// way at a time, the same run meets the same faults every time.
package fault
