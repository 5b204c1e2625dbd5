package attended

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/internal/manual"
	"github.com/changeover-go/changeover/internal/printable"
)

// OpenCase implements [adapters.SupportDesk]: the text of the case is printed
// to be copied, and the person types the number that the case was given.
func (d *Desk) OpenCase(ctx context.Context, c adapters.Case) (string, error) {
	var reference string
	err := d.call(ctx, "open a case (Support)", func() error {
		if err := d.steps(manual.OpenSupport,
			"Look first for an open case with the key "+printable.Text(c.Key)+". If there is one, open none and answer with its number.",
			"Otherwise open one case with the subject and the text below; the key belongs into it.",
		); err != nil {
			return err
		}
		if err := d.print(d.text(c)); err != nil {
			return err
		}
		answer := ""
		if err := d.ask(ctx, "Number of the case (or: not done, unknown)", func(text string) error {
			if oneOf(&answer, "not done", "unknown")(text) == nil {
				return nil
			}
			return d.word(&reference)(text)
		}); err != nil {
			return uncertain(err)
		}
		switch answer {
		case "not done":
			return d.whyNot(ctx, []*adapters.Condition{adapters.ErrPermission, adapters.ErrNotReached})
		case "unknown":
			d.testify(ctx, "opening a case with key %s: unknown", printable.Text(c.Key))
			return fmt.Errorf("%s says so: %w", d.who, adapters.ErrUncertain)
		}
		d.testify(ctx, "the case with key %s is %s", printable.Text(c.Key), reference)
		return nil
	})
	if err != nil {
		return "", err
	}
	return reference, nil
}

// text writes a case for copying, line by line and whole.
func (d *Desk) text(c adapters.Case) string {
	var b strings.Builder
	b.WriteString("----- copy from here -----\n")
	for _, part := range []string{c.Subject, "", c.Body, "", "Key: " + c.Key} {
		for line := range strings.SplitSeq(strings.TrimRight(part, "\n"), "\n") {
			b.WriteString(printable.Whole(d.mask(strings.TrimRight(line, "\r"))) + "\n")
		}
	}
	b.WriteString("----- to here -----\n")
	return b.String()
}

// FindCase implements [adapters.SupportDesk].
func (d *Desk) FindCase(ctx context.Context, key string) (string, error) {
	var reference string
	err := d.call(ctx, "find a case (Support)", func() error {
		if err := d.steps(manual.OpenSupport, "Look for the case with the key "+printable.Text(key)+"."); err != nil {
			return err
		}
		if err := d.read(ctx, "Number of the case (none: there is no such case; no: the page could not be read)", orNone(d.word(&reference)),
			adapters.ErrPermission, adapters.ErrNotReached); err != nil {
			return err
		}
		if reference == "" {
			d.testify(ctx, "there is no case with key %s", printable.Text(key))
			return adapters.ErrCaseNotFound
		}
		d.testify(ctx, "the case with key %s is %s", printable.Text(key), reference)
		return nil
	})
	if err != nil {
		return "", err
	}
	return reference, nil
}

// Ask implements [adapters.Operator]. The only yes is the word "yes", followed
// by a line that says what was seen, which may be empty.
func (d *Desk) Ask(ctx context.Context, q adapters.Question) (adapters.Answer, error) {
	answer := adapters.Answer{}
	where := "the infrastructure"
	if q.Environment != "" {
		where = printable.Text(q.Environment)
	}
	err := d.call(ctx, fmt.Sprintf("%s: %s (%s)", where, printable.Text(string(q.Kind)), printable.Text(q.Subject)), func() error {
		var b strings.Builder
		for _, detail := range q.Details {
			b.WriteString("  - " + printable.Whole(d.mask(detail)) + "\n")
		}
		b.WriteString(printable.Whole(d.mask(q.Text)) + " (yes; everything else means no)")
		said := false
		if err := d.ask(ctx, b.String(), func(text string) error {
			said = strings.EqualFold(text, "yes")
			return nil
		}); err != nil {
			return err
		}
		if !said {
			d.testify(ctx, "%s: no", printable.Text(q.Subject))
			return adapters.ErrRefused
		}
		if err := d.ask(ctx, "What did you see, or why do you say so? (one line, may be empty)", d.remark(&answer.Text)); err != nil {
			return err
		}
		answer.By, answer.At = d.who, d.opts.Now()
		d.testify(ctx, "%s: yes. %s", printable.Text(q.Subject), answer.Text)
		return nil
	})
	switch {
	case err == nil:
		return answer, nil
	case ctx.Err() != nil || errors.Is(err, adapters.ErrRefused):
		return adapters.Answer{}, err // a question that was withdrawn was not answered
	}
	return adapters.Answer{}, fmt.Errorf("%w: %w", adapters.ErrRefused, err)
}
