package license_test

import (
	"fmt"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/license"
)

func TestIdentifiersAreOneTo64PrintableRunes(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       []string // parts of the error; none: accepted
	}{
		{"the usual code", "ABC.D1E.F2G.H3I.J4K.L5M.N6O.AOU", nil},
		{"one rune", "x", nil},
		{"64 runes", strings.Repeat("ä", 64), nil},
		{"a blank inside", "ABC D1E", nil},
		{"nothing", "", []string{"is empty"}},
		{"65 runes", strings.Repeat("ä", 65), []string{"has 65 characters, at most 64 are accepted"}},
		{"a blank before", " ABC", []string{"begins or ends with white space"}},
		{"a blank after", "ABC ", []string{"begins or ends with white space"}},
		{"a line feed after", "ABC\n", []string{"begins or ends with white space", "control or invisible"}},
		{"an escape", "A\x1bC", []string{"control or invisible"}},
		{"a zero width space", "A\u200bC", []string{"control or invisible"}},
		{"an override of the direction", "A\u202eC", []string{"control or invisible"}},
		{"a no-break space", "A\u00a0C", []string{"control or invisible"}},
		{"a byte that is not UTF-8", "A\xffC", []string{"not valid UTF-8"}},
		{"everything at once", " \xff" + strings.Repeat("\x00", 70), []string{"not valid UTF-8", "72 characters", "white space", "control or invisible"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			code, errCode := license.ParseActivationCode(c.text)
			serial, errSerial := license.ParseSerialNumber(c.text)
			if len(c.want) == 0 {
				require.NoError(t, errCode)
				require.NoError(t, errSerial)
				require.Equal(t, c.text, code.Reveal())
				require.Equal(t, c.text, string(serial))
				return
			}
			require.True(t, code.IsZero())
			require.Empty(t, serial)
			for _, part := range c.want {
				require.ErrorContains(t, errCode, part)
				require.ErrorContains(t, errCode, "activation code")
				require.ErrorContains(t, errSerial, part)
				require.ErrorContains(t, errSerial, "serial number")
			}
		})
	}
}

// Every single place of the usual form with every single byte in it.
func TestOnlyEightGroupsOfThreeAreUsual(t *testing.T) {
	const form = "ABC.D1E.F2G.H3I.J4K.L5M.N6O.AOU"
	usual := func(code string) {
		t.Helper()
		separated := func(sep string) bool {
			groups := strings.Split(code, sep)
			for _, g := range groups {
				if len(g) != 3 || strings.Trim(g, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") != "" {
					return false
				}
			}
			return len(groups) == 8
		}
		if c, err := license.ParseActivationCode(code); err == nil {
			require.Equal(t, separated("."), c.Usual(), "%q", code)
		}
		if s, err := license.ParseSerialNumber(code); err == nil {
			require.Equal(t, separated("-"), s.Usual(), "%q", code)
		}
	}
	for _, f := range []string{form, strings.ReplaceAll(form, ".", "-")} {
		usual(f)
		for n := range f {
			usual(f[:n])
			usual(f[:n] + f[n+1:])
			for b := range 256 {
				usual(f[:n] + string([]byte{byte(b)}) + f[n+1:])
			}
		}
		usual(f + ".ABC")
		usual(f + "-ABC")
	}
}

func TestCodesAreEqualIfTheirTextsAre(t *testing.T) {
	texts := []string{"A", "B", "a", "ABC.D1E.F2G.H3I.J4K.L5M.N6O.AOU", "ABC.D1E.F2G.H3I.J4K.L5M.N6O.BOU"}
	for _, a := range texts {
		for _, b := range texts {
			x, y := code(t, strings.Clone(a)), code(t, strings.Clone(b))
			require.Equal(t, a == b, x == y)
			require.Equal(t, a == b, x.Fingerprint() == y.Fingerprint())
			require.Equal(t, a == b, x.String() == y.String(), "two people can tell them apart")
		}
	}
}

func TestTheZeroCodeIsNoCode(t *testing.T) {
	var none license.ActivationCode
	require.True(t, none.IsZero())
	require.Empty(t, none.Reveal())
	require.Empty(t, none.Fingerprint())
	require.False(t, none.Usual())
	require.Equal(t, "(none)", none.String())
}

func TestTheFingerprintNeverChanges(t *testing.T) {
	require.Equal(t, "aa095f34", code(t, "ABC.D1E.F2G.H3I.J4K.L5M.N6O.AOU").Fingerprint(), "journals keep it")
}

func code(t testing.TB, s string) license.ActivationCode {
	t.Helper()
	c, err := license.ParseActivationCode(s)
	require.NoError(t, err)
	return c
}

func FuzzParseActivationCode(f *testing.F) {
	for _, s := range []string{
		"ABC.D1E.F2G.H3I.J4K.L5M.N6O.AOU", "ABC-D1E-F2G-H3I-J4K-L5M-N6O-AOU", "", " ", "x", "A\x1b", "A\u202eB", "\xff",
		strings.Repeat("ä", 64), strings.Repeat("ä", 65), "a\u0301", "\ufeffABC",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		c, err := license.ParseActivationCode(s)
		acceptable := s != "" && utf8.ValidString(s) && utf8.RuneCountInString(s) <= license.MaxIdentifierRunes && strings.TrimSpace(s) == s
		for _, r := range s {
			acceptable = acceptable && unicode.IsPrint(r)
		}
		if acceptable != (err == nil) {
			t.Fatalf("%q: %v", s, err)
		}
		if err != nil {
			if !c.IsZero() || len(s) > 30 && strings.Contains(err.Error(), s) {
				t.Fatalf("%q: %v gives %v", s, err, c)
			}
			return
		}
		if c.Reveal() != s || c != code(t, s) {
			t.Fatalf("%q became %q", s, c.Reveal())
		}
		// A text of a few runes may be part of its mask by chance.
		if mask := fmt.Sprintf("%v %+v %#v %q", c, c, c, c); utf8.RuneCountInString(s) > 8 && strings.Contains(mask, s) {
			t.Fatalf("%q is printed as %s", s, mask)
		}
	})
}

func ExampleActivationCode() {
	code, err := license.ParseActivationCode("ABC.D1E.F2G.H3I.J4K.L5M.N6O.AOU")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(code, code.Usual())
	fmt.Println(code.Reveal())
	// Output:
	// ***.AOU #aa095f34 true
	// ABC.D1E.F2G.H3I.J4K.L5M.N6O.AOU
}

func ExampleSerialNumber() {
	_, err := license.ParseSerialNumber(" AAA-BBB\t")
	fmt.Println(err)
	serial, _ := license.ParseSerialNumber("AAA-BBB-CCC-DDD-EEE-FFF-GGG-HHH")
	fmt.Println(serial, serial.Usual())
	// Output:
	// serial number begins or ends with white space
	// serial number contains a control or invisible character
	// AAA-BBB-CCC-DDD-EEE-FFF-GGG-HHH true
}
