package environment

import (
	"errors"
	"strings"
)

// A Finding is one thing that is wrong, or worth knowing, about a plan or an
// infrastructure. It is an error value so that findings can be joined.
type Finding struct {
	Code    string `json:"code"`            // stable name, for example "duplicateSerial"
	Where   string `json:"where,omitempty"` // environment or place in the plan, quoted for printing
	Text    string `json:"text"`            // what is wrong
	Hint    string `json:"hint,omitempty"`  // what to do about it
	Warning bool   `json:"warning,omitempty"`
}

// Error says where, what and what to do, on one line.
func (f Finding) Error() string {
	var b strings.Builder
	if f.Where != "" {
		b.WriteString(f.Where + ": ")
	}
	b.WriteString(f.Text)
	if f.Hint != "" {
		b.WriteString(" (" + f.Hint + ")")
	}
	return b.String()
}

// Findings is a list of findings in the order in which they were made.
type Findings []Finding

// Err joins those that are not warnings; nil if there is none.
func (fs Findings) Err() error {
	var errs []error
	for _, f := range fs {
		if !f.Warning {
			errs = append(errs, f)
		}
	}
	return errors.Join(errs...)
}

// Warnings returns those that are warnings.
func (fs Findings) Warnings() Findings {
	var out Findings
	for _, f := range fs {
		if f.Warning {
			out = append(out, f)
		}
	}
	return out
}
