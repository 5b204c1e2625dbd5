package mutants_test

import (
	"go/parser"
	"go/token"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/internal/reliability/mutants"
)

const root = "../../.."

func TestEveryMutantFitsItsFiles(t *testing.T) {
	names := map[string]bool{}
	for _, m := range mutants.All() {
		require.False(t, names[m.Name], "two mutants are called %q", m.Name)
		names[m.Name] = true
		require.True(t, !m.Only || m.Law != "", "%q: only which law notices it?", m.Name)
		edited, err := mutants.Apply(os.DirFS(root), m)
		if !assert.NoError(t, err, m.Name) {
			continue
		}
		require.NotEmpty(t, edited, m.Name)
		for file, text := range edited {
			was, err := os.ReadFile(root + "/" + file)
			require.NoError(t, err)
			require.NotEqual(t, string(was), string(text), m.Name)
			_, err = parser.ParseFile(token.NewFileSet(), file, text, 0)
			require.NoError(t, err, "%q: %s", m.Name, file)
		}
	}
}
