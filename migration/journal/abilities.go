package journal

// What some stores can do beside keeping a journal. Each is found by asking a
// [Store] for the interface; a store that lacks it is none the worse.

// A Reserver is a [Store] that has kept room back, so that the way back can
// still be recorded when the disk, or the journal, is full.
type Reserver interface {
	// ReleaseReserve gives the room free, for good. It is called when the way
	// back begins, and does nothing when it is called again.
	ReleaseReserve() error
}

// A Repairer is a [Store] that mends what a crash has left unfinished.
type Repairer interface {
	// Repaired returns how many bytes of an unfinished last entry were cut when
	// the store was opened: an append that nobody was told had succeeded. It
	// stays the same until the store is closed.
	Repaired() int64
}
