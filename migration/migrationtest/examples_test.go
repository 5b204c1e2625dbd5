package migrationtest_test

import "testing"

// The examples are tests, and here they run.
func TestTheExamplesPass(t *testing.T) {
	t.Run("a table of one's own", testMyTable)
	t.Run("adapters of one's own", testMyAdapters)
}
