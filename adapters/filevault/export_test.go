package filevault

// Around is the seam: it is called for each operation on a file or directory.
type Around = func(op, path string, do func() error) error

// WithAround sets the seam.
func (o *Options) WithAround(around Around) *Options {
	o.around = around
	return o
}
