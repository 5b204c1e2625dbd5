package filejournal

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"github.com/changeover-go/changeover/migration/journal"
)

// A mark is a place in a journal: the last entry up to it, and its hash.
type mark struct {
	Seq   uint64 `json:"seq"`
	Epoch uint64 `json:"epoch"`
	Hash  hash   `json:"hash"`
}

// slotLen is the length of a slot of HEAD: a block, so that no disk writes both
// slots at once.
const slotLen = 4096

const (
	slotText = `{"version":1`
	spaces   = "                                                                                "
)

// slot returns the slot of HEAD for m.
func (m mark) slot() []byte { return m.appendSlot(make([]byte, 0, slotLen)) }

// appendSlot appends the slot of HEAD for m to b, which is empty.
func (m mark) appendSlot(b []byte) []byte {
	b = append(b, slotText...)
	b = strconv.AppendUint(append(b, `,"seq":`...), m.Seq, 10)
	b = strconv.AppendUint(append(b, `,"epoch":`...), m.Epoch, 10)
	b = append(append(b, hashKey...), m.Hash[:]...)
	b = append(b, '"')
	sum := sha256.Sum256(b)
	b = hex.AppendEncode(append(b, `,"sum":"`...), sum[:8])
	b = append(b, `"}`...)
	for len(b) < slotLen-1 {
		b = append(b, spaces[:min(len(spaces), slotLen-1-len(b))]...)
	}
	return append(b, '\n')
}

// A head is what HEAD says.
type head struct {
	marks   []mark // of the slots that are whole, newest first
	next    int    // the slot to overwrite next: not the newest
	damaged int    // slots that are not whole
	ignored bool   // somebody answers for the journal in its place
}

// parseHead reads HEAD. A slot counts only if it is exactly what slot writes.
func parseHead(b []byte) head {
	var h head
	for i := 0; i*slotLen < len(b); i++ {
		var m mark
		slot := b[i*slotLen : min((i+1)*slotLen, len(b))]
		if json.Unmarshal(slot, &m) != nil || !bytes.Equal(m.slot(), slot) || i > 1 {
			h.damaged++
			continue
		}
		if len(h.marks) > 0 && h.marks[0].Seq >= m.Seq {
			h.marks = append(h.marks, m)
			continue
		}
		h.marks = slices.Insert(h.marks, 0, m)
		h.next = 1 - i
	}
	return h
}

// see holds HEAD against the journal up to where s has read, and reports
// whether HEAD vouches for it.
func (h head) see(s *scanner) (vouched bool, err error) {
	if h.ignored {
		return false, nil
	}
	for _, m := range h.marks {
		if m.Seq != s.seq() {
			continue
		}
		if m.Hash != s.hash {
			return false, fmt.Errorf("%w: line %d: the journal was cut or replaced: HEAD has another entry %d", journal.ErrCorrupt, s.line, m.Seq)
		}
		vouched = true
	}
	return vouched, nil
}

// end holds HEAD against the end of the journal, to which s has read.
func (h head) end(s *scanner) error {
	switch {
	case h.ignored:
	case len(h.marks) > 0 && h.marks[0].Seq > s.seq():
		return fmt.Errorf("%w: line %d: the journal was cut or replaced: it ends with entry %d, HEAD with entry %d", journal.ErrCorrupt, s.line+1, s.seq(), h.marks[0].Seq)
	case len(h.marks) == 0 && s.seq() > 0:
		return fmt.Errorf("%w: HEAD is missing or damaged, and only HEAD can tell that the journal of %d entries was not cut", journal.ErrCorrupt, s.seq())
	}
	return nil
}
