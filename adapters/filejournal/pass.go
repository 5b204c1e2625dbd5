package filejournal

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/changeover-go/changeover/migration/journal"
)

// A pass is one reading of a whole journal.
type pass struct {
	last       mark
	size       int64 // of the whole lines
	vouched    int64 // of the lines up to where HEAD vouches for them
	unfinished int64 // bytes behind the whole lines
}

// errStop ends a pass that nobody wants to go on.
var errStop = errors.New("stopped")

// readThrough reads a journal, checks it line by line and against HEAD, and
// hands every entry to each, which may stop it with an error.
func readThrough(r io.Reader, head head, each func(*journal.Entry) error) (pass, error) {
	var p pass
	s, d := newScanner(r), newDecoder()
	for {
		switch err := s.next(); {
		case errors.Is(err, io.EOF):
			p.last.Seq, p.last.Hash = s.seq(), s.hash
			p.size, p.unfinished = s.size, s.unfinished
			return p, head.end(s)
		case err != nil:
			return p, err
		}
		vouched, err := head.see(s)
		if err != nil {
			return p, err
		}
		if vouched {
			p.vouched = s.size
		}
		if s.entry == nil {
			continue
		}
		e, err := d.decode(s.entry)
		switch {
		case err != nil && json.Valid(append(s.entry[:len(s.entry):len(s.entry)], '}')):
			return p, fmt.Errorf("%w: line %d: %w", journal.ErrForeign, s.line, err)
		case err != nil:
			return p, s.corrupt(err.Error())
		case e.Seq != s.seq():
			return p, s.corrupt(fmt.Sprintf("it is numbered %d", e.Seq))
		}
		p.last.Epoch = e.Epoch
		if err := each(e); err != nil {
			return p, err
		}
	}
}
