package filejournal

import (
	"crypto/sha256"
	"testing"
	"time"
)

// BenchmarkLines makes the lines of a batch, and hashes the same bytes, in
// turns. The figure to look at is "x-hash": what is hashed, and that it is
// hashed line by line, the format says.
func BenchmarkLines(b *testing.B) {
	entries := steps(512)
	s := new(Store)
	_, s.last.Hash = header()
	lines, _, err := s.lines(entries)
	if err != nil {
		b.Fatal(err)
	}
	each := len(lines)/len(entries) - sealLen
	var ours, theirs time.Duration
	b.ReportAllocs()
	for b.Loop() {
		began := time.Now()
		if lines, _, err = s.lines(entries); err != nil {
			b.Fatal(err)
		}
		ours += time.Since(began)

		began = time.Now()
		for i := range entries {
			sha256.Sum256(lines[i*each : (i+1)*each])
		}
		theirs += time.Since(began)
	}
	b.ReportMetric(0, "ns/op") // both together: says nothing
	b.ReportMetric(float64(ours.Nanoseconds())/float64(b.N*len(entries)), "ns/entry")
	b.ReportMetric(float64(ours)/float64(theirs), "x-hash")
}
