package screen

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/changeover-go/changeover/internal/printable"
)

// Conditions of the questions.
var (
	// ErrNotConfirmed: what was asked for was not typed.
	ErrNotConfirmed = errors.New("not confirmed")
	// ErrNoAnswer: the input ended, the question was given up, or no answer was
	// understood.
	ErrNoAnswer = errors.New("no answer")
)

// tries is how often a question is put.
const tries = 3

// A Question is what is asked.
type Question struct {
	Title string
	Help  string // one sentence; may be empty
	// Preset is the answer that an empty line gives; empty: there is none. Do
	// not preset what would do harm.
	Preset string
	// Check says what is wrong with an answer; nil: every answer will do.
	Check func(answer string) error
}

// A Choice is one answer of several.
type Choice struct {
	Value string
	Text  string // what is shown beside it; may be empty
}

// Confirm asks a question that only want, typed exactly, answers with yes. It
// returns ErrNotConfirmed, and what to type, for anything else: another text,
// the end of the input, and the end of ctx, whose error it wraps too.
func (s *Screen) Confirm(ctx context.Context, question, want string) error {
	refused := func(why error) error {
		return fmt.Errorf("%w: type %s to go on: %w", ErrNotConfirmed, s.quoted(want), why)
	}
	if want == "" {
		return refused(errors.New("there is nothing to type"))
	}
	instruction := "Type " + s.quoted(want) + " to go on; anything else stops."
	other := errors.New("something else was typed")
	var typed string
	var err error
	s.Pause(func() {
		if s.formable() {
			typed, err = s.inputForm(ctx, Question{Title: question, Help: "Type " + s.quoted(want) + " to go on; Esc stops.", Check: func(answer string) error {
				if answer != want {
					return errors.New("that is not " + s.quoted(want))
				}
				return nil
			}})
			return
		}
		typed, err = s.prompt(ctx, s.shown(question)+"\n"+instruction)
	})
	switch {
	case err != nil:
		return refused(err)
	case typed != want:
		return refused(other)
	}
	return nil
}

// Input asks for a text. An answer has no blanks around it. It returns
// ErrNoAnswer at the end of the input, whose preset it does not take; when ctx
// ends, whose error it wraps too; and when no answer passes the check.
func (s *Screen) Input(ctx context.Context, q Question) (answer string, err error) {
	s.Pause(func() {
		if s.formable() {
			answer, err = s.inputForm(ctx, q)
			return
		}
		answer, err = s.ask(ctx, q, "")
	})
	if err != nil {
		return "", fmt.Errorf("%w to %s: %w", ErrNoAnswer, s.quoted(q.Title), err)
	}
	return answer, nil
}

// Choose asks for one of several values and returns it. Its errors are those of
// Input.
func (s *Screen) Choose(ctx context.Context, q Question, choices []Choice) (value string, err error) {
	s.Pause(func() {
		if s.formable() {
			value, err = s.chooseForm(ctx, q, choices)
			return
		}
		var list strings.Builder
		for i, c := range choices {
			fmt.Fprintf(&list, "%3d. %s\n", i+1, s.choice(c))
		}
		check := q.Check
		q.Check = func(answer string) error {
			v, ok := chosen(answer, choices)
			if !ok {
				return fmt.Errorf("type a number from 1 to %d, or one of the names", len(choices))
			}
			if check != nil {
				return check(v)
			}
			return nil
		}
		value, err = s.ask(ctx, q, list.String())
		value, _ = chosen(value, choices)
	})
	if err != nil {
		return "", fmt.Errorf("%w to %s: %w", ErrNoAnswer, s.quoted(q.Title), err)
	}
	return value, nil
}

func (s *Screen) choice(c Choice) string {
	if c.Text == "" {
		return s.shown(c.Value)
	}
	return s.shown(c.Value) + "  " + s.shown(c.Text)
}

// chosen finds a choice by its value, and then by its number.
func chosen(answer string, choices []Choice) (string, bool) {
	for _, c := range choices {
		if c.Value == answer {
			return c.Value, true
		}
	}
	if n, err := strconv.Atoi(answer); err == nil && n >= 1 && n <= len(choices) {
		return choices[n-1].Value, true
	}
	return "", false
}

// ask puts a question in plain lines until an answer passes its check.
func (s *Screen) ask(ctx context.Context, q Question, list string) (string, error) {
	text := s.shown(q.Title)
	if q.Help != "" {
		text += "\n" + s.shown(q.Help)
	}
	if list != "" {
		text += "\n" + strings.TrimRight(list, "\n")
	}
	if q.Preset != "" {
		text += "\nAn empty line means " + s.quoted(q.Preset) + "."
	}
	for try := 1; ; try++ {
		answer, err := s.prompt(ctx, text)
		if err != nil && !errors.Is(err, errTooLong) {
			return "", err
		}
		if answer = strings.TrimSpace(answer); answer == "" {
			answer = q.Preset
		}
		if err == nil && q.Check != nil {
			err = q.Check(answer)
		}
		if err == nil {
			return answer, nil
		}
		if try == tries {
			return "", fmt.Errorf("none was understood in %d tries; the last: %w", tries, err)
		}
		text = "That cannot be taken: " + s.shown(err.Error()) + "."
	}
}

// prompt prints text and reads a line.
func (s *Screen) prompt(ctx context.Context, text string) (string, error) {
	s.forget()
	if _, err := io.WriteString(s.out, text+"\n> "); err != nil {
		return "", err
	}
	answer, err := s.in.line(ctx)
	if err != nil {
		_, _ = io.WriteString(s.out, "\n") // nobody has ended the line
	}
	return answer, err
}

// shown makes a text safe to print, all of it, and quoted a name.
func (s *Screen) shown(text string) string { return printable.Whole(s.model.mask.Text(text)) }

func (s *Screen) quoted(name string) string { return `"` + s.model.clean(name) + `"` }
