package law_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/internal/reliability/law"
)

func TestWhatIsPrintedIsLookedThrough(t *testing.T) {
	for _, c := range []struct {
		name, text string
		breaks     law.Set
	}{
		{"plain text with lines and tabs", "one\n\ttwo: über, \uFFFD", 0},
		{"a secret", "the code is SECRET.", law.Of(law.XS1)},
		{"an escape", "red: \x1b[31m", law.Of(law.XS5)},
		{"a carriage return", "over\rwritten", law.Of(law.XS5)},
		{"an eighth bit control character", "\u009b31m", law.Of(law.XS5)},
		{"an override of direction", "a\u202eb", law.Of(law.XS5)},
		{"an invisible character", "a\u200bb", law.Of(law.XS5)},
		{"a line separator", "a\u2028b", law.Of(law.XS5)},
		{"bytes that are no text", "a\xffb", law.Of(law.XS5)},
		{"both", "SECRET\x00", law.Of(law.XS1, law.XS5)},
	} {
		t.Run(c.name, func(t *testing.T) {
			var found law.Set
			for _, v := range law.Clean("it", c.text, "SECRET", "") {
				found |= law.Of(v.Law)
			}
			require.Equal(t, c.breaks.String(), found.String())
		})
	}
}
