package changeover_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover"
	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/adapters/fault"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/license"
	"github.com/changeover-go/changeover/migration"
	"github.com/changeover-go/changeover/migration/journal"
)

// staleness is everything that can become of the world, the plan or the tables
// between a preview and its application, and the one line that tells it.
var staleness = []struct {
	name   string
	change func(t testing.TB, s *stage)
	want   string
}{
	{"an environment was moved", func(_ testing.TB, s *stage) { s.world.InstallByHand("Quality", s.plan.Target) },
		"Quality: the activation code was ***.AOU #0182a965 and is another one, ***.BOU #baefd3b4"},
	{"an environment has lost its license", func(_ testing.TB, s *stage) { s.world.InstallByHand("Quality", license.ActivationCode{}) },
		"Quality: the activation code was ***.AOU #0182a965 and is another one, not shown"},
	{"a source license was refreshed", func(_ testing.TB, s *stage) { s.world.InstallByHand("Quality", s.plan.Source) },
		"Quality: Intellectual Property was Protected and is Ignore"},
	{"a server has another serial number", func(_ testing.TB, s *stage) { s.world.ChangeSerial("Quality", "X-1") },
		"Quality: the server's serial number was QQQ-QQQ-QQQ-QQQ-QQQ-QQQ-QQQ-QQQ and is X-1"},
	{"deployments were paused by somebody else", func(_ testing.TB, s *stage) { s.world.PauseByHand("Production") },
		"Production: deployments paused was no and is yes, by somebody else"},
	{"deployments go on that somebody else had paused", func(_ testing.TB, s *stage) { s.world.ResumeByHand("Development") },
		"Development: deployments paused was yes, by somebody else and is no"},
	{"an environment has left LifeTime", func(_ testing.TB, s *stage) { s.world.Unregister("Quality") },
		"Quality: LifeTime listed it, and does not now"},
	{"an environment has come to LifeTime", func(_ testing.TB, s *stage) {
		s.world.AddEnvironment(environment.Environment{Name: "Test", Kind: environment.Quality, ServiceCenter: "https://t.example.test", Serial: "T"})
	}, "Test: LifeTime did not list it, and does now"},
	{"an environment has gone to the cloud", func(_ testing.TB, s *stage) { s.world.SetCloud("Quality", true) },
		"Quality: hosted by the vendor was no and is yes"},
	{"it has expired", func(t testing.TB, s *stage) { require.NoError(t, s.clock.Sleep(t.Context(), 24*time.Hour)) },
		"it expired at 2026-01-06T08:00:15Z"},
}

// planned returns a stage with one pause of somebody else, and its preview as
// it was saved and read back.
func planned(t testing.TB) (*stage, *changeover.Preview) {
	s := newStage(t, migration.RefreshAndMove)
	s.world.PauseByHand("Development")
	saved, err := json.Marshal(s.preview(t))
	require.NoError(t, err)
	p, err := changeover.ReadPreview(bytes.NewReader(saved))
	require.NoError(t, err)
	return s, p
}

func stale(t testing.TB, s *stage, p *changeover.Preview) []string {
	t.Helper()
	before := len(s.world.Effects())
	r, err := s.changeover(t).ApplyPreview(t.Context(), p)
	require.Nil(t, r)
	require.ErrorIs(t, err, changeover.ErrStale)
	e, ok := errors.AsType[*changeover.StaleError](err)
	require.True(t, ok)
	require.Len(t, s.world.Effects(), before, "something was changed")
	require.Empty(t, s.entries(t), "something was written")
	for _, d := range e.Differences {
		require.Contains(t, err.Error(), d)
	}
	return e.Differences
}

func TestAStalePreviewIsRefused(t *testing.T) {
	for _, c := range staleness {
		t.Run(c.name, func(t *testing.T) {
			s, p := planned(t)
			c.change(t, s)
			require.Equal(t, []string{c.want}, stale(t, s, p))
		})
	}
	t.Run("everything at once, each in a line", func(t *testing.T) {
		s, p := planned(t)
		s.world.InstallByHand("LifeTime", s.plan.Target)
		s.world.ChangeSerial("Quality", "X-1")
		s.world.PauseByHand("Production")
		s.world.Unregister("Development")
		require.NoError(t, s.clock.Sleep(t.Context(), 24*time.Hour))
		require.Equal(t, []string{
			"it expired at 2026-01-06T08:00:15Z",
			"Development: LifeTime listed it, and does not now",
			"Production: deployments paused was no and is yes, by somebody else",
			"Quality: the server's serial number was QQQ-QQQ-QQQ-QQQ-QQQ-QQQ-QQQ-QQQ and is X-1",
			"Development: deployments paused was yes, by somebody else and is no",
			"LifeTime: the activation code was ***.AOU #0182a965 and is another one, ***.BOU #baefd3b4",
		}, stale(t, s, p))
	})
	t.Run("what has changed back is not stale", func(t *testing.T) {
		s, p := planned(t)
		s.world.PauseByHand("Production")
		s.world.ResumeByHand("Production")
		_, err := s.changeover(t).ApplyPreview(t.Context(), p)
		require.NoError(t, err)
	})
	t.Run("another plan, whatever differs, is refused without a call", func(t *testing.T) {
		for name, change := range map[string]func(p *migration.Plan){
			"the module":         func(p *migration.Plan) { p.Module = "Another" },
			"the order":          func(p *migration.Plan) { p.Order = []string{"LifeTime", "Production", "Quality", "Development"} },
			"the target":         func(p *migration.Plan) { p.Target = code(t, thirdCode) },
			"the address":        func(p *migration.Plan) { p.Infrastructure.Environments[0].ServiceCenter += "/x" },
			"the infrastructure": func(p *migration.Plan) { p.Infrastructure.Name = "Other" },
			"the words":          func(p *migration.Plan) { p.Accept["move"] = []license.IPP{license.Protected} },
		} {
			s, p := planned(t)
			before := len(s.world.Calls())
			change(&s.plan)
			d := stale(t, s, p)
			require.Len(t, d, 1, name)
			require.Contains(t, d[0], "it is of the plan with the digest ", name)
			require.Len(t, s.world.Calls(), before, name)
		}
	})
}

func TestAPreviewHoldsUntilItExpires(t *testing.T) {
	const looking = 15 * time.Second // between the two looks of applying
	for _, c := range []struct {
		wait time.Duration
		ok   bool
	}{{0, true}, {changeover.PreviewLife - looking - 1, true}, {changeover.PreviewLife - looking, false}, {changeover.PreviewLife, false}} {
		t.Run(c.wait.String(), func(t *testing.T) {
			s, p := planned(t)
			require.NoError(t, s.clock.Sleep(t.Context(), c.wait))
			_, err := s.changeover(t).ApplyPreview(t.Context(), p)
			require.Equal(t, c.ok, err == nil, "%v", err)
			require.Equal(t, !c.ok, errors.Is(err, changeover.ErrStale))
		})
	}
	t.Run("whoever has made it may change that", func(t *testing.T) {
		s := newStage(t, migration.AsWritten)
		p := s.preview(t)
		p.Expires = p.Expires.Add(time.Hour)
		require.NoError(t, s.clock.Sleep(t.Context(), changeover.PreviewLife))
		_, err := s.changeover(t).ApplyPreview(t.Context(), p)
		require.NoError(t, err)
	})
}

// A preview is used up by the first entry of the journal, whatever came of the
// run.
func TestAPreviewIsUsedOnce(t *testing.T) {
	s, p := planned(t)
	errLost := errors.New("the line went dead")
	_, err := s.changeover(t, fault.On(fault.Match{Method: "PauseDeployments"}, 0, fault.Before, errLost)).ApplyPreview(t.Context(), p)
	require.NoError(t, err) // held
	calls, entries := len(s.world.Calls()), len(s.entries(t))
	require.NotZero(t, entries)
	_, err = s.changeover(t).ApplyPreview(t.Context(), p)
	require.ErrorIs(t, err, changeover.ErrBegun)
	_, err = s.changeover(t).Apply(t.Context())
	require.ErrorIs(t, err, changeover.ErrBegun)
	require.Len(t, s.world.Calls(), calls)
	require.Len(t, s.entries(t), entries)

	_, err = s.changeover(t).Resume(t.Context())
	require.NoError(t, err)
	s.everyoneShows(t, license.Target)
	_, err = s.changeover(t).RollBack(t.Context(), "Ada", "a rollback needs no preview")
	require.NoError(t, err)
	s.everyoneShows(t, license.Source)

	record, err := journal.Replay(s.store.Read(t.Context()))
	require.NoError(t, err)
	require.Equal(t, p.Digest(), record.Preview)
	for i, e := range s.entries(t) {
		if e.Kind == journal.Opened {
			require.Equal(t, i == 0, e.Opened.Preview != "", "entry %d", i+1)
		}
	}
}

func (s *stage) everyoneShows(t testing.TB, role license.Role) {
	t.Helper()
	for _, env := range s.names() {
		require.True(t, s.shows(role)(env), "%s shows %v", env, s.world.Installed(env))
	}
}

func TestApplyingWithoutAPreviewRecordsNone(t *testing.T) {
	s := newStage(t, migration.AsWritten)
	_, err := s.changeover(t).Apply(t.Context())
	require.NoError(t, err)
	raw, err := json.Marshal(s.entries(t))
	require.NoError(t, err)
	require.NotContains(t, string(raw), "preview")
}

func TestWhatIsNoPreviewIsRefused(t *testing.T) {
	s := newStage(t, migration.AsWritten)
	good := s.preview(t)
	calls := len(s.world.Calls())
	refused := func(p *changeover.Preview) error {
		_, err := s.changeover(t).ApplyPreview(t.Context(), p)
		require.Error(t, err)
		require.Empty(t, s.entries(t))
		require.Len(t, s.world.Calls(), calls)
		return err
	}
	refused(nil)
	require.ErrorIs(t, refused(new(changeover.Preview)), changeover.ErrPreview)
	other := *good
	other.Version = 2
	require.ErrorIs(t, refused(&other), changeover.ErrPreview)
}

// Whoever makes findings disappear from a preview does not make them disappear
// from the world.
func TestFindingsThatWereTakenOutAreFoundAgain(t *testing.T) {
	for _, change := range []func(*stage){
		func(s *stage) { s.world.InstallByHand("Quality", s.plan.Target) },
		func(s *stage) { s.world.Unregister("Quality") },
		func(s *stage) { s.world.InstallByHand("Quality", license.ActivationCode{}) },
	} {
		s := newStage(t, migration.AsWritten)
		change(s)
		p := s.preview(t)
		want := p.Findings.Err().Error()
		p.Findings = nil
		_, err := s.changeover(t).ApplyPreview(t.Context(), p)
		require.EqualError(t, err, want)
		require.Empty(t, s.entries(t))
	}
}

// Every call that looks again fails once. What cannot be seen is not guessed:
// the preview is refused, or, if the call worked the second time, applied.
func TestApplyingAPreviewLooksAgainWhateverCallFails(t *testing.T) {
	for n := range 10 {
		for _, fails := range []error{errors.New("the line went dead"), adapters.ErrPermission} {
			s, p := planned(t)
			injected := fault.OnIndex(n, fault.Before, fails)
			_, err := s.changeover(t, injected).ApplyPreview(t.Context(), p)
			require.True(t, injected.Hit())
			if errors.Is(fails, adapters.ErrPermission) {
				where := injected.Op().Environment
				if where == "" {
					where = "LifeTime"
				}
				require.ErrorIs(t, err, changeover.ErrStale, "%v", injected)
				require.Contains(t, err.Error(), where+": ")
				require.Contains(t, err.Error(), "cannot be now")
				require.Empty(t, s.entries(t))
				continue
			}
			require.NoError(t, err, "%v", injected)
			require.NotEmpty(t, s.entries(t))
		}
	}
	t.Run("and is refused when the context is done", func(t *testing.T) {
		for n := range 10 {
			s, p := planned(t)
			ctx, cancel := context.WithCancel(t.Context())
			_, err := s.changeover(t, fault.OnIndex(n, fault.Before, fault.Cancel(cancel))).ApplyPreview(ctx, p)
			require.ErrorIs(t, err, context.Canceled)
			require.Empty(t, s.entries(t), "call %d", n)
		}
	})
}

func TestAnyDifferenceOfWhatWasObservedIsStale(t *testing.T) {
	day := time.Date(2030, 1, 2, 0, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		change func(*changeover.Preview)
		want   string
	}{
		"the role":                     {func(p *changeover.Preview) { p.Observed[1].Role = license.Target }, "Quality: the activation code was ***.AOU #0182a965 and is another one, ***.AOU #0182a965"},
		"the digest of the code":       {func(p *changeover.Preview) { p.Observed[1].CodeDigest = "0" }, "Quality: the activation code was ***.AOU #0182a965 and is another one, ***.AOU #0182a965"},
		"the mask of the code":         {func(p *changeover.Preview) { p.Observed[1].Code = "x" }, "Quality: the activation code was x and is another one, ***.AOU #0182a965"},
		"the server":                   {func(p *changeover.Preview) { p.Observed[1].Server = "" }, "Quality: the server's serial number was not shown and is QQQ"},
		"the serial number":            {func(p *changeover.Preview) { p.Observed[1].Serial = "x" }, "Quality: the license's serial number was x and is QQQ"},
		"the word":                     {func(p *changeover.Preview) { p.Observed[1].IPP = "x" }, "Quality: Intellectual Property was x and is Protected"},
		"the type":                     {func(p *changeover.Preview) { p.Observed[1].Type = "x" }, "Quality: the license type was x and is Quality"},
		"the end date":                 {func(p *changeover.Preview) { p.Observed[1].Ends = day }, "Quality: the end date was 2030-01-02 and is 2035-12-31"},
		"the kind":                     {func(p *changeover.Preview) { p.Observed[1].Kind = "x" }, "Quality: the plan has another kind"},
		"that it was read":             {func(p *changeover.Preview) { p.Observed[1].NotRead = "x" }, "Quality: it could not be read, and can be now"},
		"the pause":                    {func(p *changeover.Preview) { p.Observed[1].Paused = true }, "Quality: deployments paused was yes and is no"},
		"who paused":                   {func(p *changeover.Preview) { p.Observed[2].PausedBy = "Ada" }, "Development: deployments paused was yes, by Ada and is yes, by somebody else"},
		"an environment less":          {func(p *changeover.Preview) { p.Observed = p.Observed[1:] }, "Production: the preview does not have it"},
		"an environment more":          {func(p *changeover.Preview) { p.Observed = append(p.Observed, changeover.Observed{Environment: "X"}) }, "X: the plan does not have it"},
		"the definition":               {func(p *changeover.Preview) { p.Definition = "x" }, "the tables of the procedure are others"},
		"an address":                   {func(p *changeover.Preview) { p.Inventory[0].Address = "x" }, "Development: the address in LifeTime was x and is development.example.test"},
		"an environment LifeTime had":  {func(p *changeover.Preview) { p.Inventory[0].Name = "X" }, "X: LifeTime listed it, and does not now"},
		"one that LifeTime had twice":  {func(p *changeover.Preview) { p.Inventory = append(p.Inventory, p.Inventory[0]) }, "LifeTime: it listed 4 environments, and lists 3"},
		"that the inventory was read":  {func(p *changeover.Preview) { p.Inventory = nil }, "LifeTime: its list of environments could not be read, and can be now"},
		"the moment when it gets old":  {func(p *changeover.Preview) { p.Expires = p.Made }, "it expired at "},
		"the plan that it was made of": {func(p *changeover.Preview) { p.Plan = strings.ToUpper(p.Plan) }, "it is of the plan with the digest "},
	} {
		t.Run(name, func(t *testing.T) {
			s, p := planned(t)
			c.change(p)
			require.Contains(t, fmt.Sprint(stale(t, s, p)), c.want)
		})
	}
}

func TestAPreviewIsNotStaleWhenOnlyTheZoneIsAnother(t *testing.T) {
	s := newStage(t, migration.RefreshAndMove)
	made := func(zone *time.Location) *changeover.Changeover {
		set := s.world.Set()
		set.ServiceCenter = answering{set.ServiceCenter, func(in *license.Installed) {
			in.Ends = time.Date(2027, 12, 31, 23, 0, 0, 0, time.UTC).In(zone)
		}}
		c, err := changeover.New(s.plan, set, new(journal.Memory), &changeover.Options{Clock: s.clock, Inline: true})
		require.NoError(t, err)
		return c
	}
	p, err := made(time.UTC).Plan(t.Context())
	require.NoError(t, err)
	_, err = made(time.FixedZone("elsewhere", 3600)).ApplyPreview(t.Context(), p)
	require.NotErrorIs(t, err, changeover.ErrStale)
}

func TestANameThatLifeTimeListsTwiceIsTheFindingAndNoDifference(t *testing.T) {
	s := newStage(t, migration.RefreshAndMove)
	set := s.world.Set()
	listed, err := set.LifeTime.Registered(t.Context())
	require.NoError(t, err)
	again := listed[0]
	again.Address = "other.example.test"
	set.LifeTime = listing{set.LifeTime, func() ([]environment.Registered, error) { return append(slices.Clone(listed), again), nil }}
	c, err := changeover.New(s.plan, set, new(journal.Memory), &changeover.Options{Clock: s.clock, Inline: true})
	require.NoError(t, err)
	p, err := c.Plan(t.Context())
	require.NoError(t, err)
	_, err = c.ApplyPreview(t.Context(), p)
	require.NotErrorIs(t, err, changeover.ErrStale)
	require.ErrorContains(t, err, "is listed twice")
}
