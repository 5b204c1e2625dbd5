package crashdisk

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
)

// MaxSubsets is up to how many items all subsets of them are tried.
const MaxSubsets = 6

// Survivors says what a power cut leaves of what was not synced. As text:
//
//	none, all, first, last   of the items
//	butlast                  all but the last one
//	torn, zeros              all, and half of the last write, or zeros in its place
//	x2a                      the items whose bit is set
//	s17                      any, and any part of writes, as the seed 17 has it
type Survivors string

// ParseSurvivors reads the text.
func ParseSurvivors(s string) (Survivors, error) {
	switch s {
	case "none", "all", "first", "last", "butlast", "torn", "zeros":
		return Survivors(s), nil
	}
	for _, prefix := range []string{"x", "s"} {
		if digits, ok := strings.CutPrefix(s, prefix); ok {
			if _, err := strconv.ParseUint(digits, 16, 64); err == nil {
				return Survivors(s), nil
			}
		}
	}
	return "", fmt.Errorf("%q does not say what survives", s)
}

// All returns what is to be tried with n items that were not synced: all
// subsets of up to [MaxSubsets], else the extremes and as many samples; and the
// last write done in part.
func All(n, samples int, r *rand.Rand) []Survivors {
	switch {
	case n == 0:
		return []Survivors{"none"}
	case n <= MaxSubsets:
		tries := []Survivors{"torn", "zeros"}
		for mask := range 1 << n {
			tries = append(tries, Survivors(fmt.Sprintf("x%x", mask)))
		}
		return tries
	}
	tries := []Survivors{"none", "all", "first", "last", "butlast", "torn", "zeros"}
	for range samples {
		tries = append(tries, Survivors(fmt.Sprintf("s%x", r.Uint64())))
	}
	return tries
}

// A part is how much of an item survives.
type part uint8

const (
	nothing part = iota
	half
	zeros
	whole
)

// of returns how much of each item survives.
func (s Survivors) of(items []item) []part {
	parts := make([]part, len(items))
	fill := func(p part, from, to int) {
		for i := max(from, 0); i < min(to, len(parts)); i++ {
			parts[i] = p
		}
	}
	n := len(items)
	number := uint64(0)
	if len(s) > 1 {
		number, _ = strconv.ParseUint(string(s[1:]), 16, 64)
	}
	switch {
	case s == "none":
	case s == "all":
		fill(whole, 0, n)
	case s == "first":
		fill(whole, 0, 1)
	case s == "last":
		fill(whole, n-1, n)
	case s == "butlast":
		fill(whole, 0, n-1)
	case s == "torn" || s == "zeros":
		fill(whole, 0, n)
		for i := n - 1; i >= 0; i-- {
			if items[i].data && items[i].b != nil {
				parts[i] = half
				if s == "zeros" {
					parts[i] = zeros
				}
				break
			}
		}
	case strings.HasPrefix(string(s), "x"):
		for i := range min(n, 64) {
			if number&(1<<i) != 0 {
				parts[i] = whole
			}
		}
	case strings.HasPrefix(string(s), "s"):
		r := rand.New(rand.NewPCG(number, 0))
		for i := range parts {
			parts[i] = part(r.IntN(4))
			if items[i].b == nil && parts[i] != nothing { // has no parts
				parts[i] = whole
			}
		}
	}
	return parts
}
