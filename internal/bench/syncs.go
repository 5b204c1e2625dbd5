package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"time"

	"github.com/changeover-go/changeover/internal/bench/contender"
)

// syncing matches a line of strace that begins a sync, with when it began.
const syncing = `^\d+ +(\d+\.\d+) (?:fsync|fdatasync|msync|sync_file_range|syncfs)\(`

// syncsPerStep counts what a contender has the disk do for one step: it runs
// this program once more, under strace, with that contender and nothing else.
// Contenders with processes of their own are followed into them.
func syncsPerStep(ctx context.Context, p *place, name string, temporal string, l load) (float64, error) {
	strace, err := exec.LookPath("strace")
	if err != nil {
		return 0, errors.New("strace is not installed")
	}
	self, err := os.Executable()
	if err != nil {
		return 0, err
	}
	dir, err := p.fresh()
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	trace := filepath.Join(dir, "trace")
	cmd := exec.CommandContext(ctx, strace, "-f", "--seccomp-bpf", "-qq", "-ttt", "-o", trace, "-e", "trace=fsync,fdatasync,msync,sync_file_range,syncfs", "-e", "signal=none",
		self, "once", "-dir", dir, "-lies", "-temporal", temporal, "-instances", strconv.Itoa(l.instances), "-in-flight", strconv.Itoa(l.inFlight), name)
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		return 0, fmt.Errorf("%w: %s", err, bytes.TrimSpace(said.Bytes()))
	}
	var from, to float64
	if _, err := fmt.Sscan(string(out), &from, &to); err != nil {
		return 0, fmt.Errorf("the traced program said %q: %w", out, err)
	}
	n, err := countBetween(trace, from, to)
	return float64(n) / float64(l.instances*contender.Steps), err
}

// countBetween counts the syncs in a trace that began between two times.
func countBetween(trace string, from, to float64) (n int, err error) {
	f, err := os.Open(trace)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	begins := regexp.MustCompile(syncing)
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		m := begins.FindStringSubmatch(lines.Text())
		if m == nil {
			continue
		}
		at, err := strconv.ParseFloat(m[1], 64)
		if err != nil {
			return 0, err
		}
		if from <= at && at <= to {
			n++
		}
	}
	return n, lines.Err()
}

// once has one contender carry out one load, and prints when that began and
// ended, in seconds since 1970: what runs under strace.
func once(ctx context.Context, c contender.Contender, p *place, l load, out io.Writer) (err error) {
	dir, err := p.fresh()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Stop()) }()
	if prepared, ok := c.(contender.Preparer); ok {
		if err := prepared.Prepare(ctx, dir); err != nil {
			return err
		}
	}
	if err := c.Start(ctx, dir); err != nil {
		return err
	}
	ignore := func(int, int, time.Time) {}
	if err := c.RunInstances(ctx, 1, 1, ignore); err != nil {
		return err
	}
	began := time.Now()
	if err := c.RunInstances(ctx, l.instances, l.inFlight, ignore); err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%.6f %.6f\n", float64(began.UnixMicro())/1e6, float64(time.Now().UnixMicro())/1e6)
	return err
}
