package attended_test

import (
	"bytes"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/adapters/attended"
	"github.com/changeover-go/changeover/license"
)

// Whatever is typed: a yes is the word yes on a line of its own, a reading has
// a server and no half of a license, and nothing is printed raw.
func FuzzAnswers(f *testing.F) {
	f.Add([]byte("yes\nseen\n"))
	f.Add([]byte("YES \r\n\r\n"))
	f.Add([]byte("yes\x00\n\n"))
	f.Add([]byte(string(serial) + "\n" + sourceCode + "\n" + string(serial) + "\nnone\nNever\nIgnore"))
	f.Add([]byte(string(serial) + "\nnone\n"))
	f.Add([]byte("no\n1\n\x1b[2J\n"))
	f.Add([]byte(`{"environment":"","serial":"","role":"","origin":"","digest":"","generation":1,"at":"2026-03-01T09:00:01Z"}` + "\nend\nend\n"))
	f.Add(bytes.Repeat([]byte("x"), 10_000))
	f.Fuzz(func(t *testing.T, typed []byte) {
		sit := func() (*attended.Desk, *bytes.Buffer) {
			var out bytes.Buffer
			return attended.New(bytes.NewReader(typed), &out, &attended.Options{Who: "Ada"}), &out
		}
		printed := func(out *bytes.Buffer, err error) {
			text := out.String()
			if err != nil {
				text += err.Error()
			}
			for _, r := range text {
				require.True(t, r == '\n' || r != unicode.ReplacementChar && unicode.IsGraphic(r), "%q in %q", r, text)
			}
		}

		desk, out := sit()
		_, err := desk.Ask(t.Context(), adapters.Question{Text: "Go on?"})
		printed(out, err)
		if err == nil {
			first, _, ok := strings.Cut(string(typed), "\n")
			require.True(t, ok && strings.EqualFold(strings.TrimSpace(first), "yes"), "%q", first)
		} else {
			require.Same(t, adapters.ErrRefused, adapters.ConditionOf(err))
		}

		desk, out = sit()
		installed, err := desk.InstalledLicense(t.Context(), production)
		printed(out, err)
		if err == nil {
			_, invalid := license.ParseSerialNumber(string(installed.Server))
			require.NoError(t, invalid)
			require.Equal(t, installed.Code.IsZero(), installed.Serial == "")
		} else {
			require.Zero(t, installed)
		}

		desk, out = sit()
		err = desk.PauseDeployments(t.Context(), production)
		printed(out, err)

		desk, out = sit()
		_, err = desk.List(t.Context(), "")
		printed(out, err)
	})
}
