// Package printable makes text from outside safe to print: names from a plan,
// words from a licensing page, messages of servers. It is the only way such
// text reaches a terminal, a log, an error or a report (reliability.md XS5).
// It does not escape for HTML, CSV or a shell; whoever writes those does.
package printable

import (
	"fmt"
	"iter"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// MaxRunes is how much of one piece of text is printed.
const MaxRunes = 200

// maxMarks is how many combining marks may stand on one character. More are
// rare in any script, and enough of them cover the lines above and below.
const maxMarks = 2

// Text returns s as [Whole] does, but at most [MaxRunes] runes of it. What is
// cut is replaced by a note of how many runes of s are missing, for which
// there is room among the MaxRunes. Text of a Text is the same Text.
func Text(s string) string {
	if len(s) <= MaxRunes && plain(s) {
		return s
	}
	const room = MaxRunes - len("... (1234567890 more)")
	var b strings.Builder
	// The note follows the last piece after which there was room for it.
	n, kept, rest := 0, 0, 0
	for i, piece := range pieces(s) {
		if n <= room {
			kept, rest = b.Len(), i
		}
		if n += utf8.RuneCountInString(piece); n > MaxRunes {
			return b.String()[:kept] + "… (" + strconv.Itoa(utf8.RuneCountInString(s[rest:])) + " more)"
		}
		b.WriteString(piece)
	}
	return b.String()
}

// Whole returns s with everything quoted that could move a cursor, change
// colors, hide or reorder text, or look like nothing: control and format
// characters, line and paragraph separators, blanks other than the space,
// invisible letters and variation selectors, unassigned and private runes,
// invalid UTF-8, and combining marks that are more than two in a row or have
// nothing to stand on. What is quoted appears as \u and four hex digits, \U
// and eight, or, for a byte that is not UTF-8, \x and two. Text that needs no
// quoting is returned as it is.
//
// A backslash stays a backslash, so that Windows paths stay readable and text
// may pass through here twice. The output can therefore not be decoded, and
// nothing may try: a hostile text can show an escape for a character that it
// does not contain, but cannot hide one that it does contain.
func Whole(s string) string {
	if plain(s) {
		return s
	}
	var b strings.Builder
	for _, piece := range pieces(s) {
		b.WriteString(piece)
	}
	return b.String()
}

// plain reports whether s is ASCII that shows as itself, which nearly all text
// is.
func plain(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// pieces yields what is printed for each rune of s, with its place in s.
func pieces(s string) iter.Seq2[int, string] {
	return func(yield func(int, string) bool) {
		marks := maxMarks // the first rune has nothing to stand on
		for i, width := 0, 0; i < len(s); i += width {
			var r rune
			r, width = utf8.DecodeRuneInString(s[i:])
			if unicode.Is(unicode.M, r) {
				marks++
			} else {
				marks = 0
			}
			piece := s[i : i+width]
			switch {
			case r == utf8.RuneError && width == 1:
				piece = fmt.Sprintf(`\x%02x`, s[i])
			case visible(r) && marks <= maxMarks:
			case r <= 0xffff:
				piece = fmt.Sprintf(`\u%04x`, r)
			default:
				piece = fmt.Sprintf(`\U%08x`, r)
			}
			if !yield(i, piece) {
				return
			}
		}
	}
}

// visible reports whether r shows as itself: it is a space, or has a shape.
func visible(r rune) bool {
	const brailleBlank = 0x2800 // counts as a symbol
	return r == ' ' || unicode.IsGraphic(r) && r != brailleBlank &&
		!unicode.In(r, unicode.Zs, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}

// MaxError is how many bytes of an error are printed: enough for every reason
// of a refusal, and no more of a server's answer than a person reads.
const MaxError = 2000

// Error returns what err says, as [Whole] does, but at most [MaxError] bytes of
// it.
func Error(err error) string {
	s := err.Error()
	if len(s) > MaxError {
		s = s[:MaxError] + "..."
	}
	return Whole(s)
}

// JSON returns encoded JSON that means the same and can be looked at: what
// [Whole] would quote is escaped as JSON does it, marks excepted. What is below
// the space every encoder has escaped already.
func JSON(b []byte) []byte {
	var out []byte // nil: nothing was escaped yet
	for i, width := 0, 0; i < len(b); i += width {
		var r rune
		if r, width = utf8.DecodeRune(b[i:]); r < 0x7f || visible(r) || unicode.Is(unicode.M, r) {
			if out != nil {
				out = append(out, b[i:i+width]...)
			}
			continue
		}
		if out == nil {
			out = append(make([]byte, 0, len(b)+64), b[:i]...)
		}
		if high, low := utf16.EncodeRune(r); high != utf8.RuneError {
			out = fmt.Appendf(out, `\u%04x\u%04x`, high, low)
		} else {
			out = fmt.Appendf(out, `\u%04x`, r)
		}
	}
	if out == nil {
		return b
	}
	return out
}
