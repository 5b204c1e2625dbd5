// Package inorder ranges over maps in the order of their keys, for code whose
// every step must be the same each time it runs: a host that replays a run, as
// a workflow engine does, needs that even where no order shows.
package inorder

import (
	"cmp"
	"iter"
	"maps"
	"slices"
)

// Of returns the keys and values of m, smallest key first. m may be changed
// meanwhile; keys that are new are left out.
func Of[K cmp.Ordered, V any](m map[K]V) iter.Seq2[K, V] {
	return func(yield func(K, V) bool) {
		for _, k := range slices.Sorted(maps.Keys(m)) {
			if !yield(k, m[k]) {
				return
			}
		}
	}
}
