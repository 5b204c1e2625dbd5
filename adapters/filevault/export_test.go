package filevault

// Around is the seam: it is called for each operation on a file or directory.
type Around = func(op, path string, do func() error) error

// WithAround sets the seam.
func (o *Options) WithAround(around Around) *Options {
	o.around = around
	return o
}

// RewriteManifest decodes a manifest and encodes it again.
func RewriteManifest(b []byte) (string, error) {
	m, err := decodeManifest(b)
	return m.encode(), err
}

// RewriteName takes a file name apart and puts it together again.
func RewriteName(s string) (string, bool) {
	n, ok := parseName(s)
	return n.base() + n.kind, ok
}
