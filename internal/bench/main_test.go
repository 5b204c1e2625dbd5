package main

import (
	"context"
	"errors"
	"io"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/changeover-go/changeover/internal/bench/host"
	"github.com/changeover-go/changeover/internal/bench/page"
	"github.com/changeover-go/changeover/internal/bench/profile"
)

// everything lists the demands.
func everything() []demand {
	d := all()
	return []demand{d.stream, d.grouped, d.makespan, d.fire, d.modules, d.peers100, d.peers1000, d.resting, d.flying, d.left, d.goroutines, d.replay, d.replayed, d.status}
}

func TestEveryDemandIsWhole(t *testing.T) {
	seen := map[string]bool{}
	for _, d := range everything() {
		if d.what == "" || seen[d.what] {
			t.Errorf("%q has no name of its own", d.what)
		}
		seen[d.what] = true
		switch {
		case d.want == 0 && d.bound == 0:
			t.Errorf("%s: nothing is demanded", d.what)
		case d.want != 0 && d.why == "":
			t.Errorf("%s: it is not said why it might not be reached", d.what)
		case d.want != 0 && d.bound != 0 && d.least && d.bound > d.want, d.want != 0 && d.bound != 0 && !d.least && d.bound < d.want:
			t.Errorf("%s: the check demands more (%v) than the design wants (%v)", d.what, d.bound, d.want)
		}
	}
}

func TestALimitIsHeldOnItsOwnSide(t *testing.T) {
	for _, tt := range []struct {
		least bool
		x     float64
		want  bool
	}{{false, 1.9, true}, {false, 2, true}, {false, 2.1, false}, {true, 1.9, false}, {true, 2, true}, {true, 2.1, true}} {
		d := demand{least: tt.least}
		if got := d.holds(tt.x, 2); got != tt.want {
			t.Errorf("%v is %s 2: got %v", tt.x, d.word(), got)
		}
	}
}

func TestOneDisturbedRoundDoesNotMoveARatio(t *testing.T) {
	var r ratio
	for _, round := range [][2]float64{{2, 1}, {300, 1}, {6, 3}} {
		r.add(round[0], round[1])
	}
	if r.median() != 2 {
		t.Errorf("got %v, want 2", r.median())
	}
}

func TestWhatIsNotReachedIsExcusedAndNothingElse(t *testing.T) {
	missed, met := demand{what: "speed", unit: "/s", want: 10, least: true, why: "It is slow."}, demand{what: "size", unit: "bytes", want: 10, why: "It is large."}
	var r report
	r.reach(met.reached(9))
	var p page.Page
	r.figureTable(&p)
	if got := p.String(); strings.Contains(got, "Not reached") || !strings.Contains(got, "| size | 9 bytes |  |  | at most 10 bytes | yes |") {
		t.Errorf("what is reached:\n%s", got)
	}
	r.reach(missed.reached(9))
	p = page.Page{}
	r.figureTable(&p)
	got := p.String()
	if !strings.Contains(got, "| speed | 9 /s |  |  | at least 10 /s | **no** |") || !strings.Contains(got, "### Not reached, and why\n\n**speed**: 9 /s; wanted is at least 10 /s. It is slow.\n") {
		t.Errorf("what is not reached:\n%s", got)
	}
	if strings.Contains(got, met.why) {
		t.Errorf("what is reached has an excuse:\n%s", got)
	}
}

func TestAProfileIsShownForEachStep(t *testing.T) {
	shares := make([]float64, len(kinds())+1)
	shares[0], shares[len(shares)-1] = 0.25, 0.75
	r := report{columns: []column{{title: "load", done: 1000, profile: profile.Profile{Took: 2 * time.Second, Busy: time.Second, Shares: shares}}}}
	var p page.Page
	r.whereTable(&p)
	for _, row := range []string{"| kind of work | load |", "| garbage collection | 25% |", "| everything else | 75% |", "| busy, for each step or entry | 1 ms |", "| processors busy | 0.50 |"} {
		if !strings.Contains(p.String(), row+"\n") {
			t.Errorf("%q is missing:\n%s", row, p.String())
		}
	}
}

func TestWithoutAProfileThereIsNoTableOfIt(t *testing.T) {
	r := report{profiled: true}
	if err := r.where("load", func() (int, error) { return 0, errors.New("it was run all the same") }); err != nil {
		t.Error(err)
	}
	var p page.Page
	if r.whereTable(&p); p.String() != "" {
		t.Errorf("got\n%s", p.String())
	}
}

// The grammar of what benchstat reads, https://go.dev/design/14313-benchmark-format.
func TestEveryMeasurementIsALineForBenchstat(t *testing.T) {
	r := report{}
	for _, c := range contenders("") {
		r.scores = append(r.scores, score{name: c.Name(), samples: []sample{
			{load: load{1, 1}, rates: []float64{1234.5, 0.25}},
			{load: load{5000, 512}, reason: "not run"},
		}})
	}
	for _, d := range everything() {
		r.ratios = append(r.ratios, ratio{demand: d, over: []float64{1.25, 1e-9}})
	}
	lines := strings.Split(strings.TrimSuffix(r.measurements(), "\n"), "\n")
	if want := 2*len(r.scores) + 2*len(r.ratios); len(lines) != want {
		t.Errorf("%d lines, want %d", len(lines), want)
	}
	grammar := regexp.MustCompile(`^Benchmark[A-Z][^\s]* [1-9][0-9]* [0-9]+(\.[0-9]+)?(e[-+][0-9]+)? [^\s]+$`)
	procs := regexp.MustCompile(`^[^\s]*-[0-9]+ `) // would be taken for GOMAXPROCS
	names := map[string]int{}
	for _, line := range lines {
		if !grammar.MatchString(line) || procs.MatchString(line) {
			t.Errorf("benchstat cannot read %q", line)
		}
		names[strings.Fields(line)[0]]++
	}
	for name, n := range names {
		if n != 2 {
			t.Errorf("%s has %d measurements, want 2: another one has its name", name, n)
		}
	}
	for _, line := range lines {
		if strings.Contains(line, " 0 ") || strings.Contains(line, " 0.0000 ") {
			t.Errorf("%q is rounded to nothing", line)
		}
	}
}

func TestTheCheckSaysWhatDoesNotHold(t *testing.T) {
	var out strings.Builder
	v := verdicts{out: &out}
	v.demand(demand{what: "fast", bound: 2}, 3)
	v.demand(demand{what: "small", bound: 2}, 1)
	v.demand(demand{what: "left alone"}, 99)
	if want := "FAILED 3 (at most 2): fast\nok     1 (at most 2): small\n"; out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
	if err := errors.Join(v.wrong...); err == nil || err.Error() != "fast: 3, at most 2 is demanded" {
		t.Errorf("got %v", err)
	}
}

func TestADiskThatLiesIsRefused(t *testing.T) {
	const memory = "/dev/shm"
	if fs, err := host.Of(memory); err != nil || !fs.Lies {
		t.Logf("%s is no file system in memory here: %v, %v", memory, fs, err)
		return
	}
	if _, err := newPlace(memory, false); err == nil || !strings.Contains(err.Error(), "-dir") || !strings.Contains(err.Error(), "lies about sync") {
		t.Errorf("got %v", err)
	}
	p, err := newPlace(memory, true)
	if err != nil || !p.fs.Lies {
		t.Fatal(p, err)
	}
	if err := p.remove(); err != nil {
		t.Error(err)
	}
}

func TestWrongArgumentsAreRefusedBeforeAnythingIsMeasured(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // nothing is measured, whatever the arguments
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"-rounds", "many"}, "invalid value"},
		{[]string{"check", "-run", "all"}, "not defined: -run"},
		{[]string{"mutants", "-one-by-one"}, "not defined: -one-by-one"},
		{[]string{"run"}, "more than run takes"},
		{[]string{"check", "all"}, "more than check takes"},
		{[]string{"-run", "everything"}, `no part "everything"`},
		{[]string{"once", "nobody"}, `no contender "nobody"`},
	} {
		t.Run(strings.Join(tt.args, " "), func(t *testing.T) {
			if err := run(ctx, tt.args, io.Discard, io.Discard); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want an error with %q", err, tt.want)
			}
		})
	}
}

func TestTheMutantThatTheCheckMustNotNoticeFits(t *testing.T) {
	p, err := newPlace(t.TempDir(), true)
	if err != nil {
		t.Fatal(err)
	}
	list, err := overlay(p, unsynced)
	if err != nil || list == "" {
		t.Fatal(list, err)
	}
	if _, err := overlay(p, "nobody"); err == nil {
		t.Error("a mutant that does not exist was planted")
	}
}
