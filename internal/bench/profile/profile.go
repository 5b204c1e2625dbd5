// Package profile says what the processors were busy with while something was
// measured, in a few kinds of work that together are all of it. It is for the
// benchmark: a figure that is not reached stands beside where its time went.
package profile

import (
	"bytes"
	"errors"
	"fmt"
	"runtime/pprof"
	"strings"
	"time"

	pprofile "github.com/google/pprof/profile"
)

// A Kind of work is known by functions: a moment belongs to it when one of them
// was running, or had called what was running.
type Kind struct {
	Name      string
	Functions []string // what their full names begin with
}

// A Profile is what the processors were busy with.
type Profile struct {
	Took time.Duration // from beginning to end
	Busy time.Duration // of all processors together
	// Samples is how many moments were looked at.
	Samples int64
	// Shares has the part of Busy that each kind took, and last what none of
	// them is. A moment counts once, under the first kind that it belongs to.
	Shares []float64
}

// Take runs f under the profiler. It fails when a profile is being taken
// already, and when f does.
func Take(kinds []Kind, f func() error) (Profile, error) {
	var b bytes.Buffer
	if err := pprof.StartCPUProfile(&b); err != nil {
		return Profile{}, err
	}
	began := time.Now()
	err := f()
	took := time.Since(began)
	pprof.StopCPUProfile()
	if err != nil {
		return Profile{}, err
	}
	taken, err := pprofile.Parse(&b)
	if err != nil {
		return Profile{}, fmt.Errorf("what the profiler has written: %w", err)
	}
	return sum(taken, kinds, took)
}

// sum adds the samples of a profile up.
func sum(taken *pprofile.Profile, kinds []Kind, took time.Duration) (Profile, error) {
	count, value := -1, -1
	for i, t := range taken.SampleType {
		switch t.Type + " in " + t.Unit {
		case "samples in count":
			count = i
		case "cpu in nanoseconds":
			value = i
		}
	}
	if count < 0 || value < 0 {
		return Profile{}, errors.New("the profile has no time of processors")
	}
	p := Profile{Took: took, Shares: make([]float64, len(kinds)+1)}
	for _, s := range taken.Sample {
		p.Busy += time.Duration(s.Value[value])
		p.Samples += s.Value[count]
		p.Shares[kindOf(s, kinds)] += float64(s.Value[value])
	}
	for i := range p.Shares {
		p.Shares[i] /= max(float64(p.Busy), 1)
	}
	return p, nil
}

// kindOf returns the first kind that a sample belongs to, len(kinds) if there
// is none.
func kindOf(s *pprofile.Sample, kinds []Kind) int {
	for i, k := range kinds {
		for _, l := range s.Location {
			for _, line := range l.Line {
				if line.Function != nil && k.has(line.Function.Name) {
					return i
				}
			}
		}
	}
	return len(kinds)
}

func (k Kind) has(function string) bool {
	for _, begins := range k.Functions {
		if strings.HasPrefix(function, begins) {
			return true
		}
	}
	return false
}
