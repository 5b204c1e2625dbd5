package enumerate

import "strings"

// callPlaces returns where the calls of a run are stopped, as reliability.md B3
// names the places. All of them are points of [sweep.crashes] and
// [sweep.failures], or leave the same as one of them:
//
//	c0  before the intent is written    the event before the last write of the journal
//	c1  written and not synced          that write, with any survivors
//	c2  durable, and the call not made  the event before the call
//	c3  lost on the way                 the call is lost, and the process lives
//	c4  done, and no answer             the call itself; or it is unanswered, and the process lives
//	c5  answered, and nothing written   the event before the next write of the journal
//	c6  written and not synced          that write, with any survivors
//	c7  durable                         the sync that follows it
func callPlaces(b *base) []int {
	var places []int
	write, waiting := -1, []int(nil)
	for n, e := range b.events {
		journal := strings.HasSuffix(e.path, "/journal.jsonl")
		switch {
		case journal && e.what == "write":
			for range waiting {
				places = append(places, n-1, n) // c5, c6
			}
			write = n
		case journal && e.what == "sync":
			for range waiting {
				places = append(places, n) // c7
			}
			waiting = nil
		case e.port:
			if write >= 0 {
				places = append(places, write-1, write, n-1, n, n) // c0, c1, c2, c3, c4
			}
			waiting = append(waiting, n)
		}
	}
	return places
}
