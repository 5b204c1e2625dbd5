package page

import (
	"cmp"
	"slices"
	"strconv"
	"time"
)

// A ruler says where on the way from left to right each entry stands. The time
// is to scale, but long gaps without any entry are cut short, and every entry
// takes some room: of two that follow at once the order can be seen.
type ruler struct {
	at   []float64
	cuts []cut
}

// Measures of a ruler.
const (
	mostCuts = 6
	cutWidth = 6.0              // percent
	cutFrom  = time.Minute      // no shorter gap is cut
	cutShare = 0.25             // of what remains: a longer gap is cut
	cutLeast = 12               // entries; fewer need no cuts
	room     = 100.0 - 2*margin // percent
	margin   = 1.0
)

func newRuler(times []time.Time) ruler {
	r := ruler{at: make([]float64, len(times))}
	if len(times) == 0 {
		return r
	}
	gaps := make([]time.Duration, len(times)) // before each entry
	var total time.Duration
	for i := 1; i < len(times); i++ {
		gaps[i] = max(0, times[i].Sub(times[i-1])) // clocks may be set back
		total += gaps[i]
	}
	var cuts []int
	long := make([]int, len(gaps))
	for i := range long {
		long[i] = i
	}
	slices.SortStableFunc(long, func(a, b int) int { return cmp.Compare(gaps[b], gaps[a]) })
	for _, i := range long[:min(mostCuts, len(long))] {
		if len(times) < cutLeast || gaps[i] < cutFrom || float64(gaps[i]) < cutShare*float64(total) {
			break
		}
		cuts, total = append(cuts, i), total-gaps[i]
	}
	least := float64(total) / (2 * float64(len(times)))
	if total == 0 {
		least = 1
	}
	width := make([]float64, len(gaps))
	sum := 0.0
	for i := 1; i < len(gaps); i++ {
		if !slices.Contains(cuts, i) {
			width[i] = max(float64(gaps[i]), least)
			sum += width[i]
		}
	}
	scale := 0.0
	if sum > 0 {
		scale = (room - cutWidth*float64(len(cuts))) / sum
	}
	x := margin
	for i := range width {
		if slices.Contains(cuts, i) {
			r.cuts = append(r.cuts, cut{X: percent(x), W: percent(cutWidth), Middle: percent(x + cutWidth/2), Text: lasting(gaps[i])})
			x += cutWidth
		} else {
			x += width[i] * scale
		}
		r.at[i] = x
	}
	return r
}

func percent(x float64) string { return strconv.FormatFloat(x, 'f', 2, 64) + "%" }
