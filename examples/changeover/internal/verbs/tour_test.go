package verbs_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/stretchr/testify/require"
)

// The tour of the README is taken as it is written there, on a terminal, and
// what it shows is compared with what is answered. UPDATE_GOLDEN=1 writes it
// anew.

const readmeFile = "../../README.md"

var tourBlock = regexp.MustCompile("(?s)(<!-- tour: ([a-z ]+) -->\n```console\n)(.*?)(```\n)")

// A terminal is a command on a terminal.
type terminal struct {
	cmd  *exec.Cmd
	file *os.File
	mu   sync.Mutex
	out  bytes.Buffer
	read chan struct{}
}

func open(t *testing.T, dir, line string) *terminal {
	t.Helper()
	args := strings.Fields(line)
	path, err := exec.LookPath(args[0])
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), path, args[1:]...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "TERM=dumb")
	file, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 40, Cols: 200})
	require.NoError(t, err)
	term := &terminal{cmd: cmd, file: file, read: make(chan struct{})}
	go func() {
		defer close(term.read)
		b := make([]byte, 4096)
		for {
			n, err := file.Read(b)
			term.mu.Lock()
			term.out.Write(b[:n])
			term.mu.Unlock()
			if err != nil { // the other end is gone
				return
			}
		}
	}()
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait(); _ = file.Close(); <-term.read })
	return term
}

func (term *terminal) text() string {
	term.mu.Lock()
	defer term.mu.Unlock()
	return strings.ReplaceAll(term.out.String(), "\r\n", "\n")
}

func (term *terminal) await(t *testing.T, text string) {
	t.Helper()
	require.Eventually(t, func() bool { return strings.Contains(term.text(), text) }, patience, 5*time.Millisecond, "waited in vain for %q", text)
}

func (term *terminal) types(t *testing.T, text string) {
	t.Helper()
	_, err := term.file.WriteString(text)
	require.NoError(t, err)
}

// ends waits for the end and returns what it exits with.
func (term *terminal) ends(t *testing.T) int {
	t.Helper()
	select {
	case <-term.read:
	case <-time.After(patience):
		require.Fail(t, "it does not end", term.text())
	}
	_ = term.cmd.Wait() // the state says more
	return term.cmd.ProcessState.ExitCode()
}

// A tour is the parts of the README, by name.
type tour struct {
	t     *testing.T
	parts map[string]*strings.Builder
	part  string
	dir   string
}

func (to *tour) show(text string) {
	if to.parts[to.part] == nil {
		to.parts[to.part] = new(strings.Builder)
	}
	to.parts[to.part].WriteString(text)
}

// types runs a command to its end, and shows both.
func (to *tour) types(line string, code int, spans ...span) string {
	term := open(to.t, to.dir, line)
	require.Equal(to.t, code, term.ends(to.t), "%s\n%s", line, term.text())
	to.show("$ " + line + "\n" + cut(to.t, term.text(), spans))
	return term.text()
}

// confirms does the same with a command that asks for the infrastructure's
// name.
func (to *tour) confirms(line string, code int, spans ...span) {
	term := open(to.t, to.dir, line)
	term.await(to.t, `Type "Example" to go on`)
	term.types(to.t, "Example\n")
	require.Equal(to.t, code, term.ends(to.t), "%s\n%s", line, term.text())
	to.show("$ " + line + "\n" + cut(to.t, term.text(), spans))
}

// A span is a part of an answer that is shown: from the line that begins with
// one text to the line after it that begins with the other.
type span struct{ from, to string }

// cut leaves the spans of an answer; without any, all of it. What is between
// them is longer than a README, and partly in another order each time.
func cut(t *testing.T, text string, spans []span) string {
	t.Helper()
	if len(spans) == 0 {
		return text
	}
	var shown strings.Builder
	next, within, left := 0, false, false
	for line := range strings.Lines(text) {
		if !within && next < len(spans) && strings.HasPrefix(line, spans[next].from) {
			if left {
				shown.WriteString("…\n")
			}
			within, left = true, false
		}
		left = left || !within
		if within {
			shown.WriteString(line)
			if strings.HasPrefix(line, spans[next].to) {
				within = false
				next++
			}
		}
	}
	require.Equal(t, len(spans), next, "%v is not in\n%s", spans[min(next, len(spans)-1)], text)
	if left {
		shown.WriteString("…\n")
	}
	return shown.String()
}

func (to *tour) simulation(line string) *terminal {
	term := open(to.t, to.dir, strings.TrimSuffix(line, " &"))
	term.await(to.t, "interrupt it to end")
	to.show("$ " + line + "\n" + term.text())
	return term
}

func TestTheTourIsAsTheReadmeShowsIt(t *testing.T) {
	t.Parallel()
	to := &tour{t: t, dir: t.TempDir(), parts: map[string]*strings.Builder{}}
	to.part = "plan"
	to.types("changeover init --example", 0)
	to.simulation("changeover simulate --fault Quality=hang@SetLicense &")
	to.types("changeover check", 0)
	planned := to.types("changeover plan", 0)

	to.part = "kill"
	term := open(t, to.dir, "changeover apply")
	state := filepath.Join(to.dir, "simulation", "world", "simulation.json")
	require.Eventually(t, func() bool {
		b, err := os.ReadFile(state)
		return err == nil && !bytes.Contains(b, []byte(`"kind":"hang"`))
	}, patience, 5*time.Millisecond, "the fault does not happen")
	term.await(t, "Quality         LicenseFetched -> BackedUp")
	require.NoError(t, term.cmd.Process.Kill())
	require.Equal(t, -1, term.ends(t))
	to.show("$ changeover apply\n" + term.text() + "Killed\n")
	to.types("changeover status", 3, span{"Held", "  LifeTime "}, span{"Can be", "  Development"})

	to.part = "resume"
	to.confirms("changeover resume", 0,
		span{"run", "Quality         BackedUp -> Uploaded"},
		span{"  Production: backup", "infrastructure  Tested -> Cleared"},
		span{"Production      begins in Paused, leg move", "Production      IPVerified -> Republished"},
		span{"infrastructure  Cleared -> Moved", "  LifeTime "})
	to.types("changeover report --format html --out report.html", 0)
	require.FileExists(t, filepath.Join(to.dir, "report.html"))

	to.part = "rollback"
	second := filepath.Join(to.dir, "second")
	require.NoError(t, os.Mkdir(second, 0o700))
	to.show("$ mkdir second && cd second\n")
	to.dir = second
	to.types("changeover init --example", 0)
	to.simulation("changeover simulate --fault Quality=ipp &")
	to.types("changeover plan", 0, span{"Ready", "Ready"})
	to.confirms("changeover apply", 2,
		span{"infrastructure  Tested -> Cleared", "infrastructure  Tested -> Cleared"},
		span{"Quality         IPVerified -> RollingBack", "infrastructure  Cleared -> Halted"},
		span{"RolledBack", "Support case"})

	to.compare(planned)
}

// steady takes out what is different each time.
func steady(text string) string {
	for _, r := range []struct{ from, to string }{
		{`127\.0\.0\.1:\d+`, "127.0.0.1:41234"},
		{`\d{4}-\d\d-\d\d \d\d:\d\d UTC`, "2026-11-23 09:00 UTC"},
		{`good until 2026-11-23`, "good until 2026-11-24"}, // compare has seen that it is a day
		{`since \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ`, "since 2026-11-23T09:00:00Z"},
		{`(preview: |--yes )[0-9a-f]{64}`, "${1}5f0c…"},
		{`publish \d+:`, "publish 6:"},
		{`(Digest of the plan:    [0-9a-f]{8})[0-9a-f]{56}`, "${1}…"},
	} {
		text = regexp.MustCompile(r.from).ReplaceAllString(text, r.to)
	}
	if u, err := user.Current(); err == nil {
		text = strings.ReplaceAll(text, "by "+u.Username, "by ann")
	}
	return text
}

func (to *tour) compare(planned string) {
	t := to.t
	require.Contains(t, planned, "Nothing was changed")
	at := regexp.MustCompile(`(?m)^seen at (.*), good until (.*)$`).FindStringSubmatch(planned)
	require.NotNil(t, at)
	begin, err1 := time.Parse("2006-01-02 15:04 MST", at[1])
	until, err2 := time.Parse("2006-01-02 15:04 MST", at[2])
	require.NoError(t, errors.Join(err1, err2))
	require.Equal(t, 24*time.Hour, until.Sub(begin))
	b, err := os.ReadFile(readmeFile)
	require.NoError(t, err)
	seen := map[string]bool{}
	updated := tourBlock.ReplaceAllStringFunc(string(b), func(block string) string {
		m := tourBlock.FindStringSubmatch(block)
		require.Contains(t, to.parts, m[2], "the tour has no part of this name")
		seen[m[2]] = true
		return m[1] + steady(to.parts[m[2]].String()) + m[4]
	})
	require.Len(t, seen, len(to.parts), "the README shows every part")
	if os.Getenv("UPDATE_GOLDEN") == "1" {
		require.NoError(t, os.WriteFile(readmeFile, []byte(updated), 0o600))
		return
	}
	require.Equal(t, string(b), updated, "run make golden")
}
