// Package filejournal keeps a journal in a directory: the default
// [journal.Store]. It is for hosts on one machine; nothing has to run beside
// it, and a person can read what it writes with less. It starts no goroutine.
//
// # The directory
//
// The directory has mode 0700 and belongs to the user that runs the process;
// the files in it have mode 0600, are regular, and have no second name. What
// is found otherwise is refused, with the command that puts it right; nothing
// is repaired silently. (On Windows access lists take the place of modes, and
// none of this is checked.) [Open] creates the directory, but not its parents.
//
//	LOCK           held while a Store is open, by a lock of the operating system
//	journal.jsonl  the entries; created with the first one
//	HEAD           the end of the journal, kept a second time
//	BALLAST        room that is kept back; created before the first entry
//
// LOCK is never removed. The lock ends with the process, however the process
// ends, so that a lock left behind is not a thing that can happen, and there is
// no way to force one. LOCK's text names the process that holds it, for
// people, and its time is when that process began. The directory itself is
// locked as well, so that removing LOCK lets nobody in; a child process that is
// given LOCK ([Store.LockFile]) holds it beyond the end of its parent. (On
// Windows directories cannot be locked, and an open LOCK cannot be removed.)
//
// BALLAST has [Options.Ballast] bytes that mean nothing. [Store.ReleaseReserve]
// makes it empty when the way back begins, so that the way back can be recorded
// on a full disk; a disk that has no room for it is too full to begin. In the
// same way journal.jsonl may grow to [Options.MaxBytes] on the way back, and to
// Ballast bytes less before it: what would exceed that is refused
// ([journal.ErrFull]), and nothing of it is written.
//
// # The format of journal.jsonl, version 1
//
// UTF-8 text, each line a JSON object that ends in "\n". Nothing is ever
// changed but the end. The first line is
//
//	{"journal":"changeover","version":1,"hash":"…"}
//
// and every other line is a [journal.Entry] with two more members at its end,
//
//	{"seq":1,…,"prev":"…","hash":"…"}
//
// where hash is the SHA-256, in lower-case hex, of all bytes of the line before
// `,"hash":`, and prev is the hash of the line before it. So every line
// vouches for all lines before it, and a person can check one with
//
//	sed -n 7p journal.jsonl | sed 's/,"hash":"[0-9a-f]*"}$//' | tr -d '\n' | sha256sum
//
// A line takes at most [journal.MaxEntry] bytes and some 200 more. The members
// of an entry have the order of the struct's fields, without space between
// them; what no terminal shows as a character is escaped.
//
// # The format of HEAD, version 1
//
// Two slots of 4096 bytes, each a line of JSON with spaces behind it: the seq,
// epoch and hash of the last entry, and the first 16 hex digits of the SHA-256
// of the slot before `,"sum":`. The slot with the higher seq counts. After every
// append the other one is overwritten, without waiting for the disk, so that a
// power cut may take the last few of these notes, but no crash spoils both slots.
// Opened with [Options.HeadDir], the store keeps HEAD in another directory,
// best on another disk: then putting back an older copy of the journal's
// directory shows as well.
//
// # What a crash leaves
//
// [Store.Append] writes the lines of a batch in one piece, calls fsync once, and
// returns when the disk has them; HEAD it writes afterwards and leaves to the
// system. Everything else waits for the disk as well, the file and the names of
// it: what the first entry creates, what Open repairs, and HEAD when the store
// is closed. (fdatasync would leave out nothing: an append changes the length of
// the file, which has to be kept with the bytes. And the file is not made longer
// beforehand: what a crash leaves of a batch could then not be told from
// damage.)
//
// A crash before that leaves the first few of them, and
// perhaps a beginning of the next. Open cuts such an unfinished last line
// ([Store.Repaired]), writes again what HEAD does not vouch for, because its
// writer may have seen the disk fail, and waits for the disk before it returns.
//
// Anything else that is not as it was written is refused: a line that is
// changed, lost, repeated or moved ([journal.ErrCorrupt], with the number of
// the line), a journal that ends before HEAD or differs from it there (the same,
// as cut or replaced), and a journal of another version ([journal.ErrForeign]).
// Who can rewrite journal and HEAD alike is not detected. A journal that is
// whole and whose HEAD is lost, or newer, goes on once somebody has answered for
// it: [AcceptHead].
//
// After a failed write or sync the store is closed for good, since the kernel
// may have dropped what was to be written and reports that only once; open it
// again.
package filejournal
