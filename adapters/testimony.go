package adapters

import (
	"context"
	"time"
)

// A Testimony is what a person, or a system with a name, stated during a call.
type Testimony struct {
	By   string    `json:"by"`
	At   time.Time `json:"at"`
	Text string    `json:"text,omitempty"`
}

type witnessKey struct{}

// WithWitness returns a context in which [Testify] hands testimonies to
// record. The engine calls it; record may be called from several goroutines.
func WithWitness(ctx context.Context, record func(Testimony)) context.Context {
	return context.WithValue(ctx, witnessKey{}, record)
}

// Testify puts t on the record of the call that ctx belongs to: the journal
// keeps it with the outcome. It does nothing outside such a call. Text must
// not contain a secret.
func Testify(ctx context.Context, t Testimony) {
	if record, ok := ctx.Value(witnessKey{}).(func(Testimony)); ok {
		record(t)
	}
}
