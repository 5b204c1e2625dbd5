package pgjournal

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/changeover-go/changeover/internal/printable"
	"github.com/changeover-go/changeover/migration/journal"
)

// A mark is a place in a journal: the last entry up to it, the hash of that, and
// how many bytes all entries up to it take.
type mark struct {
	seq, epoch uint64
	bytes      int64
	hash       []byte
}

// start is the mark before the first entry of a journal.
func start(name string) mark {
	h := sha256.Sum256([]byte("changeover journal 1\n" + name))
	return mark{hash: h[:]}
}

// next is the mark behind an entry that follows m.
func (m mark) next(seq, epoch uint64, entry []byte) mark {
	h := sha256.New()
	h.Write(m.hash)
	h.Write(entry)
	return mark{seq, epoch, m.bytes + int64(len(entry)), h.Sum(nil)}
}

func (m mark) equal(o mark) bool {
	return m.seq == o.seq && m.epoch == o.epoch && m.bytes == o.bytes && bytes.Equal(m.hash, o.hash)
}

// encode returns the JSON of an entry. Text stands in it as it is, but what no
// terminal shows as a character is escaped, since people look at it.
func encode(e *journal.Entry) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(e); err != nil {
		return nil, fmt.Errorf("entry %d has no JSON: %w", e.Seq, err)
	}
	out := bytes.ToValidUTF8(bytes.TrimSuffix(b.Bytes(), []byte("\n")), []byte("\ufffd"))
	out = printable.JSON(out)
	if len(out) > journal.MaxEntry {
		return nil, fmt.Errorf("%w: entry %d takes %d bytes, at most %d are accepted", journal.ErrTooLarge, e.Seq, len(out), journal.MaxEntry)
	}
	return out, nil
}

// decode reads an entry whose hash is right. One that has more than this version
// knows is of another version.
func decode(b []byte) (e journal.Entry, err error) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	err = d.Decode(&e)
	if err == nil {
		if _, end := d.Token(); !errors.Is(end, io.EOF) {
			err = errors.New("more than one value")
		}
	}
	switch {
	case err == nil:
		return e, nil
	case json.Valid(b):
		return e, fmt.Errorf("%w: it has a member or a value that this version does not know", journal.ErrForeign)
	default:
		return e, fmt.Errorf("%w: it is not valid JSON", journal.ErrCorrupt)
	}
}
