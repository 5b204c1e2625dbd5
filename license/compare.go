package license

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// A Lack is one thing that the target license has less of than the source. The
// texts come from the licenses.
type Lack struct {
	Feature string // the name, or the ID if it has no name
	Source  string
	Target  string // empty: the feature is missing, or has no limit
}

// String says what the target license has, and what the source license has
// instead, on one line. Texts from the licenses are quoted.
func (l Lack) String() string {
	if l.Target == "" {
		return fmt.Sprintf("%q is missing; the source license has %q", l.Feature, l.Source)
	}
	return fmt.Sprintf("%q is %q; the source license has %q", l.Feature, l.Target, l.Source)
}

// Compare returns what a target license has less of than the source license
// that it is to replace, in the order of source. It reads limits as they were
// observed (facts.md 4), without regard to case:
//
//   - "Feature Unavailable" and 0 grant nothing; then come "Evaluation Only",
//     numbers, and "Unlimited", which is more than any number;
//   - numbers may have dots and are compared part by part, as versions are:
//     10.9 < 10.10 < 11, and 11 equals 11.0;
//   - any other word cannot be ranked. The limit is a lack if it is not the
//     same in both licenses: a person has to judge whether, say, another
//     database product will do.
//
// What the source license does not grant cannot be lacked. Neither can
// Intellectual Property, which a change of activation code is meant to change.
// Features are matched by ID, or by name where one of the two has no ID, as
// when it was read from a page; one that the target license repeats counts
// with the limit that is a lack.
func Compare(source, target []Feature) []Lack {
	byID, byName := map[string][]Feature{}, map[string][]Feature{}
	for _, t := range target {
		id, name := strings.ToLower(t.ID), strings.ToLower(t.Name)
		byID[id], byName[name] = append(byID[id], t), append(byName[name], t)
	}
	var lacks []Lack
	for _, s := range source {
		have := parseLimit(s.Limit)
		if s.isIPP() || s.ID == "" && s.Name == "" || have.kind == nothing {
			continue
		}
		var same []Feature
		if s.ID != "" {
			same = append(same, byID[strings.ToLower(s.ID)]...)
		}
		for _, t := range byName[strings.ToLower(s.Name)] {
			if s.Name != "" && (s.ID == "" || t.ID == "") {
				same = append(same, t)
			}
		}
		lacking := slices.IndexFunc(same, func(t Feature) bool { return parseLimit(t.Limit).below(have) })
		switch lack := (Lack{Feature: cmp.Or(s.Name, s.ID), Source: s.Limit}); {
		case len(same) == 0:
			lacks = append(lacks, lack)
		case lacking >= 0:
			lack.Target = same[lacking].Limit
			lacks = append(lacks, lack)
		}
	}
	return lacks
}

// A limitKind ranks limits; word is apart.
type limitKind int

const (
	nothing limitKind = iota
	evaluation
	number
	unlimited
	word
)

// A limit is what Feature.Limit says.
type limit struct {
	kind  limitKind
	text  string   // in lower case
	parts []string // of a number: digits without leading zeros, and no zero parts at the end
}

func parseLimit(s string) limit {
	l := limit{kind: word, text: strings.ToLower(strings.TrimSpace(s))}
	switch l.text {
	case "feature unavailable":
		l.kind = nothing
	case "evaluation only":
		l.kind = evaluation
	case "unlimited":
		l.kind = unlimited
	default:
		l.parse()
	}
	return l
}

// parse recognizes digits in parts joined by dots.
func (l *limit) parse() {
	parts := strings.Split(l.text, ".")
	for i, p := range parts {
		if p == "" || strings.Trim(p, "0123456789") != "" {
			return
		}
		parts[i] = strings.TrimLeft(p, "0")
	}
	for len(parts) > 0 && parts[len(parts)-1] == "" {
		parts = parts[:len(parts)-1]
	}
	l.kind, l.parts = number, parts
	if len(parts) == 0 {
		l.kind = nothing
	}
}

// below reports whether l is less than other, or cannot be ranked and is not
// the same.
func (l limit) below(other limit) bool {
	switch {
	case l.kind == word || other.kind == word:
		return l.text != other.text
	case l.kind != other.kind:
		return l.kind < other.kind
	}
	for i, p := range l.parts {
		if i == len(other.parts) {
			return false
		}
		// Without leading zeros, the longer one is the larger.
		if c := cmp.Or(cmp.Compare(len(p), len(other.parts[i])), strings.Compare(p, other.parts[i])); c != 0 {
			return c < 0
		}
	}
	return len(l.parts) < len(other.parts)
}
