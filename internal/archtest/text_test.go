package archtest

import (
	"bytes"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// smells are what must not stand in a text file. The expressions are written
// so that they do not match themselves.
var smells = []struct {
	expr *regexp.Regexp
	why  string
}{
	{regexp.MustCompile(`(^|[^\w.)~}-])/(?:root|home|Users|work|tmp|private|mnt)/[\w.]`), "a path of one machine"},
	{regexp.MustCompile(`(^|[^\w])[A-Z]:\\(?:Users|Documents|Temp)`), "a path of one machine"},
	{regexp.MustCompile(`(^|[^.\w])(?:T[O]DO|F[I]XME|HA[C]K)\b`), "what is left to do stands in an issue, not in a file"},
}

// checkText holds the bytes of one file against what any reader, and any diff,
// expects.
func checkText(name string, b []byte) []string {
	if slices.Contains(binaries, path.Ext(name)) {
		return nil
	}
	if bytes.IndexByte(b, 0) >= 0 || !utf8.Valid(b) {
		return []string{name + ": not a text file, and not among the binaries"}
	}
	if strings.Contains(name, "testdata/fuzz/") {
		return nil // what a fuzzer has found is quoted text, with anything in it
	}
	var wrong []string
	if len(b) == 0 {
		wrong = append(wrong, name+": empty")
	} else if !bytes.HasSuffix(b, []byte("\n")) {
		wrong = append(wrong, name+": does not end with a newline")
	} else if bytes.HasSuffix(b, []byte("\n\n")) && !strings.Contains(name, "testdata/") {
		wrong = append(wrong, name+": ends with an empty line")
	}
	n := 0
	for line := range strings.Lines(string(b)) {
		n++
		add := func(why string) { wrong = append(wrong, fmt.Sprintf("%s:%d: %s", name, n, why)) }
		if strings.Contains(line, "\r") {
			add("a carriage return")
		}
		if strings.ContainsFunc(line, func(r rune) bool { return unicode.Is(unicode.Cf, r) || r == '\u2028' || r == '\u2029' }) {
			add("an invisible character: write its escape")
		}
		for _, s := range smells {
			if s.expr.MatchString(line) {
				add(s.why)
			}
		}
	}
	return wrong
}
