//go:build linux || darwin

package screen

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/charmbracelet/x/vt"
	"github.com/creack/pty"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/adapters/attended"
	"github.com/changeover-go/changeover/migration/journal"
)

// The tests of this file let this very program draw on a terminal of its own,
// as another process. What it is to do comes through a pipe.
const childIn = "SCREEN_TEST_CHILD"

// noWait keeps the race detector from waiting a second at the end of a child.
const noWait = "GORACE=atexit_sleep_ms=0"

func TestMain(m *testing.M) {
	if role := os.Getenv(childIn); role != "" {
		os.Exit(child(role))
	}
	os.Exit(m.Run())
}

// child shows a run, or asks, as role says, and reports what came of it.
func child(role string) int {
	commands := bufio.NewReader(os.NewFile(3, "commands"))
	command := func() (string, int) {
		text, err := commands.ReadString('\n')
		if err != nil {
			return "end", 0
		}
		verb, n, _ := strings.Cut(strings.TrimSpace(text), " ")
		count, _ := strconv.Atoi(n)
		return verb, count
	}
	var t testing.T // only to be given to helpers
	plan, entries := acme(&t), []journal.Entry{{}}
	if role == "run" || role == "plain" || role == "unread" {
		plan, entries = record(&t, scenes()[0])
	}
	var at atomic.Int64
	s := New(Options{In: os.Stdin, Out: os.Stdout, Plan: plan, Accessible: role == "accessible", Plain: role == "plain", Now: func() time.Time { return entries[max(at.Load(), 1)-1].Time }})
	ctx := context.Background()
	fmt.Println("before")
	var err error
	switch role {
	case "confirm", "accessible":
		err = s.Confirm(ctx, "Move Acme to its target licenses?", "Acme")
	case "input":
		var answer string
		answer, err = s.Input(ctx, Question{Title: "Name of the infrastructure?", Preset: "Acme", Check: func(s string) error {
			if s == "" || strings.Contains(s, "!") {
				return errors.New("a name has no exclamation mark")
			}
			return nil
		}})
		fmt.Printf("answer %q\n", answer)
	case "choose":
		var answer string
		answer, err = s.Choose(ctx, Question{Title: "Which profile?", Preset: "as-written"}, []Choice{{"refresh-and-move", "the default"}, {"as-written", ""}, {"published", ""}})
		fmt.Printf("answer %q\n", answer)
	default:
		answers := bufio.NewReader(s.In())
		person := attended.New(s.In(), s.Out(), &attended.Options{Who: "Ada"})
		err = s.Run(ctx, func(ctx context.Context) error {
			for {
				verb, n := command()
				switch verb {
				case "to":
					for _, e := range entries[at.Load():min(n, len(entries))] {
						s.OnEntry(e)
						at.Add(1)
					}
				case "ask":
					fmt.Fprintf(s.Out(), "What is shown at %d?\n> ", n)
					answer, err := answers.ReadString('\n')
					fmt.Fprintf(s.Out(), "thanks for %q, %v\n", answer, err)
				case "again":
					at.Store(0)
				case "confirm":
					err := s.Confirm(ctx, "Install the target licenses?", "Acme")
					fmt.Fprintf(s.Out(), "the gate: %v\n", err)
				case "attend":
					answer, err := person.Ask(ctx, adapters.Question{Kind: adapters.AskApproval, Subject: "move", Text: "Install the target licenses?"})
					if ctx.Err() != nil {
						return err
					}
					fmt.Fprintf(s.Out(), "%s says %q, %v\n", answer.By, answer.Text, err)
				case "panic":
					panic("a defect")
				case "hang":
					select {}
				case "canceled":
					<-ctx.Done()
					return ctx.Err()
				case "end":
					return nil
				}
			}
		})
	}
	switch {
	case role == "unread":
		return 6
	case err == nil:
		fmt.Println("after: no error")
		return 0
	case errors.Is(err, context.Canceled):
		fmt.Println("after: canceled")
		return 3
	case errors.Is(err, ErrEndedAtOnce):
		fmt.Println("after: ended at once")
		return 4
	case errors.Is(err, ErrNotConfirmed):
		fmt.Println("after: not confirmed:", err)
		return 5
	}
	fmt.Println("after:", err)
	return 1
}

// A desk is a terminal with this program on it.
type desk struct {
	t        *testing.T
	cmd      *exec.Cmd
	master   *os.File
	slave    *os.File
	commands *os.File
	before   unix.Termios

	mu    sync.Mutex
	news  *sync.Cond
	shown *vt.Emulator
	raw   strings.Builder
}

func open(t *testing.T, role string, cols, rows int, environ ...string) *desk {
	t.Helper()
	master, slave, err := pty.Open()
	require.NoError(t, err)
	require.NoError(t, pty.Setsize(master, &pty.Winsize{Cols: uint16(cols), Rows: uint16(rows)}))
	read, write, err := os.Pipe()
	require.NoError(t, err)
	d := &desk{t: t, master: master, slave: slave, commands: write, shown: vt.NewEmulator(cols, rows)}
	d.news = sync.NewCond(&d.mu)
	d.before = d.modes()
	d.cmd = exec.Command(os.Args[0])
	d.cmd.Env = append([]string{childIn + "=" + role, "TERM=xterm-256color", noWait}, environ...)
	d.cmd.Stdin, d.cmd.Stdout, d.cmd.Stderr = slave, slave, slave
	d.cmd.ExtraFiles = []*os.File{read}
	d.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	require.NoError(t, d.cmd.Start())
	read.Close()
	var readers sync.WaitGroup
	readers.Go(d.watch)
	answers := make(chan struct{})
	go func() {
		defer close(answers)
		_, _ = io.Copy(master, d.shown) // what the terminal answers to queries
	}()
	t.Cleanup(func() {
		_ = d.cmd.Process.Kill()
		_ = d.cmd.Wait()
		slave.Close()
		master.Close()
		write.Close()
		readers.Wait()
		d.shown.InputPipe().(io.Closer).Close()
		<-answers
	})
	return d
}

// watch lets the terminal show what the program writes.
func (d *desk) watch() {
	buf := make([]byte, 4096)
	for {
		n, err := d.master.Read(buf)
		d.mu.Lock()
		d.raw.Write(buf[:n])
		_, _ = d.shown.Write(buf[:n])
		d.news.Broadcast()
		d.mu.Unlock()
		if err != nil {
			return
		}
	}
}

func (d *desk) modes() unix.Termios {
	modes, err := unix.IoctlGetTermios(int(d.slave.Fd()), getModes)
	require.NoError(d.t, err)
	return *modes
}

// text is all that is on the terminal, what has scrolled away included.
func (d *desk) text() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.look()
}

func (d *desk) look() string {
	var b strings.Builder
	for y := range d.shown.ScrollbackLen() {
		var line strings.Builder
		for x := range d.shown.Width() {
			if cell := d.shown.ScrollbackCellAt(x, y); cell != nil {
				line.WriteString(cell.Content)
			}
		}
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	return b.String() + d.shown.String()
}

// written is every byte that the program has written.
func (d *desk) written() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.raw.String()
}

// await waits until the terminal shows what is wanted.
func (d *desk) await(what string, wanted func(text string) bool) {
	d.t.Helper()
	late := false
	timer := time.AfterFunc(20*time.Second, func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		late = true
		d.news.Broadcast()
	})
	defer timer.Stop()
	d.mu.Lock()
	defer d.mu.Unlock()
	for !wanted(d.look()) {
		if late {
			d.t.Fatalf("the terminal does not show %s, but\n%s", what, d.look())
		}
		d.news.Wait()
	}
}

func (d *desk) see(texts ...string) {
	d.t.Helper()
	for _, text := range texts {
		d.await(strconv.Quote(text), func(shown string) bool { return strings.Contains(shown, text) })
	}
}

func (d *desk) gone(text string) {
	d.t.Helper()
	d.await("nothing of "+strconv.Quote(text), func(shown string) bool { return !strings.Contains(shown, text) })
}

func (d *desk) tell(command string) {
	d.t.Helper()
	_, err := io.WriteString(d.commands, command+"\n")
	require.NoError(d.t, err)
}

func (d *desk) key(keys string) {
	d.t.Helper()
	_, err := io.WriteString(d.master, keys)
	require.NoError(d.t, err)
}

// typeAhead types what nobody has asked for, and waits until it could be read.
func (d *desk) typeAhead(keys string) {
	d.t.Helper()
	d.key(keys)
	n, err := unix.Poll([]unix.PollFd{{Fd: int32(d.slave.Fd()), Events: unix.POLLIN}}, 20_000)
	require.NoError(d.t, err)
	require.Equal(d.t, 1, n, "the keys do not arrive")
}

func (d *desk) resize(cols, rows int) {
	d.t.Helper()
	d.mu.Lock()
	d.shown.Resize(cols, rows)
	d.mu.Unlock()
	require.NoError(d.t, pty.Setsize(d.master, &pty.Winsize{Cols: uint16(cols), Rows: uint16(rows)}))
}

// ends waits for the end of the program and requires its exit code, a last
// line, and a terminal that is as it was.
func (d *desk) ends(code int, last string) {
	d.t.Helper()
	d.see(last)
	require.Equal(d.t, d.before, d.modes(), "the modes of the terminal")
	done := make(chan error, 1)
	go func() { done <- d.cmd.Wait() }()
	select {
	case <-done:
	case <-time.After(20 * time.Second):
		require.Fail(d.t, "the program does not end")
	}
	require.Equal(d.t, code, d.cmd.ProcessState.ExitCode())
	require.Equal(d.t, d.before, d.modes(), "the modes of the terminal")
	raw := d.written()
	require.Greater(d.t, strings.LastIndex(raw, showCursor)+1, strings.LastIndex(raw, hideCursor), "the cursor is shown again")
	require.NotContains(d.t, raw, "\x1b[?1049h", "the alternate screen is not used")
}

const (
	ctrlC = "\x03"
	ctrlD = "\x04"
	esc   = "\x1b"
	enter = "\r"

	showCursor = "\x1b[?25h"
	hideCursor = "\x1b[?25l"
)

func TestTheTableOnATerminal(t *testing.T) {
	t.Parallel()
	t.Run("is drawn in the midst of the rest, and its last picture stays", func(t *testing.T) {
		t.Parallel()
		d := open(t, "run", 80, 24)
		d.tell("to 31")
		d.see("before", "Source 4, Target 0", "> Quality", howToStop)
		d.tell("to 500")
		d.tell("end")
		d.see("Source 0, Target 4")
		d.ends(0, "after: no error")
		text := d.text()
		require.Equal(t, 1, strings.Count(text, "ENVIRONMENT"), "one table stays:\n%s", text)
		require.NotContains(t, text, howToStop)
		require.Less(t, strings.Index(text, "before"), strings.Index(text, "ENVIRONMENT"))
		require.Less(t, strings.Index(text, "(reported)"), strings.Index(text, "after: no error"))
	})
}

func TestTheTerminalIsAlwaysAsItWas(t *testing.T) {
	t.Parallel()
	t.Run("after the first Ctrl-C, which stops at the next safe point", func(t *testing.T) {
		t.Parallel()
		d := open(t, "run", 80, 24)
		d.tell("to 31")
		d.see("> Quality", howToStop)
		d.key(ctrlC)
		d.see(stopping)
		d.gone(howToStop)
		d.tell("canceled")
		d.ends(3, "after: canceled")
		require.NotContains(t, d.text(), stopping, "the last picture speaks of nothing that is over")
		require.Contains(t, d.text(), "was under way: upload")
	})
	t.Run("after the second Ctrl-C, which waits for nothing", func(t *testing.T) {
		t.Parallel()
		d := open(t, "run", 80, 24)
		d.tell("to 31")
		d.see("> Quality")
		d.tell("hang")
		d.key(ctrlC)
		d.see(stopping)
		d.key(ctrlC)
		d.ends(4, "after: ended at once")
	})
	for name, sig := range map[string]syscall.Signal{"SIGTERM": syscall.SIGTERM, "SIGHUP, which comes when the terminal goes": syscall.SIGHUP} {
		t.Run("after "+name+", as after Ctrl-C", func(t *testing.T) {
			t.Parallel()
			d := open(t, "run", 80, 24)
			d.tell("to 31")
			d.see("> Quality")
			require.NoError(t, d.cmd.Process.Signal(sig))
			d.see(stopping)
			d.tell("canceled")
			d.ends(3, "after: canceled")
		})
	}
	t.Run("while the process is paused with Ctrl-Z", func(t *testing.T) {
		t.Parallel()
		d := open(t, "run", 80, 24)
		d.tell("to 31")
		d.see("> Quality")
		d.key("\x1a")
		var status syscall.WaitStatus
		_, err := syscall.Wait4(d.cmd.Process.Pid, &status, syscall.WUNTRACED, nil)
		require.NoError(t, err)
		require.True(t, status.Stopped())
		require.Equal(t, d.before, d.modes(), "the modes of the terminal")
		d.gone("> Quality")
		d.await("its cursor", func(string) bool {
			return strings.LastIndex(d.raw.String(), showCursor) > strings.LastIndex(d.raw.String(), hideCursor)
		})
		require.NoError(t, d.cmd.Process.Signal(syscall.SIGCONT))
		d.see("> Quality")
		d.tell("end")
		d.ends(0, "after: no error")
	})
	t.Run("after a panic", func(t *testing.T) {
		t.Parallel()
		d := open(t, "run", 80, 24)
		d.tell("to 31")
		d.see("> Quality")
		d.tell("panic")
		d.ends(2, "a defect")
	})
	t.Run("after a question that was open when Ctrl-C came", func(t *testing.T) {
		t.Parallel()
		d := open(t, "run", 80, 24)
		d.tell("to 31")
		d.see("> Quality")
		d.tell("ask 31")
		d.see("What is shown at 31?")
		d.key(ctrlC)
		d.see(stopping)
		d.key(ctrlC)
		d.ends(4, "after: ended at once")
	})
}

func TestQuestionsDuringARun(t *testing.T) {
	t.Parallel()
	d := open(t, "run", 80, 24)
	d.tell("to 31")
	d.see("> Quality")
	require.Zero(t, d.modes().Lflag&unix.ECHO, "a key that is hit does not push the table about")
	require.NotZero(t, d.modes().Lflag&unix.ISIG, "Ctrl-C stays a signal")
	d.typeAhead("too early\r")
	for _, n := range []string{"62", "93"} {
		d.tell("ask " + n)
		d.see("What is shown at " + n + "?\n>")
		d.gone("ENVIRONMENT")
		require.Equal(t, d.before, d.modes(), "who answers sees what they type")
		d.key("Target " + n + "\r")
		d.see(fmt.Sprintf(`thanks for "Target %s\n", <nil>`, n))
		d.see("ENVIRONMENT") // it comes back
		d.tell("to " + n)
		d.see("Source")
		d.typeAhead("too early\r\r")
	}
	d.tell("end")
	d.ends(0, "after: no error")
	text := d.text()
	require.NotContains(t, text, "too early", "what was typed before a question answers nothing and is not shown")
	require.Equal(t, 1, strings.Count(text, "ENVIRONMENT"), "no picture is left in the midst of the conversation:\n%s", text)
	require.Less(t, strings.Index(text, "thanks for"), strings.Index(text, "ENVIRONMENT"), "the conversation stays above the table")
}

func TestAPersonAnswersDuringARun(t *testing.T) {
	t.Parallel()
	begin := func(t *testing.T) *desk {
		t.Parallel()
		d := open(t, "run", 80, 24)
		d.tell("to 62")
		d.see("fetchLicense")
		return d
	}
	t.Run("at a desk, and the table comes back", func(t *testing.T) {
		d := begin(t)
		d.tell("attend")
		d.see("Install the target licenses?", "\n>")
		d.gone("ENVIRONMENT")
		d.key("yes" + enter + "the contract is signed" + enter)
		d.see(`Ada says "the contract is signed", <nil>`, "ENVIRONMENT")
		d.tell("end")
		d.ends(0, "after: no error")
	})
	t.Run("at a desk that is left with Ctrl-C", func(t *testing.T) {
		d := begin(t)
		d.tell("attend")
		d.see("Install the target licenses?", "\n>")
		d.key(ctrlC)
		d.ends(3, "after: canceled")
		require.Contains(t, d.text(), stopping)
		require.Contains(t, d.text(), "ENVIRONMENT", "the last picture stays")
	})
	t.Run("in a form, and the table comes back", func(t *testing.T) {
		d := begin(t)
		d.tell("confirm")
		d.see(`Type "Acme" to go on`)
		d.gone("ENVIRONMENT")
		d.key("Acme" + enter)
		d.see("Install the target licenses? Acme\n", "the gate: <nil>", "ENVIRONMENT")
		d.tell("end")
		d.ends(0, "after: no error")
	})
	t.Run("in a form that is left with Ctrl-C, and the run goes on", func(t *testing.T) {
		d := begin(t)
		d.tell("confirm")
		d.see(`Type "Acme" to go on`)
		d.key(ctrlC)
		d.see("the gate: not confirmed", howToStop)
		d.tell("end")
		d.ends(0, "after: no error")
	})
	t.Run("in a form that a signal ends together with the run", func(t *testing.T) {
		d := begin(t)
		d.tell("confirm")
		d.tell("canceled")
		d.see(`Type "Acme" to go on`)
		require.NoError(t, d.cmd.Process.Signal(syscall.SIGTERM))
		d.ends(3, "after: canceled")
		require.Contains(t, d.text(), "the gate: not confirmed")
	})
}

func TestTheTableOnATerminalThatChanges(t *testing.T) {
	t.Parallel()
	d := open(t, "run", 120, 30)
	d.tell("to 31")
	d.see("waits for the others", howToStop)
	for _, size := range [][2]int{{80, 24}, {40, 12}, {20, 6}, {120, 30}} {
		d.resize(size[0], size[1])
		want := map[int]string{120: howToStop, 80: howToStop, 40: howToStop, 20: howToStopShort}[size[0]]
		d.await("a table that fits", func(string) bool {
			shown := d.shown.String()
			lines := strings.Split(strings.TrimRight(shown, "\n"), "\n")
			return strings.TrimRight(lines[len(lines)-1], " ") == want && strings.Count(shown, "Quality") >= 1
		})
	}
	d.tell("end")
	d.ends(0, "after: no error")
}

func TestWhatATerminalIsToldInColors(t *testing.T) {
	t.Parallel()
	run := func(t *testing.T, role string, environ ...string) string {
		t.Parallel()
		d := open(t, role, 80, 24, environ...)
		d.tell("to 500")
		d.tell("end")
		d.ends(0, "after: no error")
		return d.written()
	}
	colored := regexp.MustCompile(`\x1b\[[0-9;]*(3[0-8]|4[0-8]|9[0-7])[0-9;]*m`)
	t.Run("a terminal with colors has some", func(t *testing.T) {
		require.Regexp(t, colored, run(t, "run"))
	})
	t.Run("NO_COLOR leaves none", func(t *testing.T) {
		raw := run(t, "run", "NO_COLOR=1")
		require.NotRegexp(t, colored, raw)
		require.Contains(t, raw, "ENVIRONMENT")
	})
	for name, args := range map[string][2]string{
		"a dumb terminal": {"run", "TERM=dumb"}, "a build server": {"run", "CI=true"}, "whoever asked for lines": {"plain", ""},
		"a screen reader": {"run", "ACCESSIBLE=1"}, "a terminal without a name": {"run", "TERM="},
	} {
		t.Run(name+" gets plain lines", func(t *testing.T) {
			raw := run(t, args[0], args[1])
			require.NotContains(t, raw, esc)
			require.NotContains(t, strings.ReplaceAll(raw, "\r\n", "\n"), "\r")
			require.Contains(t, raw, "Production      Paused -> LicenseFetched  (licenseFetched)\r\n")
		})
	}
}

func TestAPipeGetsPlainLines(t *testing.T) {
	t.Parallel()
	read, write, err := os.Pipe()
	require.NoError(t, err)
	defer write.Close()
	cmd := exec.Command(os.Args[0])
	cmd.Env = []string{childIn + "=run", "TERM=xterm-256color", "COLORTERM=truecolor", "CLICOLOR_FORCE=1", noWait}
	cmd.ExtraFiles = []*os.File{read}
	_, err = io.WriteString(write, "to 500\nend\n")
	require.NoError(t, err)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err)
	require.NotContains(t, string(out), esc)
	require.NotContains(t, string(out), "\r")
	lines := strings.Split(string(out), "\n")
	require.Greater(t, len(lines), 60)
	for _, line := range lines[1 : len(lines)-2] {
		require.Equal(t, "  ", line[14:16], "the columns are stable: %s", line)
	}
}

func TestNobodyReadsWhatIsPrinted(t *testing.T) {
	t.Parallel()
	commands, write, err := os.Pipe()
	require.NoError(t, err)
	defer write.Close()
	printed, out, err := os.Pipe()
	require.NoError(t, err)
	defer printed.Close()
	cmd := exec.Command(os.Args[0])
	cmd.Env = []string{childIn + "=unread", noWait}
	cmd.Stdout, cmd.ExtraFiles = out, []*os.File{commands}
	require.NoError(t, cmd.Start())
	out.Close()
	for range 20 { // of more than a pipe can hold
		_, err = io.WriteString(write, "to 500\nagain\n")
		require.NoError(t, err)
	}
	lines := bufio.NewScanner(io.LimitReader(printed, 400))
	for lines.Scan() && !strings.Contains(lines.Text(), "opened") {
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	again := time.NewTicker(20 * time.Millisecond) // signals that come too fast are one
	defer again.Stop()
	late := time.After(20 * time.Second)
	for {
		select {
		case <-again.C:
			_ = cmd.Process.Signal(os.Interrupt)
			continue
		case <-late:
			_ = cmd.Process.Kill()
			t.Fatal("Ctrl-C does not end it")
		case <-done:
		}
		break
	}
	require.Equal(t, 6, cmd.ProcessState.ExitCode())
}

func TestConfirmationsOnATerminal(t *testing.T) {
	t.Parallel()
	for _, role := range []string{"confirm", "accessible"} {
		for _, c := range []struct {
			name, keys string
			code       int
			last       string
		}{
			{"the name", "Acme" + enter, 0, "after: no error"},
			{"another name and then leaving", "Acm" + enter + esc, 5, `type "Acme" to go on`},
			{"nothing but the end", ctrlD, 5, `type "Acme" to go on`},
			{"an empty line and then the end", enter + ctrlD, 5, `type "Acme" to go on`},
			{"yes", "yes" + enter + ctrlD, 5, `type "Acme" to go on`},
		} {
			t.Run(role+" is answered with "+c.name, func(t *testing.T) {
				t.Parallel()
				d := open(t, role, 80, 24)
				d.see("Move Acme to its target licenses?", `Type "Acme" to go on`)
				d.key(c.keys)
				d.ends(c.code, c.last)
			})
		}
	}
	t.Run("Ctrl-C is no confirmation", func(t *testing.T) {
		t.Parallel()
		d := open(t, "confirm", 80, 24)
		d.see("Move Acme")
		d.key(ctrlC)
		d.ends(5, "not confirmed")
	})
	t.Run("at 20 columns it can still be read", func(t *testing.T) {
		t.Parallel()
		d := open(t, "confirm", 20, 10)
		d.see("Move Acme")
		d.key("Acme" + enter)
		d.ends(0, "after: no error")
	})
}

func TestInputsAndChoicesOnATerminal(t *testing.T) {
	t.Parallel()
	t.Run("a preset is taken with Enter", func(t *testing.T) {
		t.Parallel()
		d := open(t, "input", 80, 24)
		d.see("Name of the infrastructure?", "Acme")
		d.key(enter)
		d.ends(0, `answer "Acme"`)
	})
	t.Run("what does not pass is told, and can be mended", func(t *testing.T) {
		t.Parallel()
		d := open(t, "input", 80, 24)
		d.see("Name of the infrastructure?")
		d.key("!" + enter)
		d.see("no exclamation mark")
		d.key("\x7f 2" + enter)
		d.ends(0, `answer "Acme 2"`)
	})
	t.Run("a preset is not taken by leaving", func(t *testing.T) {
		t.Parallel()
		for _, key := range []string{esc, ctrlC, ctrlD} {
			d := open(t, "input", 80, 24)
			d.see("Name of the infrastructure?")
			d.key(key)
			d.ends(1, "no answer")
		}
	})
	t.Run("a choice is made with the arrows", func(t *testing.T) {
		t.Parallel()
		d := open(t, "choose", 80, 24)
		d.see("Which profile?", "refresh-and-move  the default", "published")
		d.key("\x1b[B" + enter)
		d.ends(0, `answer "published"`)
	})
	t.Run("a choice is not made by leaving", func(t *testing.T) {
		t.Parallel()
		d := open(t, "choose", 80, 24)
		d.see("Which profile?")
		d.key(ctrlD)
		d.ends(1, "no answer")
	})
}
