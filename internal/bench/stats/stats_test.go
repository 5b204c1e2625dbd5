package stats_test

import (
	"math"
	"testing"

	"github.com/changeover-go/changeover/internal/bench/stats"
)

func TestFigures(t *testing.T) {
	near := func(name string, got, want float64) {
		t.Helper()
		if math.Abs(got-want) > 1e-9 {
			t.Errorf("%s: got %v, want %v", name, got, want)
		}
	}
	near("median of an odd number", stats.Median([]float64{9, 1, 5}), 5)
	near("median of an even number", stats.Median([]float64{9, 1, 5, 7}), 6)
	near("spread", stats.Spread([]float64{9, 10, 11}), 0.1)
	near("99th percentile", stats.Quantile([]float64{3, 1, 2}, 0.99), 3)
	near("50th percentile", stats.Quantile([]float64{3, 1, 2}, 0.5), 2)
	near("exponent of a square", stats.Exponent([]float64{10, 100, 1000}, []float64{200, 20000, 2e6}), 2)
	near("exponent of a constant", stats.Exponent([]float64{10, 100}, []float64{7, 7}), 0)
	for name, f := range map[string]float64{
		"median of nothing": stats.Median(nil), "spread of nothing": stats.Spread(nil),
		"percentile of nothing": stats.Quantile(nil, 0.5), "exponent of one point": stats.Exponent([]float64{1}, []float64{1}),
	} {
		if !math.IsNaN(f) {
			t.Errorf("%s: got %v, want no number", name, f)
		}
	}
}
