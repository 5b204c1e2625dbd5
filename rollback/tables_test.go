package rollback_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/environment/machine"
	"github.com/changeover-go/changeover/internal/golden"
	"github.com/changeover-go/changeover/rollback"
)

func TestTablesAreValidAndPinned(t *testing.T) {
	pin(t, "environment", rollback.EnvironmentTable())
	pin(t, "infrastructure", rollback.InfrastructureTable())
}

// pin compares every cell with a golden matrix.
func pin[F any](t *testing.T, name string, table machine.Table[F]) {
	t.Helper()
	require.NoError(t, table.Validate())
	var b bytes.Buffer
	require.NoError(t, table.WriteMatrix(&b))
	golden.Compare(t, "testdata/matrix/"+name+".txt", b.Bytes())
}
