package tamper

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
)

// masks are the bits that are flipped: the lowest, the one that makes another
// letter case or a line feed, and the one that makes text no text.
func masks() []byte { return []byte{0x01, 0x20, 0x80} }

// kinds returns the ways of tampering with the journal.
func (m *material) kinds(_ context.Context, dir string) ([]kind, error) {
	p := place{m, filepath.Join(dir, "journal"), filepath.Join(dir, "journal")}
	apart := place{m, filepath.Join(dir, "apart"), filepath.Join(dir, "head")}
	if err := errors.Join(os.Mkdir(dir, 0o700), os.Mkdir(p.dir, 0o700), os.Mkdir(apart.dir, 0o700), os.Mkdir(apart.headDir, 0o700)); err != nil {
		return nil, err
	}
	last, records := m.last(), len(m.lines)
	try := func(f func(i int) files) func(context.Context, int) (class, error) {
		return func(ctx context.Context, i int) (class, error) { return p.read(ctx, f(i)) }
	}
	with := func(lines ...[]byte) files { return files{bytes.Join(lines, nil), last.head} }
	around := func(i, n int, between ...[]byte) files {
		return with(slices.Concat(m.lines[:i], between, m.lines[i+n:])...)
	}
	flips := func(b []byte, i int) []byte {
		all := masks()
		b = slices.Clone(b)
		b[i/len(all)] ^= all[i%len(all)]
		return b
	}
	kinds := []kind{
		{name: "nothing is done", n: 1, try: try(func(int) files { return last })},
		{name: "a record is deleted", n: records, try: try(func(i int) files { return around(i, 1) })},
		{name: "a record is repeated", n: records, try: try(func(i int) files { return around(i, 0, m.lines[i]) })},
		{name: "a record is swapped with the next", n: records - 1, try: try(func(i int) files { return around(i, 2, m.lines[i+1], m.lines[i]) })},
		{name: "a record of another journal is inserted", n: records, try: try(func(i int) files {
			return around(i, 0, m.other.lines[min(i, len(m.other.lines)-1)])
		})},
		{name: "a record is changed and the chain computed anew", n: records - 1, try: try(func(i int) files {
			return with(rechained(m.lines, i+1)...)
		})},
		{name: "everything from a record on is cut off", n: records, try: try(func(i int) files { return around(i, records-i) })},
		{name: "everything from within a record on is cut off", n: records, try: try(func(i int) files {
			return around(i, records-i, m.lines[i][:1+len(m.lines[i])/2])
		})},
		{name: "something is written behind the end", n: len(tails()), try: try(func(i int) files {
			return files{slices.Concat(last.journal, []byte(tails()[i])), last.head}
		}), may: []class{torn}},

		{name: "HEAD is removed", n: 1, try: try(func(int) files { return files{last.journal, nil} })},
		{name: "HEAD is made empty", n: 1, try: try(func(int) files { return files{last.journal, []byte{}} })},
		{name: "HEAD is replaced by an older one", n: len(m.states), try: try(func(i int) files {
			return files{last.journal, m.states[i].head}
		}), may: []class{oldHead}},
		{name: "HEAD is replaced by one of another journal", n: len(m.other.states), try: try(func(i int) files {
			return files{last.journal, m.other.states[i].head}
		})},
		{name: "the slots of HEAD are swapped", n: 1, try: try(func(int) files {
			return files{last.journal, slices.Concat(last.head[len(last.head)/2:], last.head[:len(last.head)/2])}
		}), may: []class{oldHead}},
		{name: "a slot of HEAD is lost", n: 2, try: try(func(i int) files {
			head := slices.Clone(last.head)
			copy(head[i*len(head)/2:], make([]byte, len(head)/2))
			return files{last.journal, head}
		}), may: []class{oneSlot}},
		{name: "the journal is cut where HEAD is as old", n: len(m.states) * 2, try: try(func(i int) files {
			// All that is lost came after this HEAD; half of the cuts are within
			// the line that comes next.
			s := m.states[i/2]
			next := m.states[min(i/2+1, len(m.states)-1)].journal
			return files{next[:len(s.journal)+(i%2)*(len(next)-len(s.journal))/2], s.head}
		}), may: []class{together, unknown, torn, oldHead}},
		{name: "an older directory is put back with its HEAD", n: len(m.states), try: try(func(i int) files {
			return m.states[i]
		}), may: []class{together}},
		{name: "an older directory is put back, HEAD is elsewhere", n: len(m.states), try: func(ctx context.Context, i int) (class, error) {
			return apart.read(ctx, files{m.states[i].journal, last.head})
		}},
		{name: "the journal is removed, HEAD is there", n: 1, try: try(func(int) files { return files{nil, last.head} })},
		{name: "the journal is another one", n: len(m.other.states), try: try(func(i int) files {
			return files{m.other.states[i].journal, last.head}
		})},
	}
	n := len(masks())
	if m.flips && m.rotate {
		kinds = append(kinds, kind{name: "one bit of each byte of the journal is flipped", n: len(last.journal), try: try(func(i int) files {
			return files{flips(last.journal, i*n+i%n), last.head}
		})})
	} else if m.flips {
		kinds = append(kinds, kind{name: "a bit of the journal is flipped", n: n * len(last.journal), try: try(func(i int) files {
			return files{flips(last.journal, i), last.head}
		})})
	}
	if !m.cuts {
		return kinds, nil
	}
	return append(kinds,
		kind{name: "a bit of HEAD is flipped", n: n * len(last.head), try: try(func(i int) files { return files{last.journal, flips(last.head, i)} }), may: []class{oneSlot}},
		kind{name: "the journal is cut at a byte", n: len(last.journal), try: try(func(i int) files { return files{last.journal[:i], last.head} })},
		kind{name: "HEAD is cut at a byte", n: len(last.head), try: try(func(i int) files { return files{last.journal, last.head[:i]} }), may: []class{oneSlot, oldHead}},
	), nil
}

// tails are what somebody may write behind the last line.
func tails() []string {
	return []string{"\n", "{", "{}\n", "\x00", "\x00\x00\x00\x00\n", `{"seq":`}
}

// rechained changes record i and computes all hashes from there on, as package
// filejournal describes them.
func rechained(lines [][]byte, i int) [][]byte {
	lines = slices.Clone(lines)
	for n := i; n < len(lines); n++ {
		text := slices.Clone(lines[n][:bytes.LastIndex(lines[n], []byte(hashKey))])
		if n == i {
			text = bytes.Replace(text, []byte(`"time":"2026-`), []byte(`"time":"2025-`), 1)
		}
		before := lines[n-1][:bytes.LastIndex(lines[n-1], []byte(hashKey))]
		copy(text[bytes.LastIndex(text, []byte(prevKey))+len(prevKey):], sum(before))
		lines[n] = slices.Concat(text, []byte(hashKey+sum(text)+lineEnd))
	}
	return lines
}
