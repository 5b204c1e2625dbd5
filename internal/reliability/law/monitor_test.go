package law_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/internal/reliability/law"
)

var rules = law.Rules{Environments: 2, Final: law.Target, Reads: 2}

// paused is how a run begins: it pauses environment 0 and sees that.
func paused() []law.Event {
	return []law.Event{
		{Kind: law.Opened}, {Kind: law.ShownPause}, {Kind: law.SawPause},
		{Kind: law.Intended, Env: law.Line, Effect: law.Pause}, {Kind: law.Claimed}, {Kind: law.Asked, Effect: law.Pause}, {Kind: law.Answered, Effect: law.Pause, Done: true},
		{Kind: law.ShownPause, Done: true}, {Kind: law.SawPause, Done: true}, {Kind: law.Ended, Env: law.Line, Effect: law.Pause, Done: true},
	}
}

func readings(env uint8, role law.Role) []law.Event {
	r := law.Event{Kind: law.Read, Env: env, Role: role, ForServer: true, Accepted: true}
	return []law.Event{r, r}
}

// leg takes an environment through the leg of role.
func leg(env uint8, role law.Role) []law.Event {
	at := func(s law.State) law.Event { return law.Event{Kind: law.Entered, Env: env, State: s, Leg: role} }
	ended := func(e law.Effect) law.Event { return law.Event{Kind: law.Ended, Env: env, Effect: e, Done: true} }
	s := []law.Event{{Kind: law.Entered, Env: env, Leg: role, Begins: true}}
	s = append(s, readings(env, law.Source)...)
	if role == law.Target {
		s = append(s, law.Event{Kind: law.Intended, Env: env, Effect: law.Register, Leg: role}, law.Event{Kind: law.Asked, Env: env, Effect: law.Register},
			law.Event{Kind: law.Answered, Env: env, Effect: law.Register, Done: true}, at(law.SerialRegistered), ended(law.Register))
	}
	s = append(s, at(law.LicenseFetched), law.Event{Kind: law.Stored, Env: env}, at(law.BackedUp),
		law.Event{Kind: law.Intended, Env: env, Effect: law.Upload, Leg: role}, law.Event{Kind: law.SawPause, Done: true},
		law.Event{Kind: law.Asked, Env: env, Effect: law.Upload, Role: role}, law.Event{Kind: law.Answered, Env: env, Effect: law.Upload, Done: true})
	s = append(s, readings(env, role)...)
	return append(s, at(law.Uploaded), ended(law.Upload), at(law.IPVerified),
		law.Event{Kind: law.Intended, Env: env, Effect: law.Republish, Leg: role}, law.Event{Kind: law.SawPause, Done: true},
		law.Event{Kind: law.Asked, Env: env, Effect: law.Republish}, law.Event{Kind: law.Answered, Env: env, Effect: law.Republish, Done: true},
		at(law.Republished), ended(law.Republish))
}

// end sweeps, resumes deployments, and calls the run over.
func end(role law.Role, verdict law.Verdict) []law.Event {
	s := []law.Event{{Kind: law.Slept}}
	s = append(s, readings(0, role)...)
	s = append(s, readings(1, role)...)
	return append(s, law.Event{Kind: law.Intended, Env: law.Line, Effect: law.Resume}, law.Event{Kind: law.Asked, Effect: law.Resume},
		law.Event{Kind: law.Answered, Effect: law.Resume, Done: true}, law.Event{Kind: law.Ended, Env: law.Line, Effect: law.Resume, Done: true},
		law.Event{Kind: law.Called, Verdict: verdict, Truthful: true})
}

// forth is a run that goes as it should.
func forth() []law.Event {
	return slices.Concat(paused(), leg(0, law.Source), leg(1, law.Source), []law.Event{{Kind: law.GateOpened}},
		leg(0, law.Target), leg(1, law.Target), end(law.Target, law.Completed))
}

// back is a run that is stopped when environment 0 has its target license.
func back() []law.Event {
	ended := func(env uint8, e law.Effect) law.Event {
		return law.Event{Kind: law.Ended, Env: env, Effect: e, Done: true}
	}
	s := slices.Concat(paused(), leg(0, law.Source), leg(1, law.Source), []law.Event{{Kind: law.GateOpened}}, leg(0, law.Target),
		[]law.Event{{Kind: law.Latched}, {Kind: law.SawPause, Done: true},
			{Kind: law.Entered, Env: 0, Begins: true}, {Kind: law.Intended, Env: 0, Effect: law.Restore}},
		readings(0, law.Target),
		[]law.Event{{Kind: law.Asked, Env: 0, Effect: law.Upload, Role: law.Source}, {Kind: law.Answered, Env: 0, Effect: law.Upload, Done: true}},
		readings(0, law.Source),
		[]law.Event{{Kind: law.Entered, Env: 0, State: law.BackupUploaded}, ended(0, law.Restore), {Kind: law.Entered, Env: 0, State: law.SourceConfirmed},
			{Kind: law.Intended, Env: 0, Effect: law.TestRestored}, {Kind: law.Asked, Env: 0, Effect: law.Republish},
			{Kind: law.Answered, Env: 0, Effect: law.Republish, Done: true}, {Kind: law.Entered, Env: 0, State: law.RolledBack}, ended(0, law.TestRestored),
			{Kind: law.Entered, Env: 1, Begins: true}, {Kind: law.Intended, Env: 1, Effect: law.Restore}},
		readings(1, law.Source),
		[]law.Event{{Kind: law.Entered, Env: 1, State: law.RolledBack}, ended(1, law.Restore)})
	return append(s, end(law.Source, law.RolledBackAll)...)
}

// broken returns the laws that the sequence breaks first.
func broken(events []law.Event, without law.Set) law.Set {
	var m law.Monitor
	r := rules
	r.Without = without
	for _, e := range events {
		if b := m.Step(&r, e); b != 0 {
			return b
		}
	}
	return 0
}

// is reports whether e is such an event.
func is(kind law.Kind, env uint8, effect law.Effect, role law.Role) func(law.Event) bool {
	return func(e law.Event) bool {
		return e.Kind == kind && e.Env == env && (effect == 0 || e.Effect == effect) && (role == 0 || e.Role == role || e.Leg == role)
	}
}

func enters(env uint8, s law.State) func(law.Event) bool {
	return func(e law.Event) bool { return e.Kind == law.Entered && e.Env == env && e.State == s && !e.Begins }
}

// The edits that break a law: of the n-th event that is such, counting from 0.
func place(s []law.Event, n int, such func(law.Event) bool) int {
	for i, e := range s {
		if such(e) {
			if n--; n < 0 {
				return i
			}
		}
	}
	panic("there is no such event")
}

func without(s []law.Event, n int, such func(law.Event) bool) []law.Event {
	i := place(s, n, such)
	return slices.Delete(s, i, i+1)
}

func before(s []law.Event, n int, such func(law.Event) bool, more ...law.Event) []law.Event {
	return slices.Insert(s, place(s, n, such), more...)
}

func changed(s []law.Event, n int, such func(law.Event) bool, change func(*law.Event)) []law.Event {
	change(&s[place(s, n, such)])
	return s
}

// violations has, for each law that a monitor enforces, a run that breaks it
// and differs from a lawful one in the one thing that the law is about.
var violations = []struct {
	law  law.Law
	what string
	run  func() []law.Event
}{
	{law.BK1, "a license is uploaded to an environment without a backup", func() []law.Event { return without(forth(), 0, is(law.Stored, 0, 0, 0)) }},
	{law.BK1, "the server has another serial number when the license is uploaded", func() []law.Event {
		return before(forth(), 0, is(law.Asked, 0, law.Upload, law.Source), law.Event{Kind: law.Unproven})
	}},
	{law.BK3, "a file is uploaded that the vault does not have", func() []law.Event {
		return changed(forth(), 0, is(law.Asked, 0, law.Upload, 0), func(e *law.Event) { e.Unstored = true })
	}},
	{law.BK4, "a file of another server is uploaded", func() []law.Event {
		return changed(forth(), 0, is(law.Asked, 0, law.Upload, 0), func(e *law.Event) { e.WrongServer = true })
	}},
	{law.BK8, "a serial number is registered before the gate was opened", func() []law.Event { return without(forth(), 0, is(law.GateOpened, 0, 0, 0)) }},
	{law.BK8, "a target license is uploaded while another environment has no backup", func() []law.Event {
		return before(forth(), 0, is(law.Intended, 0, law.Upload, law.Target), law.Event{Kind: law.Unproven, Env: 1})
	}},
	{law.OR1, "a license is uploaded without an intent", func() []law.Event { return without(forth(), 0, is(law.Intended, 0, law.Upload, 0)) }},
	{law.OR1, "a license is uploaded twice for one intent", func() []law.Event {
		return before(forth(), 0, enters(0, law.Uploaded), law.Event{Kind: law.Asked, Effect: law.Upload, Role: law.Source})
	}},
	{law.OR1, "deployments are paused without an intent", func() []law.Event { return without(forth(), 0, is(law.Intended, law.Line, law.Pause, 0)) }},
	{law.OR2, "an upload counts as done before the page was read", func() []law.Event {
		s := without(forth(), 2, is(law.Read, 0, 0, law.Source))
		return without(s, 2, is(law.Read, 0, 0, law.Source))
	}},
	{law.OR2, "a registration counts as done although its answer was lost", func() []law.Event {
		return changed(forth(), 0, is(law.Answered, 0, law.Register, 0), func(e *law.Event) { e.Done = false })
	}},
	{law.OR3, "a serial number is registered again while it is open", func() []law.Event {
		return before(forth(), 0, is(law.Answered, 0, law.Register, 0), law.Event{Kind: law.Asked, Effect: law.Register})
	}},
	{law.OR3, "a serial number is registered again although nobody has said that it was not", func() []law.Event {
		s := changed(forth(), 0, is(law.Answered, 0, law.Register, 0), func(e *law.Event) { e.Done = false })
		return before(s, 0, enters(0, law.SerialRegistered), law.Event{Kind: law.Looked}, law.Event{Kind: law.Ended, Effect: law.Register},
			law.Event{Kind: law.Intended, Effect: law.Register, Leg: law.Target}, law.Event{Kind: law.Asked, Effect: law.Register})
	}},
	{law.OR4, "a word is accepted that the plan does not accept", func() []law.Event {
		s := changed(forth(), 2, is(law.Read, 0, 0, law.Source), func(e *law.Event) { e.Accepted = false })
		return changed(s, 3, is(law.Read, 0, 0, law.Source), func(e *law.Event) { e.Accepted = false })
	}},
	{law.OR4, "one reading is believed", func() []law.Event { return without(forth(), 3, is(law.Read, 0, 0, law.Source)) }},
	{law.OR5, "a publish with errors counts as done", func() []law.Event {
		return changed(forth(), 0, is(law.Answered, 0, law.Republish, 0), func(e *law.Event) { e.Done = false })
	}},
	{law.OR6, "a state is skipped", func() []law.Event { return without(forth(), 0, enters(0, law.BackedUp)) }},
	{law.OR7, "a file from before the correction is uploaded", func() []law.Event {
		return changed(forth(), 0, is(law.Asked, 0, law.Upload, law.Target), func(e *law.Event) { e.Stale = true })
	}},
	{law.PA1, "nobody looks whether deployments are paused before an upload", func() []law.Event {
		s := forth()
		i := place(s, 0, is(law.Asked, 0, law.Upload, 0))
		return slices.Delete(s, i-1, i)
	}},
	{law.PA1, "a license is put back before deployments are seen paused", func() []law.Event {
		s := back()
		i := place(s, 0, is(law.Latched, 0, 0, 0))
		return slices.Delete(s, i+1, i+2)
	}},
	{law.PA2, "deployments were seen going on, and a license is uploaded", func() []law.Event {
		return before(forth(), 0, is(law.Asked, 0, law.Upload, 0), law.Event{Kind: law.SawPause})
	}},
	{law.PA4, "a pause is released that the run has not set", func() []law.Event {
		return changed(forth(), 0, is(law.Asked, 0, law.Resume, 0), func(e *law.Event) { e.Env = 1 })
	}},
	{law.PA5, "deployments are resumed although one environment was not swept", func() []law.Event {
		s := without(forth(), 2, is(law.Read, 1, 0, law.Target))
		return without(s, 2, is(law.Read, 1, 0, law.Target))
	}},
	{law.RB1, "a license is uploaded forward after the line was stopped", func() []law.Event {
		return before(forth(), 0, is(law.Intended, 0, law.Upload, law.Target), law.Event{Kind: law.Latched})
	}},
	{law.RB1, "a license is put back before the line was stopped", func() []law.Event { return without(back(), 0, is(law.Latched, 0, 0, 0)) }},
	{law.RB2, "an environment that was sent a target license counts as back without having been put back", func() []law.Event {
		return without(back(), 0, enters(0, law.SourceConfirmed))
	}},
	{law.RB3, "an environment that may hold a target license was not attempted", func() []law.Event {
		s := back()
		return append(s[:place(s, 0, is(law.Latched, 0, 0, 0))+1], law.Event{Kind: law.Called, Verdict: law.Mixed, Truthful: true})
	}},
	{law.RB4, "a restore is confirmed by one reading", func() []law.Event {
		s := back()
		i := place(s, 0, enters(0, law.BackupUploaded))
		return slices.Delete(s, i-1, i)
	}},
	{law.RB5, "what was put back counts as back although its test failed", func() []law.Event {
		s := back()
		i := place(s, 0, is(law.Intended, 0, law.TestRestored, 0))
		s[i+2].Done = false
		return s
	}},
	{law.RB7, "a license is put back where no target license was", func() []law.Event {
		return before(back(), 0, enters(1, law.RolledBack), law.Event{Kind: law.Asked, Env: 1, Effect: law.Upload, Role: law.Source})
	}},
	{law.RB8, "a license is put back while an upload may still land", func() []law.Event {
		s := back()
		return slices.Delete(s, place(s, 1, is(law.Answered, 0, law.Upload, 0)), place(s, 0, is(law.Latched, 0, 0, 0)))
	}},
	{law.MX1, "a run is called completed although an environment shows its source license", func() []law.Event {
		return before(forth(), 0, is(law.Called, 0, 0, 0), readings(1, law.Source)...)
	}},
	{law.MX1, "a run is called rolled back although an environment shows a target license", func() []law.Event {
		return before(back(), 0, is(law.Called, 0, 0, 0), readings(1, law.Target)...)
	}},
	{law.MX2, "deployments are resumed before the last change had settled", func() []law.Event { return without(forth(), 0, is(law.Slept, 0, 0, 0)) }},
	{law.MX3, "a run waits and does not say for what", func() []law.Event {
		return append(paused(), law.Event{Kind: law.Called, Verdict: law.Held})
	}},
	{law.MX4, "a license is uploaded over that of a third code", func() []law.Event {
		return before(forth(), 0, is(law.Asked, 0, law.Upload, law.Source), readings(0, law.Third)...)
	}},
	{law.MX4, "a license is uploaded where somebody has removed it", func() []law.Event {
		return before(forth(), 0, is(law.Asked, 0, law.Upload, law.Source), readings(0, law.None)...)
	}},
}

func TestALawfulRunBreaksNoLaw(t *testing.T) {
	require.Zero(t, broken(forth(), 0))
	require.Zero(t, broken(back(), 0))
}

func TestEachLawIsBrokenByWhatItForbids(t *testing.T) {
	for _, v := range violations {
		t.Run(v.law.String()+": "+v.what, func(t *testing.T) {
			found := broken(v.run(), 0)
			require.True(t, found.Has(v.law), "found %v", found)
			require.False(t, broken(v.run(), law.Of(v.law)).Has(v.law), "a law that is not enforced is found broken")
		})
	}
}

// Which laws a monitor does not see is a matter of record.
func TestEveryLawCanBeBroken(t *testing.T) {
	elsewhere := law.Of(
		law.CC2, law.JR6, // a watch sees them: see watch_test.go
		law.XS1, law.XS5, // Clean
		law.JR1, // Replayed
		law.JR3, // the tiers that compare the ends of runs
	)
	var here law.Set
	for _, v := range violations {
		here |= law.Of(v.law)
	}
	for _, l := range law.Laws() {
		require.True(t, here.Has(l) != elsewhere.Has(l), "%v", l)
		require.NotEmpty(t, l.Sentence())
		parsed, err := law.Parse(l.String())
		require.NoError(t, err)
		require.Equal(t, l, parsed)
	}
}

// After a person has said that it was not done, a serial number may be
// registered again.
func TestARegistrationMayBeRepeatedOnSomebodysWord(t *testing.T) {
	s := changed(forth(), 0, is(law.Answered, 0, law.Register, 0), func(e *law.Event) { e.Done = false })
	s = before(s, 0, enters(0, law.SerialRegistered), law.Event{Kind: law.Looked}, law.Event{Kind: law.Ended, Effect: law.Register, Attested: true},
		law.Event{Kind: law.Intended, Effect: law.Register, Leg: law.Target}, law.Event{Kind: law.Asked, Effect: law.Register},
		law.Event{Kind: law.Answered, Effect: law.Register, Done: true})
	require.Zero(t, broken(s, 0))
}

// A run of an infrastructure with its environments exchanged is the same run.
func TestAMonitorIsTheSameForExchangedEnvironments(t *testing.T) {
	var m, swapped law.Monitor
	for _, e := range forth() {
		m.Step(&rules, e)
		if e.Env < 2 && e.Kind != law.Opened && e.Kind != law.SawPause && e.Kind != law.Slept && e.Kind != law.GateOpened && e.Kind != law.Called {
			e.Env = 1 - e.Env
		}
		swapped.Step(&rules, e)
		require.Equal(t, m, swapped.Swapped(0, 1))
	}
}
