// Package adaptertest holds one conformance suite for every port of package
// adapters. It is for the authors of adapters: a suite is the port's contract,
// clause by clause, and an adapter that passes it can be used by changeover.
// It is not for production code, and it tests nothing about the speed or the
// set-up of an adapter.
//
// # How to test an adapter
//
//  1. Write a test that calls the suite of your port, for example
//     [TestServiceCenter], with a function that makes a harness.
//  2. The function is called once for every clause and gives a fresh world:
//     what one clause did must not be seen by the next. Clean up with
//     t.Cleanup.
//  3. Fill the fields that every harness needs: the adapter, and the
//     environments, codes and files that the comments ask for. A clause fails
//     and names the field if one is missing.
//  4. Start with every inability that the harness knows: the flags
//     (OneEnvironment, CannotReject, …) set, the hooks nil. A clause that needs
//     an inability is skipped, and the inability is named.
//  5. Make it pass, then take the inabilities away one by one. A hook puts the
//     system behind the adapter into a state that the port itself cannot
//     bring about: somebody else publishes, the slots are used up, a copy is
//     damaged. Hooks are called from the goroutine of the clause, never while
//     a call is under way, unless their comment says otherwise.
//  6. Run it with -race: the clause about several environments calls the
//     adapter from several goroutines.
//
// A clause that breaks prints the sentence of the contract that it stands for,
// and what was seen instead. No clause sleeps; a call that does not return
// after its context is done is given up after ten seconds.
package adaptertest
