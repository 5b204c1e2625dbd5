package changeover

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/internal/printable"
	"github.com/changeover-go/changeover/license"
)

// PreviewLife is how long a preview may be applied, unless whoever made it
// changes Expires before it is saved.
const PreviewLife = 24 * time.Hour

// ErrPreview is wrapped by [ReadPreview] for a text that is not a preview as it
// was saved.
var ErrPreview = errors.New("this is not a preview as it was saved; make a new one")

// A Preview is what [Changeover.Plan] has seen of the world, and what a run
// would do in it. [Changeover.ApplyPreview] begins that run, unless the world
// has changed since (reliability.md PL1-PL4). It is data: marshaled, saved, and
// read back with [ReadPreview]. It holds masks and digests, never an activation
// code; all text from outside is safe to print.
type Preview struct {
	Version        int    `json:"version"`
	Infrastructure string `json:"infrastructure"`
	Plan           string `json:"plan"`       // digest of the plan
	Definition     string `json:"definition"` // digest of the tables, as they were extended
	Profile        string `json:"profile"`
	Source         string `json:"source"` // masked
	Target         string `json:"target"` // masked

	Made time.Time `json:"made"`
	// Expires is when it may no longer be applied.
	Expires time.Time `json:"expires"`

	// Inventory is what LifeTime lists, by name; nil if it could not be read.
	Inventory []Listed `json:"inventory"`
	// Observed is every environment of the plan, in the order of the plan.
	Observed []Observed `json:"observed"`
	// Findings are everything that forbids the run, and as warnings what is
	// worth knowing. With one that is no warning nothing can be applied.
	Findings environment.Findings `json:"findings"`
	// Steps are what a run does, in order, if all goes well.
	Steps []Step `json:"steps"`
	// Omitted is what somebody might expect of a run that it does not do.
	Omitted []Omission `json:"omitted"`
	// Adapters says what answers for each port.
	Adapters map[string]string `json:"adapters"`
}

// previewVersion is the version that this package writes and reads.
const previewVersion = 1

// A Listed is an environment as LifeTime lists it.
type Listed struct {
	Name    string `json:"name"`
	Address string `json:"address,omitempty"`
	Cloud   bool   `json:"cloud,omitempty"`
}

// An Observed is one environment as it was found.
type Observed struct {
	Environment string           `json:"environment"`
	Kind        environment.Kind `json:"kind"`
	// Role says whose license it shows; empty if it could not be read, and
	// NotRead says why.
	Role license.Role `json:"role,omitempty"`
	Code string       `json:"code,omitempty"` // masked
	// CodeDigest binds the preview to the activation code without showing it:
	// a digest of the code together with the plan.
	CodeDigest string               `json:"codeDigest,omitempty"`
	Server     license.SerialNumber `json:"server,omitempty"` // the server's own serial number
	Serial     license.SerialNumber `json:"serial,omitempty"` // the license's
	IPP        license.IPP          `json:"ipp,omitempty"`
	Type       string               `json:"type,omitempty"`
	Ends       time.Time            `json:"ends,omitzero"`
	NotRead    string               `json:"notRead,omitempty"`
	// Paused says that deployments to it were paused already, and PausedBy by
	// whom, as far as that is known.
	Paused   bool   `json:"paused,omitempty"`
	PausedBy string `json:"pausedBy,omitempty"`
}

// preview looks at the world and says what would be done in it.
func (c *Changeover) preview(ctx context.Context) (*Preview, error) {
	o, err := c.observe(ctx)
	if err != nil {
		return nil, err
	}
	made := c.clock.Now().UTC().Round(0)
	p := &Preview{
		Version: previewVersion, Infrastructure: printable.Text(c.mask.Text(c.plan.Infrastructure.Name)),
		Plan: c.plan.Digest(), Definition: sum(c.forward.Definition()), Profile: c.plan.Profile,
		Source: c.plan.Source.String(), Target: c.plan.Target.String(), Made: made, Expires: made.Add(PreviewLife),
		Inventory: o.listed(), Observed: o.observed(), Findings: o.findings(made), Adapters: map[string]string{},
	}
	for _, port := range slices.Sorted(maps.Keys(c.answers)) {
		p.Adapters[port] = c.mask.Text(c.answers[port])
	}
	p.Steps, p.Omitted = c.steps(p.Observed), c.omitted(p.Observed)
	return p, nil
}

// canonical is what the digest is made of: everything, in a fixed order.
func (p Preview) canonical() ([]byte, error) {
	type fields Preview // without methods
	return json.Marshal(fields(p))
}

// Digest identifies the preview: a SHA-256, in hex, of all that it says. It is
// what somebody approves by name, and what the journal of the run records.
func (p Preview) Digest() string {
	b, err := p.canonical()
	if err != nil { // a time outside the years that JSON has: no preview that was read or made
		return ""
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// MarshalJSON implements json.Marshaler: the fields of the preview, and its
// digest.
func (p Preview) MarshalJSON() ([]byte, error) {
	type fields Preview
	return json.Marshal(struct {
		fields
		Digest string `json:"digest"`
	}{fields(p), p.Digest()})
}

// maxPreviewBytes is enough for the largest plan that is accepted, with names
// that JSON writes at six times their length, and a dozen findings each.
const maxPreviewBytes = 64 << 20

// ReadPreview reads a preview that was marshaled. It is strict: apart from
// white space between values the text must be what was saved, to the byte. An
// error wraps [ErrPreview], or is that of r.
func ReadPreview(r io.Reader) (*Preview, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxPreviewBytes+1))
	if err != nil {
		return nil, fmt.Errorf("reading the preview: %w", err)
	}
	refused := func(why string) error { return fmt.Errorf("%w: %s", ErrPreview, why) }
	if len(text) > maxPreviewBytes {
		return nil, refused(fmt.Sprintf("it has more than %d bytes", maxPreviewBytes))
	}
	var p Preview
	if err := json.Unmarshal(text, &p); err != nil {
		return nil, refused(printable.Error(err))
	}
	if p.Version != previewVersion {
		return nil, refused(fmt.Sprintf("it has the version %d, this program reads version %d", p.Version, previewVersion))
	}
	// Written again, with its digest, it must be the same text: what was
	// changed, left out, added, doubled, reordered or respelled makes another.
	again, err := json.Marshal(p)
	if err != nil {
		return nil, refused(printable.Error(err))
	}
	var compact, escaped bytes.Buffer
	if err := json.Compact(&compact, text); err != nil {
		return nil, refused(printable.Error(err))
	}
	json.HTMLEscape(&escaped, compact.Bytes()) // encoders differ in that
	if !bytes.Equal(escaped.Bytes(), again) {
		return nil, refused("it was changed after it was made")
	}
	return &p, nil
}
