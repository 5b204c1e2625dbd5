package license

import (
	"bytes"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
)

// A Mask hides activation codes in text that comes from outside: what another
// system answers, or a person types, may quote one. The zero value hides what
// has the usual form.
type Mask struct {
	codes    []string // as they stand, and as JSON writes them
	replacer *strings.Replacer
}

// minMasked is the length from which a code is hidden wherever it stands.
// Shorter ones, which nobody has seen, would garble other words.
const minMasked = 8

// usualCodes finds what has the usual form of an activation code.
var usualCodes = regexp.MustCompile(`(?i)(?:[A-Z0-9]{3}\.){7}[A-Z0-9]{3}`)

// NewMask returns a mask that also hides the codes, whatever their form, in
// any of the letter cases that occur.
func NewMask(codes ...ActivationCode) Mask {
	var m Mask
	var pairs []string
	for _, code := range codes {
		plain := code.Reveal()
		if len(plain) < minMasked {
			continue
		}
		quoted, _ := json.Marshal(plain) // a string always marshals
		for _, form := range []string{plain, strings.ToLower(plain), strings.ToUpper(plain), string(quoted[1 : len(quoted)-1])} {
			if !slices.Contains(m.codes, form) { // each costs a search of every text
				m.codes = append(m.codes, form)
				pairs = append(pairs, form, code.String())
			}
		}
	}
	m.replacer = strings.NewReplacer(pairs...)
	return m
}

// Text hides the codes in s, and the beginning of one where s was cut short.
func (m Mask) Text(s string) string {
	s = m.own(s)
	if strings.Count(s, ".") < 7 {
		return s // too few dots for a code; most texts end here
	}
	return usualCodes.ReplaceAllStringFunc(s, func(s string) string {
		code, _ := ParseActivationCode(s)
		return code.String()
	})
}

// own hides the codes that the mask was made for.
func (m Mask) own(s string) string {
	if !slices.ContainsFunc(m.codes, func(code string) bool { return strings.Contains(s, code[:minMasked]) }) {
		return s
	}
	s = m.replacer.Replace(s)
	for _, code := range m.codes {
		for n := len(code) - 1; n >= minMasked; n-- {
			if !strings.Contains(s, code[:minMasked]) {
				break
			}
			for _, end := range ellipses {
				s = strings.ReplaceAll(s, code[:n]+end, "***"+end)
			}
		}
	}
	return s
}

// ellipses are what texts end with when they are cut short.
var ellipses = []string{"…", "..."}

// JSON hides the codes in encoded JSON.
func (m Mask) JSON(b []byte) []byte {
	if !slices.ContainsFunc(m.codes, func(code string) bool { return bytes.Contains(b, []byte(code[:minMasked])) }) &&
		(bytes.Count(b, []byte(".")) < 7 || !usualCodes.Match(b)) {
		return b
	}
	return []byte(m.Text(string(b)))
}

// Error returns an error with err's text, its codes hidden, that wraps err; nil
// if err is nil.
func (m Mask) Error(err error) error {
	if err == nil {
		return nil
	}
	text := err.Error()
	if hidden := m.Text(text); hidden != text {
		return maskedError{hidden, err}
	}
	return err
}

type maskedError struct {
	text string
	err  error
}

func (e maskedError) Error() string { return e.text }
func (e maskedError) Unwrap() error { return e.err }
