package parity

import (
	"context"
	"testing"

	"github.com/changeover-go/changeover"
	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/adapters/fake"
	"github.com/changeover-go/changeover/migration"
	"github.com/changeover-go/changeover/migration/journal"
	"github.com/changeover-go/changeover/migration/report"
)

// process is the host in this process, with its goroutines and simulated time.
type process struct {
	*changeover.Changeover
	store *journal.Memory
}

// NewProcess returns a host in this process.
func NewProcess(t testing.TB, p migration.Plan, set adapters.Set) Host {
	t.Helper()
	store := new(journal.Memory)
	c, err := changeover.New(p, set, store, &changeover.Options{Clock: new(fake.Clock), User: "ada"})
	if err != nil {
		t.Fatal(err)
	}
	return process{c, store}
}

func verdict(r *report.Report, err error) (report.Verdict, error) {
	if r == nil {
		return "", err
	}
	return r.Verdict, err
}

// Apply implements [Host].
func (p process) Apply(ctx context.Context) (report.Verdict, error) {
	return verdict(p.Changeover.Apply(ctx))
}

// Resume implements [Host].
func (p process) Resume(ctx context.Context) (report.Verdict, error) {
	return verdict(p.Changeover.Resume(ctx))
}

// RollBack implements [Host].
func (p process) RollBack(ctx context.Context, by, why string) (report.Verdict, error) {
	return verdict(p.Changeover.RollBack(ctx, by, why))
}

// Journal implements [Host].
func (p process) Journal(ctx context.Context) (entries []journal.Entry, err error) {
	for e, err := range p.store.Read(ctx) {
		if err != nil {
			return nil, err
		}
		entries = append(entries, e)
	}
	return entries, nil
}
