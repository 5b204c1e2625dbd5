package main

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
)

func dial(t *testing.T, address string) client.Client {
	t.Helper()
	c, err := client.DialContext(t.Context(), client.Options{HostPort: address, Namespace: namespace,
		Logger: sdklog.NewStructuredLogger(slog.New(slog.DiscardHandler))})
	require.NoError(t, err)
	return c
}

// day sleeps for a day of the workflow's time.
func day(ctx workflow.Context) (time.Duration, error) {
	begun := workflow.Now(ctx)
	err := workflow.Sleep(ctx, 24*time.Hour)
	return workflow.Now(ctx).Sub(begun), err
}

func work(t *testing.T, c client.Client) {
	t.Helper()
	w := worker.New(c, "days", worker.Options{})
	w.RegisterWorkflow(day)
	require.NoError(t, w.Start())
	t.Cleanup(w.Stop)
}

func TestADayTakesNoTimeInAHurryAndAServerGoesOnFromItsFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "db")
	first, err := startServer(file, "127.0.0.1:0", true)
	require.NoError(t, err)
	c := dial(t, first.address)
	// Nobody works yet: what was begun is in the file.
	_, err = c.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{ID: "a day", TaskQueue: "days"}, day)
	require.NoError(t, err)
	c.Close()
	require.NoError(t, first.Stop())

	second, err := startServer(file, first.address, true)
	require.NoError(t, err)
	require.Equal(t, first.address, second.address)
	t.Cleanup(func() { require.NoError(t, second.Stop()) })
	c = dial(t, second.address)
	t.Cleanup(c.Close)
	work(t, c)
	var slept time.Duration
	require.NoError(t, c.GetWorkflow(t.Context(), "a day", "").Get(t.Context(), &slept))
	require.GreaterOrEqual(t, slept, 24*time.Hour)
}

func TestADayTakesADayOtherwise(t *testing.T) {
	s, err := startServer(filepath.Join(t.TempDir(), "db"), "127.0.0.1:0", false)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Stop()) })
	c := dial(t, s.address)
	t.Cleanup(c.Close)
	work(t, c)
	run, err := c.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{ID: "a day", TaskQueue: "days"}, day)
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	require.Error(t, run.Get(ctx, nil))
}

func TestServeSaysWhereItIsAndEndsWithItsInput(t *testing.T) {
	in, end := io.Pipe()
	var out bytes.Buffer
	said := writerFunc(func(b []byte) (int, error) {
		defer end.Close()
		return out.Write(b)
	})
	require.NoError(t, run(t.Context(), []string{"-serve"}, in, said, io.Discard))
	require.Regexp(t, `^temporal 127\.0\.0\.1:[0-9]+ default\n$`, out.String())
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(b []byte) (int, error) { return f(b) }

func TestAnAddressThatOthersReachIsRefused(t *testing.T) {
	for _, address := range []string{"0.0.0.0:7233", "[::]:7233", "192.0.2.1:7233", ":7233", "localhost:7233", ""} {
		err := run(t.Context(), []string{"-serve", "-address", address}, strings.NewReader(""), io.Discard, io.Discard)
		require.ErrorContains(t, err, "127.0.0.1:7233", "%q", address)
	}
}

func TestTheDemonstrationCompletes(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), nil, strings.NewReader(""), &out, io.Discard))
	require.Contains(t, out.String(), "Production  begins in Paused")
	require.True(t, strings.HasSuffix(out.String(), "\nAcme: Completed\n"), out.String())
}
