package fault

import (
	"context"
	"fmt"
	"sync"

	"github.com/changeover-go/changeover/internal/printable"
)

// An Op is one call of a port.
type Op struct {
	Index       int    // number of the call over all ports of the wrapped set, from 0
	Port        string // name of the interface in package adapters, for example "ServiceCenter"
	Method      string // for example "UploadLicense"
	Environment string // name of the environment; empty where the call names none
}

// String gives the call in a form like "ServiceCenter.UploadLicense in
// Production".
func (o Op) String() string { return named(o.Port, o.Method, o.Environment) }

// A Match picks calls. An empty field picks all.
type Match struct {
	Port, Method, Environment string
}

// String gives the match in a form like "ServiceCenter.* in Production".
func (m Match) String() string { return named(m.Port, m.Method, m.Environment) }

func (m Match) picks(o Op) bool {
	return (m.Port == "" || m.Port == o.Port) &&
		(m.Method == "" || m.Method == o.Method) &&
		(m.Environment == "" || m.Environment == o.Environment)
}

func named(port, method, env string) string {
	if port == "" {
		port = "*"
	}
	if method == "" {
		method = "*"
	}
	s := port + "." + method
	if env != "" {
		s += " in " + printable.Text(env)
	}
	return s
}

// When says at which end of a call a fault strikes.
type When string

// The two ends of a call.
const (
	Before When = "before" // the call is not passed on
	After  When = "after"  // the call is passed on and its answer is lost
)

// action is a fault that is more than an error to be returned.
type action string

func (a action) Error() string { return string(a) }

// What an [Injector] can do instead of returning an error.
const (
	// Hang makes the call hang until its context is done, and then return the
	// context's error.
	Hang = action("hang until the context is done")
	// Panic makes the call panic, with what the injector prints.
	Panic = action("panic")
)

// Cancel stands for an error and makes the injector call cancel instead: before
// the call is passed on, or after it has come back. The call itself goes on,
// and its answer is not lost. cancel may be any function.
func Cancel(cancel func()) error { return interruption{cancel} }

type interruption struct{ cancel func() }

func (interruption) Error() string { return "cancel" }

// An Injector is one fault, or one watcher. It is safe for concurrent use. It
// counts for itself, so it belongs in one wrapped set.
type Injector struct {
	watch func(Op) // a watcher has nothing else

	where string // which calls, for people
	picks func(op Op, seen int) bool
	match Match
	when  When
	err   error

	mu   sync.Mutex
	seen int // calls that match
	hit  bool
	op   Op // the last one that was struck
}

// OnIndex strikes the call with that number, counted over all ports from 0.
// The call then returns err; Before, it is not passed on, After, it is passed
// on first and its answer is lost. A nil err makes the call say done, with
// nothing to show: Before, that is a lie.
func OnIndex(n int, when When, err error) *Injector {
	return &Injector{
		where: fmt.Sprintf("call %d", n), when: when, err: err,
		picks: func(op Op, _ int) bool { return op.Index == n },
	}
}

// On strikes the nth of the calls that match, counted from 0, as [OnIndex]
// does.
func On(match Match, nth int, when When, err error) *Injector {
	return &Injector{
		where: fmt.Sprintf("call %d of %v", nth, match), match: match, when: when, err: err,
		picks: func(_ Op, seen int) bool { return seen == nth },
	}
}

// Always strikes every call that matches, as [OnIndex] does.
func Always(match Match, when When, err error) *Injector {
	return &Injector{
		where: fmt.Sprintf("every call of %v", match), match: match, when: when, err: err,
		picks: func(Op, int) bool { return true },
	}
}

// Watch strikes nothing. It hands every call to see before the call is passed
// on and before any fault strikes it. see is called from the goroutine of the
// call.
func Watch(see func(Op)) *Injector { return &Injector{watch: see, where: "every call"} }

// Hit reports whether the fault has struck. A sweep ends when it has not.
func (i *Injector) Hit() bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.hit
}

// Op returns the call that was struck, the last one if there were several; the
// zero Op if none was.
func (i *Injector) Op() Op {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.op
}

// String says where the fault strikes, or, once it has, where it struck, in a
// form like "call 12, after ServiceCenter.UploadLicense in Production: the line
// went dead".
func (i *Injector) String() string {
	i.mu.Lock()
	defer i.mu.Unlock()
	switch {
	case i.watch != nil:
		return i.where + ", watched"
	case i.hit:
		return fmt.Sprintf("call %d, %s %v: %v", i.op.Index, i.when, i.op, i.err)
	default:
		return fmt.Sprintf("%s, %s: %v", i.where, i.when, i.err)
	}
}

// meets counts the call and reports whether it is to be struck.
func (i *Injector) meets(op Op) bool {
	if i.watch != nil || !i.match.picks(op) {
		return false
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	seen := i.seen
	i.seen++
	return i.picks(op, seen)
}

// strike does what the fault is; over reports whether the call has ended with
// err.
func (i *Injector) strike(ctx context.Context, op Op) (over bool, err error) {
	i.mu.Lock()
	i.hit, i.op = true, op
	i.mu.Unlock()
	if in, ok := i.err.(interruption); ok {
		in.cancel()
		return false, nil
	}
	switch i.err {
	case Hang:
		<-ctx.Done()
		return true, ctx.Err()
	case Panic:
		panic("fault: " + i.String())
	}
	return true, i.err
}
