// Package license holds the values of OutSystems licensing: activation codes,
// serial numbers, license files and what a licensing page shows. It is for
// everything that speaks of a license; it does no I/O, takes no context and
// imports nothing of changeover.
//
// Two kinds of value never print themselves in full. An [ActivationCode]
// prints masked, and a [File] prints its size and digest; the secret leaves
// them only through [ActivationCode.Reveal] and [File.Bytes].
package license

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// MaxIdentifierRunes is the longest activation code or serial number that is
// accepted. The forms observed have 31 characters; nobody outside the vendor
// knows every form, so the limit is wide.
const MaxIdentifierRunes = 64

// A Role says which of the two activation codes of a changeover something
// belongs to. Source is the code that the infrastructure leaves (AAA in the
// written procedure), Target the one that it moves to (BBB).
type Role string

// The roles. The zero Role means that nothing is known.
const (
	Source Role = "source" // the old activation code, AAA
	Target Role = "target" // the new activation code, BBB
	Other  Role = "other"  // a third code: neither Source nor Target
	None   Role = "none"   // seen for certain that no license is installed
)

// A SerialNumber identifies the server of one environment: eight groups of
// three characters with hyphens, as far as observed. It derives from hardware
// and can change (facts.md 8, row 1).
type SerialNumber string

// ParseSerialNumber accepts any serial number of 1 to [MaxIdentifierRunes]
// printable runes without surrounding space. Whether it has the usual form is
// for [SerialNumber.Usual] to say.
func ParseSerialNumber(s string) (SerialNumber, error) {
	if err := checkIdentifier("serial number", s); err != nil {
		return "", err
	}
	return SerialNumber(s), nil
}

// Usual reports whether the serial number has the observed form, eight groups
// of three characters A-Z and 0-9 joined by hyphens.
func (s SerialNumber) Usual() bool { return grouped(string(s), '-') }

// An IPP is the word that the licensing page shows for the feature
// "Intellectual Property", kept verbatim: an unknown word is shown, not
// guessed at.
type IPP string

// The words that are known to occur. Ignore is what a license prepared for the
// change of activation code shows (seed, step 2d).
const (
	Ignore      IPP = "Ignore"
	Protected   IPP = "Protected"
	Unprotected IPP = "Unprotected"
)

// A Feature is one line of a license: what is licensed and up to which limit.
type Feature struct {
	ID    string `json:"id"`             // as in the file, for example "IPP"; empty when read from a page
	Name  string `json:"name,omitempty"` // as on the page, for example "Intellectual Property"
	Limit string `json:"limit"`          // a number, "Unlimited", "Feature Unavailable" or another word
}

// Installed is what one environment shows of its license. A zero Code means
// that no license is installed; a failure to read is an error of whoever read,
// never an Installed.
type Installed struct {
	// Server is the server's own serial number, read from the server and not
	// from the license. The installed license is valid only for this one.
	Server SerialNumber
	// Code and Serial are what the licensing page shows of the license.
	Code   ActivationCode
	Serial SerialNumber
	// IPP is the word shown for the feature "Intellectual Property".
	IPP IPP
	// Type is the license type, for example "Production"; empty if not shown.
	Type string
	// Ends is the end date; zero means that none is shown or "Never".
	Ends time.Time
	// Features are the other features shown; nil if they were not read.
	Features []Feature
}

func checkIdentifier(what, s string) error {
	var errs []error
	if s == "" {
		return fmt.Errorf("%s is empty", what)
	}
	if !utf8.ValidString(s) {
		errs = append(errs, fmt.Errorf("%s is not valid UTF-8", what))
	}
	if n := utf8.RuneCountInString(s); n > MaxIdentifierRunes {
		errs = append(errs, fmt.Errorf("%s has %d characters, at most %d are accepted", what, n, MaxIdentifierRunes))
	}
	if strings.TrimSpace(s) != s {
		errs = append(errs, fmt.Errorf("%s begins or ends with white space", what))
	}
	if strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
		errs = append(errs, fmt.Errorf("%s contains a control or invisible character", what))
	}
	return errors.Join(errs...)
}

// grouped reports whether s is eight groups of three A-Z or 0-9 joined by sep.
func grouped(s string, sep byte) bool {
	if len(s) != 31 {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if i%4 == 3 {
			if c != sep {
				return false
			}
		} else if (c < 'A' || c > 'Z') && (c < '0' || c > '9') {
			return false
		}
	}
	return true
}
