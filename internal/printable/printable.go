// Package printable makes text from outside safe to print: names from a plan,
// words from a licensing page, messages of servers. It is the only way such
// text reaches a terminal, a log, an error or a report (reliability.md XS5).
package printable

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxRunes is how much of one piece of text is printed.
const MaxRunes = 200

// Text returns s with everything quoted that could move a cursor, change
// colors, hide or reorder text: control and format characters, line and
// paragraph separators, unassigned and private runes, invalid UTF-8, and runs
// of combining marks longer than two. The result is at most [MaxRunes] runes
// and a note of how many were cut.
func Text(s string) string {
	var b strings.Builder
	n, marks := 0, 0
	for i, r := range s {
		if n == MaxRunes {
			b.WriteString("… (" + itoa(utf8.RuneCountInString(s[i:])) + " more)")
			break
		}
		n++
		if r == utf8.RuneError {
			if _, size := utf8.DecodeRuneInString(s[i:]); size == 1 {
				b.WriteString(`\x` + hex(rune(s[i]), 2))
				continue
			}
		}
		if unicode.Is(unicode.M, r) {
			marks++
		} else {
			marks = 0
		}
		switch {
		case r == ' ' || marks <= 2 && unicode.IsGraphic(r) && !unicode.Is(unicode.Zs, r):
			b.WriteRune(r)
		case r <= 0xffff:
			b.WriteString(`\u` + hex(r, 4))
		default:
			b.WriteString(`\U` + hex(r, 8))
		}
	}
	return b.String()
}

func hex(r rune, width int) string {
	const digits = "0123456789abcdef"
	out := make([]byte, width)
	for i := width - 1; i >= 0; i-- {
		out[i] = digits[r&15]
		r >>= 4
	}
	return string(out)
}

func itoa(n int) string {
	if n < 10 {
		return string(rune('0' + n))
	}
	return itoa(n/10) + string(rune('0'+n%10))
}
