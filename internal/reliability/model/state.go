package model

import (
	"github.com/changeover-go/changeover/internal/reliability/law"
)

// Environments is how many environments a model can have.
const Environments = 4

// state is one moment of a run: what is on record, what the process knows, how
// the world is, and what the laws have to say. It can be compared.
type state struct {
	envs    [Environments]env
	line    line
	monitor law.Monitor

	faults uint8 // that may still happen

	// In the process.
	proc    proc
	halted  bool // nothing more may be changed
	struck  bool // the walk was stopped by an environment that cannot go on
	walking bool // an effect of the line walks the environments
	swept   bool // a sweep has just ended
	group   uint8
	census  uint8 // how many have a backup, when the walk began

	paused bool // the deployments that must be, in the world
}

// proc says whether a process is at work, and which way.
type proc uint8

const (
	idle proc = iota
	forward
	back
)

// kind is what a license is.
type kind uint8

const (
	nothing    kind = iota // none was fetched, or read
	source                 // prepared for the migration
	sourceAsIs             // as it was found, or not prepared
	target
	targetAsIs // not prepared
	third
)

// flaw is what makes a fetched file one that must not be used.
type flaw uint8

const (
	sound flaw = iota
	otherServer
	otherCode
	expired
)

// phase is where a call stands.
type phase uint8

const (
	none      phase = iota
	intended        // on record, and not made
	answered        // made, and what came of it is not on record
	observing       // to be looked at
)

// answer is what a call has come back with.
type answer uint8

const (
	fine    answer = iota
	silent         // an error that says nothing
	refused        // a condition: the answer minus refused is which caught one
)

// need is what a person must do.
type need uint8

const (
	noNeed need = iota
	someNeed
	correction // the vendor must correct the target licenses
)

// env is one environment.
type env struct {
	// On record.
	table, state    uint8 // table 0: none
	hold            hold
	inFlight, doubt bool
	fetched         kind
	flaw            flaw
	fence           uint8
	backup, kept    bool // a source license, and the fetched file, are in the vault
	shown           kind // as last read
	shownOther      bool // for another server
	targetSent      bool
	published       bool
	need            need
	evidence        bool
	unaccounted     bool // a forward call that nobody knows the end of
	did             uint8
	// In the process.
	phase           phase
	answer          answer
	rested, blocked bool
	holds           bool // the fetched file
	got             kind // what the call has read, to be recorded with its end
	calmed          bool // the time that an unaccounted call needs went by
	// In the world.
	installed, prior kind
	fresh            bool // prior may still be shown
	late             kind // an upload that will land
	other            bool // the server has another serial number
	slot             slot
	// What is true of the fetched file and the vault, whatever is on record.
	stale, stored, proven bool
	// As the server was last read, and whether a hold has said so.
	seenOther, moved bool
}

// slot is the registration of an environment's serial number.
type slot uint8

const (
	unregistered slot = iota
	pending           // sent, and not to be seen yet
	registered
)

// line is the infrastructure's machine.
type line struct {
	// On record.
	table, state                       uint8 // table 0: not begun, 1: forward, 2: back
	hold                               hold
	inFlight, doubt                    bool
	seen, ours, gate, latch, asked, ok bool // asked: a case has a reference; ok: somebody takes responsibility
	fence                              uint8
	// In the process.
	phase         phase
	answer        answer
	sees, latches bool // what seen and latch will be
	opened        bool // in the world: Support has the case
}

// hold is what somebody waits for.
type hold uint8

const (
	free hold = iota
	approval
	support
	inDoubt
	foreign
	mixed
	serial
	unknown
	unavailable
)

var holdNames = [...]string{"free", "approval", "support", "in doubt", "foreign change", "mixed", "serial number", "unknown license", "unavailable"}
