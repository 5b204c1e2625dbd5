package law

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Clean looks through what was printed or recorded for the secrets (XS1) and
// for characters that could do something to a terminal or a reader: control,
// bidirectional and invisible ones (XS5). name says what text is. Line feeds
// and tabs are permitted.
func Clean(name, text string, secrets ...string) []Violation {
	var found []Violation
	for i, secret := range secrets {
		if secret != "" && strings.Contains(text, secret) {
			found = append(found, Violation{XS1, fmt.Sprintf("%s, which has the secret number %d in it", name, i+1)})
		}
	}
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		broken := r == utf8.RuneError && size == 1 // a replacement character that was written is harmless
		if r != '\n' && r != '\t' && (broken || unicode.Is(unicode.Cc, r) || unicode.Is(unicode.Cf, r) || r == '\u2028' || r == '\u2029') {
			return append(found, Violation{XS5, fmt.Sprintf("%s, which has %U at byte %d", name, r, i)})
		}
		i += size
	}
	return found
}
