//go:build unix

package command_test

import (
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/adapters"
)

// A program that says that it has done nothing, but leaves something behind
// that is at work still, is not believed.
func TestNothingIsCertainWhileAProcessThatWasLeftHoldsTheOutput(t *testing.T) {
	left := nothingIsLeft(t)
	for _, held := range []string{"", ">/dev/null", "2>/dev/null"} {
		for _, exit := range []int{0, 1, 204, 217} {
			t.Run(fmt.Sprintf("sleep %s, exit code %d", held, exit), func(t *testing.T) {
				o := options(t)
				o.Path, o.Args = "/bin/sh", []string{"-c", fmt.Sprintf(`cat >/dev/null; sleep 60 %s & [ %d -gt 0 ] || echo '%s'; exit %[2]d`, held, exit, uploaded)}
				p := program(t, o)
				p.SetPatience(50 * time.Millisecond)
				err := p.UploadLicense(t.Context(), quality, licenseFile(t))
				means(t, unknown, err)
				require.ErrorContains(t, err, "holds its output open")
			})
		}
	}
	left()
}

// A journal takes an entry of some size only: what a program states must not
// keep the outcome out of it.
func TestAProgramDoesNotStateWithoutAnEnd(t *testing.T) {
	one := `{"by":"Ada","at":"2026-03-01T09:00:00Z","text":"` + strings.Repeat("é", 1500) + `"}`
	said := strings.TrimSuffix(uploaded, "}") + `,"testimony":[x` + strings.Repeat(","+one, 200) + `]}`
	var n, bytes atomic.Int64
	ctx := adapters.WithWitness(t.Context(), func(s adapters.Testimony) {
		n.Add(1)
		bytes.Add(int64(len(s.Text)))
		require.True(t, utf8.ValidString(s.Text))
		require.NotContains(t, s.Text, `\x`, "it is not cut within a letter")
	})
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(dir+"/answer", []byte(strings.Replace(said, "x,", "", 1)), 0o600))
	o := options(t)
	o.Path, o.Args = "/bin/sh", []string{"-c", `cat >/dev/null; cat "$0"`, dir + "/answer"}
	require.NoError(t, program(t, o).UploadLicense(ctx, quality, licenseFile(t)))
	require.Positive(t, n.Load())
	require.LessOrEqual(t, n.Load(), int64(101))
	require.Less(t, bytes.Load(), int64(256<<10))
}
