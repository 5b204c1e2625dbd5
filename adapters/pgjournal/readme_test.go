package pgjournal_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The README is compiled: its Go blocks stand word for word in the file that is
// named before each, and what it gives as SQL is run.

var (
	goBlock = regexp.MustCompile("(?s)<!-- (\\S+\\.go) -->\n```go\n(.*?)```")
	anyGo   = regexp.MustCompile("(?m)^```go$")
)

func readme(t testing.TB) string {
	t.Helper()
	b, err := os.ReadFile("README.md")
	require.NoError(t, err)
	return string(b)
}

// block returns the SQL of the README that has a name.
func block(t testing.TB, name string) string {
	t.Helper()
	found := regexp.MustCompile("(?s)<!-- " + name + " -->\n```sql\n(.*?)```").FindStringSubmatch(readme(t))
	require.NotNil(t, found, name)
	return found[1]
}

func TestReadmeCodeIsCompiled(t *testing.T) {
	text := readme(t)
	blocks := goBlock.FindAllStringSubmatch(text, -1)
	require.NotEmpty(t, blocks)
	require.Len(t, anyGo.FindAllString(text, -1), len(blocks), "every Go block names the file that it is from")
	for _, b := range blocks {
		source, err := os.ReadFile(b[1])
		require.NoError(t, err)
		require.Contains(t, flush(string(source)), flush(b[2]), "%s does not contain this block of the README", b[1])
	}
}

// flush takes the indentation away, which depends on where code stands.
func flush(s string) string {
	lines := strings.Split(s, "\n")
	for i := range lines {
		lines[i] = strings.TrimLeft(lines[i], "\t")
	}
	return strings.Join(lines, "\n")
}

// TestReadmeSQLDoesWhatItSays runs what the README shows on a journal.
func TestReadmeSQLDoesWhatItSays(t *testing.T) {
	db := database(t)
	config := server.Config(t, db)
	s := open(t, config, nil)
	require.NoError(t, s.Append(t.Context(), 0, noted(1, 5)...))
	conn := connect(t, config)
	count := func(name string) (n int) {
		rows, err := conn.Query(t.Context(), block(t, name))
		require.NoError(t, err)
		for rows.Next() {
			n++
		}
		require.NoError(t, rows.Err(), name)
		return n
	}
	require.Equal(t, 1, count("journals"))
	require.Equal(t, 5, count("entries"))
	require.Equal(t, 0, count("check"), "every entry is as it was written")
	server.Exec(t, db, `UPDATE changeover.entry SET entry = replace(entry::text, 'Quality', 'quality')::json WHERE seq IN (1, 3)`)
	require.Equal(t, 2, count("check"))
	require.NoError(t, s.Close())
	_, err := conn.PgConn().Exec(t.Context(), block(t, "retention")).ReadAll()
	require.NoError(t, err)
	require.Equal(t, 0, count("journals"))
	holds(t, open(t, config, nil), 0)
}
