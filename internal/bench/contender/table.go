package contender

import (
	"fmt"
	"time"

	"github.com/changeover-go/changeover/environment/machine"
)

// Facts are what is known of an instance.
type Facts struct {
	Done int `json:"done"`
}

// Table is the workflow as changeover's table: six states that ask for an
// effect each, and a last one. The effects change the world, have a time to
// come back in, and may be observed, as those of the real procedures.
func Table() machine.Table[Facts] {
	t := machine.Table[Facts]{ID: "bench/six", Initial: state(0)}
	for k := range Steps {
		guard := machine.GuardName(fmt.Sprintf("step%dDone", k+1))
		t.States = append(t.States, machine.Node{State: state(k), Doc: fmt.Sprintf("%d of the steps are done.", k), Do: effectName(k)})
		t.Effects = append(t.Effects, machine.Effect{Name: effectName(k), Doc: "Do nothing.", Mutates: true, Timeout: time.Hour})
		t.Edges = append(t.Edges, machine.Edge{From: state(k), On: trigger(k), To: state(k + 1), If: []machine.GuardName{guard}})
		t.Guards = append(t.Guards, machine.Guard[Facts]{Name: guard, Doc: "The step is known to be done.", Holds: func(f Facts) (bool, string) {
			return f.Done > k, "it is not"
		}})
	}
	t.States = append(t.States, machine.Node{State: state(Steps), Doc: "All steps are done.", Final: true})
	return t
}

func state(k int) machine.State           { return machine.State(fmt.Sprintf("Reached%d", k)) }
func trigger(k int) machine.Trigger       { return machine.Trigger(fmt.Sprintf("step%dDone", k+1)) }
func effectName(k int) machine.EffectName { return machine.EffectName(fmt.Sprintf("doStep%d", k+1)) }
