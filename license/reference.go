package license

import "errors"

// ErrGone says that the bytes of a file are not at hand any more, and that
// nothing was done with it: fetch it again.
var ErrGone = errors.New("the bytes of the license file are not at hand any more")

// Reference returns a File whose bytes are elsewhere, for a host that keeps
// license files out of what it records. Its digest, its size in bytes, what it
// prints and what [Inspect] answers are those of the file; [File.Bytes] returns
// nil. details and refused are what Inspect answered where the bytes are.
func Reference(digest Digest, size int, details Details, refused error) File {
	known := &elsewhere{size, details, refused}
	return File{digest: digest, elsewhere: &known}
}

// elsewhere is what is known of a file without its bytes.
type elsewhere struct {
	size    int
	details Details
	refused error
}

// IsReference reports whether the bytes are elsewhere.
func (f File) IsReference() bool { return f.elsewhere != nil }
