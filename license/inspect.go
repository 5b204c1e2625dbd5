package license

import (
	"errors"
	"time"
)

// ErrOpaque is answered by [Inspect] for a file whose structure is not the
// observed one. Such a file may be perfectly good; its identity has to be
// attested by a person.
var ErrOpaque = errors.New("the license file cannot be inspected")

// Details are what a license file says of itself.
type Details struct {
	Code         ActivationCode
	Serial       SerialNumber
	Organization string
	Type         string // for example "Production" or "Trial"
	Edition      string
	Created      time.Time // zero if absent
	Ends         time.Time // zero if absent
	Features     []Feature
}

// Inspect is completed below.
func Inspect(f File) (Details, error) { return Details{}, ErrOpaque }

// A Lack is one thing that the target license has less of than the source.
type Lack struct {
	Feature string
	Source  string
	Target  string // empty: the feature is missing
}

// Compare is completed below.
func Compare(source, target []Feature) []Lack { return nil }
