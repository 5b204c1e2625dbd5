package pgjournal_test

import (
	"os"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/internal/golden"
)

// The README is compiled: its Go blocks stand word for word in the file that is
// named before each, and what it gives as SQL is run.

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

func TestReadmeCodeIsCompiled(t *testing.T) { golden.Compiled(t, "README.md") }

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
