package mutants

import (
	"bytes"
	"fmt"
	"io/fs"
)

// Apply returns the text of each file that the mutant edits, as it is with the
// edits made. It returns an error when an edit does not fit exactly once.
func Apply(module fs.FS, m Mutant) (map[string][]byte, error) {
	edited := map[string][]byte{}
	for _, e := range m.Edits {
		text, ok := edited[e.File]
		if !ok {
			var err error
			if text, err = fs.ReadFile(module, e.File); err != nil {
				return nil, err
			}
		}
		if n := bytes.Count(text, []byte(e.Old)); n != 1 {
			return nil, fmt.Errorf("%s has the text %q %d times, not once", e.File, e.Old, n)
		}
		edited[e.File] = bytes.Replace(text, []byte(e.Old), []byte(e.New), 1)
	}
	return edited, nil
}

// Tiers returns the tiers that have a mutant to find, in the order of the list.
func Tiers() []string {
	var names []string
	seen := map[string]bool{}
	for _, m := range All() {
		if !seen[m.Tier] {
			seen[m.Tier] = true
			names = append(names, m.Tier)
		}
	}
	return names
}
