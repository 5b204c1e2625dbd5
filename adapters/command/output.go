package command

import (
	"bytes"
	"errors"
	"io"
	"strings"
)

const (
	maxLine  = 4 << 10 // bytes of a line of stderr that are looked at
	maxLines = 1000    // of stderr that are logged for one call
)

// A capped buffer keeps the program's stdout. What is too much ends the
// program. It has no method but Write, so that nothing gets past it.
type capped struct {
	kept bytes.Buffer
	stop func()
	over bool
}

var errTooMuch = errors.New("the answer is too large")

func (c *capped) Write(b []byte) (int, error) {
	if c.kept.Len()+len(b) > maxMessage {
		c.over = true
		c.stop()
		return 0, errTooMuch
	}
	return c.kept.Write(b)
}

// A drained writer knows whether all that there was to write has come.
type drained struct {
	io.Writer
	ended bool
}

// ReadFrom implements [io.ReaderFrom], by which package os/exec copies.
func (d *drained) ReadFrom(r io.Reader) (int64, error) {
	n, err := io.Copy(struct{ io.Writer }{d.Writer}, r)
	d.ended = err == nil
	return n, err
}

// lines takes the program's stderr apart.
type lines struct {
	secrets
	log  func(line string)
	part []byte // of a line that has not ended
	cut  bool   // the line is longer than part
	n    int    // lines that were logged
	last string // line that was not blank
}

// Write never fails: a program is not ended because of what it logs.
func (l *lines) Write(b []byte) (int, error) {
	n := len(b)
	for {
		line, rest, ended := bytes.Cut(b, []byte("\n"))
		if room := maxLine - len(l.part); len(line) > room {
			line, l.cut = line[:room], true
		}
		l.part = append(l.part, line...)
		if !ended {
			return n, nil
		}
		l.end()
		b = rest
	}
}

// end ends a line.
func (l *lines) end() {
	line := strings.TrimSpace(string(l.part))
	if l.cut {
		line += "…"
	}
	l.part, l.cut = l.part[:0], false
	if line == "" {
		return
	}
	l.last = l.text(line)
	if l.n++; l.n > maxLines || l.log == nil {
		return
	}
	l.log(l.last)
	if l.n == maxLines {
		l.log("(more lines are not logged)")
	}
}
