package main

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover"
	"github.com/changeover-go/changeover/adapters/fake"
	"github.com/changeover-go/changeover/adapters/simulator"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/license"
	"github.com/changeover-go/changeover/migration"
	"github.com/changeover-go/changeover/migration/journal"
	"github.com/changeover-go/changeover/migration/report"
)

// A verdict is what a fault of the simulation has to lead to, over the wire and
// through the adapters.
type verdict struct {
	name   string // of the row, when a kind has several
	fault  simulator.Fault
	during string // the state of the move leg in which Production is when it happens; empty: before the run
	with   []simulator.Fault

	want report.Verdict
	hold journal.HoldKind // of a run that is held: what holds it
	why  string           // reliability.md
	// then are faults, or the end of one, after which the run is resumed and
	// completes.
	then []simulator.Fault
	// installed is what Production has at the end; empty: target for
	// Completed, source for RolledBack.
	installed string
}

const production = "Production"

// Uploads of Production: the first refreshes its source license, the second
// installs the target license.
func second(f simulator.Fault) simulator.Fault {
	return simulator.Fault{Kind: f.Kind, Times: f.Times, Count: f.Count, Done: f.Done, Environment: production, Operation: "SetLicense", Skip: 1}
}

func verdicts() []verdict {
	at := func(f simulator.Fault) simulator.Fault { f.Environment = production; return f }
	return []verdict{
		{fault: at(simulator.Fault{Kind: "notReached", Times: 2}), want: report.Completed, why: "B2: provably not sent is sent again"},
		{fault: second(simulator.Fault{Kind: "requestLost"}), want: report.Completed, why: "B6: the license before is shown, so it is sent again"},
		{name: "requestLost of a registration", fault: simulator.Fault{Kind: "requestLost", Environment: production, Operation: "RegisterEnvironment"},
			want: report.Held, hold: journal.HoldInDoubt, why: "MV2: never registered twice; somebody looks", installed: "source"},
		{fault: second(simulator.Fault{Kind: "answerLost"}), want: report.Completed, why: "B6: the target license is shown"},
		{name: "answerLost of a pause", fault: simulator.Fault{Kind: "answerLost", Environment: production, Operation: "maintenanceMode"},
			want: report.Completed, why: "S1.1: the pause is seen"},
		{name: "answerLost of a publish", fault: simulator.Fault{Kind: "answerLost", Environment: production, Operation: "Staging_PublishWith2StepOption"},
			want: report.Completed, why: "E12, S3.4: it waits until the lock of the lost publish is gone, then publishes again"},
		{fault: second(simulator.Fault{Kind: "answerCut"}), want: report.Completed, why: "B6"},
		{fault: second(simulator.Fault{Kind: "late", Count: 2}), want: report.Completed, why: "MV6: whenever it lands, it is the same license"},
		{fault: second(simulator.Fault{Kind: "twice"}), want: report.Completed, why: "the same file again changes nothing"},
		{fault: second(simulator.Fault{Kind: "elsewhere"}), want: report.Held, hold: journal.HoldForeign, why: "S2.13: the other environment shows what nobody has sent there", installed: "target"},
		{fault: second(simulator.Fault{Kind: "errorButDone"}), want: report.Completed, why: "S2.10"},
		{fault: second(simulator.Fault{Kind: "successButNotDone"}), want: report.Completed, why: "S2.12, B6: what is not shown was not done"},
		{fault: second(simulator.Fault{Kind: "falseWithoutText"}), want: report.Held, hold: journal.HoldSupport, why: "S2.11, MV7", installed: "source"},
		{fault: second(simulator.Fault{Kind: "falseWithText"}), want: report.Held, hold: journal.HoldSupport, why: "S2.11, MV7", installed: "source"},
		{name: "falseWithText, installed all the same", fault: second(simulator.Fault{Kind: "falseWithText", Done: true}), want: report.Held, hold: journal.HoldSupport, why: "S2.11", installed: "target"},
		{fault: second(simulator.Fault{Kind: "fault"}), want: report.Completed, why: "S2.10"},
		{fault: second(simulator.Fault{Kind: "html"}), want: report.Completed, why: "S2.10"},
		{fault: second(simulator.Fault{Kind: "empty"}), want: report.Completed, why: "S2.10"},
		{fault: second(simulator.Fault{Kind: "huge"}), want: report.Completed, why: "S2.10"},
		{fault: second(simulator.Fault{Kind: "garbage"}), want: report.Completed, why: "S2.10"},
		{fault: second(simulator.Fault{Kind: "wrongType"}), want: report.Completed, why: "S2.10"},
		{fault: second(simulator.Fault{Kind: "wrongCharset"}), want: report.Completed, why: "S2.10"},
		{fault: second(simulator.Fault{Kind: "redirect"}), want: report.Completed, why: "S2.10; nothing is followed"},
		{fault: second(simulator.Fault{Kind: "unauthorized", Times: -1}), want: report.Held, hold: journal.HoldSupport, why: "G16", installed: "source"},
		{fault: second(simulator.Fault{Kind: "forbidden", Times: -1}), want: report.Held, hold: journal.HoldSupport, why: "G16", installed: "source"},
		{fault: second(simulator.Fault{Kind: "tooMany", Times: 2}), want: report.Completed, why: "busy is tried again"},
		{fault: simulator.Fault{Kind: "tokenExpired"}, during: "BackedUp", want: report.Held, hold: journal.HoldSupport, why: "G16", installed: "source"},
		{fault: second(simulator.Fault{Kind: "hang"}), want: report.Completed, why: "G13: the deadline, then a look"},

		{fault: at(simulator.Fault{Kind: "staleRead", Count: 3}), want: report.Completed, why: "S2.12: read until it is stable"},
		{fault: at(simulator.Fault{Kind: "flapping"}), during: "BackedUp", want: report.Held, hold: journal.HoldInDoubt, why: "B6: readings disagree", installed: "target"},
		{fault: at(simulator.Fault{Kind: "unreadable", Times: -1}), during: "Uploaded", want: report.Held, hold: journal.HoldUnavailable, why: "R2.1, S2.15: what cannot be read is not judged", installed: "target"},
		{name: "unreadable behind an upload without an answer", fault: at(simulator.Fault{Kind: "unreadable", Skip: 1, Times: -1}), during: "BackedUp",
			with: []simulator.Fault{second(simulator.Fault{Kind: "answerLost"})},
			want: report.Held, hold: journal.HoldInDoubt, why: "B6: unreadable", installed: "target"},
		{fault: at(simulator.Fault{Kind: "noLicenseShown", Times: -1}), during: "Uploaded", want: report.Held, hold: journal.HoldForeign, why: "G18: it was seen before", installed: "target"},
		{name: "noLicenseShown behind an upload without an answer", fault: at(simulator.Fault{Kind: "noLicenseShown", Skip: 1, Times: -1}), during: "BackedUp",
			with: []simulator.Fault{second(simulator.Fault{Kind: "answerLost"})},
			want: report.Held, hold: journal.HoldUnknown, why: "B6: none", installed: "target"},
		{fault: at(simulator.Fault{Kind: "thirdCode"}), during: "Uploaded", want: report.Held, hold: journal.HoldForeign, why: "G18, MX4: it was seen before", installed: "third"},
		{fault: at(simulator.Fault{Kind: "changedByHand", Code: "source"}), during: "Uploaded", want: report.Held, hold: journal.HoldForeign, why: "G18, MX4", installed: "source"},
		{fault: at(simulator.Fault{Kind: "serialChanged"}), during: "BackedUp", want: report.Held, hold: journal.HoldSerial, why: "B6", installed: "source"},

		{fault: at(simulator.Fault{Kind: "serialMissing"}), want: report.Held, hold: journal.HoldSupport, why: "S2.1", installed: "source"},
		{fault: at(simulator.Fault{Kind: "noSlot"}), want: report.Held, hold: journal.HoldSupport, why: "MV3", installed: "source"},
		{fault: simulator.Fault{Kind: "underReview"}, want: report.Held, hold: journal.HoldSupport, why: "MV3", installed: "source"},
		{fault: at(simulator.Fault{Kind: "notPrepared"}), want: report.Held, hold: journal.HoldSupport, why: "MV9", installed: "target"},
		{name: "notPrepared, missing", fault: at(simulator.Fault{Kind: "notPrepared", Missing: true}), want: report.Held, hold: journal.HoldUnavailable, why: "S2.15", installed: "target"},
		{name: "notPrepared, another language", fault: at(simulator.Fault{Kind: "notPrepared", Word: "Protegido"}), want: report.Held, hold: journal.HoldSupport, why: "MV9", installed: "target"},
		{fault: at(simulator.Fault{Kind: "wrongFile"}), want: report.Held, hold: journal.HoldSupport, why: "MV4", installed: "source"},
		{fault: at(simulator.Fault{Kind: "wrongCode"}), want: report.Held, hold: journal.HoldSupport, why: "MV4", installed: "source"},
		{fault: at(simulator.Fault{Kind: "expired"}), want: report.Held, hold: journal.HoldSupport, why: "MV4", installed: "source"},
		{fault: simulator.Fault{Kind: "distinctDownloads"}, want: report.Completed, why: "S2.3"},

		{fault: at(simulator.Fault{Kind: "pauseLost"}), during: "BackedUp", want: report.Held, hold: journal.HoldForeign, why: "S1.4, PA2", installed: "source"},
		{fault: at(simulator.Fault{Kind: "pausedByOther"}), want: report.Completed, why: "S1.3, PA4"},
		{fault: at(simulator.Fault{Kind: "deploymentRunning"}), want: report.Held, hold: journal.HoldUnavailable, why: "S1.2", installed: "source"},
		{name: "deploymentRunning that cannot be aborted", fault: at(simulator.Fault{Kind: "deploymentRunning", Unabortable: true}), want: report.Held, hold: journal.HoldUnavailable, why: "S1.2", installed: "source"},
		{fault: at(simulator.Fault{Kind: "deploymentRunning"}), name: "deploymentFinished", want: report.Held, hold: journal.HoldUnavailable, why: "S1.2", installed: "source",
			then: []simulator.Fault{at(simulator.Fault{Kind: "deploymentFinished"})}},
		{fault: simulator.Fault{Kind: "offlineUnknown"}, want: report.Held, hold: journal.HoldSupport, why: "PA1: a pause that cannot be seen is none", installed: "source"},

		{fault: simulator.Fault{Kind: "publishNotStarted", Environment: production, Times: 2}, want: report.Completed, why: "S3.3"},
		{fault: at(simulator.Fault{Kind: "busy", Count: 2}), want: report.Completed, why: "S3.3"},
		{fault: simulator.Fault{Kind: "lateError", Environment: production, Skip: 1}, want: report.Held, hold: journal.HoldSupport, why: "S3.5", installed: "target"},
		{fault: simulator.Fault{Kind: "publishStop", Environment: production, Skip: 1}, want: report.Held, hold: journal.HoldSupport, why: "S3.5", installed: "target"},
		{fault: simulator.Fault{Kind: "slowPublish", Environment: production, Count: 5}, want: report.Completed, why: "it is waited for"},
		{fault: simulator.Fault{Kind: "neverFinishes", Environment: production, Skip: 1}, want: report.Held, hold: journal.HoldUnavailable, why: "E12, S3.4: it still runs there, and locks the module", installed: "target"},
		{fault: at(simulator.Fault{Kind: "versionMoved"}), during: "IPVerified", want: report.Held, hold: journal.HoldSupport, why: "S3.6", installed: "target"},
		{fault: at(simulator.Fault{Kind: "ipp"}), want: report.RolledBack, why: "S3.1"},
		{fault: at(simulator.Fault{Kind: "ippSolution"}), want: report.RolledBack, why: "S3.1"},
		{fault: at(simulator.Fault{Kind: "ippForeign"}), want: report.RolledBack, why: "S3.1"},
		{fault: at(simulator.Fault{Kind: "moduleMissing"}), during: "IPVerified", want: report.Held, hold: journal.HoldSupport, why: "S3.2", installed: "target"},
		{fault: at(simulator.Fault{Kind: "publishFails"}), during: "IPVerified", want: report.Held, hold: journal.HoldSupport, why: "S3.2", installed: "target"},
		{fault: at(simulator.Fault{Kind: "restoreFails"}), with: []simulator.Fault{{Kind: "ipp", Environment: "LifeTime"}}, want: report.Mixed, why: "R2.4, R3.1", installed: "target"},
		{fault: at(simulator.Fault{Kind: "uploadRejected"}), want: report.Held, hold: journal.HoldSupport, why: "MV7", installed: "source"},
	}
}

func TestEveryFaultOfTheCatalogueEndsInItsVerdict(t *testing.T) {
	shown := map[string]bool{}
	for _, v := range verdicts() {
		name := v.name
		if name == "" {
			name = v.fault.Kind
		}
		for _, f := range slices.Concat([]simulator.Fault{v.fault}, v.then) {
			shown[f.Kind] = true
		}
		t.Run(name, func(t *testing.T) { v.check(t) })
	}
	for _, k := range simulator.Kinds() {
		require.True(t, shown[k.Name], "%s has no verdict", k.Name)
	}
}

func (v verdict) check(t *testing.T) {
	plan, err := (&options{}).readPlan()
	require.NoError(t, err)
	plan.Infrastructure.Environments = slices.DeleteFunc(plan.Infrastructure.Environments, func(e environment.Environment) bool {
		return e.Kind == environment.Quality || e.Kind == environment.Development
	})
	plan.Order = nil
	world := fake.New(plan.Infrastructure, plan.Source, plan.Target)
	clock := new(fake.Clock)
	s, err := simulator.Start(world, nil)
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()
	set, err := reach(s, plan, clock, s.Dial)
	require.NoError(t, err)
	inject := func(faults ...simulator.Fault) { require.NoError(t, s.Inject(faults...)) }
	if v.during == "" {
		inject(v.fault)
	}
	inject(v.with...)

	c, err := changeover.New(plan, set, new(journal.Memory), &changeover.Options{Clock: clock, OnEntry: func(e journal.Entry) {
		if e.Kind == journal.Outcome && e.Env == production && e.Leg == "move" && e.To == v.during {
			inject(v.fault)
		}
	}})
	require.NoError(t, err)
	r, err := c.Apply(t.Context())
	require.NoError(t, err)
	v.compare(t, r, world, plan)
	if v.then != nil {
		inject(v.then...)
		r, err = c.Resume(t.Context())
		require.NoError(t, err)
		require.Equal(t, report.Completed, r.Verdict)
	}
	require.NoError(t, world.Err())
}

func (v verdict) compare(t *testing.T, r *report.Report, world *fake.World, plan migration.Plan) {
	hold, cause := journal.HoldKind(""), ""
	if r.Hold != nil {
		hold, cause = r.Hold.Kind, r.Hold.Cause
	}
	require.Equal(t, v.want, r.Verdict, "%s (%s)", cause, v.why)
	if v.want == report.Held {
		require.Equal(t, v.hold, hold, "%s (%s)", cause, v.why)
	}
	installed, ok := map[license.ActivationCode]string{plan.Source: "source", plan.Target: "target"}[world.Installed(production).Code]
	if !ok {
		installed = "third"
	}
	want := v.installed
	if want == "" {
		want = map[report.Verdict]string{report.Completed: "target", report.RolledBack: "source"}[v.want]
	}
	require.Equal(t, want, installed, "%s", v.why)
	// Whoever has set a pause ends it; one of the run ends with the run.
	over := v.want == report.Completed || v.want == report.RolledBack
	if over {
		require.Equal(t, v.fault.Kind == "pausedByOther", world.Paused(production), "deployments to Production")
	}
}
