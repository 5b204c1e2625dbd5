//go:build !linux

package host

// Of returns the file system that path lies on, which is known on Linux only.
func Of(string) (FileSystem, error) { return FileSystem{Name: "unknown file system"}, nil }
