package model

import "testing"

func TestTry(t *testing.T) {
	for _, name := range []string{"refresh-and-move/n2/at2/f2", "published/n2/at2/f2"} {
		cfg, _ := Named(name)
		m, _ := newModel(cfg)
		f := explore(t.Context(), m, 1_000_000)
		t.Log(f.states, f.whole)
		if f.what != "" {
			t.Log(counterexample(m, name, f))
		}
	}
}
