package license_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/license"
)

func TestMaskHidesCodesInText(t *testing.T) {
	usual, err := license.ParseActivationCode("SRC.K4N.4RY.A7Q.Z2W.X9E.C3R.AOU")
	require.NoError(t, err)
	odd, err := license.ParseActivationCode(`Acme "2026" & sons`)
	require.NoError(t, err)
	short, err := license.ParseActivationCode("ABC")
	require.NoError(t, err)
	mask := license.NewMask(usual, odd, short, license.ActivationCode{})
	quoted, err := json.Marshal(odd.Reveal())
	require.NoError(t, err)
	for _, c := range []struct{ name, text, want string }{
		{"one of its own", "under " + usual.Reveal() + " there", "under " + usual.String() + " there"},
		{"in lower case", strings.ToLower(usual.Reveal()), usual.String()},
		{"twice", usual.Reveal() + usual.Reveal(), usual.String() + usual.String()},
		{"of an unusual form", "(" + odd.Reveal() + ")", "(" + odd.String() + ")"},
		{"as JSON writes it", string(quoted), `"` + odd.String() + `"`},
		{"somebody else's of the usual form", "QRS.YYY.ZZZ.111.222.333.444.BOU!", "***.BOU #" + strings.Split(mustParse(t, "QRS.YYY.ZZZ.111.222.333.444.BOU").String(), "#")[1] + "!"},
		{"one that is too short to be told from a word", "ABC", "ABC"},
		{"none", "nothing to hide… here", "nothing to hide… here"},
	} {
		require.Equal(t, c.want, mask.Text(c.text), c.name)
	}
	// Wherever a text is cut, no more of a code is left than could be anything.
	for n := range usual.Reveal() {
		cut := "the code " + usual.Reveal()[:n] + "… (97 more)"
		if n >= 8 {
			require.Equal(t, "the code ***… (97 more)", mask.Text(cut), "cut after %d", n)
		} else {
			require.Equal(t, cut, mask.Text(cut))
		}
	}
	require.Equal(t, license.Mask{}.Text(usual.Reveal()), usual.String(), "the zero mask knows the usual form")
}

func TestMaskHidesCodesInJSON(t *testing.T) {
	odd := mustParse(t, `Acme "2026" & sons`)
	b, err := json.Marshal(map[string]string{"text": "of " + odd.Reveal(), "other": "QRS.YYY.ZZZ.111.222.333.444.BOU"})
	require.NoError(t, err)
	var back map[string]string
	require.NoError(t, json.Unmarshal(license.NewMask(odd).JSON(b), &back))
	require.Equal(t, map[string]string{"text": "of " + odd.String(), "other": mustParse(t, "QRS.YYY.ZZZ.111.222.333.444.BOU").String()}, back)
	plain := []byte(`{"nothing":"to.hide"}`)
	require.Equal(t, plain, license.NewMask(odd).JSON(plain))
}

func TestMaskHidesCodesInErrors(t *testing.T) {
	code := mustParse(t, "SRC.K4N.4RY.A7Q.Z2W.X9E.C3R.AOU")
	mask := license.NewMask(code)
	inner := errors.New("no such code: " + code.Reveal())
	err := mask.Error(fmt.Errorf("asking: %w", inner))
	require.EqualError(t, err, "asking: no such code: "+code.String())
	require.ErrorIs(t, err, inner)
	require.NoError(t, mask.Error(nil))
	plain := errors.New("plain")
	require.Same(t, plain, mask.Error(plain))
}

func mustParse(t testing.TB, s string) license.ActivationCode {
	t.Helper()
	code, err := license.ParseActivationCode(s)
	require.NoError(t, err)
	return code
}

// Text never leaves a code of its own in what it returns, and keeps UTF-8.
func FuzzMask(f *testing.F) {
	const plain = "SRC.K4N.4RY.A7Q.Z2W.X9E.C3R.AOU"
	f.Add("a text", "and its end")
	f.Add("…", plain)
	f.Fuzz(func(t *testing.T, before, after string) {
		mask := license.NewMask(mustParse(t, plain))
		got := mask.Text(before + plain + after)
		require.NotContains(t, got, plain)
		if utf8.ValidString(before) && utf8.ValidString(after) {
			require.True(t, utf8.ValidString(got))
		}
	})
}
