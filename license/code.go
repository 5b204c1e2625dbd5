package license

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"unique"
)

// An ActivationCode identifies an infrastructure to the vendor: eight groups
// of three characters with dots, as far as observed (facts.md 5.2). It is
// comparable; the zero value is no code.
//
// Every way of printing, logging or marshaling it gives the mask; only
// [ActivationCode.Reveal] gives the code. The code sits behind a handle, so
// that a struct with an unexported field of this type, whose methods nobody
// can call, prints an address in its place.
type ActivationCode struct {
	handle unique.Handle[string]
}

// ParseActivationCode accepts any code of 1 to [MaxIdentifierRunes] printable
// runes without surrounding space. Whether it has the usual form is for
// [ActivationCode.Usual] to say. Errors do not repeat the code.
func ParseActivationCode(s string) (ActivationCode, error) {
	if err := checkIdentifier("activation code", s); err != nil {
		return ActivationCode{}, err
	}
	return ActivationCode{unique.Make(s)}, nil
}

// IsZero reports whether there is no code.
func (c ActivationCode) IsZero() bool { return c == ActivationCode{} }

// Reveal returns the code itself, for the one place that hands it to a portal
// or compares it with another text.
func (c ActivationCode) Reveal() string {
	if c.IsZero() {
		return ""
	}
	return c.handle.Value()
}

// Usual reports whether the code has the observed form, eight groups of three
// characters A-Z and 0-9 joined by dots.
func (c ActivationCode) Usual() bool { return grouped(c.Reveal(), '.') }

// Fingerprint is a short digest of the code, by which two people can tell two
// codes apart without seeing either. Empty for the zero value.
func (c ActivationCode) Fingerprint() string {
	if c.IsZero() {
		return ""
	}
	sum := sha256.Sum256([]byte("changeover activation code\x00" + c.Reveal()))
	return hex.EncodeToString(sum[:4])
}

// String returns the mask: the last group of a code of the usual form, and the
// fingerprint. All codes seen in public end alike, hence the fingerprint.
func (c ActivationCode) String() string {
	switch {
	case c.IsZero():
		return "(none)"
	case c.Usual():
		code := c.Reveal()
		return "***." + code[len(code)-3:] + " #" + c.Fingerprint()
	default:
		return "*** #" + c.Fingerprint()
	}
}

// Format prints the mask for every verb.
func (c ActivationCode) Format(f fmt.State, _ rune) { fmt.Fprint(f, c.String()) }

// GoString returns the mask.
func (c ActivationCode) GoString() string { return c.String() }

// MarshalText returns the mask; it also serves encoding/json and zap.
func (c ActivationCode) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// LogValue returns the mask to log/slog.
func (c ActivationCode) LogValue() slog.Value { return slog.StringValue(c.String()) }
