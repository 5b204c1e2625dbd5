package license_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/license"
)

func TestAReferenceAnswersAsTheFileDoes(t *testing.T) {
	opaque := errors.New("no stream of any kind")
	for name, refused := range map[string]error{"inspected": nil, "refused": fmt.Errorf("%w: %w", license.ErrOpaque, opaque)} {
		t.Run(name, func(t *testing.T) {
			file, err := license.NewFile([]byte("some bytes"))
			require.NoError(t, err)
			details := license.Details{Serial: "AAA-BBB"}
			ref := license.Reference(file.Digest(), file.Size(), details, refused)
			require.True(t, ref.IsReference())
			require.False(t, file.IsReference())
			require.False(t, ref.IsZero())
			require.Nil(t, ref.Bytes())
			require.Equal(t, file.Digest(), ref.Digest())
			require.Equal(t, file.Size(), ref.Size())
			require.Equal(t, file.String(), ref.String())
			got, err := license.Inspect(ref)
			require.Equal(t, details, got)
			require.ErrorIs(t, err, refused)
		})
	}
}

func TestAReferenceNeverPrintsWhatItKnows(t *testing.T) {
	code, err := license.ParseActivationCode("AAA.BBB.CCC.DDD.EEE.FFF.GGG.AOU")
	require.NoError(t, err)
	ref := license.Reference("digest", 3, license.Details{Code: code, Serial: "SECRET-SERIAL"}, nil)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		for _, shown := range []any{ref, &ref, struct{ F license.File }{ref}, struct{ f license.File }{ref}} {
			text := fmt.Sprintf(verb, shown)
			require.NotContains(t, text, "SECRET")
			require.NotContains(t, text, "BBB.CCC")
		}
	}
}
