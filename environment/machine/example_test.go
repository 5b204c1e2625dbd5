package machine_test

import (
	"fmt"
	"os"

	"github.com/changeover-go/changeover/environment/machine"
)

// facts is what is learned on the way; see [door].
type facts struct {
	Key    string // that was found
	Opened int    // how often the door was seen open
}

// door is a complete table: two states that ask for work, one in which a
// person is waited for, and an end.
func door() machine.Table[facts] {
	return machine.Table[facts]{
		ID:      "example/door",
		Initial: "Locked",
		States: []machine.Node{
			{State: "Locked", Doc: "The door is locked.", Do: "findKey"},
			{State: "KeyFound", Doc: "A key is at hand.", Do: "unlock", Needs: []machine.GuardName{"keyFits"}},
			{State: "KeyLost", Doc: "A person must bring a key."},
			{State: "Open", Doc: "The door was seen open.", Final: true},
		},
		Edges: []machine.Edge{
			{From: "Locked", On: "keyFound", To: "KeyFound"},
			{From: "Locked", On: "keyMissed", To: "KeyLost"},
			{From: "KeyLost", On: "keyBrought", To: "KeyFound"},
			{From: "KeyFound", On: "unlocked", To: "Open", If: []machine.GuardName{"seenOpen"}},
		},
		Guards: []machine.Guard[facts]{
			{Name: "keyFits", Doc: "The key is the brass one.", Holds: func(f facts) (bool, string) {
				return f.Key == "brass", fmt.Sprintf("it is %q", f.Key)
			}},
			{Name: "seenOpen", Doc: "The door was seen open.", Holds: func(f facts) (bool, string) {
				return f.Opened > 0, "it is closed"
			}},
		},
		Effects: []machine.Effect{
			{Name: "findKey", Doc: "Looks for the key.", Catch: []machine.Catch{{Condition: "notFound", Trigger: "keyMissed"}}},
			{Name: "unlock", Doc: "Turns the key.", Mutates: true},
		},
	}
}

// A table is data. Compile it, and feed it what has happened.
func ExampleTable() {
	m, err := machine.New(door())
	if err != nil {
		fmt.Println(err)
		return
	}
	at := m.Initial()
	for _, on := range []machine.Trigger{"keyMissed", "keyBrought"} {
		if at, err = m.Fire(at, on, facts{}); err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(at)
	}
	_, err = m.Fire(at, "unlocked", facts{Key: "brass"})
	fmt.Println(err)
	// Output:
	// KeyLost
	// KeyFound
	// example/door: KeyFound refuses "unlocked": seenOpen (The door was seen open): it is closed
}

// Somebody else's table gets a state of its own, and stays as it was.
func ExampleTable_Insert() {
	quiet := door()
	polite := quiet.Insert(machine.Insertion[facts]{
		After: "KeyFound", State: "Knocked", Doc: "Those inside were warned.",
		Effect: machine.Effect{Name: "knock", Doc: "Knocks twice.", Mutates: true},
		On:     "knocked",
	})
	if err := polite.Validate(); err != nil {
		fmt.Println(err)
		return
	}
	for _, n := range polite.States {
		fmt.Printf("%s asks for %q\n", n.State, n.Do)
	}
	fmt.Println("the same definition:", quiet.Hash() == polite.Hash())
	// Output:
	// Locked asks for "findKey"
	// KeyFound asks for "knock"
	// Knocked asks for "unlock"
	// KeyLost asks for ""
	// Open asks for ""
	// the same definition: false
}

// A mistake does not wait until it happens.
func ExampleTable_Validate() {
	t := door().Replace(machine.Effect{Name: "kick"})
	t.Edges[2].To = "KeyFond"
	fmt.Println(t.Validate())
	// Output:
	// table "example/door": replace effect "kick": there is no such effect
	// edge "keyBrought" from "KeyLost" names the unknown state "KeyFond"
	// no end can be reached from state "KeyLost"
}

// What may happen, and what may not and why, is known before anything does.
func ExampleMachine_Explain() {
	m, err := machine.New(door())
	if err != nil {
		fmt.Println(err)
		return
	}
	ex, err := m.Explain("KeyFound", facts{Key: "steel"})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(ex.Doc)
	for _, r := range ex.Needs {
		fmt.Printf("%s must wait: %s\n", ex.Effect, r)
	}
	for _, w := range ex.Ways {
		fmt.Printf("%s would lead to %s\n", w.On, w.To)
		for _, r := range w.Refused {
			fmt.Println("but:", r)
		}
	}
	// Output:
	// A key is at hand.
	// unlock must wait: keyFits (The key is the brass one): it is "steel"
	// unlocked would lead to Open
	// but: seenOpen (The door was seen open): it is closed
}

func ExampleTable_WriteMermaid() {
	if err := door().WriteMermaid(os.Stdout); err != nil {
		fmt.Println(err)
	}
	// Output:
	// stateDiagram-v2
	//     state "Locked" as s_Locked
	//     s_Locked: do / findKey
	//     state "KeyFound" as s_KeyFound
	//     s_KeyFound: do / unlock
	//     s_KeyFound: needs [keyFits]
	//     state "KeyLost" as s_KeyLost
	//     state "Open" as s_Open
	//     [*] --> s_Locked
	//     s_Locked --> s_KeyFound: keyFound
	//     s_Locked --> s_KeyLost: keyMissed
	//     s_KeyLost --> s_KeyFound: keyBrought
	//     s_KeyFound --> s_Open: unlocked [seenOpen]
	//     s_Open --> [*]
}
