package attended_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/adapters/attended"
	"github.com/changeover-go/changeover/adapters/fake"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/internal/golden"
	"github.com/changeover-go/changeover/license"
)

const (
	sourceCode = "ABC.D1E.F2G.H3I.J4K.L5M.N6O.AOU"
	targetCode = "ZYX.W9V.U8T.S7R.Q6P.O5N.M4L.AOU"
	thirdCode  = "TTT.HHH.III.RRR.DDD.333.333.AOU"
	serial     = license.SerialNumber("AAA-BBB-CCC-DDD-EEE-FFF-GGG-HHH")
)

var production = environment.Environment{
	Name: "Production", Kind: environment.Production, ServiceCenter: "https://prod.example.test/", Serial: serial,
}

func activationCode(t testing.TB, text string) license.ActivationCode {
	t.Helper()
	c, err := license.ParseActivationCode(text)
	require.NoError(t, err)
	return c
}

func issue(t testing.TB, code string, s license.SerialNumber) license.File {
	t.Helper()
	f := fake.LicenseFile(license.Details{Code: activationCode(t, code), Serial: s}, "")
	require.False(t, f.IsZero())
	return f
}

// plain returns a license file whose bytes are the same for good, and which
// cannot be inspected.
func plain(t testing.TB) license.File {
	t.Helper()
	f, err := license.NewFile([]byte("these are the bytes of a license file that nobody must ever see printed"))
	require.NoError(t, err)
	return f
}

// A session is a desk whose person types prepared lines. What is printed and
// what is typed make up the transcript, as on a terminal.
type session struct {
	*attended.Desk
	dir, handOver string

	mu         sync.Mutex
	lines      []string
	end        error // what comes after the lines; nil: the end of the input
	transcript bytes.Buffer
	rest       []byte
	said       []adapters.Testimony
	seconds    int
}

func (s *session) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.transcript.Write(b)
}

func (s *session) Read(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.rest) == 0 {
		if len(s.lines) == 0 {
			if s.end == nil {
				return 0, io.EOF
			}
			return 0, s.end
		}
		s.rest, s.lines = []byte(s.lines[0]+"\n"), s.lines[1:]
	}
	n := copy(b, s.rest)
	s.transcript.Write(s.rest[:n])
	s.rest = s.rest[n:]
	return n, nil
}

// types adds to what will be typed. DIR stands for the session's directory.
func (s *session) types(lines ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range lines {
		s.lines = append(s.lines, strings.ReplaceAll(l, "DIR", s.dir))
	}
}

func (s *session) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.ReplaceAll(s.transcript.String(), s.dir, "DIR")
}

func (s *session) write(t testing.TB, name string, f license.File) {
	t.Helper()
	require.NoError(t, os.WriteFile(filepath.Join(s.dir, name), f.Bytes(), 0o600))
}

// ctx returns a context in which testimonies are kept.
func (s *session) ctx(t testing.TB) context.Context {
	return adapters.WithWitness(t.Context(), func(said adapters.Testimony) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.said = append(s.said, said)
	})
}

func sit(t testing.TB, change func(*attended.Options)) *session {
	t.Helper()
	s := &session{dir: t.TempDir()}
	s.handOver = filepath.Join(s.dir, "files")
	opts := &attended.Options{
		Dir:    s.handOver,
		Source: activationCode(t, sourceCode),
		Target: activationCode(t, targetCode),
		Now: func() time.Time {
			s.seconds++
			return time.Date(2026, 3, 1, 9, 0, s.seconds, 0, time.UTC)
		},
	}
	if change != nil {
		change(opts)
	}
	s.Desk = attended.New(s, s, opts)
	return s
}

// A conversation is one call and the answers that make it succeed. The
// question about the name comes first.
type conversation struct {
	name    string
	mutates int // the answer, from 0, from which on it is uncertain what was done; -1: it only reads
	answers []string
	call    func(t testing.TB, ctx context.Context, s *session) error
}

func conversations() []conversation {
	label := adapters.Label{Environment: "Production", Serial: serial, Role: license.Source, Origin: environment.OriginPortal}
	aCase := adapters.Case{Key: "run-1/notPrepared", Subject: "Licenses that are not prepared", Body: "Article: Moving to a new Activation Code\nStep: 2d\n\n- Production\n- Quality\n"}
	return []conversation{
		{"fetch", -1, []string{"Ada", "DIR/download.lic"}, func(t testing.TB, ctx context.Context, s *session) error {
			file := plain(t)
			s.write(t, "download.lic", file)
			got, err := s.FetchLicense(ctx, activationCode(t, sourceCode), production)
			if err == nil {
				require.Equal(t, file.Digest(), got.Digest())
			}
			return err
		}},
		{"registered", -1, []string{"Ada", "not listed"}, func(t testing.TB, ctx context.Context, s *session) error {
			found, err := s.SerialRegistered(ctx, activationCode(t, targetCode), production)
			require.False(t, found)
			return err
		}},
		{"register", 1, []string{"Ada", "done"}, func(t testing.TB, ctx context.Context, s *session) error {
			return s.RegisterSerial(ctx, activationCode(t, targetCode), production)
		}},
		{"installed", -1, []string{"Ada", string(serial), sourceCode, string(serial), "Production", "2027-01-31", "Ignore"}, func(t testing.TB, ctx context.Context, s *session) error {
			got, err := s.InstalledLicense(ctx, production)
			if err == nil {
				require.Equal(t, license.Installed{
					Server: serial, Code: activationCode(t, sourceCode), Serial: serial, IPP: license.Ignore, Type: "Production",
					Ends: time.Date(2027, 1, 31, 0, 0, 0, 0, time.UTC),
				}, got)
			} else {
				require.Zero(t, got)
			}
			return err
		}},
		{"upload", 1, []string{"Ada", "done"}, func(t testing.TB, ctx context.Context, s *session) error {
			return s.UploadLicense(ctx, production, plain(t))
		}},
		{"backup", -1, []string{"Ada", "DIR/installed.lic"}, func(t testing.TB, ctx context.Context, s *session) error {
			s.write(t, "installed.lic", plain(t))
			_, err := s.BackupLicense(ctx, production)
			return err
		}},
		{"republish", 2, []string{"Ada", "17", "done", "17"}, func(t testing.TB, ctx context.Context, s *session) error {
			got, err := s.RepublishModule(ctx, production, "ECT_Provider")
			if err == nil {
				require.Equal(t, adapters.Publication{Before: "17", After: "17"}, got)
			} else {
				require.Zero(t, got)
			}
			return err
		}},
		{"inventory", -1, []string{"Ada", "Production", "prod.example.test", "no", "yes", "none", "Quality", "qa.example.test", "yes", "no", "plan 7; plan 8", "end"},
			func(t testing.TB, ctx context.Context, s *session) error {
				got, err := s.Registered(ctx)
				if err == nil {
					require.Equal(t, []environment.Registered{
						{Name: "Production", Address: "prod.example.test", Paused: true},
						{Name: "Quality", Address: "qa.example.test", Cloud: true, Running: []string{"plan 7", "plan 8"}},
					}, got)
				} else {
					require.Nil(t, got)
				}
				return err
			}},
		{"pause", 1, []string{"Ada", "done"}, func(t testing.TB, ctx context.Context, s *session) error {
			return s.PauseDeployments(ctx, production)
		}},
		{"resume", 1, []string{"Ada", "done"}, func(t testing.TB, ctx context.Context, s *session) error {
			return s.ResumeDeployments(ctx, production)
		}},
		{"case", 1, []string{"Ada", "CASE-4711"}, func(t testing.TB, ctx context.Context, s *session) error {
			reference, err := s.OpenCase(ctx, aCase)
			if err == nil {
				require.Equal(t, "CASE-4711", reference)
			} else {
				require.Empty(t, reference)
			}
			return err
		}},
		{"find", -1, []string{"Ada", "CASE-4711"}, func(t testing.TB, ctx context.Context, s *session) error {
			_, err := s.FindCase(ctx, aCase.Key)
			return err
		}},
		{"ask", -1, []string{"Ada", "yes", "the list in LifeTime"}, func(t testing.TB, ctx context.Context, s *session) error {
			answer, err := s.Ask(ctx, adapters.Question{
				Kind: adapters.AskAttestation, Subject: "modulesChecked", Environment: "Production",
				Text: "Are all modules green?", Details: []string{"Open ActivationCodeCheck.", "Recalculate first."},
			})
			if err == nil {
				require.Equal(t, "Ada", answer.By)
				require.Equal(t, "the list in LifeTime", answer.Text)
				require.False(t, answer.At.IsZero())
			} else {
				require.Zero(t, answer)
			}
			return err
		}},
		{"put", -1, []string{"Ada", "2", "DIR/copy 1.lic", "'DIR/copy 2.lic'", "end"}, func(t testing.TB, ctx context.Context, s *session) error {
			file := plain(t)
			s.write(t, "copy 1.lic", file)
			s.write(t, "copy 2.lic", file)
			got, err := s.Put(ctx, label, file)
			if err == nil {
				require.Equal(t, adapters.Stored{Label: label, Digest: file.Digest(), Generation: 3, Copies: 2, At: got.At}, got)
				require.False(t, got.At.IsZero())
			} else {
				require.Zero(t, got)
			}
			return err
		}},
		{"get", -1, []string{"Ada", "DIR/copy 1.lic"}, func(t testing.TB, ctx context.Context, s *session) error {
			file := plain(t)
			s.write(t, "copy 1.lic", file)
			_, err := s.Get(ctx, serial, file.Digest())
			return err
		}},
		{"list", -1, []string{"Ada",
			`{"environment":"Production","serial":"AAA-BBB-CCC-DDD-EEE-FFF-GGG-HHH","role":"source","origin":"portal","digest":"` + digestOf("one") + `","generation":1,"at":"2026-03-01T09:00:01Z"}`,
			"DIR/one.lic", "end",
			`{"environment":"Production","serial":"AAA-BBB-CCC-DDD-EEE-FFF-GGG-HHH","role":"target","origin":"portal","digest":"` + digestOf("two") + `","generation":2,"at":"2026-03-01T09:00:02Z"}`,
			"end", "end",
		}, func(t testing.TB, ctx context.Context, s *session) error {
			f, err := license.NewFile([]byte("one"))
			require.NoError(t, err)
			s.write(t, "one.lic", f)
			got, err := s.List(ctx, serial)
			if err == nil {
				require.Len(t, got, 2)
				require.Equal(t, []int{1, 0}, []int{got[0].Copies, got[1].Copies})
			} else {
				require.Nil(t, got)
			}
			return err
		}},
	}
}

func digestOf(text string) string {
	f, _ := license.NewFile([]byte(text))
	return string(f.Digest())
}

func TestEveryConversationIsAsItWasReviewed(t *testing.T) {
	for _, c := range conversations() {
		t.Run(c.name, func(t *testing.T) {
			s := sit(t, nil)
			s.types(c.answers...)
			require.NoError(t, c.call(t, s.ctx(t), s))
			require.Empty(t, s.lines, "every answer was asked for")
			var out strings.Builder
			out.WriteString(s.text() + "\n\nOn record:\n")
			for _, said := range s.said {
				fmt.Fprintf(&out, "%s, %s: %s\n", said.At.Format(time.RFC3339), said.By, said.Text)
			}
			require.NotEmpty(t, s.said, "who stated it is on record")
			require.NotContains(t, strings.ReplaceAll(out.String(), "\n> "+sourceCode, ""), sourceCode, "but where it was typed")
			require.NotContains(t, out.String(), targetCode)
			golden.Compare(t, filepath.Join("testdata", c.name+".txt"), []byte(out.String()))
		})
	}
}

func TestTheNameIsAskedOnceOrNever(t *testing.T) {
	s := sit(t, nil)
	s.types("Ada", "listed", "listed")
	for range 2 {
		_, err := s.SerialRegistered(t.Context(), activationCode(t, sourceCode), production)
		require.NoError(t, err)
	}
	require.Equal(t, 1, strings.Count(s.text(), "Your name"))

	s = sit(t, func(o *attended.Options) { o.Who = "Grace\x1b[2J" })
	s.types("listed")
	_, err := s.SerialRegistered(s.ctx(t), activationCode(t, sourceCode), production)
	require.NoError(t, err)
	require.NotContains(t, s.text(), "Your name")
	require.Equal(t, `Grace\u001b[2J`, s.said[0].By)
}

// outcome checks how a conversation ends that broke off before answer n.
func outcome(t *testing.T, c conversation, n int, err error, cause error) {
	t.Helper()
	require.Error(t, err)
	if c.name == "ask" && cause != context.Canceled {
		require.Same(t, adapters.ErrRefused, adapters.ConditionOf(err), "silence never means yes")
		return
	}
	if cause != nil {
		require.ErrorIs(t, err, cause)
	}
	require.Nil(t, adapters.ConditionOf(err), "nobody knows: %v", err)
	require.Equal(t, c.mutates >= 0 && n >= c.mutates, errors.Is(err, adapters.ErrUncertain), "%v", err)
}

func TestTheEndOfTheInputAtAnyQuestionIsNoAnswer(t *testing.T) {
	broken := errors.New("the terminal is gone")
	for _, c := range conversations() {
		for n := range c.answers {
			t.Run(fmt.Sprintf("%s, at answer %d", c.name, n), func(t *testing.T) {
				for end, cause := range map[error]error{nil: io.ErrUnexpectedEOF, broken: broken} {
					s := sit(t, nil)
					s.end = end
					s.types(c.answers[:n]...)
					outcome(t, c, n, c.call(t, s.ctx(t), s), cause)
				}
			})
		}
	}
}

func TestAnswersThatAreNotUnderstoodEndTheCallInTheEnd(t *testing.T) {
	for _, c := range conversations() {
		for n := range c.answers {
			if c.name == "ask" && n > 0 {
				continue // every word is an answer there
			}
			for _, wrong := range []string{"", "  ", strings.Repeat("x", 5000), "\x1b[2J\u202e\xff"} {
				t.Run(fmt.Sprintf("%s, at answer %d, %.8q", c.name, n, wrong), func(t *testing.T) {
					s := sit(t, nil)
					s.types(c.answers[:n]...)
					s.types(wrong, wrong, wrong, "never read")
					err := c.call(t, s.ctx(t), s)
					outcome(t, c, n, err, nil)
					require.Equal(t, []string{"never read"}, s.lines)
					require.NotContains(t, err.Error(), "\x1b")
				})
				t.Run(fmt.Sprintf("%s, at answer %d, %.8q, and then the right one", c.name, n, wrong), func(t *testing.T) {
					s := sit(t, nil)
					s.types(c.answers[:n]...)
					s.types(wrong)
					s.types(c.answers[n:]...)
					require.NoError(t, c.call(t, s.ctx(t), s))
					require.Contains(t, s.text(), "That cannot be taken: ")
				})
			}
		}
	}
}

// A slowPerson types only when told to.
type slowPerson struct {
	session *session
	lines   chan string
	rest    []byte
}

func (p *slowPerson) Read(b []byte) (int, error) {
	if len(p.rest) == 0 {
		l, ok := <-p.lines
		if !ok {
			return 0, io.EOF
		}
		p.rest = []byte(l + "\n")
	}
	n := copy(b, p.rest)
	p.rest = p.rest[n:]
	return n, nil
}

// asked tells of every prompt.
type asked struct {
	io.Writer
	prompts chan struct{}
}

func (a asked) Write(b []byte) (int, error) {
	n, err := a.Writer.Write(b)
	if bytes.HasSuffix(b, []byte("\n> ")) {
		a.prompts <- struct{}{}
	}
	return n, err
}

// sitSlowly is sit with a person who types only what the test sends.
func sitSlowly(t testing.TB) (s *session, types chan<- string, prompts <-chan struct{}) {
	s = sit(t, nil)
	p := &slowPerson{session: s, lines: make(chan string)}
	a := asked{s, make(chan struct{}, 100)}
	s.Desk = attended.New(p, a, &attended.Options{Dir: s.handOver, Source: activationCode(t, sourceCode), Target: activationCode(t, targetCode)})
	return s, p.lines, a.prompts
}

func TestACallThatWaitsForAnAnswerCanBeCanceled(t *testing.T) {
	for _, c := range conversations() {
		for n := range c.answers {
			t.Run(fmt.Sprintf("%s, at answer %d", c.name, n), func(t *testing.T) {
				s, types, prompts := sitSlowly(t)
				defer close(types)
				ctx, cancel := context.WithCancel(s.ctx(t))
				done := make(chan error, 1)
				go func() { done <- c.call(t, ctx, s) }()
				for _, a := range c.answers[:n] {
					<-prompts
					types <- strings.ReplaceAll(a, "DIR", s.dir)
				}
				<-prompts
				cancel()
				outcome(t, c, n, <-done, context.Canceled)
			})
		}
	}
}

func TestALineThatComesLate(t *testing.T) {
	approve := func(s *session, ctx context.Context) <-chan error {
		done := make(chan error, 1)
		go func() {
			_, err := s.Ask(ctx, adapters.Question{Kind: adapters.AskApproval, Subject: "move", Text: "Go on?"})
			done <- err
		}()
		synctest.Wait() // until it has asked
		return done
	}
	// withdrawn returns a session in which a question was put and withdrawn.
	withdrawn := func(t *testing.T) (*session, chan<- string) {
		s, types, _ := sitSlowly(t)
		ctx, cancel := context.WithCancel(t.Context())
		done := approve(s, ctx)
		types <- "Ada"
		synctest.Wait()
		cancel()
		require.ErrorIs(t, <-done, context.Canceled)
		return s, types
	}
	t.Run("before the next question is not taken for its answer", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s, types := withdrawn(t)
			types <- "yes" // for the question that was withdrawn
			synctest.Wait()
			done := approve(s, t.Context())
			require.Contains(t, s.text(), "was put aside")
			types <- "no"
			require.ErrorIs(t, <-done, adapters.ErrRefused)
		})
	})
	t.Run("after the next question is its answer", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s, types := withdrawn(t)
			done := approve(s, t.Context())
			types <- "yes"
			types <- ""
			require.NoError(t, <-done)
			require.NotContains(t, s.text(), "put aside")
		})
	})
	t.Run("never leaves one goroutine, whatever else is asked and withdrawn", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s, types := withdrawn(t)
			for range 10 {
				ctx, cancel := context.WithCancel(t.Context())
				done := approve(s, ctx)
				cancel()
				require.ErrorIs(t, <-done, context.Canceled)
			}
			close(types) // a second reader would be left behind and fail the test
		})
	})
}

func TestQuestionsOfSeveralCallsDoNotInterleave(t *testing.T) {
	s := sit(t, func(o *attended.Options) { o.Who = "Ada" })
	const calls = 20
	for range calls {
		s.types(string(serial), sourceCode, string(serial), "none", "Never", "Ignore")
	}
	var wg sync.WaitGroup
	for i := range calls {
		wg.Go(func() {
			env := production
			env.Name = fmt.Sprintf("Environment %02d", i)
			if _, err := s.InstalledLicense(t.Context(), env); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	parts := strings.Split(s.text(), "\n=== ")[1:]
	require.Len(t, parts, calls)
	first := parts[0][strings.Index(parts[0], "\n"):]
	for _, part := range parts {
		require.Equal(t, first, part[strings.Index(part, "\n"):])
	}
}

func TestACallThatWaitsForItsTurnCanBeCanceled(t *testing.T) {
	s, types, prompts := sitSlowly(t)
	defer close(types)
	first, cancelFirst := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.PauseDeployments(first, production) }()
	<-prompts
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, s.PauseDeployments(ctx, production), context.Canceled)
	waiting := make(chan error, 1)
	second, cancelSecond := context.WithCancel(t.Context())
	go func() { waiting <- s.PauseDeployments(second, production) }()
	cancelSecond()
	err := <-waiting
	require.ErrorIs(t, err, context.Canceled)
	require.NotErrorIs(t, err, adapters.ErrUncertain, "nothing was asked of anybody")
	cancelFirst()
	<-done
}

func TestADeskThatCannotPrintAsksNothing(t *testing.T) {
	for _, c := range conversations() {
		s := sit(t, nil)
		s.Desk = attended.New(s, failing{}, &attended.Options{Dir: s.handOver, Who: "Ada"})
		s.types(c.answers[1:]...)
		err := c.call(t, s.ctx(t), s)
		require.Error(t, err, c.name)
		require.Len(t, s.lines, len(c.answers)-1, c.name)
	}
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, errors.New("the terminal is gone") }
