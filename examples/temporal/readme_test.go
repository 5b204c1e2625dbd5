package main

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/internal/golden"
)

var outputBlock = regexp.MustCompile("(?s)<!-- output: ([^\n]*?) -->\n```\n(.*?)```")

// TestReadme compares what README.md shows with what the program says.
// UPDATE_GOLDEN=1 writes it anew.
func TestReadme(t *testing.T) {
	b, err := os.ReadFile("README.md")
	require.NoError(t, err)
	text := string(b)
	golden.Compiled(t, "README.md")
	s := newServer(t)
	w, err := s.worker(t.TempDir())
	require.NoError(t, err)
	t.Cleanup(w.end)
	require.Len(t, outputBlock.FindAllString(text, -1), strings.Count(text, "<!-- output:"))
	updated := outputBlock.ReplaceAllStringFunc(text, func(block string) string {
		verb := outputBlock.FindStringSubmatch(block)[1]
		code, out, errOut := s.verb(t, strings.Fields(verb)...)
		require.Equal(t, 0, code, "%s: %s", verb, errOut)
		return "<!-- output: " + verb + " -->\n```\n" + out + "```"
	})
	if os.Getenv("UPDATE_GOLDEN") != "" {
		require.NoError(t, os.WriteFile("README.md", []byte(updated), 0o644))
		return
	}
	require.Equal(t, updated, text, "UPDATE_GOLDEN=1 go test writes it anew")
}
