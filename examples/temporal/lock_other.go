//go:build !unix

package main

import "os"

// lockFile locks nothing here: one worker at a time may use a state directory.
func lockFile(name string) (*os.File, error) {
	return os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o600)
}
