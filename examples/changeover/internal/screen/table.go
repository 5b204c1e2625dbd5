package screen

import (
	"time"

	tea "charm.land/bubbletea/v2"
)

// tick is how often the table is drawn anew. The first picture, and one of
// another size, need not wait as long: they come with the next of frames a
// second.
const (
	tick   = 250 * time.Millisecond
	frames = 20
)

// A table is the picture on the terminal, from when it is put up until it is
// taken down.
type table struct {
	program *tea.Program
	gone    chan struct{}
	undo    func()
}

// putUp shows the table, unless lines are printed or, without force, a
// conversation goes on.
func (s *Screen) putUp(force bool) {
	s.turn.Lock()
	defer s.turn.Unlock()
	s.mu.Lock()
	wanted := s.model.running && s.drawing && (force || s.open == 0 && s.settling == nil)
	s.mu.Unlock()
	if wanted && s.table == nil {
		s.table = s.draw()
	}
}

// takeDown removes the table, or leaves its last picture behind.
func (s *Screen) takeDown(last bool) {
	s.turn.Lock()
	defer s.turn.Unlock()
	if t := s.table; t != nil {
		s.table = nil
		t.program.Send(down{last})
		<-t.gone
		t.undo()
	}
}

// draw starts to draw.
func (s *Screen) draw() *table {
	t := &table{
		program: tea.NewProgram(&picture{screen: s},
			tea.WithInput(nil), // line mode stays, and with it Ctrl-C
			tea.WithOutput(s.canvas), tea.WithEnvironment(s.environ),
			tea.WithoutSignalHandler(), tea.WithFPS(frames),
		),
		gone: make(chan struct{}),
		undo: func() {},
	}
	if s.inTTY != nil {
		t.undo = hush(s.inTTY)
	}
	go func() {
		defer close(t.gone)
		if _, err := t.program.Run(); err != nil {
			s.mu.Lock()
			s.drawing = false // lines can always be printed
			s.mu.Unlock()
		}
	}()
	return t
}

// A picture is what bubbletea draws.
type picture struct {
	screen        *Screen
	width, height int
	down          *down
}

// down takes the picture down; last leaves it as it is.
type down struct{ last bool }

type tock struct{}

func next() tea.Cmd { return tea.Tick(tick, func(time.Time) tea.Msg { return tock{} }) }

// Init implements [tea.Model].
func (p *picture) Init() tea.Cmd { return next() }

// Update implements [tea.Model].
func (p *picture) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		p.width, p.height = msg.Width, msg.Height
	case tock:
		return p, next()
	case down:
		p.down = &msg
	}
	if p.down != nil && p.width > 0 { // a short run may end before the size is known
		return p, tea.Quit
	}
	return p, nil
}

// View implements [tea.Model].
func (p *picture) View() tea.View {
	view := tea.View{DisableBracketedPasteMode: true}
	if p.width == 0 || p.down != nil && !p.down.last {
		return view
	}
	s := p.screen
	s.mu.Lock()
	defer s.mu.Unlock()
	view.Content = s.model.frame(look{
		width: p.width, height: p.height, now: s.now(), stopping: s.stopping, over: p.down != nil,
	})
	return view
}
