package printable_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/internal/printable"
)

// harmful are runes that must never be printed, listed by number and not by
// the classes that the code decides with.
func harmful() []rune {
	ranges := [][2]rune{
		{0x00, 0x1f}, {0x7f, 0x9f}, // control characters, ESC and CSI among them
		{0xa0, 0xa0}, {0x1680, 0x1680}, {0x2000, 0x200a}, {0x202f, 0x202f}, {0x205f, 0x205f}, {0x3000, 0x3000}, {0x2800, 0x2800}, // blanks
		{0xad, 0xad}, {0x034f, 0x034f}, {0x200b, 0x200d}, {0x2060, 0x2064}, {0xfeff, 0xfeff}, // nothing to see
		{0x115f, 0x1160}, {0x17b4, 0x17b5}, {0x3164, 0x3164}, {0xffa0, 0xffa0}, // letters without a shape
		{0x061c, 0x061c}, {0x200e, 0x200f}, {0x202a, 0x202e}, {0x2066, 0x2069}, {0x206a, 0x206f}, // direction
		{0x2028, 0x2029},                                     // line and paragraph separators
		{0x0600, 0x0605}, {0x06dd, 0x06dd}, {0x180e, 0x180e}, // other format characters
		{0x180b, 0x180d}, {0xfe00, 0xfe0f}, {0xe0100, 0xe01ef}, // variation selectors
		{0xfff0, 0xfffb}, {0x1d173, 0x1d17a}, {0xe0000, 0xe007f}, // specials, musical format, tags
		{0xe000, 0xf8ff}, {0xf0000, 0xf00ff}, {0x10ff00, 0x10ffff}, // private use, and no characters
		{0x0378, 0x0379}, {0xfdd0, 0xfdef}, {0xfffe, 0xffff}, // unassigned, and no characters
	}
	var all []rune
	for _, r := range ranges {
		for c := r[0]; c <= r[1]; c++ {
			all = append(all, c)
		}
	}
	return all
}

func TestHarmfulRunesAreQuotedWithTheirNumber(t *testing.T) {
	for _, r := range harmful() {
		want := fmt.Sprintf(`a\u%04xb`, r)
		if r > 0xffff {
			want = fmt.Sprintf(`a\U%08xb`, r)
		}
		if got := printable.Text("a" + string(r) + "b"); got != want {
			t.Errorf("U+%04X is printed as %q", r, got)
		}
	}
}

func TestOrdinaryTextIsPrintedAsItIs(t *testing.T) {
	for _, s := range []string{
		"", " ", "Production", "Qualität", "Produção (São Paulo)", "E\u0301tape", "本番環境", "Производство", "تطوير", "สภาพแวดล้อม",
		`C:\Windows\Temp\ConfigurationTool.log`, `"quoted" & <tagged>`, "50 % of 2.500 €", "☕ 👍", "\ufffd", "x\u0302\u0323",
		`\u202e`, `\x00`,
	} {
		require.Equal(t, s, printable.Text(s))
		require.Equal(t, s, printable.Whole(s))
	}
}

// clean is the promise of the package.
func clean(t *testing.T, s string) {
	t.Helper()
	marks := maxMarks
	for _, r := range s {
		if r != ' ' && (!unicode.IsGraphic(r) || unicode.IsSpace(r)) {
			t.Fatalf("U+%04X is printed in %q", r, s)
		}
		if marks++; !unicode.IsMark(r) {
			marks = 0
		}
		if marks > maxMarks {
			t.Fatalf("too many marks are printed in %q", s)
		}
	}
	if !utf8.ValidString(s) {
		t.Fatalf("%q is not UTF-8", s)
	}
}

const maxMarks = 2

// check holds one text against everything that is promised.
func check(t *testing.T, s string) {
	t.Helper()
	text, whole := printable.Text(s), printable.Whole(s)
	clean(t, text)
	clean(t, whole)
	if n := utf8.RuneCountInString(text); n > printable.MaxRunes {
		t.Fatalf("Text(%q) has %d runes", s, n)
	}
	if again := printable.Text(text); again != text {
		t.Fatalf("Text(%q) is %q, and that again is %q", s, text, again)
	}
	if again := printable.Whole(whole); again != whole {
		t.Fatalf("Whole(%q) is %q, and that again is %q", s, whole, again)
	}
	if utf8.RuneCountInString(whole) <= printable.MaxRunes {
		if text != whole {
			t.Fatalf("Text(%q) is %q, though %q would fit", s, text, whole)
		}
		return
	}
	// What was cut is counted: the note and what stands before it are all of s.
	kept, note, found := cutLast(text, "… (")
	var more int
	if _, err := fmt.Sscanf(note, "%d more)", &more); !found || err != nil {
		t.Fatalf("Text(%q) is %q, without a note", s, text)
	}
	runes := utf8.RuneCountInString(s)
	if more < 1 || more > runes || !strings.HasPrefix(whole, kept) {
		t.Fatalf("Text(%q) is %q, of %d runes", s, text, runes)
	}
	if head := firstRunes(s, runes-more); printable.Whole(head) != kept {
		t.Fatalf("Text(%q) is %q, but the first %d runes are %q", s, text, runes-more, printable.Whole(head))
	}
}

func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

// firstRunes returns the first n runes of s, byte for byte.
func firstRunes(s string, n int) string {
	for i := range s {
		if n == 0 {
			return s[:i]
		}
		n--
	}
	return s
}

func TestEveryRuneKeepsThePromise(t *testing.T) {
	for r := rune(0); r <= unicode.MaxRune; r++ {
		// Nothing is assigned from plane 4 to plane 13, and what follows the
		// tags and selectors is private: there, a few stand for all.
		if r == 0x40000 {
			r = 0xe0000
		} else if r > 0xe1000 {
			r = min(r+0xfe, unicode.MaxRune)
		}
		text := printable.Text("a" + string(r) + "b")
		clean(t, text)
		require.True(t, printable.Text(text) == text, "U+%04X", r)
		if r < 0x3000 {
			check(t, string(r))
			check(t, "a"+strings.Repeat(string(r), 5)+"b")
		}
	}
}

func TestEveryHarmfulRuneKeepsThePromiseWhereTextIsCut(t *testing.T) {
	plain := strings.Repeat("ä", printable.MaxRunes)
	for n, r := range harmful() {
		if n < 512 || n%97 == 0 { // most of the others are private
			check(t, plain[:2*(160+n%40)]+string(r))
			check(t, plain[:len(plain)-2]+string(r))
		}
	}
}

func TestEveryByteThatIsNoTextIsQuoted(t *testing.T) {
	for b := 0x80; b <= 0xff; b++ {
		require.Equal(t, fmt.Sprintf(`a\x%02xb`, b), printable.Text("a"+string([]byte{byte(b)})+"b"))
	}
	for name, s := range map[string]string{
		"a surrogate":         "\xed\xa0\x80",
		"an overlong slash":   "\xc0\xaf",
		"half of a character": "\xe2\x82",
		"beyond the last":     "\xf4\x90\x80\x80",
	} {
		t.Run(name, func(t *testing.T) {
			var want strings.Builder
			for i := range len(s) {
				fmt.Fprintf(&want, `\x%02x`, s[i])
			}
			require.Equal(t, want.String(), printable.Text(s))
		})
	}
}

func TestMarksAreQuotedFromTheThirdOn(t *testing.T) {
	require.Equal(t, "e\u0301\u0302"+`\u0303\u0304`+"x\u0301", printable.Text("e\u0301\u0302\u0303\u0304x\u0301"))
}

func TestMarksWithNothingToStandOnAreQuoted(t *testing.T) {
	require.Equal(t, `\u0301`+"e", printable.Text("\u0301e"))
}

func TestLongTextIsCutWithANote(t *testing.T) {
	for n := range 3 * printable.MaxRunes {
		check(t, strings.Repeat("x", n))
		check(t, strings.Repeat("\x1b", n))
		check(t, strings.Repeat("x", n)+"\U000e0001\u0301\u0302")
	}
	require.Equal(t, strings.Repeat("x", 200), printable.Text(strings.Repeat("x", 200)), "text that just fits has no note")
	require.Equal(t, strings.Repeat("x", 179)+"… (999821 more)", printable.Text(strings.Repeat("x", 1_000_000)))
}

func TestTextPutTogetherAtRandomKeepsThePromise(t *testing.T) {
	const seed = 20210513
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	alphabet := append(harmful(), []rune("aB0 \\…()\u0301\u0302\u0903é本👍")...)
	for range 2_000 {
		var b strings.Builder
		for range random.IntN(300) {
			if random.IntN(10) == 0 {
				b.WriteByte(byte(random.IntN(256)))
			} else {
				b.WriteRune(alphabet[len(alphabet)-1-random.IntN(len(alphabet))*random.IntN(2)])
			}
		}
		check(t, b.String())
	}
}

func FuzzText(f *testing.F) {
	for _, s := range []string{
		"Production", "\x1b]52;c;aGk=\a", "a\u202eb", "e\u0301\u0302\u0303", "\xff\xfe", strings.Repeat("x", 250),
		strings.Repeat("\u2028", 40), "… (5 more)", `\u202e`,
	} {
		f.Add(s)
	}
	f.Fuzz(check)
}

func ExampleText() {
	fmt.Println(printable.Text("Production\x1b[2J"))
	fmt.Println(printable.Text("gnp\u202eexe"))
	// Output:
	// Production\u001b[2J
	// gnp\u202eexe
}

func TestErrorIsWholeButBounded(t *testing.T) {
	reasons := strings.Repeat("another reason; ", 30)
	require.Equal(t, reasons, printable.Error(errors.New(reasons)), "every reason of a refusal is printed")
	long := printable.Error(errors.New(strings.Repeat("x", 3*printable.MaxError)))
	require.Len(t, long, printable.MaxError+len("..."))
	require.Equal(t, `a\u001b[31mb`, printable.Error(errors.New("a\x1b[31mb")))
}
