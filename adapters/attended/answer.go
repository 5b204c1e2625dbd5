package attended

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/internal/printable"
	"github.com/changeover-go/changeover/license"
)

// read asks for a value. The answer "no" leads to the reasons, and to one of
// them as the error.
func (d *Desk) read(ctx context.Context, question string, accept func(string) error, reasons ...*adapters.Condition) error {
	no := false
	err := d.ask(ctx, question, func(answer string) error {
		if no = strings.EqualFold(answer, "no"); no {
			return nil
		}
		return accept(answer)
	})
	if err == nil && no {
		return d.whyNot(ctx, reasons)
	}
	return err
}

// act prints instructions that change something, and asks what came of them.
func (d *Desk) act(ctx context.Context, what string, instructions []string, reasons ...*adapters.Condition) error {
	if err := d.steps(instructions...); err != nil {
		return err
	}
	var answer string
	if err := d.ask(ctx, "What came of it? (done, not done, unknown)", oneOf(&answer, "done", "not done", "unknown")); err != nil {
		return uncertain(err)
	}
	d.testify(ctx, "%s: %s", what, answer)
	switch answer {
	case "done":
		return nil
	case "not done":
		return d.whyNot(ctx, reasons)
	}
	return fmt.Errorf("%s says so: %w", d.who, adapters.ErrUncertain)
}

// uncertain marks the end of a conversation after which something may have
// been done.
func uncertain(err error) error { return fmt.Errorf("%w: %w", adapters.ErrUncertain, err) }

// whyNot asks why something was not done, or not read, and returns the reason.
func (d *Desk) whyNot(ctx context.Context, reasons []*adapters.Condition) error {
	reasons = append(reasons, adapters.ErrRefused)
	var b strings.Builder
	b.WriteString("Why not? Type the number.\n")
	for i, c := range reasons {
		text := c.Error()
		if c == adapters.ErrRefused {
			text = "I decided not to"
		}
		fmt.Fprintf(&b, "%3d  %s\n", i+1, text)
	}
	fmt.Fprintf(&b, "%3d  another reason", len(reasons)+1)
	var n int
	if err := d.ask(ctx, b.String(), number(&n, 1, len(reasons)+1)); err != nil {
		return fmt.Errorf("no, and the reason is missing: %w", err)
	}
	// The reason is given; what follows is for people only.
	var text string
	if err := d.ask(ctx, "What was shown, or what happened? (one line, may be empty)", d.remark(&text)); err != nil {
		text = ""
	}
	var err error = errors.New("another reason")
	if n <= len(reasons) {
		err = reasons[n-1]
	}
	if text != "" {
		err = fmt.Errorf("%w (%s)", err, text)
	}
	d.testify(ctx, "no: %v", err)
	return err
}

// oneOf takes one of the words.
func oneOf(into *string, words ...string) func(string) error {
	return func(answer string) error {
		for _, w := range words {
			if strings.EqualFold(answer, w) {
				*into = w
				return nil
			}
		}
		return fmt.Errorf("it is none of: %s", strings.Join(words, ", "))
	}
}

// yes takes yes or no.
func yes(into *bool) func(string) error {
	var answer string
	accept := oneOf(&answer, "yes", "no")
	return func(s string) error {
		err := accept(s)
		*into = answer == "yes"
		return err
	}
}

// number takes a number from least to most.
func number(into *int, least, most int) func(string) error {
	return func(answer string) error {
		n, err := strconv.Atoi(answer)
		if err != nil || n < least || n > most {
			return fmt.Errorf("it is not a number from %d to %d", least, most)
		}
		*into = n
		return nil
	}
}

// word takes a short text that is the same when it is printed, and is no
// activation code in the wrong place.
func (d *Desk) word(into *string) func(string) error {
	return func(answer string) error {
		switch {
		case answer == "":
			return errNothing
		case d.mask(answer) != answer:
			return errCode
		case utf8.RuneCountInString(answer) > maxWordRunes:
			return fmt.Errorf("it has more than %d characters", maxWordRunes)
		case printable.Text(answer) != answer:
			return errors.New("it contains characters that cannot be shown")
		}
		*into = answer
		return nil
	}
}

// maxWordRunes is the longest name of anything.
const maxWordRunes = 128

var errCode = errors.New("it is an activation code, which is not asked for here")

// orNone takes what accept takes, and the word "none" for nothing.
func orNone(accept func(string) error) func(string) error {
	return func(answer string) error {
		if strings.EqualFold(answer, "none") {
			return nil
		}
		return accept(answer)
	}
}

// remark takes any line, even an empty one, and makes it safe to print.
func (d *Desk) remark(into *string) func(string) error {
	return func(answer string) error {
		*into = printable.Text(d.mask(answer))
		return nil
	}
}

// mask replaces activation codes in what somebody typed or pasted.
func (d *Desk) mask(text string) string {
	for _, c := range []license.ActivationCode{d.opts.Source, d.opts.Target} {
		if !c.IsZero() {
			text = strings.ReplaceAll(text, c.Reveal(), c.String())
		}
	}
	const length = 31 // of a code of the usual form
	for i := 0; i+length <= len(text); i++ {
		if c, err := license.ParseActivationCode(text[i : i+length]); err == nil && c.Usual() {
			text = text[:i] + c.String() + text[i+length:]
		}
	}
	return text
}

// insist takes a doubtful answer when it is given twice in a row.
func insist() func(answer, doubt string) error {
	last := ""
	return func(answer, doubt string) error {
		if answer == last {
			return nil
		}
		last = answer
		return errors.New(doubt + "; type the same again if it is right")
	}
}

// code takes an activation code, and "none" for no license.
func code(into *license.ActivationCode) func(string) error {
	sure := insist()
	return orNone(func(answer string) error {
		c, err := license.ParseActivationCode(answer)
		if err == nil && !c.Usual() {
			err = sure(answer, "it is not eight groups of three capital letters and digits with dots between them")
		}
		*into = c
		return err
	})
}

// serialNumber takes a serial number.
func (d *Desk) serialNumber(into *license.SerialNumber) func(string) error {
	sure := insist()
	return func(answer string) error {
		if d.mask(answer) != answer {
			return errCode
		}
		s, err := license.ParseSerialNumber(answer)
		if err == nil && !s.Usual() {
			err = sure(answer, "it is not eight groups of three capital letters and digits with hyphens between them")
		}
		*into = s
		return err
	}
}

// ippWord takes the word shown for Intellectual Property.
func (d *Desk) ippWord(into *license.IPP) func(string) error {
	sure := insist()
	return orNone(func(answer string) error {
		var w string
		if err := d.word(&w)(answer); err != nil {
			return err
		}
		*into = license.IPP(w)
		switch *into {
		case license.Ignore, license.Protected, license.Unprotected:
			return nil
		}
		return sure(answer, "it is none of the known words Ignore, Protected, Unprotected")
	})
}

// endDate takes a date, and "Never" for none.
func endDate(into *time.Time) func(string) error {
	return func(answer string) (err error) {
		if strings.EqualFold(answer, "never") {
			return nil
		}
		if *into, err = time.Parse(time.DateOnly, answer); err != nil {
			return errors.New("it is neither a date such as 2026-12-31 nor Never")
		}
		return nil
	}
}

// called returns the environment's name for people.
func called(env environment.Environment) string { return printable.Text(env.Name) }

// serialOf returns a serial number for people.
func serialOf(s license.SerialNumber) string { return printable.Text(string(s)) }

// codeOf returns an activation code for people, with its role.
func (d *Desk) codeOf(c license.ActivationCode) string {
	text := c.String()
	if d.opts.Reveal {
		text = printable.Whole(c.Reveal())
	}
	switch c {
	case license.ActivationCode{}:
		return "(none)"
	case d.opts.Source:
		return "the old (source) activation code " + text
	case d.opts.Target:
		return "the new (target) activation code " + text
	}
	return "the activation code " + text
}
