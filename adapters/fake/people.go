package fake

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/internal/printable"
	"github.com/changeover-go/changeover/license"
)

// openCase is a case that Support has.
type openCase struct {
	Reference string        `json:"reference"`
	Case      adapters.Case `json:"case"`
}

// supportDesk is the world's [adapters.SupportDesk].
type supportDesk struct{ facet }

var _ adapters.SupportDesk = supportDesk{}

// OpenCase implements [adapters.SupportDesk]; references are CASE-1, CASE-2 …
func (d supportDesk) OpenCase(ctx context.Context, asked adapters.Case) (reference string, err error) {
	c := Call{"SupportDesk", "OpenCase", ""}
	err = d.call(ctx, c, func(w *World) error {
		if asked.Key == "" {
			return errors.New("a support case needs a key")
		}
		if i := w.caseOf(asked.Key); i >= 0 {
			reference = w.s.Cases[i].Reference
			return nil
		}
		reference = fmt.Sprintf("CASE-%d", len(w.s.Cases)+1)
		w.s.Cases = append(w.s.Cases, openCase{reference, asked})
		w.changed(c, license.ActivationCode{}, "")
		return nil
	})
	return reference, err
}

// FindCase implements [adapters.SupportDesk].
func (d supportDesk) FindCase(ctx context.Context, key string) (reference string, err error) {
	err = d.call(ctx, Call{"SupportDesk", "FindCase", ""}, func(w *World) error {
		i := w.caseOf(key)
		if i < 0 {
			return refused(key, adapters.ErrCaseNotFound, "")
		}
		reference = w.s.Cases[i].Reference
		return nil
	})
	return reference, err
}

func (w *World) caseOf(key string) int {
	return slices.IndexFunc(w.s.Cases, func(c openCase) bool { return c.Case.Key == key })
}

// OperatorName is who answers for the run unless [World.Answer] says otherwise.
const OperatorName = "fake operator"

// operator is the world's [adapters.Operator].
type operator struct{ facet }

var _ adapters.Operator = operator{}

// Ask implements [adapters.Operator]: yes, unless [World.Answer] says
// otherwise. The answer is found without holding the world, so that whoever
// answers can look at it and change it.
func (o operator) Ask(ctx context.Context, q adapters.Question) (adapters.Answer, error) {
	var answer func(adapters.Question) (adapters.Answer, error)
	yes := adapters.Answer{By: OperatorName, Text: "yes"}
	err := o.call(ctx, Call{"Operator", "Ask", q.Environment}, func(w *World) error {
		q.Details = slices.Clone(q.Details)
		w.asked = append(w.asked, q)
		answer, yes.At = w.answer, w.now()
		return nil
	})
	if err != nil {
		return adapters.Answer{}, err
	}
	if answer == nil {
		return yes, nil
	}
	given, err := answer(cloneQuestion(q))
	switch {
	case err != nil:
		return adapters.Answer{}, err
	case given.By == "":
		return adapters.Answer{}, fmt.Errorf("%s: %w: nobody has signed the answer", printable.Text(q.Subject), adapters.ErrRefused)
	}
	return given, nil
}

func cloneQuestion(q adapters.Question) adapters.Question {
	q.Details = slices.Clone(q.Details)
	return q
}
