package adaptertest

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/internal/printable"
	"github.com/changeover-go/changeover/license"
)

// System is what a harness knows of the system behind its adapter, whichever
// the port. The zero value is fine and declares the inability Hang.
type System struct {
	// Secrets are the passwords and tokens that the adapter was given. The
	// clause about errors looks for them, and for activation codes and license
	// bytes. It may be empty.
	Secrets []string

	// Hang makes the system stop answering for good: from then on a call is
	// received by the system and blocks until its context is done. The channel
	// gets one value for every call that is blocked. It is for the clause about
	// calls that are canceled; nil is an inability.
	Hang func() (blocked <-chan struct{})
}

// A harness is what the suites ask of every harness.
type harness interface {
	// incomplete names the fields that are missing.
	incomplete() error
	// system returns the embedded System.
	system() System
}

func (s System) system() System { return s }

// A clause is one sentence of a contract, with the check that it holds.
type clause[H harness] struct {
	name string // of the subtest
	text string // the contract, printed when it is broken
	// inability names what keeps the harness from checking the clause, or "";
	// nil: every harness can.
	inability func(h H) string
	check     func(ctx context.Context, h H) error
}

// run checks the clause. It returns the inability for which it was skipped,
// or what is broken.
func (c clause[H]) run(ctx context.Context, h H) (skipped string, broken error) {
	if err := h.incomplete(); err != nil {
		return "", err
	}
	if c.inability != nil {
		if skipped = c.inability(h); skipped != "" {
			return skipped, nil
		}
	}
	return "", c.check(ctx, h)
}

// test runs every clause as a subtest with a harness of its own.
func test[H harness](t *testing.T, clauses []clause[H], newHarness func(t *testing.T) H) {
	for _, c := range clauses {
		t.Run(c.name, func(t *testing.T) {
			skipped, broken := c.run(t.Context(), newHarness(t))
			if skipped != "" {
				t.Skipf("the harness declares the inability %s", skipped)
			}
			if broken != nil {
				t.Errorf("the contract says: %s\nbut %v", c.text, broken)
			}
		})
	}
}

// required collects the names of required fields that are not set.
type required []error

func (r *required) field(name string, set bool) {
	if !set {
		*r = append(*r, fmt.Errorf("the harness is not complete: %s is not set", name))
	}
}

func (r *required) unless(flag string, declared bool, name string, set bool) {
	if !declared && !set {
		*r = append(*r, fmt.Errorf("the harness is not complete: %s is not set (set it, or declare %s)", name, flag))
	}
}

func (r *required) err() error { return errors.Join(*r...) }

// either returns the first name whose condition holds: an inability.
func either(inabilities ...string) string {
	for _, name := range inabilities {
		if name != "" {
			return name
		}
	}
	return ""
}

// declared returns the name of an inability if it is declared.
func declared(name string, is bool) string {
	if is {
		return name
	}
	return ""
}

// A call is one call of a port.
type call struct {
	name    string
	mutates bool
	arrange func(ctx context.Context) error // what it takes for do to change something; nil: nothing
	do      func(ctx context.Context) error
}

func (c call) prepare(ctx context.Context) error {
	if c.arrange == nil {
		return nil
	}
	return c.arrange(ctx)
}

// general makes the clauses that hold for every port.
type general[H harness] struct {
	// calls are calls of every method, with arguments that are fine.
	calls func(h H) []call
	// refused are calls that the adapter turns down.
	refused func(h H) []call
	// state describes, through the port, everything that calls could change.
	state func(h H) stateFunc
	// codes and files are the secrets that the suite hands to the adapter; nil
	// if there are none.
	codes func(h H) []license.ActivationCode
	files func(h H) []license.File
	// several calls the adapter for different environments at the same time
	// and says what came out wrong; inability says why it cannot.
	several   func(ctx context.Context, h H) error
	inability func(h H) string
}

// soon is how long a call may take to return once its context is done.
const soon = 10 * time.Second

func (g general[H]) clauses() []clause[H] {
	return []clause[H]{
		{
			name: "a call whose context is done already changes nothing",
			text: "return soon after ctx is done: with a ctx that is done before the call, every method returns an error and changes nothing",
			check: func(ctx context.Context, h H) error {
				done, cancel := context.WithCancel(ctx)
				cancel()
				for _, c := range g.calls(h) {
					if err := c.prepare(ctx); err != nil {
						return err
					}
					what := c.name + ", whose context was done,"
					if err := keeps(ctx, g.state(h), what, func() error { return c.notBegun(done) }); err != nil {
						return err
					}
				}
				return nil
			},
		},
		{
			name:      "a call that is blocked returns when its context is done",
			text:      "return soon after ctx is done; a mutating call whose request the system has received then answers with no condition, since nobody knows whether it was done",
			inability: func(h H) string { return declared("Hang (nil)", h.system().Hang == nil) },
			check: func(ctx context.Context, h H) error {
				calls := g.calls(h)
				for _, c := range calls {
					if err := c.prepare(ctx); err != nil {
						return err
					}
				}
				blocked := h.system().Hang()
				for _, c := range calls {
					if err := c.cancelWhileBlocked(ctx, blocked); err != nil {
						return err
					}
				}
				return nil
			},
		},
		{
			name:      "calls for different environments do not disturb each other",
			text:      "calls come from several goroutines, at most one at a time for one environment; each does what it would have done alone",
			inability: g.inability,
			check:     g.several,
		},
		{
			name: "errors contain no secret",
			text: "put no license bytes, activation codes, passwords or tokens into errors",
			check: func(ctx context.Context, h H) error {
				done, cancel := context.WithCancel(ctx)
				cancel()
				s := secrets{texts: h.system().Secrets}
				if g.codes != nil {
					s.codes = g.codes(h)
				}
				if g.files != nil {
					s.files = g.files(h)
				}
				var errs []error
				for _, c := range g.refused(h) {
					errs = append(errs, s.in(c.name, c.do(ctx)))
				}
				for _, c := range g.calls(h) {
					err, _ := c.start(done).wait()
					errs = append(errs, s.in(c.name, err))
				}
				return errors.Join(errs...)
			},
		},
	}
}

// A pending call has been started in a goroutine of its own.
type pending struct{ result chan error }

func (c call) start(ctx context.Context) pending {
	p := pending{make(chan error, 1)}
	go func() { p.result <- c.do(ctx) }()
	return p
}

// wait returns the call's error; returned is false if it takes too long.
func (p pending) wait() (err error, returned bool) {
	limit := time.NewTimer(soon)
	defer limit.Stop()
	select {
	case err = <-p.result:
		return err, true
	case <-limit.C:
		return nil, false
	}
}

// notBegun checks that the call returns an error when its context is done
// already. Of the conditions only those can be true that say that nobody began.
func (c call) notBegun(done context.Context) error {
	err, returned := c.start(done).wait()
	if !returned {
		return fmt.Errorf("%s did not return within %v", c.name, soon)
	}
	if err == nil {
		return fmt.Errorf("%s returned nil although its context was done", c.name)
	}
	switch adapters.ConditionOf(err) {
	case nil, adapters.ErrNotReached, adapters.ErrRefused, adapters.ErrUnsupported:
		return nil
	default:
		return fmt.Errorf("%s, whose context was done, gives another reason why it was not done: %s", c.name, printed(err))
	}
}

// cancelWhileBlocked checks that the call returns when it is canceled while the
// system keeps it waiting, and that it does not claim more than it can know.
func (c call) cancelWhileBlocked(ctx context.Context, blocked <-chan struct{}) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	p := c.start(ctx)
	limit := time.NewTimer(soon)
	defer limit.Stop()
	select {
	case err := <-p.result:
		if err == nil {
			return fmt.Errorf("%s returned nil although the system does not answer", c.name)
		}
		return nil // it did not get as far as the system
	case <-blocked:
	case <-limit.C:
		return fmt.Errorf("%s neither reached the system nor returned within %v", c.name, soon)
	}
	cancel()
	switch err, returned := p.wait(); {
	case !returned:
		return fmt.Errorf("%s did not return within %v of its context being done", c.name, soon)
	case err == nil:
		return fmt.Errorf("%s returned nil although the system never answered", c.name)
	case c.mutates && adapters.ConditionOf(err) != nil:
		return fmt.Errorf("%s asserts with a condition that it was not done, but the system had received the request: %s", c.name, printed(err))
	}
	return nil
}

// together runs the calls of several environments at the same time, each lane
// in order.
func together(ctx context.Context, lanes ...[]call) error {
	begin := make(chan struct{})
	errs := make([]error, len(lanes))
	var wg sync.WaitGroup
	for i, lane := range lanes {
		wg.Go(func() {
			<-begin
			for _, c := range lane {
				if err := c.do(ctx); err != nil {
					errs[i] = fmt.Errorf("%s: %s", c.name, printed(err))
					return
				}
			}
		})
	}
	close(begin)
	wg.Wait()
	return errors.Join(errs...)
}

// refusal checks that err is the answer want: that it wraps the condition, and
// is not uncertain.
func refusal(what string, err error, want *adapters.Condition) error {
	switch got := adapters.ConditionOf(err); {
	case err == nil:
		return fmt.Errorf("%s returned nil, want an error that wraps the condition %s", what, want.Condition())
	case got == nil:
		return fmt.Errorf("%s: the error wraps no condition or is uncertain, want %s: %s", what, want.Condition(), printed(err))
	case got != want:
		return fmt.Errorf("%s: the error wraps %s, want %s: %s", what, got.Condition(), want.Condition(), printed(err))
	}
	return nil
}

// success checks that err is nil.
func success(what string, err error) error {
	if err != nil {
		return fmt.Errorf("%s: %s", what, printed(err))
	}
	return nil
}

// A stateFunc describes what calls could change, one line a fact.
type stateFunc func(ctx context.Context) ([]string, error)

// keeps checks that act changes nothing.
func keeps(ctx context.Context, state stateFunc, what string, act func() error) error {
	before, err := state(ctx)
	if err != nil {
		return err
	}
	broken := act()
	after, err := state(ctx)
	if err != nil {
		return errors.Join(broken, err)
	}
	return errors.Join(broken, same(what, before, after))
}

// same reports the first difference between two states.
func same(what string, before, after []string) error {
	if was, is, ok := firstDifference(before, after); ok {
		return fmt.Errorf("%s changed %q to %q", what, printable.Text(was), printable.Text(is))
	}
	return nil
}

// firstDifference returns the first lines that differ; a line that is missing
// is "nothing".
func firstDifference(a, b []string) (inA, inB string, differ bool) {
	line := func(lines []string, i int) string {
		if i < len(lines) {
			return lines[i]
		}
		return "nothing"
	}
	for i := range max(len(a), len(b)) {
		if inA, inB = line(a, i), line(b, i); inA != inB {
			return inA, inB, true
		}
	}
	return "", "", false
}

// printed makes the text of an adapter's error safe to print.
func printed(err error) string { return printable.Text(err.Error()) }

// secrets are what no error may contain.
type secrets struct {
	texts []string // passwords and tokens
	codes []license.ActivationCode
	files []license.File
}

// in reports whether the text of err contains a secret; it does not repeat it.
func (s secrets) in(what string, err error) error {
	if err == nil {
		return nil
	}
	text := err.Error()
	for _, secret := range s.texts {
		if secret != "" && strings.Contains(text, secret) {
			return fmt.Errorf("the error of %s contains a password or token", what)
		}
	}
	for _, c := range s.codes {
		if !c.IsZero() && strings.Contains(text, c.Reveal()) {
			return fmt.Errorf("the error of %s contains an activation code", what)
		}
	}
	for _, f := range s.files {
		b := f.Bytes()
		for _, form := range []string{
			string(b), strconv.Quote(string(b)), hex.EncodeToString(b), base64.StdEncoding.EncodeToString(b), fmt.Sprint(b),
		} {
			if repeats(text, form) {
				return fmt.Errorf("the error of %s contains license bytes", what)
			}
		}
	}
	return nil
}

// repeats reports whether text contains a piece of secret that is too long to
// be there by chance, or to be no more than a serial number.
func repeats(text, secret string) bool {
	const piece = 40
	for i := 0; i+piece <= len(text); i++ {
		if strings.Contains(secret, text[i:i+piece]) {
			return true
		}
	}
	return false
}
