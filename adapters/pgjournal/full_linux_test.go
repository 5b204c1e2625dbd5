package pgjournal_test

import (
	"crypto/rand"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/adapters/pgjournal"
	"github.com/changeover-go/changeover/adapters/pgjournal/internal/pgtest"
	"github.com/changeover-go/changeover/migration/journal"
)

// TestAFullDisk fills a disk of two megabytes. To mount it takes root.
func TestAFullDisk(t *testing.T) {
	t.Parallel()
	at, err := os.MkdirTemp("", "pgfull")
	require.NoError(t, err)
	require.NoError(t, syscall.Mount("changeover", at, "tmpfs", 0, "size=2m,mode=0755"), "this test mounts a small disk: run it as root")
	t.Cleanup(func() {
		require.NoError(t, syscall.Unmount(at, syscall.MNT_DETACH))
		require.NoError(t, os.Remove(at))
	})
	require.NoError(t, os.Mkdir(filepath.Join(at, "space"), 0o700))
	require.NoError(t, pgtest.Give(at))
	require.NoError(t, pgtest.Give(filepath.Join(at, "space")))
	own := pgtest.Start(t)
	own.Exec(t, "postgres", "CREATE TABLESPACE small LOCATION '"+at+"/space'", "CREATE DATABASE small")
	config := own.Config(t, "small")
	require.NoError(t, pgjournal.Migrate(t.Context(), config, nil))
	own.Exec(t, "small", "ALTER TABLE changeover.entry SET TABLESPACE small", "ALTER INDEX changeover.entry_pkey SET TABLESPACE small")
	s := open(t, config, nil)

	var stored []journal.Entry
	next := func() journal.Entry {
		e := noted(uint64(len(stored))+1, uint64(len(stored))+1)[0]
		for range 4000 { // what does not get smaller when it is compressed
			e.Text += rand.Text()
		}
		return e
	}
	for err == nil {
		e := next()
		if err = s.Append(t.Context(), e.Seq-1, e); err == nil {
			stored = append(stored, e)
		}
	}
	require.ErrorIs(t, err, journal.ErrFull)
	require.ErrorContains(t, err, "nothing was stored")
	require.ErrorContains(t, err, "make room on the server's disk")
	require.NotEmpty(t, stored)
	all, err := collect(s.Read(t.Context()))
	require.NoError(t, err)
	require.Equal(t, stored, all)

	require.NoError(t, syscall.Mount("changeover", at, "tmpfs", syscall.MS_REMOUNT, "size=20m"))
	e := next()
	require.NoError(t, s.Append(t.Context(), e.Seq-1, e), "there is room again")
	all, err = collect(s.Read(t.Context()))
	require.NoError(t, err)
	require.Equal(t, append(stored, e), all)
}
