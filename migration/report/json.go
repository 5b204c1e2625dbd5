package report

import (
	"encoding/json"
	"io"
)

// MarshalJSON implements json.Marshaler: the fields of the report, and its
// timeline.
func (r *Report) MarshalJSON() ([]byte, error) {
	type fields Report // without methods
	return json.Marshal(struct {
		*fields
		Timeline []Event `json:"timeline"`
	}{(*fields)(r), r.Timeline()})
}

// WriteJSON writes the report as indented JSON, with the timeline. Fields come
// in a fixed order; the same plan and journal give the same bytes. It returns
// the error of w.
func (r *Report) WriteJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(r)
}
