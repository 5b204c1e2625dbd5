package report

import (
	"encoding/csv"
	"io"
	"strconv"
	"strings"
	"time"
)

// WriteCSV writes the timeline for a spreadsheet: a heading, then one row for
// each entry of the journal. A cell that a spreadsheet would take for a formula
// begins with an apostrophe. Times are in UTC. It returns the error of w.
func (r *Report) WriteCSV(w io.Writer) error {
	c := csv.NewWriter(w)
	// The writer keeps its first error.
	_ = c.Write([]string{"entry", "time", "kind", "environment", "leg", "state", "trigger", "to", "effect", "condition", "hold", "in doubt", "observed", "by", "what"})
	for e := range r.entries.all {
		v := r.clean.event(e)
		row := []string{strconv.FormatUint(v.Seq, 10), v.Time.UTC().Format(time.RFC3339), string(v.Kind), v.Environment, v.Leg,
			string(v.State), string(v.Trigger), string(v.To), v.Effect, v.Condition, string(v.Hold), yes(v.Doubt), yes(v.Observed), v.By, v.What}
		for i, cell := range row {
			row[i] = defused(cell)
		}
		_ = c.Write(row)
	}
	c.Flush()
	return c.Error()
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return ""
}

// defused returns a cell that no spreadsheet computes: formulas begin with one
// of these, in their narrow or their wide form, after blanks or none. Where lists
// are separated by semicolons, one within a text begins a cell as well.
func defused(cell string) string {
	parts := strings.Split(cell, ";")
	for i, part := range parts {
		if strings.IndexAny(strings.TrimSpace(part), "=+-@＝＋－＠") == 0 {
			parts[i] = "'" + part
		}
	}
	return strings.Join(parts, ";")
}
