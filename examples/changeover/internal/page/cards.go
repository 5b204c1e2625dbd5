package page

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/changeover-go/changeover/environment/machine"
	"github.com/changeover-go/changeover/license"
	"github.com/changeover-go/changeover/migration"
	"github.com/changeover-go/changeover/migration/journal"
	"github.com/changeover-go/changeover/migration/report"
)

// A card says how one environment stands.
type card struct {
	report.Environment
	Badge   badge
	Steps   []step // of the table that it is in
	Place   string // the same in words
	Waiting string // what for; empty: nothing
	Since   time.Time
	Class   string // why it waits: person, doubt, work, others, or empty
	Kept    string // backup, in words
	Safe    bool   // it can be rolled back
	Digest  string // short, of what would be put back
}

// A badge says which license is shown, by letter, shape and color.
type badge struct {
	Letter, Word, Class string
}

// A step is one state of the usual way.
type step struct {
	Name  string
	Class string // done, here, or empty
}

// cards returns the environments that have a card, those that stand in a
// table, and how many show which license.
func cards(v View, h *history) (shown, rows []card, counts []count) {
	running := v.Live && v.Report.Hold != nil && v.Report.Hold.Kind == report.HoldInterrupted
	all := make([]card, len(v.Report.Environments))
	byWord := []count{{Label: "Source", Class: "source"}, {Label: "Target", Class: "target"}, {Label: "other", Class: "unread"}}
	for i, e := range v.Report.Environments {
		all[i] = newCard(e, h, running, v.Live)
		switch all[i].Badge.Class {
		case "source":
			byWord[0].N++
		case "target":
			byWord[1].N++
		default:
			byWord[2].N++
		}
	}
	counts = slices.DeleteFunc(byWord, func(c count) bool { return c.N == 0 })
	if len(all) <= mostCards {
		return all, nil, counts
	}
	// Of many environments only those that somebody must look at have a card.
	for _, c := range all {
		if (c.Class == "person" || c.Class == "doubt") && len(shown) < mostCards {
			shown = append(shown, c)
		}
	}
	return shown, all, counts
}

func newCard(e report.Environment, h *history, running, live bool) card {
	c := card{Environment: e, Badge: badgeOf(e.Installed), Since: e.Since}
	w := h.walked[e.Name]
	if w != nil && w.table >= 0 {
		c.Steps, c.Place = steps(h.tables[w.table].graph, e.State)
	}
	c.Waiting, c.Class = e.Waits, "others"
	switch {
	case e.Hold != nil && e.Hold.Kind == journal.HoldInDoubt:
		c.Class = "doubt"
	case e.Hold != nil, e.Need != nil, e.State == migration.NeedsSupport && e.Waits != "":
		c.Class = "person"
	case live && w != nil && w.effect != "":
		c.Class, c.Waiting, c.Since = "work", w.effect+" is under way", w.since
		if w.doubt {
			c.Class, c.Waiting = "doubt", "looking what came of "+w.effect
		}
	case w != nil && w.effect != "" && strings.Contains(e.Waits, "nobody knows"):
		c.Class = "doubt"
	case running && !strings.Contains(e.Waits, "others"):
		c.Waiting, c.Class = "", ""
	case e.Waits == "":
		c.Class = ""
	}
	b := e.Backup
	c.Safe, c.Digest = e.CanRollBack, e.RollBackTo.Short()
	switch {
	case e.CanRollBack:
		c.Kept = fmt.Sprintf("proven, %d %s", b.Copies, plural(b.Copies, "copy", "copies"))
	case b.Proven:
		c.Kept = "of no use: for another serial number"
	case len(b.Digests) > 0:
		c.Kept = "not proven"
	default:
		c.Kept = "none"
	}
	return c
}

func badgeOf(in report.Installed) badge {
	switch in.Role {
	case license.Source:
		return badge{"S", "Source", "source"}
	case license.Target:
		return badge{"T", "Target", "target"}
	case license.None:
		return badge{"–", "no license", "unread"}
	case "":
		return badge{"?", "not read yet", "unread"}
	}
	return badge{"!", string(in.Role), "unread"}
}

// steps says how far along the usual way of a table a state is; nothing, if it
// is beside it.
func steps(g graph, at machine.State) ([]step, string) {
	chain := g.chain()
	here := slices.Index(chain, at)
	if here < 0 {
		return nil, ""
	}
	list := make([]step, len(chain))
	for i, s := range chain {
		list[i].Name = text(s)
		switch {
		case i < here, i == here && i == len(chain)-1:
			list[i].Class = "done"
		case i == here:
			list[i].Class = "here"
		}
	}
	return list, fmt.Sprintf("step %d of %d", here+1, len(chain))
}

func plural(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}
