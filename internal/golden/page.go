package golden

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	goBlock = regexp.MustCompile("(?s)<!-- (\\S+\\.go) -->\n```go\n(.*?)```")
	anyGo   = regexp.MustCompile("(?m)^```go$")
)

// Compiled fails the test unless every Go block of a Markdown page stands word
// for word in the file that the comment before it names, relative to the page:
// then it is compiled with that file. Indentation does not count, since it
// depends on where code stands. A page without a Go block fails it too.
func Compiled(t testing.TB, page string) {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	blocks := goBlock.FindAllStringSubmatch(string(text), -1)
	if all := len(anyGo.FindAllString(string(text), -1)); all == 0 || len(blocks) != all {
		t.Fatalf("%s has %d Go blocks, %d of them with the file that they are from", page, all, len(blocks))
	}
	for _, b := range blocks {
		source, err := os.ReadFile(filepath.Join(filepath.Dir(page), b[1]))
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(flush(string(source)), flush(b[2])) {
			t.Fatalf("%s does not contain this block of %s:\n%s", b[1], page, b[2])
		}
	}
}

// flush takes the indentation away.
func flush(s string) string {
	lines := strings.Split(s, "\n")
	for i := range lines {
		lines[i] = strings.TrimLeft(lines[i], "\t")
	}
	return strings.Join(lines, "\n")
}
