package filejournal

import (
	"encoding/binary"
	"math/bits"
)

// Almost all text in a journal is plain: printable ASCII that JSON writes as it
// is. This file finds out, so that the rest of the codec can copy it; what is
// not plain goes the long way round, which alone says what is right.

// plain returns how many bytes at the beginning of b are printable ASCII and
// neither a quote nor a backslash. It looks at eight at a time.
func plain(b []byte) int {
	const ones, tops = 0x0101010101010101, 0x8080808080808080
	n := 0
	for ; len(b)-n >= 8; n += 8 {
		w := binary.LittleEndian.Uint64(b[n:])
		// The top bit of a byte becomes set if the byte is below a space, a DEL
		// or above, a quote, a backslash. What is borrowed or carried spoils
		// bytes behind the first such one only.
		other := (w - ones*' ') | (w + ones) | ((w ^ ones*'"') - ones) | ((w ^ ones*'\\') - ones)
		if other &= tops; other != 0 {
			return n + bits.TrailingZeros64(other)/8
		}
	}
	for n < len(b) && b[n] >= ' ' && b[n] <= '~' && b[n] != '"' && b[n] != '\\' {
		n++
	}
	return n
}

// maxDepth is how deep plain values may be nested in each other.
const maxDepth = 16

// plainValue returns the length of the JSON value at the beginning of b if it
// has nothing but plain strings, whole numbers and words, without space between
// them; zero if it has anything else, or is none.
func plainValue(b []byte, depth int) int {
	if len(b) == 0 || depth == 0 {
		return 0
	}
	switch first := b[0]; first {
	case '"':
		return plainString(b)
	case '{', '[':
		last := first + 2 // in ASCII
		if len(b) > 1 && b[1] == last {
			return 2
		}
		for at := 1; ; at++ {
			if first == '{' {
				n := plainString(b[at:])
				if at += n; n == 0 || at == len(b) || b[at] != ':' {
					return 0
				}
				at++
			}
			n := plainValue(b[at:], depth-1)
			if at += n; n == 0 || at == len(b) || b[at] != ',' && b[at] != last {
				return 0
			}
			if b[at] == last {
				return at + 1
			}
		}
	}
	for _, word := range []string{"true", "false", "null"} {
		if len(b) >= len(word) && string(b[:len(word)]) == word {
			return len(word)
		}
	}
	return plainNumber(b)
}

// plainString returns the length of the string at the beginning of b, with its
// quotes; zero if there is none, or it is not plain.
func plainString(b []byte) int {
	if len(b) < 2 || b[0] != '"' {
		return 0
	}
	if n := 1 + plain(b[1:]); n < len(b) && b[n] == '"' {
		return n + 1
	}
	return 0
}

// plainNumber returns the length of the digits at the beginning of b; zero if
// they are no number. Behind them a fraction may go on, which is not plain.
func plainNumber(b []byte) int {
	n := 0
	for n < len(b) && '0' <= b[n] && b[n] <= '9' {
		n++
	}
	if n > 1 && b[0] == '0' {
		return 0
	}
	return n
}
