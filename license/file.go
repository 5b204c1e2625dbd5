package license

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
)

// MaxFileBytes is the largest license file that is accepted. The one public
// artefact has 5,488 bytes (facts.md 4).
const MaxFileBytes = 4 << 20

// Refusals of [NewFile]; [Inspect] answers the first two as well.
var (
	ErrEmpty    = errors.New("the license file is empty")
	ErrTooLarge = errors.New("the license file is too large")
	ErrWebPage  = errors.New("the license file is a web page, probably a login or error page that was saved in its place")
)

// A Digest is the SHA-256 of a license file's bytes, in lower-case hex.
type Digest string

// Short returns the first twelve characters, for people.
func (d Digest) Short() string { return string(d[:min(len(d), 12)]) }

// A File is a license file: its exact bytes and their digest. It is immutable
// and cheap to copy; the zero value is no file. What it says of itself is for
// [Inspect] to read. It never prints its bytes.
type File struct {
	// Behind a pointer to a string, since fmt prints that as an address under
	// any verb; it would follow a pointer to a struct or a slice when the verb
	// is wrong for it.
	content   *string
	digest    Digest
	elsewhere **elsewhere // of a reference, which has no content; for the same reason not a pointer to the struct
}

// NewFile keeps a copy of b. It refuses what cannot be a license file:
// nothing ([ErrEmpty]), more than [MaxFileBytes] ([ErrTooLarge]), or a web page
// ([ErrWebPage]).
func NewFile(b []byte) (File, error) {
	if len(b) == 0 {
		return File{}, ErrEmpty
	}
	if len(b) > MaxFileBytes {
		return File{}, fmt.Errorf("%w: %d bytes, at most %d are accepted", ErrTooLarge, len(b), MaxFileBytes)
	}
	head := bytes.ToLower(bytes.TrimLeft(b[:min(len(b), 512)], "\ufeff \t\r\n"))
	if bytes.HasPrefix(head, []byte("<")) && (bytes.Contains(head, []byte("<!doctype html")) || bytes.Contains(head, []byte("<html"))) {
		return File{}, ErrWebPage
	}
	sum := sha256.Sum256(b)
	content := string(b)
	return File{content: &content, digest: Digest(hex.EncodeToString(sum[:]))}, nil
}

// IsZero reports whether there is no file.
func (f File) IsZero() bool { return f.content == nil && f.elsewhere == nil }

// Bytes returns a copy of the exact bytes, for the one place that stores or
// uploads them; nil for a reference.
func (f File) Bytes() []byte {
	if f.content == nil {
		return nil
	}
	return []byte(*f.content)
}

// Digest returns the SHA-256 of the bytes; empty for the zero value.
func (f File) Digest() Digest { return f.digest }

// Size returns the number of bytes.
func (f File) Size() int {
	switch {
	case f.elsewhere != nil:
		return (*f.elsewhere).size
	case f.content != nil:
		return len(*f.content)
	}
	return 0
}

// String names the file by size and digest.
func (f File) String() string {
	if f.IsZero() {
		return "no license file"
	}
	return fmt.Sprintf("license file of %d bytes, sha256 %s", f.Size(), f.Digest().Short())
}

// Format prints what String returns, for every verb.
func (f File) Format(s fmt.State, _ rune) { fmt.Fprint(s, f.String()) }

// GoString returns what String returns.
func (f File) GoString() string { return f.String() }

// MarshalText returns what String returns, never the bytes.
func (f File) MarshalText() ([]byte, error) { return []byte(f.String()), nil }

// LogValue gives log/slog what String returns.
func (f File) LogValue() slog.Value { return slog.StringValue(f.String()) }
