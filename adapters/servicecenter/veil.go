package servicecenter

import (
	"encoding/base64"
	"slices"
	"strings"

	"github.com/changeover-go/changeover/internal/printable"
	"github.com/changeover-go/changeover/license"
)

// A veil hides the secrets of one call in what a server says: it may repeat
// what it was sent. The zero value hides activation codes.
type veil struct {
	secrets []string // longest first
	content [][]byte // forms of the license
	mask    license.Mask
}

// over also hides secrets.
func (v veil) over(secrets ...string) veil {
	all := slices.Clone(v.secrets)
	for _, s := range secrets {
		// What is shorter is in every text by chance, and hiding it would show
		// where it is.
		const shortest = 4
		if len(s) >= shortest {
			all = append(all, s, printable.Whole(s))
		}
	}
	slices.SortStableFunc(all, func(a, b string) int { return len(b) - len(a) })
	v.secrets = slices.Compact(all)
	return v
}

// overLicense also hides the file, and the code that it is of.
func (v veil) overLicense(file license.File, code license.ActivationCode) veil {
	raw := file.Bytes()
	v.content = [][]byte{raw, base64.StdEncoding.AppendEncode(nil, raw)}
	if !code.IsZero() {
		v.mask = license.NewMask(code)
	}
	return v
}

// text is a text of a server, fit to be printed. It is looked through once
// more afterwards: with the digits of an escape in front, what was none before
// can read like a secret.
func (v veil) text(s string) string { return v.cover(printable.Text(v.hide(s))) }

// quoted is a text of a server in quotation marks.
func (v veil) quoted(s string) string { return `"` + v.text(strings.TrimSpace(s)) + `"` }

// error is an error that may quote a server. It wraps err.
func (v veil) error(err error) error {
	return veiled{err, v.cover(printable.Error(errorText(v.hide(err.Error()))))}
}

func (v veil) hide(s string) string {
	// More is not printed; to cut first would leave a part of a secret only
	// where it is not printed either.
	const enough = 16 << 10
	s = s[:min(len(s), enough)]
	s = v.mask.Text(v.without(s))
	if v.repeatsLicense(s[:min(len(s), printable.MaxError)]) {
		return "(a text that repeats the license)"
	}
	return v.without(printable.Whole(s)) // what stands for a character may complete a secret
}

// without is s without the secrets.
func (v veil) without(s string) string {
	for _, secret := range v.secrets {
		s = strings.ReplaceAll(s, secret, "(hidden)")
	}
	return s
}

func (v veil) cover(s string) string {
	for _, secret := range v.secrets {
		s = strings.ReplaceAll(s, secret, "(hidden)")
	}
	return s
}

// repeatsLicense reports whether s holds a piece of the license.
func (v veil) repeatsLicense(s string) bool {
	// What is shorter is there by chance, or is a serial number.
	const piece = 36
	pieces := map[string]bool{}
	for i := 0; i+piece <= len(s); i++ {
		pieces[s[i:i+piece]] = true
	}
	if len(pieces) == 0 {
		return false
	}
	for _, form := range v.content {
		for i := 0; i+piece <= len(form); i++ {
			if pieces[string(form[i:i+piece])] {
				return true
			}
		}
	}
	return false
}

// errorText is a text as an error.
type errorText string

func (e errorText) Error() string { return string(e) }

// veiled is an error with another text.
type veiled struct {
	error
	text string
}

func (v veiled) Error() string { return v.text }
func (v veiled) Unwrap() error { return v.error }
