package filevault

import "github.com/changeover-go/changeover/internal/disk/disktest"

// Around is called for each operation on a file or directory.
type Around = func(op, path string, do func() error) error

// WithAround puts around between the vault and the system's files.
func (o *Options) WithAround(around Around) *Options {
	o.Disk = disktest.On(func(op *disktest.Op, do func() error) error { return around(op.Kind, op.Path, do) })
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
