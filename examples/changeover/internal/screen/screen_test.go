package screen

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/migration"
	"github.com/changeover-go/changeover/migration/journal"
)

// piped is a screen without a terminal.
func piped(plan migration.Plan, in io.Reader) (*Screen, *paper) {
	out := new(paper)
	return New(Options{In: in, Out: out, Plan: plan, Environ: []string{"TERM=xterm"}}), out
}

// A paper keeps what was printed; it may be read meanwhile.
type paper struct {
	mu   sync.Mutex
	text strings.Builder
}

func (p *paper) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.Write(b)
}

func (p *paper) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.String()
}

func transition(env, from, to string) journal.Entry {
	return journal.Entry{Kind: journal.Outcome, Env: env, State: from, To: to, Trigger: "done", Time: start()}
}

func TestConfirmWithoutATerminal(t *testing.T) {
	for _, c := range []struct{ name, want, in string }{
		{"the end of the input", "Acme", ""},
		{"the name without the end of its line", "Acme", "Acme"},
		{"an empty line", "Acme", "\n"},
		{"yes", "Acme", "yes\n"},
		{"another letter case", "Acme", "acme\n"},
		{"a blank too many", "Acme", "Acme \n"},
		{"the name in the second line", "Acme", "\nAcme\n"},
		{"more than the name", "Acme", "Acme" + strings.Repeat("e", 2*maxLine) + "\n"},
		{"the end of the input where nothing is wanted", "", ""},
		{"an empty line where nothing is wanted", "", "\n"},
	} {
		t.Run(c.name+" is no confirmation", func(t *testing.T) {
			s, out := piped(acme(t), strings.NewReader(c.in))
			err := s.Confirm(t.Context(), "Move Acme?", c.want)
			require.ErrorIs(t, err, ErrNotConfirmed)
			require.ErrorContains(t, err, fmt.Sprintf("type %q to go on", c.want))
			require.NotContains(t, out.String(), "\x1b")
		})
	}
	for _, end := range []string{"\n", "\r\n"} {
		t.Run(fmt.Sprintf("the name and %q is one", end), func(t *testing.T) {
			s, out := piped(acme(t), strings.NewReader("Acme"+end))
			require.NoError(t, s.Confirm(t.Context(), "Move Acme?", "Acme"))
			require.Equal(t, "Move Acme?\nType \"Acme\" to go on; anything else stops.\n> ", out.String())
		})
	}
	t.Run("the end of the context is none", func(t *testing.T) {
		r, w := io.Pipe()
		defer w.Close()
		s, _ := piped(acme(t), r)
		ctx, cancel := context.WithCancelCause(t.Context())
		go cancel(nil)
		err := s.Confirm(ctx, "Move Acme?", "Acme")
		require.ErrorIs(t, err, ErrNotConfirmed)
		require.ErrorIs(t, err, context.Canceled)
	})
	t.Run("a reader that fails is none", func(t *testing.T) {
		broken := errors.New("the line is dead")
		s, _ := piped(acme(t), io.MultiReader(strings.NewReader("Acme"), readFails{broken}))
		err := s.Confirm(t.Context(), "Move Acme?", "Acme")
		require.ErrorIs(t, err, ErrNotConfirmed)
		require.ErrorIs(t, err, broken)
	})
	t.Run("no input at all is none", func(t *testing.T) {
		s, _ := piped(acme(t), nil)
		require.ErrorIs(t, s.Confirm(t.Context(), "Move Acme?", "Acme"), io.ErrUnexpectedEOF)
	})
	t.Run("a question from outside moves no terminal", func(t *testing.T) {
		s, out := piped(acme(t), strings.NewReader("\n"))
		err := s.Confirm(t.Context(), "Move \x1b[2JAcme?", "\x1b]0;title\x07")
		require.NotContains(t, out.String()+err.Error(), "\x1b")
	})
}

type readFails struct{ err error }

func (r readFails) Read([]byte) (int, error) { return 0, r.err }

func TestInputWithoutATerminal(t *testing.T) {
	q := Question{Title: "Name?", Help: "As in LifeTime.", Preset: "Acme", Check: func(s string) error {
		if strings.Contains(s, "!") {
			return errors.New("no exclamation mark, please")
		}
		return nil
	}}
	t.Run("an empty line takes the preset", func(t *testing.T) {
		s, out := piped(acme(t), strings.NewReader("\n"))
		answer, err := s.Input(t.Context(), q)
		require.NoError(t, err)
		require.Equal(t, "Acme", answer)
		require.Equal(t, "Name?\nAs in LifeTime.\nAn empty line means \"Acme\".\n> ", out.String())
	})
	t.Run("a mistake is told and can be mended", func(t *testing.T) {
		s, out := piped(acme(t), strings.NewReader("Acme!\n"+strings.Repeat("x", maxLine+3)+"\n  Umbrella \n"))
		answer, err := s.Input(t.Context(), q)
		require.NoError(t, err)
		require.Equal(t, "Umbrella", answer)
		require.Contains(t, out.String(), "That cannot be taken: no exclamation mark, please.\n> ")
		require.Contains(t, out.String(), "longer than")
	})
	for name, in := range map[string]string{"the end of the input": "", "an answer that was cut off": "Umbrella", "three mistakes": "!\n!\n!\nUmbrella\n"} {
		t.Run(name+" is no answer, and not the preset", func(t *testing.T) {
			s, _ := piped(acme(t), strings.NewReader(in))
			answer, err := s.Input(t.Context(), q)
			require.ErrorIs(t, err, ErrNoAnswer)
			require.Empty(t, answer)
		})
	}
}

func TestChooseWithoutATerminal(t *testing.T) {
	choices := []Choice{{"refresh-and-move", "the default"}, {"as-written", ""}, {"2", "a value that looks like a number"}}
	for in, want := range map[string]string{"1\n": "refresh-and-move", "as-written\n": "as-written", "2\n": "2", "3\n": "2", "\n": "as-written", "0\n4\n1\n": "refresh-and-move"} {
		t.Run(fmt.Sprintf("%q is %s", in, want), func(t *testing.T) {
			s, out := piped(acme(t), strings.NewReader(in))
			value, err := s.Choose(t.Context(), Question{Title: "Which?", Preset: "as-written"}, choices)
			require.NoError(t, err)
			require.Equal(t, want, value)
			require.Contains(t, out.String(), "  1. refresh-and-move  the default\n  2. as-written\n")
		})
	}
	for _, in := range []string{"", "as-written", "x\nx\nx\n"} {
		t.Run(fmt.Sprintf("%q is no answer", in), func(t *testing.T) {
			s, _ := piped(acme(t), strings.NewReader(in))
			value, err := s.Choose(t.Context(), Question{Title: "Which?", Preset: "as-written"}, choices)
			require.ErrorIs(t, err, ErrNoAnswer)
			require.Empty(t, value)
		})
	}
	t.Run("without a preset an empty line is no answer", func(t *testing.T) {
		s, _ := piped(acme(t), strings.NewReader("\n\n\n"))
		_, err := s.Choose(t.Context(), Question{Title: "Which?"}, choices)
		require.ErrorIs(t, err, ErrNoAnswer)
	})
}

func TestLinesWaitWhileSomebodyIsAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, w := io.Pipe()
		s, out := piped(acme(t), r)
		s.begin() // Run listens to signals, which come from outside of the bubble
		s.OnEntry(transition("Quality", "Paused", "LicenseFetched"))
		fmt.Fprint(s.Out(), "What is shown?\n> ")
		go func() {
			s.OnEntry(transition("Production", "Paused", "LicenseFetched"))
			time.Sleep(time.Minute)
			fmt.Fprint(w, "Source\n")
		}()
		answer := make([]byte, 100)
		n, err := s.In().Read(answer)
		require.NoError(t, err)
		require.Equal(t, "Source\n", string(answer[:n]))
		fmt.Fprint(s.Out(), "Thanks.\n")
		require.NotContains(t, out.String(), "Production")
		time.Sleep(settle + time.Millisecond)
		synctest.Wait()
		s.Pause(func() {
			s.OnEntry(transition("Development", "Paused", "LicenseFetched"))
			time.Sleep(time.Hour)
			require.NotContains(t, out.String(), "Development")
		})
		s.end()
		require.Equal(t, "Quality         Paused -> LicenseFetched  (done)\nWhat is shown?\n> Thanks.\n"+
			"Production      Paused -> LicenseFetched  (done)\nDevelopment     Paused -> LicenseFetched  (done)\n", out.String())
		require.NoError(t, w.Close())
	})
}

func TestTheAnswerGoesToTheLastQuestion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, w := io.Pipe()
		s, _ := piped(acme(t), r)
		stale := make(chan string, 1)
		go func() {
			buf := make([]byte, 10)
			n, _ := s.In().Read(buf)
			stale <- string(buf[:n])
		}()
		synctest.Wait()
		confirmed := make(chan error, 1)
		go func() { confirmed <- s.Confirm(t.Context(), "Move Acme?", "Acme") }()
		synctest.Wait()
		fmt.Fprint(w, "Acme\n")
		require.NoError(t, <-confirmed)
		fmt.Fprint(w, "late\n")
		require.Equal(t, "late\n", <-stale)
		require.NoError(t, w.Close())
	})
}

func TestAnAnswerThatCameTooLateAnswersNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, w := io.Pipe()
		s, _ := piped(acme(t), r)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.ErrorIs(t, s.Confirm(ctx, "Move Acme?", "Acme"), context.DeadlineExceeded)
		fmt.Fprint(w, "Acme\n")
		synctest.Wait()
		go w.Close()
		require.ErrorIs(t, s.Confirm(t.Context(), "Move Acme back?", "Acme"), io.ErrUnexpectedEOF)
	})
}

func TestWhatARunReturns(t *testing.T) {
	s, out := piped(acme(t), nil)
	broken := errors.New("broken")
	require.ErrorIs(t, s.Run(t.Context(), func(context.Context) error { return broken }), broken)
	require.PanicsWithValue(t, "", func() {
		defer func() {
			p := recover()
			require.Contains(t, p, "a defect\n\ngoroutine")
			panic("")
		}()
		_ = s.Run(t.Context(), func(context.Context) error { panic("a defect") })
	})
	ctx, cancel := context.WithCancel(t.Context())
	require.ErrorIs(t, s.Run(ctx, func(ctx context.Context) error {
		cancel()
		<-ctx.Done()
		return ctx.Err()
	}), context.Canceled)
	require.LessOrEqual(t, strings.Count(out.String(), stopping), 1)
}

func TestReplayIsNoNews(t *testing.T) {
	plan, entries := record(t, scenes()[2])
	s, out := piped(plan, nil)
	require.NoError(t, s.Replay(func(yield func(journal.Entry, error) bool) {
		for _, e := range entries {
			if !yield(e, nil) {
				return
			}
		}
	}))
	require.Empty(t, out.String())
	require.Contains(t, s.model.frame(look{width: 80, height: 24}), "needs Support: serialNotFound")
	broken := errors.New("broken")
	require.ErrorIs(t, s.Replay(func(yield func(journal.Entry, error) bool) { yield(journal.Entry{}, broken) }), broken)
}

func TestTimesStandBeforeTheLines(t *testing.T) {
	var out strings.Builder
	s := New(Options{Out: &out, Plan: acme(t), Times: true})
	s.OnEntry(transition("Quality", "Paused", "LicenseFetched"))
	require.Equal(t, start().Local().Format(time.TimeOnly)+"  Quality         Paused -> LicenseFetched  (done)\n", out.String())
}

func TestElapsed(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Hour: "0s", 0: "0s", 59*time.Second + 999*time.Millisecond: "59s", time.Minute: "1m00s", 3599 * time.Second: "59m59s",
		time.Hour: "1h00m", 24*time.Hour - time.Second: "23h59m", 24 * time.Hour: "1d00h", 52 * time.Hour: "2d04h",
	} {
		require.Equal(t, want, elapsed(d))
	}
}

func TestARunThatEndsBeforeTheSizeIsKnownLeavesItsPicture(t *testing.T) {
	s, _ := piped(acme(t), nil)
	p := &picture{screen: s}
	_, cmd := p.Update(down{last: true})
	require.Nil(t, cmd, "there is no picture yet")
	_, cmd = p.Update(tea.WindowSizeMsg{Width: 80, Height: 24})
	require.NotNil(t, cmd)
	require.Equal(t, tea.QuitMsg{}, cmd())
	require.Contains(t, p.View().Content, "Production")
}
