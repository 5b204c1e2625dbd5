//go:build linux

package process

import (
	"os"
	"os/exec"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/adapters/filejournal"
	"github.com/changeover-go/changeover/internal/reliability/tier"
	"github.com/changeover-go/changeover/migration"
)

// Two processes at once are a mistake, unless one of them is dead and was only
// heard too late.
func TestWhoHoldsAtOnce(t *testing.T) {
	tests := map[string]struct {
		kill  func(first, second *actor) // before the second is heard to hold
		then  func(first, second *actor) // after the first has gone on
		wrong int
	}{
		"the second was killed and is heard late": {
			func(_, second *actor) { second.killed.Store(true) },
			func(_, second *actor) { close(second.over) }, 0},
		"the first was killed and is heard late": {
			func(first, _ *actor) { first.killed.Store(true) },
			func(first, second *actor) { first.stage.left(first); close(first.gone) }, 0},
		"both live, and the first ends": {
			func(_, _ *actor) {},
			func(first, _ *actor) { first.stage.left(first); close(first.gone) }, 1},
		"both live, and the second ends": {
			func(_, _ *actor) {},
			func(_, second *actor) { close(second.over) }, 1},
		"both live and work": {
			func(_, _ *actor) {},
			func(_, _ *actor) {}, 2},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			synctest.Test(t, func(t *testing.T) {
				st, err := newStage(&tier.Job{}, scenario{migration.Published, 2, false}, dir)
				require.NoError(t, err)
				store, err := filejournal.Open(st.part.state(), nil)
				require.NoError(t, err)
				require.NoError(t, store.Close())
				enters := func(pid int) *actor {
					return &actor{stage: st, cmd: &exec.Cmd{Process: &os.Process{Pid: pid}}, gone: make(chan struct{}), over: make(chan struct{})}
				}
				first, second := enters(1), enters(2)
				st.answer(first, &message{Do: opened})
				test.kill(first, second)
				heard := make(chan struct{})
				go func() {
					st.answer(second, &message{Do: opened})
					close(heard)
				}()
				synctest.Wait()
				st.answer(first, &message{Do: "Registered"})
				test.then(first, second)
				<-heard
				require.Len(t, st.trouble, test.wrong, "%q", st.trouble)
			})
		})
	}
}
