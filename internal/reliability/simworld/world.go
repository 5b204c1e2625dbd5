// Package simworld is a simulated infrastructure for the tiers of the
// reliability programme: Service Centers, LifeTime, portals, a vault, a support
// desk and a person, driven by one source of random choices, so that a seed
// tells everything that happens. It is quick and cheap to make, and shares no
// code with the world that users get (adapters/fake), nor does it read license
// files as the library does: a mistake would have to be made twice.
//
// A [World] misbehaves in the ways that [Fault] lists. It keeps the truth: what
// is really installed, who paused what. And it can kill the process that uses
// it, at any call: from then on it does nothing any more until the next one
// takes over ([World.Kill], [World.Begin]).
//
// It decides nothing about what is right; that is for package law and for the
// tier that drives it. It is not safe for concurrent use.
package simworld

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/internal/reliability/scene"
	"github.com/changeover-go/changeover/license"
)

// Options say how a world is to be.
type Options struct {
	Environments []environment.Environment
	Seed         uint64
	On           uint64        // a bit for each [Fault] that may happen
	Rate         uint32        // how often, in 65,536 calls
	Word         license.IPP   // that target licenses show
	Marked       bool          // some module is marked for the source code: an organic intellectual property error
	Window       time.Duration // in which changes settle
}

// server is one environment.
type server struct {
	environment.Environment
	at      int // its number
	serial  license.SerialNumber
	cur     content // what is installed; without a role: nothing
	old     content // what the page shows until then
	shown   time.Duration
	flaps   bool
	excused bool // it was changed, in a way that nobody promises to notice, after it was read last

	version int
	mark    license.Role // whose intellectual property the module is

	registered map[license.Role]bool
	paused     bool
	byRun      bool // the run has paused it
	controlled bool
	generation int
}

type pending struct {
	at     time.Duration
	beyond bool
	apply  func()
}

type backup struct {
	stored adapters.Stored
	file   license.File
}

// A World is an infrastructure with everything around it.
type World struct {
	Fired [Faults]int64 // how often each fault struck
	Calls int           // of all ports
	// Broken is what the run did that the truth forbids.
	Broken []string
	// Tell is told what happens; nil: nobody is.
	Tell func(string)
	// OnDeath is called when the process dies.
	OnDeath func()
	// OnCall is called at the beginning of each call; nil: nobody is.
	OnCall func()

	files  map[content]license.File
	known  map[license.Digest]content // the world knows its files and need not read them
	salt   uint64
	rng    *rand.Rand
	on     uint64
	rate   uint32
	window time.Duration
	word   license.IPP
	calm   bool
	stuck  []stuck

	now, skew time.Duration
	envs      []server
	pending   []pending
	backups   []backup
	cases     []string

	dead   bool
	cancel context.CancelFunc
	fuse   int // points that are left until the process dies; negative: it does not
}

// New returns a world in which every environment has its source license, and
// nothing else has happened.
func New(o Options) *World {
	w := &World{files: map[content]license.File{}, known: map[license.Digest]content{}, salt: o.Seed << 4, rng: rand.New(rand.NewPCG(o.Seed, 0x5eed)), on: o.On, rate: o.Rate, window: o.Window, word: o.Word, fuse: -1}
	w.envs = make([]server, len(o.Environments))
	for i, env := range o.Environments {
		s := &w.envs[i]
		s.Environment, s.at, s.serial, s.version = env, i, env.Serial, 7
		s.registered = map[license.Role]bool{license.Source: true}
		s.controlled = env.Kind != environment.LifeTime
		if s.controlled && w.on&(1<<ForeignPause) != 0 && w.rng.IntN(2) == 0 {
			s.paused = true // since before the run
			w.Fired[ForeignPause]++
		}
		s.cur = content{role: license.Source, serial: env.Serial, word: license.Ignore, kind: "Production", salt: w.salt}
	}
	if o.Marked {
		w.envs[w.rng.IntN(len(w.envs))].mark = license.Source
	}
	return w
}

// Begin says that a process takes over: the next calls are its. cancel ends
// the context of what it does. It dies after fuse more points, of which each
// call has two and each append to its journal some; a negative fuse never
// burns down.
func (w *World) Begin(cancel context.CancelFunc, fuse int) {
	w.dead, w.cancel, w.fuse = false, cancel, fuse
}

// Dead reports whether the process has died.
func (w *World) Dead() bool { return w.dead }

// Kill lets the process die.
func (w *World) Kill() {
	if w.dead {
		return
	}
	w.dead = true
	if w.Tell != nil {
		w.Tell("the process dies")
	}
	if w.OnDeath != nil {
		w.OnDeath()
	}
}

// Point is a moment at which the process may die; it reports whether it is
// dead.
func (w *World) Point() bool {
	if w.dead {
		return true
	}
	if w.fuse == 0 {
		w.Kill()
	}
	w.fuse--
	return w.dead
}

// ErrDead is what a dead process is answered. It never learns of it.
var ErrDead = errors.New("the process is dead")

// Calm ends the bad weather: no fault happens any more, and those that pass
// have passed. What somebody must mend stays.
func (w *World) Calm() {
	w.calm = true
	kept := w.stuck[:0]
	for _, s := range w.stuck {
		if catalogue[s.fault].needs {
			kept = append(kept, s)
		}
	}
	w.stuck = kept
}

// Wait lets time go by.
func (w *World) Wait(d time.Duration) {
	w.now += d
	w.deliver()
}

// deliver carries out what was still under way.
func (w *World) deliver() {
	for i := 0; i < len(w.pending); i++ {
		p := w.pending[i]
		if p.at > w.now {
			continue
		}
		w.pending = append(w.pending[:i:i], w.pending[i+1:]...)
		p.apply()
		i = -1 // from the beginning: they may have changed
	}
}

// later lets apply happen within the settling time, or beyond it.
func (w *World) later(beyond bool, apply func()) {
	d := time.Duration(w.rng.Int64N(int64(w.window)))
	if beyond {
		d = w.window + d*time.Duration(1+w.rng.IntN(30))
	}
	w.pending = append(w.pending, pending{w.now + d, beyond, apply})
}

// install changes the license of a server. The page shows it at once, or until
// shown at the latest.
func (w *World) install(s *server, c content, shown time.Duration, flaps bool) {
	if c == s.cur {
		return
	}
	if w.now >= s.shown {
		s.old = s.cur
	}
	s.cur, s.shown, s.flaps = c, shown, flaps
	if w.Tell != nil {
		w.Tell(fmt.Sprintf("world: %s has the license of %q for %s", s.Name, s.cur.role, s.cur.serial))
	}
}

// page is what the licensing page shows.
func (w *World) page(s *server) content {
	if w.now >= s.shown || s.flaps && w.rng.IntN(2) == 0 {
		return s.cur
	}
	return s.old
}

// happens lets something happen to the world that nobody has asked for.
func (w *World) happens() {
	if w.calm || w.rng.Uint32N(1<<16) >= w.rate/4 {
		return
	}
	f := ForeignCode + Fault(w.rng.IntN(int(Faults-ForeignCode)))
	if w.on&(1<<f) == 0 {
		return
	}
	s := &w.envs[w.rng.IntN(len(w.envs))]
	was := *s
	switch f {
	case ForeignCode:
		w.install(s, content{role: license.Other, serial: s.serial, word: license.Unprotected, kind: "Production", salt: w.salt}, 0, false)
	case ForeignMove:
		w.install(s, w.good(s, license.Target, 9), 0, false)
	case ForeignBack:
		w.install(s, w.good(s, license.Source, 9), 0, false)
	case LicenseGone:
		w.install(s, content{}, 0, false)
	case SerialMoved:
		s.generation++
		s.serial = scene.Serial(s.at, s.generation)
	case PauseLost:
		if !s.paused {
			return
		}
		s.paused = false
	case ForeignPause:
		if s.paused || !s.controlled {
			return
		}
		s.paused, s.byRun = true, false
	case ClockJump:
		w.skew = time.Duration(w.rng.IntN(3)-1) * 365 * 24 * time.Hour
	}
	if s.cur != was.cur || s.serial != was.serial {
		s.excused = true
	}
	w.fired(f, s.at)
}

// good is a license that is as it should be.
func (w *World) good(s *server, role license.Role, salt uint64) content {
	word := license.Ignore
	if role == license.Target {
		word = w.word
	}
	return content{role: role, serial: s.serial, word: word, kind: "Production", salt: w.salt + salt}
}

func (w *World) server(env environment.Environment) *server {
	for i := range w.envs {
		if w.envs[i].Name == env.Name {
			return &w.envs[i]
		}
	}
	return nil
}

func (w *World) name(env int) string {
	if env < 0 || env >= len(w.envs) {
		return "the infrastructure"
	}
	return w.envs[env].Name
}
