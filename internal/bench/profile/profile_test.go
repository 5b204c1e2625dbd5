package profile

import (
	"crypto/sha256"
	"errors"
	"slices"
	"testing"
	"time"

	pprofile "github.com/google/pprof/profile"
)

// stack is a sample of so many nanoseconds, the function that ran first.
func stack(nanoseconds int64, functions ...string) *pprofile.Sample {
	s := &pprofile.Sample{Value: []int64{1, nanoseconds}}
	for _, name := range functions {
		s.Location = append(s.Location, &pprofile.Location{Line: []pprofile.Line{{Function: &pprofile.Function{Name: name}}}})
	}
	return s
}

func TestAMomentCountsOnceUnderTheFirstKindThatItBelongsTo(t *testing.T) {
	taken := &pprofile.Profile{
		SampleType: []*pprofile.ValueType{{Type: "samples", Unit: "count"}, {Type: "cpu", Unit: "nanoseconds"}},
		Sample: []*pprofile.Sample{
			stack(400, "runtime.mallocgc", "encoding/json.Marshal", "main.main"), // both; the first kind has it
			stack(300, "encoding/json.Marshal", "main.main"),
			stack(200, "main.work", "main.main"),
			stack(100, "my/encoding/json.Marshal"), // only ends like one
		},
	}
	kinds := []Kind{{Name: "allocation", Functions: []string{"runtime.mallocgc"}}, {Name: "JSON", Functions: []string{"encoding/json."}}}
	p, err := sum(taken, kinds, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	if want := []float64{0.4, 0.3, 0.3}; p.Took != time.Second || p.Busy != 1000 || p.Samples != 4 || !slices.Equal(p.Shares, want) {
		t.Errorf("got %+v, want 1 µs in 4 samples, shared %v", p, want)
	}
}

func TestAProfileOfNothingHasNoShares(t *testing.T) {
	p, err := sum(&pprofile.Profile{SampleType: []*pprofile.ValueType{{Type: "samples", Unit: "count"}, {Type: "cpu", Unit: "nanoseconds"}}}, nil, 0)
	if err != nil || !slices.Equal(p.Shares, []float64{0}) {
		t.Errorf("got %+v, %v", p, err)
	}
	if _, err := sum(&pprofile.Profile{SampleType: []*pprofile.ValueType{{Type: "space", Unit: "bytes"}}}, nil, 0); err == nil {
		t.Error("a profile of something else was accepted")
	}
}

func TestAHashIsFoundWhereItIsComputed(t *testing.T) {
	block := make([]byte, 1<<20)
	kinds := []Kind{{Name: "hash", Functions: []string{"crypto/sha256.Sum256"}}}
	p, err := Take(kinds, func() error {
		for began := time.Now(); time.Since(began) < 200*time.Millisecond; {
			sha256.Sum256(block)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if p.Took < 200*time.Millisecond || p.Busy == 0 || p.Shares[0] < 0.5 {
		t.Errorf("%+v, want more than half of it for the hash", p)
	}
}

func TestWhatFailsHasNoProfile(t *testing.T) {
	failed := errors.New("failed")
	if _, err := Take(nil, func() error { return failed }); !errors.Is(err, failed) {
		t.Errorf("got %v", err)
	}
	if _, err := Take(nil, func() error { _, err := Take(nil, func() error { return nil }); return err }); err == nil {
		t.Error("two profiles were taken at once")
	}
	if _, err := Take(nil, func() error { return nil }); err != nil { // the profiler was given back each time
		t.Error(err)
	}
}
