package screen

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
)

// maxLine is the longest answer that is taken, in bytes.
const maxLine = 4 << 10

var errTooLong = fmt.Errorf("the answer is longer than %d bytes", maxLine)

// A source hands out the lines of the input. A line goes to whoever asked
// last: a question that was given up may still be waiting, and must not take
// the answer to the next one. While somebody waits, the source owns one
// goroutine, which reads.
type source struct {
	in   *bufio.Reader
	rest []byte // of a line that Read has not handed out whole

	mu      sync.Mutex
	reading bool
	waiters []chan line
	early   *line // came when nobody waited any more
}

// A line is what was read, with its end.
type line struct {
	text string
	err  error
}

func newSource(in io.Reader) *source {
	if in == nil {
		in = strings.NewReader("")
	}
	return &source{in: bufio.NewReaderSize(in, maxLine+2)}
}

// wait asks for the next line.
func (s *source) wait() chan line {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := make(chan line, 1) // so that the reader never waits for us
	if s.early != nil {
		c <- *s.early
		s.early = nil
		return c
	}
	s.waiters = append(s.waiters, c)
	if !s.reading {
		s.reading = true
		go s.read()
	}
	return c
}

// read delivers lines while somebody waits for one.
func (s *source) read() {
	for {
		l := readLine(s.in)
		s.mu.Lock()
		last := len(s.waiters) - 1
		if last < 0 {
			s.early, s.reading = &l, false
			s.mu.Unlock()
			return
		}
		s.waiters[last] <- l
		s.waiters = s.waiters[:last]
		s.reading = last > 0
		s.mu.Unlock()
		if last == 0 {
			return
		}
	}
}

func readLine(in *bufio.Reader) line {
	text, err := in.ReadSlice('\n')
	l := line{string(text), err} // the buffer is used again
	for errors.Is(err, bufio.ErrBufferFull) {
		l.err = errTooLong
		_, err = in.ReadSlice('\n')
	}
	return l
}

// busy reports whether a line is being waited for.
func (s *source) busy() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.reading
}

// forget drops a line that came for a question that was given up.
func (s *source) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.early = nil
}

// line waits for the next line and returns it without its end. At the end of
// the input it returns io.ErrUnexpectedEOF: what was begun there and not ended
// is no answer.
func (s *source) line(ctx context.Context) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	c := s.wait()
	select {
	case l := <-c:
		if errors.Is(l.err, io.EOF) {
			return "", fmt.Errorf("the input has ended: %w", io.ErrUnexpectedEOF)
		}
		return strings.TrimRight(l.text, "\r\n"), l.err
	case <-ctx.Done():
		s.mu.Lock()
		defer s.mu.Unlock()
		if i := slices.Index(s.waiters, c); i >= 0 {
			s.waiters = slices.Delete(s.waiters, i, i+1)
		}
		return "", ctx.Err()
	}
}

// Read implements io.Reader: each call returns bytes of one line, for one
// caller at a time.
func (s *source) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if len(s.rest) == 0 {
		l := <-s.wait()
		if l.text == "" {
			return 0, l.err
		}
		s.rest = []byte(l.text) // the end of the input comes again with the next line
	}
	n := copy(p, s.rest)
	s.rest = s.rest[n:]
	return n, nil
}
