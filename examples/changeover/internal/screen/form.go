package screen

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"
	"charm.land/huh/v2"
)

// errLeft: a form was left without an answer.
var errLeft = errors.New("the question was left")

// formable reports whether a question can be asked with a form, which needs the
// keys for itself: nobody may be reading lines.
func (s *Screen) formable() bool { return s.forms && !s.in.busy() }

// inputForm asks for a text.
func (s *Screen) inputForm(ctx context.Context, q Question) (string, error) {
	answer := q.Preset
	check := q.Check
	if check == nil {
		check = func(string) error { return nil }
	}
	field := huh.NewInput().Title(s.shown(q.Title)).Description(s.shown(q.Help)).CharLimit(maxLine).
		Value(&answer).Validate(func(answer string) error { return s.printable(check(answer)) })
	if err := s.fill(ctx, q, field, &answer); err != nil {
		return "", err
	}
	return answer, check(answer) // whatever the form thought of it
}

// chooseForm asks for one of several values.
func (s *Screen) chooseForm(ctx context.Context, q Question, choices []Choice) (string, error) {
	value := q.Preset
	var options []huh.Option[string]
	for _, c := range choices {
		options = append(options, huh.NewOption(s.choice(c), c.Value))
	}
	field := huh.NewSelect[string]().Title(s.shown(q.Title)).Description(s.shown(q.Help)).Options(options...).Value(&value)
	if q.Check != nil {
		field.Validate(func(value string) error { return s.printable(q.Check(value)) })
	}
	if err := s.fill(ctx, q, field, &value); err != nil {
		return "", err
	}
	if !slices.ContainsFunc(choices, func(c Choice) bool { return c.Value == value }) {
		return "", errLeft
	}
	return value, nil
}

// printable makes the text of an error safe to print.
func (s *Screen) printable(err error) error {
	if err == nil {
		return nil
	}
	return errors.New(s.shown(err.Error()))
}

// fill lets a person fill in a form of one field, and leaves a line behind that
// says what came of it. Only a form that was completed has an answer: huh's own
// Run returns nil in other cases too.
func (s *Screen) fill(ctx context.Context, q Question, field huh.Field, answer *string) error {
	keys := huh.NewDefaultKeyMap()
	keys.Quit = key.NewBinding(key.WithKeys("ctrl+c", "ctrl+d", "esc"))
	f := &form{huh.NewForm(huh.NewGroup(field)).WithKeyMap(keys).WithShowHelp(false)}
	program := tea.NewProgram(f, tea.WithInput(s.inTTY), tea.WithOutput(s.canvas), tea.WithEnvironment(s.environ), tea.WithoutSignalHandler())
	stop := context.AfterFunc(ctx, program.Quit)
	_, err := program.Run()
	stop()
	forget(s.inTTY) // what the terminal answered to questions of the form
	switch {
	case f.State == huh.StateCompleted && err == nil && ctx.Err() == nil:
		_, err = fmt.Fprintf(s.out, "%s %s\n", s.shown(q.Title), s.shown(*answer))
		return err
	case ctx.Err() != nil:
		err = ctx.Err()
	case err == nil:
		err = errLeft
	}
	_, _ = fmt.Fprintf(s.out, "%s -\n", s.shown(q.Title))
	return err
}

// A form is huh's, hosted so that it always ends in the same way: its own host
// gives up the terminal while it still reads from it when it is left.
type form struct{ *huh.Form }

// Update implements [tea.Model].
func (f *form) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	m, cmd := f.Form.Update(msg)
	f.Form = m.(*huh.Form)
	if f.State != huh.StateNormal {
		return f, tea.Quit
	}
	return f, cmd
}

// View implements [tea.Model].
func (f *form) View() tea.View { return tea.NewView(f.Form.View()) }
