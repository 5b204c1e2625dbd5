package law_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/internal/golden"
	"github.com/changeover-go/changeover/internal/reliability/law"
)

// The document lists the laws as they are enforced.
func TestTheDocumentListsTheLaws(t *testing.T) {
	const (
		path  = "../../../docs/reliability.md"
		begin = "<!-- The list is written by `make golden` from internal/reliability/law. -->\n"
		end   = "<!-- End of the list. -->"
	)
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	before, rest, ok := strings.Cut(string(text), begin)
	require.True(t, ok)
	_, after, ok := strings.Cut(rest, end)
	require.True(t, ok)
	var list strings.Builder
	list.WriteString("\n| law | says |\n|---|---|\n")
	for _, l := range law.Laws() {
		fmt.Fprintf(&list, "| %v | %s |\n", l, l.Sentence())
	}
	golden.Compare(t, path, []byte(before+begin+list.String()+"\n"+end+after))
}
