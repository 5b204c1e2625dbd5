package filejournal

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"

	"github.com/changeover-go/changeover/migration/journal"
)

// version of the format of both files.
const version = 1

const (
	headerText = `{"journal":"changeover","version":1`
	prevKey    = `,"prev":"`
	hashKey    = `,"hash":"`
	lineEnd    = "\"}\n"

	hashLen = 2 * sha256.Size
	sealLen = len(hashKey) + hashLen + len(lineEnd) // what follows the hashed bytes of a line
	linkLen = len(prevKey) + hashLen + 1            // what stands between an entry and its seal

	maxLine = journal.MaxEntry + linkLen + sealLen
)

// A hash is the SHA-256 of a line, in hex.
type hash [hashLen]byte

func hashOf(b []byte) (h hash) {
	sum := sha256.Sum256(b)
	hex.Encode(h[:], sum[:])
	return h
}

// UnmarshalText reads the hash of a slot of HEAD.
func (h *hash) UnmarshalText(b []byte) error {
	if copy(h[:], b) != hashLen || len(b) != hashLen {
		return errors.New("no hash")
	}
	return nil
}

// seal ends the line that begins at start of b and returns its hash.
func seal(b []byte, start int) ([]byte, hash) {
	h := hashOf(b[start:])
	b = append(b, hashKey...)
	b = append(b, h[:]...)
	return append(b, lineEnd...), h
}

// header returns the first line and its hash, with which the chain begins.
func header() ([]byte, hash) { return seal([]byte(headerText), 0) }

// link makes the entry that begins at start of b the line that follows prev.
func link(b []byte, start int, prev hash) ([]byte, hash) {
	b = append(b[:len(b)-1], prevKey...) // in place of the closing brace
	b = append(b, prev[:]...)
	return seal(append(b, '"'), start)
}

// A scanner reads lines and checks that each follows from the one before.
type scanner struct {
	r    *bufio.Reader
	long []byte // a line that does not fit r's buffer
	size int64  // bytes of the lines read, the header included
	line int    // number of the last line read
	hash hash   // of that line
	// entry is the JSON of the last line read without its closing brace, valid
	// until the next one is read; nil after the header.
	entry []byte
	// unfinished counts the bytes behind the last line, known at the end.
	unfinished int64
}

func newScanner(r io.Reader) *scanner { return &scanner{r: bufio.NewReaderSize(r, 64<<10)} }

// next reads a line. It returns io.EOF after the last; an unfinished line is
// none.
func (s *scanner) next() error {
	line, err := s.read()
	if err != nil {
		return err
	}
	if s.line++; s.line == 1 {
		return s.first(line)
	}
	if len(line) < sealLen+linkLen {
		return s.corrupt("it is too short")
	}
	text, end := line[:len(line)-sealLen], line[len(line)-sealLen:]
	h := hashOf(text)
	if !sealed(end, h) {
		return s.corrupt("its bytes do not have its hash")
	}
	entry, prev := text[:len(text)-linkLen], text[len(text)-linkLen:]
	if string(prev[:len(prevKey)]) != prevKey || prev[len(prev)-1] != '"' {
		return s.corrupt("it does not name the line before it")
	}
	if !bytes.Equal(prev[len(prevKey):len(prev)-1], s.hash[:]) {
		return s.corrupt("it does not follow from the line before it: lines were lost, repeated or moved")
	}
	s.entry, s.hash = entry, h
	s.size += int64(len(line))
	return nil
}

func (s *scanner) first(line []byte) error {
	want, h := header()
	switch {
	case bytes.Equal(line, want):
		s.hash = h
		s.size = int64(len(line))
		return nil
	case len(line) > sealLen && bytes.HasPrefix(line, []byte(headerText[:len(headerText)-1])) && sealed(line[len(line)-sealLen:], hashOf(line[:len(line)-sealLen])):
		return fmt.Errorf("%w: line 1: this version reads version %d of the format only", journal.ErrForeign, version)
	default:
		return s.corrupt("it is not the first line of a journal")
	}
}

// sealed reports whether end is what seals a line with the hash h.
func sealed(end []byte, h hash) bool {
	return string(end[:len(hashKey)]) == hashKey && bytes.Equal(end[len(hashKey):len(hashKey)+hashLen], h[:]) && string(end[len(hashKey)+hashLen:]) == lineEnd
}

// read returns the next line with its end. What is left at the end of the
// file, of any length, is counted and not kept.
func (s *scanner) read() ([]byte, error) {
	s.long = s.long[:0]
	for n := 0; ; {
		part, err := s.r.ReadSlice('\n')
		if err == nil && n == 0 {
			return part, nil
		}
		if n += len(part); n <= maxLine {
			s.long = append(s.long, part...)
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF):
			s.unfinished = int64(n)
			return nil, io.EOF
		case err != nil:
			return nil, fmt.Errorf("line %d: %w", s.line+1, err)
		case n > maxLine:
			s.line++
			return nil, s.corrupt("it is longer than any line can be")
		default:
			return s.long, nil
		}
	}
}

// seq returns the number of the last entry read.
func (s *scanner) seq() uint64 { return uint64(max(s.line-1, 0)) }

func (s *scanner) corrupt(what string) error {
	return fmt.Errorf("%w: line %d: %s", journal.ErrCorrupt, s.line, what)
}
