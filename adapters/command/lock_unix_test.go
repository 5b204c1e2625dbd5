//go:build unix

package command_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/adapters/filejournal"
	"github.com/changeover-go/changeover/migration/journal"
)

func TestAProgramThatOutlivesUsKeepsTheJournalLocked(t *testing.T) {
	dir := t.TempDir() + "/state"
	store, err := filejournal.Open(dir, nil)
	require.NoError(t, err)
	lock, err := store.LockFile()
	require.NoError(t, err)

	o := options(t, "behave", "hangs", "")
	began := make(chan struct{}, 1)
	o.Lock, o.Log = lock, func(string) { began <- struct{}{} }
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	p, over := program(t, o), make(chan error, 1)
	go func() { over <- p.UploadLicense(ctx, quality, licenseFile(t)) }()
	<-began

	// The end of this process closes what it has open, and does no more.
	require.NoError(t, store.Close())
	_, err = filejournal.Open(dir, nil)
	require.ErrorIs(t, err, journal.ErrLocked, "the program is still at work")

	cancel()
	means(t, unknown, <-over)
	store, err = filejournal.Open(dir, nil)
	require.NoError(t, err)
	require.NoError(t, store.Close())
}
