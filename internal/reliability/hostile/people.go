package hostile

import (
	"bytes"
	"context"
	"strings"

	"github.com/changeover-go/changeover"
	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/adapters/attended"
	"github.com/changeover-go/changeover/adapters/fake"
	"github.com/changeover-go/changeover/migration/journal"
)

// people is a run in which a person answers for some of the ports, and types
// hostile lines now and then.
func people(ctx context.Context, s *session) error {
	p := s.plan("")
	w := s.world(p)
	var in strings.Builder
	for range 400 {
		line := []string{"yes", "no", "done", "not done", "unknown", "1", "2", "source", "target", s.attack()}[s.IntN(10)]
		in.WriteString(line + "\n")
	}
	var out bytes.Buffer
	d := attended.New(strings.NewReader(in.String()), &out, &attended.Options{Who: s.attack(), Now: new(fake.Clock).Now, Dir: s.dir, Source: p.Source, Target: p.Target})
	set, person := w.Set(), d.Set()
	for _, take := range []func(){
		func() { set.Portal = person.Portal }, func() { set.ServiceCenter = person.ServiceCenter }, func() { set.LifeTime = person.LifeTime },
		func() { set.Vault = person.Vault }, func() { set.Support = person.Support },
		func() {
			set.ServiceCenter = adapters.PerEnvironment{By: map[string]adapters.ServiceCenter{p.Infrastructure.Environments[0].Name: person.ServiceCenter}}
		},
	} {
		if s.IntN(3) == 0 {
			take()
		}
	}
	set.Operator = person.Operator
	c, err := changeover.New(p, set, new(journal.Memory), &changeover.Options{Clock: new(fake.Clock), Inline: true, User: s.attack()})
	if err != nil {
		s.lookErr("New", err)
		return nil
	}
	s.report(c.Apply(ctx))
	s.report(c.Resume(ctx))
	s.report(c.RollBack(ctx, s.attack(), s.attack()))
	s.look("what people are shown", out.String())
	return nil
}
