// Package pgjournal keeps journals in a PostgreSQL database: a [journal.Store]
// for hosts that share a database, such as the workers of a workflow engine, or
// containers without a disk of their own. It does not keep backups of licenses,
// and it does not run a changeover on two hosts at once: a journal has one
// writer, whoever opened it. It starts no goroutine of its own.
//
// # The tables
//
// [Migrate] creates the schema changeover, in which a database has as many
// journals as there are names; migrations/0001_journals.sql describes its
// columns. Nothing but Migrate needs the right to create anything, and a writer
// needs no right to change or delete an entry; README.md has the GRANTs.
//
// An entry is stored as the JSON that it is, byte for byte, so that a person can
// ask for it with psql. Its hash is the SHA-256 of the hash of the entry before
// and of these bytes; before the first entry stands the SHA-256 of
// "changeover journal 1\n" and the name. So every entry vouches for all before
// it, and an entry of another journal fits nowhere. The row of the journal has
// its end a second time: seq, epoch, hash and the sum of the bytes. Reading
// checks all of it, and names the first entry that is changed, missing, or there
// twice ([journal.ErrCorrupt]). Who can rewrite entries and journal alike is not
// detected, nor is a database that was put back from an older backup; what was
// done since, the next observation of the environments finds.
//
// # One append
//
// [Store.Append] is one statement, sent in one message and committed once,
// however many entries it has. The statement moves the end of the journal on, if
// that is where the store left it and the store is still its writer, and inserts
// the entries. synchronous_commit is turned on for it where it is off, and a
// server with fsync=off is refused ([ErrUnsafe]).
//
// # One writer
//
// [Open] takes an advisory lock of the database, which ends with the connection,
// and with it the process; whoever comes second gets [journal.ErrLocked] and is
// told who holds it. There is no way to force it. It also gives the journal a new
// random token, without which no append succeeds. So a process whose connection
// was lost, and whose journal somebody else has opened since, cannot append any
// more, even if it does not know of its loss, or if a pooler between it and the
// server made the lock meaningless: it gets journal.ErrLocked.
//
// # A lost connection
//
// When the connection is lost during an append, nobody knows whether it was
// committed. The store then connects again, ends the session that it has lost if
// the server has not noticed, takes the lock and a new token, and looks at the
// end of the journal: what is there was done, what is not is appended again. If
// somebody else has opened the journal the answer is journal.ErrLocked; if no
// server can be reached in time, the error says that it is unknown what was
// stored, and who opens the journal again reads what is true.
//
// A transaction leaves nothing half done, so that there is nothing to repair:
// the store is no [journal.Repairer].
package pgjournal
