package model

import (
	"fmt"
	"slices"
	"strings"

	"github.com/changeover-go/changeover/internal/printable"
	"github.com/changeover-go/changeover/internal/reliability/law"
)

// write writes moves down, for [Replay].
func write(path []move) string {
	all := make([]string, len(path))
	for i, v := range path {
		all[i] = v.String()
	}
	return strings.Join(all, " ")
}

// parse reads what write has written.
func parse(moves string) ([]move, error) {
	var path []move
	for _, s := range strings.Fields(moves) {
		v, err := parseMove(s)
		if err != nil {
			return nil, err
		}
		path = append(path, v)
	}
	return path, nil
}

// A Story is a list of moves, told.
type Story struct {
	Moves  string // for [Replay]
	Broken string // what is broken at the end; empty: nothing
	Laws   law.Set
	turns  []turn
}

// turn is a move, told.
type turn struct {
	who  string
	what []string
}

// Replay makes the moves again, from the beginning, and tells them; with events,
// also what the laws are told.
func Replay(cfg Config, moves string, events bool) (*Story, error) {
	m, err := newModel(cfg)
	if err != nil {
		return nil, err
	}
	path, err := parse(moves)
	if err != nil {
		return nil, err
	}
	return m.retell(path, events)
}

func (m *model) retell(path []move, events bool) (*Story, error) {
	m.state = m.beginning()
	s := &Story{Moves: write(path)}
	names := slices.Clone(m.Plan.Order)
	for i, v := range path {
		possible := false
		m.possible(func(verb byte, env uint8) { possible = possible || verb == v.verb && env == v.env })
		if !possible {
			return nil, fmt.Errorf("move %d, %v, is not possible there", i+1, v)
		}
		t := turn{who: whose(names, v)}
		m.out = func(text string) { t.what = append(t.what, text) }
		if events {
			m.seen = func(text string) { t.what = append(t.what, "("+text+")") }
		}
		m.script = script{}
		for j := range len(v.picks) {
			m.script.picks[j] = v.picks[j] - '0'
		}
		m.make(v.verb, v.env)
		m.out, m.seen = nil, nil
		t.what = append(t.what, m.stands(v))
		s.turns = append(s.turns, t)
		if s.Laws, s.Broken = m.broken, m.breaks(); s.Broken != "" {
			break
		}
		m.sort(func(i, j int) { names[i], names[j] = names[j], names[i] })
	}
	return s, nil
}

// breaks says what the last move has broken; "": nothing.
func (m *model) breaks() string {
	var all []string
	for _, l := range m.broken.Laws() {
		all = append(all, l.String()+" is broken: "+l.Sentence())
	}
	if m.wrong != "" {
		all = append(all, m.wrong)
	}
	return strings.Join(all, " ")
}

// ofOne are the verbs of moves that are about one environment.
const ofOne = "epwgxs"

func whose(names []string, v move) string {
	if strings.IndexByte(ofOne, v.verb) >= 0 && int(v.env) < len(names) {
		return printable.Text(names[v.env])
	}
	return "Infrastructure"
}

// stands says where what the move is about stands after it.
func (m *model) stands(v move) string {
	s := "nothing has begun"
	if m.line.table != 0 {
		s = "the infrastructure is in " + string(m.lineAt())
	}
	if strings.IndexByte(ofOne, v.verb) >= 0 && m.envs[v.env].table != 0 {
		s = "now in " + string(m.at(int(v.env))) + ", " + s
	}
	return s
}

// String says in words what happens, one move a line.
func (s *Story) String() string {
	var b strings.Builder
	for i, t := range s.turns {
		fmt.Fprintf(&b, "%3d. %s: %s\n", i+1, t.who, strings.Join(t.what, "; "))
	}
	if s.Broken != "" {
		fmt.Fprintf(&b, "     %s\n", s.Broken)
	}
	return b.String()
}

// Mermaid draws what happens as a sequence diagram.
func (s *Story) Mermaid() string {
	var b strings.Builder
	b.WriteString("sequenceDiagram\n")
	clean := strings.NewReplacer(";", ",", "#", "", "\n", " ")
	note := func(who, what string) {
		fmt.Fprintf(&b, "    Note over %s: %s\n", strings.ReplaceAll(clean.Replace(who), " ", "_"), clean.Replace(what))
	}
	for _, t := range s.turns {
		for _, what := range t.what {
			note(t.who, what)
		}
	}
	if s.Broken != "" {
		note("Infrastructure", s.Broken)
	}
	return b.String()
}

// Test writes a Go test that replays the moves of the tier's config called
// name, and fails as long as they are possible and break something.
func (s *Story) Test(name string) string {
	return fmt.Sprintf(`func TestCounterexample(t *testing.T) {
	cfg, err := model.Named(%q)
	require.NoError(t, err)
	story, err := model.Replay(cfg, %q, true)
	if err == nil { // an error says that the moves are not possible any more
		require.Empty(t, story.Broken, story)
	}
}
`, name, s.Moves)
}
