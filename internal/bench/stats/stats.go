// Package stats makes few figures out of many measurements. It is for the
// benchmark, whose tables show medians and spreads, never means: a machine that
// was disturbed once does not move them.
package stats

import (
	"math"
	"slices"
)

// Quantile returns the value that the part q of the sample does not exceed;
// NaN for an empty one.
func Quantile(sample []float64, q float64) float64 {
	if len(sample) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(sample))
	return sorted[min(int(q*float64(len(sorted))), len(sorted)-1)]
}

// Median returns the value in the middle.
func Median(sample []float64) float64 {
	sorted := slices.Sorted(slices.Values(sample))
	switch n := len(sorted); {
	case n == 0:
		return math.NaN()
	case n%2 == 0:
		return (sorted[n/2-1] + sorted[n/2]) / 2
	default:
		return sorted[n/2]
	}
}

// Spread returns by how much half the distance between the smallest and the
// largest value is of the median.
func Spread(sample []float64) float64 {
	if len(sample) == 0 {
		return math.NaN()
	}
	return (slices.Max(sample) - slices.Min(sample)) / 2 / Median(sample)
}

// Exponent fits y = a*x^b to points, by least squares over their logarithms,
// and returns b: 1 for what grows as its input does, 2 for what grows with its
// square. It is NaN for fewer than two points.
func Exponent(x, y []float64) float64 {
	n := float64(len(x))
	if len(x) < 2 || len(x) != len(y) {
		return math.NaN()
	}
	var sx, sy, sxx, sxy float64
	for i := range x {
		lx, ly := math.Log(x[i]), math.Log(y[i])
		sx, sy, sxx, sxy = sx+lx, sy+ly, sxx+lx*lx, sxy+lx*ly
	}
	return (n*sxy - sx*sy) / (n*sxx - sx*sx)
}
