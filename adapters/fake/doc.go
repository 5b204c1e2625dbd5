// Package fake is a small OutSystems infrastructure in memory: the vendor's
// Licensing Portal with its slots, a Service Center for every environment,
// LifeTime, a backup vault, a support desk and an operator. It is for everybody
// who tests against the ports of package adapters: this library, your own
// automation, and adapters that are compared with it. It is not a model of the
// platform beyond what the procedures touch, and it never was near a real
// license.
//
// There is one [World], and the six ports of [World.Set] are its facets: what
// is uploaded through one is seen through another, as in reality. Failures are
// consequences of state and not answers from a script. To see a republish
// refused for intellectual property, mark a module ([World.MarkModule]) and
// move the environment to another activation code; to see a serial number
// missing, take it out of the portal ([World.DropSerial]). Calls that break on
// the way are the business of package adapters/fault, which wraps this one or
// any other Set.
//
// # What the world does
//
// The portal finds registrations by serial number, Service Centers are found
// by address (by name if the environment has none), LifeTime finds
// environments by name. A Service Center installs a license only for its
// server's own serial number. A module that is published under a license whose
// word is Protected is marked with that license's code; a marked module is
// refused wherever the installed license has another code and says Protected
// or Unprotected, and stays marked (facts.md 6). LifeTime refuses to pause
// while a deployment is running. The vault keeps two copies and changes none.
//
// # How to use it
//
// [New] gives an infrastructure that is ready to be moved. The zero World is
// empty and ready too. Every change of circumstances is a method that names
// what has happened: SetIPP, ChangeSerial, InstallByHand. A method that names
// an environment or a module that does not exist makes every later port call
// fail and says so there, so that a typing mistake in a test cannot make the
// test pass; [World.Err] returns it as well.
//
// Look at the result with [World.Installed], [World.Published], [World.Cases],
// and at the way there with [World.Calls] and [World.Effects]. All of them
// return copies. Whoever serves a world to others, as package
// adapters/simulator does, also finds [World.Infrastructure], [World.Accounts],
// [World.Deployments] and [World.Publishable]. [World.Save] and [World.Load] carry a world from one process
// to the next.
//
// A World is safe for concurrent use. It starts no goroutine and reads no
// clock: without [World.Now] its time begins at [Start] and advances by one
// second with everything that is changed.
package fake
