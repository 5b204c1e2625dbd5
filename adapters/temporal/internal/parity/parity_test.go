package parity_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/adapters/temporal/internal/parity"
	"github.com/changeover-go/changeover/migration/report"
)

func TestTheListIsWhatItSays(t *testing.T) {
	names := map[string]bool{}
	endings := map[report.Verdict]int{}
	for _, s := range parity.All() {
		require.False(t, names[s.Name], "two scenarios are called %q", s.Name)
		names[s.Name] = true
		endings[s.Verdict]++
		t.Run(s.Name, func(t *testing.T) {
			var first []string
			for range 2 {
				st := s.NewStage()
				h := parity.NewProcess(t, s.Plan(), st.Ports)
				for _, wrong := range s.Play(t.Context(), h, st) {
					t.Error(wrong)
				}
				entries, err := h.Journal(t.Context())
				require.NoError(t, err)
				lines, err := parity.Comparable(entries)
				require.NoError(t, err)
				if first == nil {
					first = lines
				}
				require.Equal(t, first, lines, "the same run twice gives the same journal")
			}
		})
	}
	require.GreaterOrEqual(t, len(names), 30)
	for _, v := range []report.Verdict{report.Completed, report.RolledBack, report.Held, report.Mixed} {
		require.Positive(t, endings[v], v)
	}
}
