package command

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"github.com/changeover-go/changeover/internal/printable"
	"github.com/changeover-go/changeover/license"
)

// secrets are what a call hands to the program, and what the program may
// therefore print. They are hidden in all that it says.
type secrets struct {
	mask   license.Mask
	codes  []string                   // pieces of the activation code
	pieces func() map[string]struct{} // of the license file, in every form
}

func newSecrets(code license.ActivationCode, f license.File) secrets {
	s := secrets{mask: license.NewMask(code), pieces: sync.OnceValue(func() map[string]struct{} { return piecesOf(f) })}
	b := bare(code.Reveal())
	for i := 0; i+codePiece <= len(b); i++ {
		s.codes = append(s.codes, b[i:i+codePiece])
	}
	return s
}

// Letters and digits that are not there by chance.
const (
	codePiece = 10 // of an activation code
	piece     = 16 // of a license file
)

// leftOut stands for what would give a secret away.
const leftOut = "(left out: it repeats the activation code or the license file)"

// text makes a line from the program safe to print.
func (s secrets) text(line string) string { return printable.Text(s.hide(line)) }

// hide returns what the program says, unless it gives a secret away.
func (s secrets) hide(line string) string {
	line = s.mask.Text(line)
	b := bare(line)
	for _, code := range s.codes {
		if strings.Contains(b, code) {
			return leftOut
		}
	}
	if len(b) >= piece {
		pieces := s.pieces()
		for i := 0; i+piece <= len(b) && len(pieces) > 0; i++ {
			if _, ok := pieces[b[i:i+piece]]; ok {
				return leftOut
			}
		}
	}
	return line
}

// piecesOf cuts the forms in which a file could be printed into pieces, so
// that whatever repeats two pieces' length of one of them is found.
func piecesOf(f license.File) map[string]struct{} {
	pieces := map[string]struct{}{}
	b := f.Bytes()
	for _, form := range []string{
		string(b), strconv.QuoteToASCII(string(b)), hex.EncodeToString(b), base64.StdEncoding.EncodeToString(b), fmt.Sprint(b),
	} {
		form = bare(form)
		for i := 0; i+piece <= len(form); i += piece {
			pieces[form[i:i+piece]] = struct{}{}
		}
	}
	return pieces
}

// bare returns the letters and digits of s in lower case: what is left of a
// secret however it is separated, broken into lines, or encoded in two bytes a
// character.
func bare(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			return r
		}
		return -1
	}, s)
}
