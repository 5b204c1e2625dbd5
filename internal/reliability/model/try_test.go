package model

import (
	"testing"
	"time"

	"github.com/changeover-go/changeover/internal/reliability/law"
)

func TestTry(t *testing.T) {
	for _, name := range []string{"refresh-and-move/n2/at2/f2", "refresh-and-move/n2/at1/f2/paused", "published/n3/at1/f1", "refresh-and-move/n2/at1/f3"} {
		cfg, _ := Named(name)
		cfg.Without = law.Of(law.BK8)
		m, err := newModel(cfg)
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		f := explore(t.Context(), m, 10_000_000)
		t.Log(name, f.states, f.moves, f.what, f.whole, time.Since(began))
		if f.what != "" {
			s, _ := m.retell(f.path, true)
			t.Log(s)
			t.Log(write(f.path))
			break
		}
		if name == "refresh-and-move/n2/at1/f3" || name == "refresh-and-move/n2/at2/f2" {
			for _, x := range m.coverage().missing() {
				t.Log("not taken: ", x)
			}
		}
	}
}
