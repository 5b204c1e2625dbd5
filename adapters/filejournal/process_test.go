package filejournal_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/adapters/filejournal"
	"github.com/changeover-go/changeover/migration/journal"
)

// TestMain lets this binary be the other process of a test.
func TestMain(m *testing.M) {
	if role := os.Getenv("FILEJOURNAL_TEST_ROLE"); role != "" {
		if err := other(role, os.Getenv("FILEJOURNAL_TEST_DIR")); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// other is what the other process does.
func other(role, dir string) error {
	ctx := context.Background()
	switch role {
	case "hold": // opens, appends without end, and says so
		s, err := filejournal.Open(dir, nil)
		if err != nil {
			return err
		}
		var last uint64
		for _, err := range s.Read(ctx) {
			if err != nil {
				return err
			}
			last++
		}
		for ; ; last++ {
			if err := s.Append(ctx, last, entry(last+1)); err != nil {
				return err
			}
			fmt.Println(last + 1)
		}
	case "take turns": // opens, appends one entry, closes, 20 times
		for done := 0; done < 20; {
			s, err := filejournal.Open(dir, unsynced)
			if errors.Is(err, journal.ErrLocked) {
				continue
			}
			if err != nil {
				return err
			}
			var last uint64
			for e, err := range s.Read(ctx) {
				if err != nil {
					return err
				}
				last = e.Seq
			}
			e := entry(last + 1)
			e.By = strconv.Itoa(os.Getpid())
			if err := s.Append(ctx, last, e); err != nil {
				return err
			}
			if err := s.Close(); err != nil {
				return err
			}
			done++
		}
	}
	return nil
}

func start(t *testing.T, role, dir string) (*exec.Cmd, *bufio.Reader) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "FILEJOURNAL_TEST_ROLE="+role, "FILEJOURNAL_TEST_DIR="+dir)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	return cmd, bufio.NewReader(out)
}

// TestAKilledProcessLeavesWhatItAcknowledged kills a process that is writing:
// its lock ends with it, and what it said it had written is there.
func TestAKilledProcessLeavesWhatItAcknowledged(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	acknowledged := 0
	for round := range 8 {
		cmd, out := start(t, "hold", dir)
		for range round + 1 { // kill it at different moments
			line, err := out.ReadString('\n')
			require.NoError(t, err, "%s", line)
			acknowledged, err = strconv.Atoi(strings.TrimSpace(line))
			require.NoError(t, err, "%s", line)
		}
		_, err := filejournal.Open(dir, nil)
		require.ErrorIs(t, err, journal.ErrLocked)
		require.ErrorContains(t, err, fmt.Sprintf("process %d", cmd.Process.Pid))
		report, err := filejournal.Verify(t.Context(), dir, nil)
		require.NoError(t, err, "a journal can be verified while it is written")
		require.GreaterOrEqual(t, int(report.Entries), acknowledged)

		require.NoError(t, cmd.Process.Kill())
		rest, err := io.ReadAll(out)
		require.NoError(t, err)
		for line := range strings.Lines(string(rest)) {
			if n, err := strconv.Atoi(strings.TrimSpace(line)); err == nil && strings.HasSuffix(line, "\n") {
				acknowledged = n
			}
		}
		require.Error(t, cmd.Wait(), "it was killed")
		got, _, err := open(dir)
		require.NoError(t, err)
		require.GreaterOrEqual(t, len(got), acknowledged)
		require.Equal(t, entries(1, uint64(len(got))), got)
	}
}

func TestProcessesTakeTurns(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	const processes = 4
	var others []*exec.Cmd
	for range processes {
		cmd, out := start(t, "take turns", dir)
		t.Cleanup(func() { _ = out })
		others = append(others, cmd)
	}
	for _, cmd := range others {
		require.NoError(t, cmd.Wait())
	}
	got, _, err := open(dir)
	require.NoError(t, err)
	require.Len(t, got, 20*processes)
	by := map[string]int{}
	for _, e := range got {
		by[e.By]++
	}
	for _, cmd := range others {
		require.Equal(t, 20, by[strconv.Itoa(cmd.Process.Pid)])
	}
}

func TestALockSaysWhoHasIt(t *testing.T) {
	dir := stateDir(t)
	before := time.Now().Add(-time.Minute)
	s, err := filejournal.Open(dir, nil)
	require.NoError(t, err)
	host, err := os.Hostname()
	require.NoError(t, err)
	_, err = filejournal.Open(dir, nil)
	require.ErrorIs(t, err, journal.ErrLocked)
	require.ErrorContains(t, err, fmt.Sprintf("process %d on %s since ", os.Getpid(), host))
	_, since, _ := strings.Cut(err.Error(), " since ")
	at, err := time.Parse(time.RFC3339, since)
	require.NoError(t, err)
	require.True(t, at.After(before))
	require.NoError(t, s.Close())

	t.Run("what is written in a lock that nobody holds does not matter", func(t *testing.T) {
		for _, text := range []string{"", `{"pid":1,"host":"elsewhere"}`, "\x00\x1b[2J", strings.Repeat("x", 1<<20)} {
			require.NoError(t, os.WriteFile(filepath.Join(dir, "LOCK"), []byte(text), 0o600))
			s, err := filejournal.Open(dir, nil)
			require.NoError(t, err)
			require.NoError(t, s.Close())
		}
	})
	t.Run("a lock that is held says no more than it knows", func(t *testing.T) {
		s, err := filejournal.Open(dir, nil)
		require.NoError(t, err)
		for text, says := range map[string]string{"": "a process that has not said which", "{\"pid\":7,\"host\":\"a\\u001b[2J\"}": `process 7 on a\u001b[2J since`} {
			require.NoError(t, os.WriteFile(filepath.Join(dir, "LOCK"), []byte(text), 0o600))
			_, err = filejournal.Open(dir, nil)
			require.ErrorIs(t, err, journal.ErrLocked)
			require.ErrorContains(t, err, says)
		}
		require.NoError(t, s.Close())
	})
}
