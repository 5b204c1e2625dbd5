package engine_test

import (
	"context"
	"fmt"
	"iter"
	"testing"
	"time"

	"github.com/changeover-go/changeover/environment/machine"
	"github.com/changeover-go/changeover/internal/engine"
	"github.com/changeover-go/changeover/migration/journal"
)

// nowhere is a journal that keeps nothing: what is left is the engine.
type nowhere struct{}

func (nowhere) Append(context.Context, uint64, ...journal.Entry) error { return nil }
func (nowhere) Read(context.Context) iter.Seq2[journal.Entry, error] {
	return func(func(journal.Entry, error) bool) {}
}

// BenchmarkStep is what one step costs beside its effect and its journal, with
// so many environments in flight, and beside that a goroutine with a time to
// come back in.
func BenchmarkStep(b *testing.B) {
	const each = 6 // steps an environment
	table := machine.Table[facts]{ID: "steps", Initial: "0"}
	steps := map[machine.EffectName]machine.Step[facts]{}
	for k := range each {
		at, to, name := fmt.Sprint(k), fmt.Sprint(k+1), fmt.Sprintf("do%d", k)
		on := machine.Trigger("did" + to)
		table.States = append(table.States, machine.Node{State: machine.State(at), Doc: "A step.", Do: machine.EffectName(name)})
		table.Edges = append(table.Edges, machine.Edge{From: machine.State(at), On: on, To: machine.State(to), If: []machine.GuardName{machine.GuardName("after" + to)}})
		table.Guards = append(table.Guards, machine.Guard[facts]{Name: machine.GuardName("after" + to), Doc: "It was done.", Holds: func(f facts) (bool, string) { return f.Done > k, "not" }})
		table.Effects = append(table.Effects, machine.Effect{Name: machine.EffectName(name), Doc: "Do nothing.", Mutates: true, Timeout: time.Hour})
		do := func(_ context.Context, c *machine.Call[facts]) (machine.Trigger, error) {
			c.Facts.Done = k + 1
			return on, nil
		}
		steps[machine.EffectName(name)] = machine.Step[facts]{Do: do, Observe: do}
	}
	table.States = append(table.States, machine.Node{State: machine.State(fmt.Sprint(each)), Doc: "The end.", Final: true})
	m, err := machine.New(table)
	if err != nil {
		b.Fatal(err)
	}
	for _, limit := range []int{1, 512} {
		b.Run(fmt.Sprintf("%d in flight", limit), func(b *testing.B) {
			envs := make([]string, max(b.N/each, 1))
			for i := range envs {
				envs[i] = fmt.Sprintf("Environment %d", i)
			}
			s, err := engine.Open(b.Context(), nowhere{}, journal.Opening{Run: "run", Plan: "plan", Procedure: "steps", Definition: table.Hash()}, engine.Options{})
			if err != nil {
				b.Fatal(err)
			}
			w := engine.Walk[facts]{Session: s, Machine: m, Steps: steps, Envs: envs, Limit: limit}
			b.ReportAllocs()
			b.ResetTimer()
			if err := w.Run(b.Context()); err != nil {
				b.Fatal(err)
			}
		})
	}
}
