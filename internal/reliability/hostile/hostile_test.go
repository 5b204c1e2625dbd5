package hostile

import (
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/internal/reliability/tier"
)

func TestNothingHostileGetsThrough(t *testing.T) {
	job := &tier.Job{Scale: tier.Test, Seed: 1, Workers: 2, Dir: t.TempDir(), Out: io.Discard}
	Tier().Do(t.Context(), job)
	for _, f := range job.Failures() {
		t.Log(f.Repeat, f.What)
	}
	require.Empty(t, job.Failures())
	t.Log(job.Line())
}

func TestWhatGetsThroughIsFound(t *testing.T) {
	for _, text := range []string{"a\x1b[31m", "a\u202eb", "a\nINJECTED", "  INJECTED", "code " + canaries()[0] + ".", "\xff"} {
		s := &session{secrets: canaries()}
		s.look("a text", text)
		require.NotEmpty(t, s.found, "%q", text)
	}
	s := &session{secrets: canaries()}
	s.look("a text", "one\n\ttwo: ünïcödé")
	require.Empty(t, s.found)
	for _, text := range []string{"<script>", "```\nx", "[x](javascript:x)"} {
		s := &session{}
		s.markup(text)
		require.NotEmpty(t, s.found, "%q", text)
	}
}
