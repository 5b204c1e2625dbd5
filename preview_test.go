package changeover_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover"
	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/adapters/fake"
	"github.com/changeover-go/changeover/adapters/fault"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/environment/machine"
	"github.com/changeover-go/changeover/internal/golden"
	"github.com/changeover-go/changeover/internal/printable"
	"github.com/changeover-go/changeover/license"
	"github.com/changeover-go/changeover/migration"
	"github.com/changeover-go/changeover/migration/journal"
)

const thirdCode = "CCC.CCC.CCC.CCC.CCC.CCC.CCC.COU"

func (s *stage) preview(t testing.TB, injectors ...*fault.Injector) *changeover.Preview {
	t.Helper()
	p, err := s.changeover(t, injectors...).Plan(t.Context())
	require.NoError(t, err)
	return p
}

func previewText(t testing.TB, p *changeover.Preview) string {
	t.Helper()
	var b strings.Builder
	require.NoError(t, p.WriteText(&b))
	return b.String()
}

// findings returns where each finding is and what it is called.
func findings(p *changeover.Preview) []string {
	var all []string
	for _, f := range p.Findings {
		name := f.Code
		if f.Warning {
			name = "(" + name + ")"
		}
		all = append(all, f.Where+": "+name)
	}
	return all
}

func TestAPreviewSaysWhatARunDoes(t *testing.T) {
	for _, profile := range migration.Profiles() {
		t.Run(profile.Name, func(t *testing.T) {
			s := newStage(t, profile.Name)
			s.plan.MaxInFlight = map[string]int{}
			for _, leg := range profile.Legs {
				s.plan.MaxInFlight[leg.Name] = 1
			}
			if profile.Name == migration.Published {
				s.plan.First = []string{"Development"}
				s.world.PauseByHand("Quality")
			}
			p := s.preview(t)
			golden.Compare(t, "testdata/preview-"+profile.Name+".txt", []byte(previewText(t, p)))
			require.NoError(t, p.Findings.Err())

			var want []string
			for _, step := range p.Steps {
				want = append(want, "* "+step.Effect)
				for _, env := range step.Environments {
					for _, d := range step.Each {
						want = append(want, env+" "+d.Effect+" to "+d.Reaches)
					}
				}
			}
			r, err := s.changeover(t).ApplyPreview(t.Context(), p)
			require.NoError(t, err)
			require.EqualValues(t, "Completed", r.Verdict)
			var got []string
			for i, e := range s.entries(t) {
				switch {
				case e.Kind == journal.Intent && e.Env == journal.Infrastructure:
					got = append(got, "* "+e.Effect)
				case e.Kind == journal.Outcome && e.Env != journal.Infrastructure:
					got = append(got, e.Env+" "+e.Effect+" to "+e.To)
				case e.Kind == journal.Opened && i == 0:
					require.Equal(t, p.Digest(), e.Opened.Preview)
				case e.Kind == journal.Opened:
					require.Empty(t, e.Opened.Preview)
				}
			}
			require.Equal(t, want, got)
		})
	}
}

// The seed forbids to begin in any of these cases; whoever plans hears of all
// of them at once, and of each once.
func TestAPlanListsEveryFindingOnce(t *testing.T) {
	s := newStage(t, migration.RefreshAndMove)
	s.world.InstallByHand("Production", s.plan.Target)
	s.world.InstallByHand("Quality", code(t, thirdCode))
	s.world.Unregister("Development")
	p := s.preview(t)
	require.Equal(t, []string{`environments[2] "Development": notControlled`, "Production: alreadyMoved", "Quality: unknownLicense"}, findings(p))
	for _, f := range p.Findings {
		require.NotEmpty(t, f.Hint, "what to do about %s", f.Code)
	}
	golden.Compare(t, "testdata/preview-findings.txt", []byte(previewText(t, p)))

	_, err := s.changeover(t).ApplyPreview(t.Context(), p)
	require.Equal(t, p.Findings.Err().Error(), err.Error())
	require.NotErrorIs(t, err, changeover.ErrStale)
	require.Empty(t, s.entries(t))
}

func TestEveryFindingOfAPlan(t *testing.T) {
	day := 24 * time.Hour
	for _, c := range []struct {
		name   string
		change func(t testing.TB, s *stage)
		want   []string
	}{
		{"nothing is wrong", func(testing.TB, *stage) {}, nil},
		{"an environment shows the target license", func(_ testing.TB, s *stage) { s.world.InstallByHand("LifeTime", s.plan.Target) }, []string{"LifeTime: alreadyMoved"}},
		{"an environment shows a third code", func(t testing.TB, s *stage) { s.world.InstallByHand("Quality", code(t, thirdCode)) }, []string{"Quality: unknownLicense"}},
		{"an environment has no license", func(_ testing.TB, s *stage) { s.world.InstallByHand("Quality", license.ActivationCode{}) }, []string{"Quality: noLicense"}},
		{"a server has another serial number", func(_ testing.TB, s *stage) { s.world.ChangeSerial("Quality", "X-1") }, []string{"Quality: serialChanged"}},
		{"an environment is not in LifeTime", func(_ testing.TB, s *stage) { s.world.Unregister("Quality") }, []string{`environments[1] "Quality": notControlled`}},
		{"an environment is in the cloud", func(_ testing.TB, s *stage) { s.world.SetCloud("Quality", true) }, []string{`registered[1] "Quality": cloudEnvironment`}},
		{"an environment is left out", func(_ testing.TB, s *stage) {
			s.world.AddEnvironment(environment.Environment{Name: "Test", Kind: environment.Quality, ServiceCenter: "https://t.example.test", Serial: "T"})
		}, []string{`registered[3] "Test": leftOut`}},
		{"a deployment is running", func(_ testing.TB, s *stage) { s.world.StartDeployment("Quality") }, []string{`registered[1] "Quality": (deploymentsRunning)`}},
		{"the order is another one", func(_ testing.TB, s *stage) {
			s.plan.Order = []string{"LifeTime", "Quality", "Production", "Development"}
		}, []string{"order: (orderDeviates)"}},
		{"a source license ends soon", func(t testing.TB, s *stage) {
			s.world.Define(s.plan.Source, "Quality", func(d *license.Details) { d.Ends = s.clock.Now().Add(29 * day) })
			s.world.InstallByHand("Quality", s.plan.Source)
		}, []string{"Quality: (endsSoon)"}},
		{"a source license ends later", func(t testing.TB, s *stage) {
			s.world.Define(s.plan.Source, "Quality", func(d *license.Details) { d.Ends = s.clock.Now().Add(31 * day) })
			s.world.InstallByHand("Quality", s.plan.Source)
		}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStage(t, migration.RefreshAndMove)
			c.change(t, s)
			before := len(s.world.Effects())
			p := s.preview(t)
			require.Equal(t, c.want, findings(p))
			require.Len(t, s.world.Effects(), before)
			require.NoError(t, s.world.Err())
			require.Equal(t, len(p.Findings.Warnings()) == len(p.Findings), strings.Contains(previewText(t, p), "\nReady: "))
		})
	}
	t.Run("the license is for another server", func(t *testing.T) {
		s := newStage(t, migration.RefreshAndMove)
		s.world.ChangeSerial("Quality", "X-1")
		s.plan.Infrastructure.Environments[1].Serial = "X-1"
		require.Equal(t, []string{`environments[1] "Quality": (unusualSerial)`, "Quality: (licenseForOther)"}, findings(s.preview(t)))
	})
}

// A plan asks only what changes nothing, however the calls end.
func TestAPlanChangesNothingWhateverCallFails(t *testing.T) {
	healthy := newStage(t, migration.RefreshAndMove).preview(t)
	for _, fails := range []error{
		errors.New("the line went dead"), adapters.ErrUncertain, adapters.ErrNotReached, adapters.ErrBusy, adapters.ErrPermission, adapters.ErrUnsupported, fault.Panic,
	} {
		for _, when := range []fault.When{fault.Before, fault.After} {
			t.Run(fmt.Sprintf("%v, %s", fails, when), func(t *testing.T) {
				lasts := errors.Is(fails, adapters.ErrPermission) || errors.Is(fails, adapters.ErrUnsupported) // asking again is no use
				for n := 0; ; n++ {
					s := newStage(t, migration.RefreshAndMove)
					injected := fault.OnIndex(n, when, fails)
					p := s.preview(t, injected)
					require.Empty(t, s.world.Effects(), "%v", injected)
					require.Empty(t, s.entries(t), "%v", injected)
					for _, call := range s.world.Calls() {
						require.Contains(t, []string{"Registered", "InstalledLicense"}, call.Method)
					}
					if !injected.Hit() {
						require.Greater(t, n, 9, "everything is asked twice")
						break
					}
					if !lasts {
						require.Equal(t, healthy.Observed, p.Observed, "%v", injected)
						require.Equal(t, healthy.Inventory, p.Inventory, "%v", injected)
						require.Empty(t, p.Findings, "%v", injected)
						continue
					}
					want := []string{injected.Op().Environment + ": notRead"}
					if injected.Op().Environment == "" {
						want = []string{"LifeTime: inventoryNotRead"}
					}
					require.Equal(t, want, findings(p), "%v", injected)
				}
			})
		}
	}
}

func TestWhatCannotBeReadIsAFindingAndNoGuess(t *testing.T) {
	for _, fails := range []error{errors.New("the line went dead"), adapters.ErrNotReached, adapters.ErrPermission} {
		t.Run(fails.Error(), func(t *testing.T) {
			s := newStage(t, migration.RefreshAndMove)
			p := s.preview(t, fault.Always(fault.Match{Method: "InstalledLicense", Environment: "Quality"}, fault.Before, fails), fault.Always(fault.Match{Method: "Registered"}, fault.Before, fails))
			require.Equal(t, []string{"LifeTime: inventoryNotRead", "Quality: notRead"}, findings(p))
			require.Nil(t, p.Inventory)
			quality := p.Observed[1]
			require.Equal(t, changeover.Observed{Environment: "Quality", Kind: environment.Quality, NotRead: fails.Error()}, quality)
			for i, o := range p.Observed {
				require.Equal(t, i != 1, o.Role == license.Source, o.Environment)
			}
		})
	}
	t.Run("an answer that is another one each time", func(t *testing.T) {
		s := newStage(t, migration.RefreshAndMove)
		set, n := s.world.Set(), 0
		set.ServiceCenter = answering{set.ServiceCenter, func(in *license.Installed) { n++; in.Type = fmt.Sprint(n) }}
		c, err := changeover.New(s.plan, set, s.store, &changeover.Options{Clock: s.clock})
		require.NoError(t, err)
		p, err := c.Plan(t.Context())
		require.NoError(t, err)
		require.Len(t, p.Findings, 4)
		require.Contains(t, p.Findings[0].Text, "never agreed")
	})
}

// A list that is read while it changes, or a page of it, is not what a plan is
// made of (reliability.md S0.2).
func TestAPlanIsMadeOfAnInventoryThatWasReadTwice(t *testing.T) {
	s := newStage(t, migration.RefreshAndMove)
	whole, err := s.world.Set().LifeTime.Registered(t.Context())
	require.NoError(t, err)
	plan := func(answer func(n int) []environment.Registered) *changeover.Preview {
		set, n := s.world.Set(), 0
		set.LifeTime = listing{set.LifeTime, func() ([]environment.Registered, error) { n++; return answer(n), nil }}
		c, err := changeover.New(s.plan, set, s.store, &changeover.Options{Clock: s.clock})
		require.NoError(t, err)
		p, err := c.Plan(t.Context())
		require.NoError(t, err)
		return p
	}
	for name, change := range map[string]func([]environment.Registered) []environment.Registered{
		"one is missing":        func(l []environment.Registered) []environment.Registered { return l[1:] },
		"another name":          func(l []environment.Registered) []environment.Registered { l[0].Name = "X"; return l },
		"another address":       func(l []environment.Registered) []environment.Registered { l[0].Address = "X"; return l },
		"it is in the cloud":    func(l []environment.Registered) []environment.Registered { l[0].Cloud = true; return l },
		"deployments go on yet": func(l []environment.Registered) []environment.Registered { l[0].Paused = true; return l },
	} {
		t.Run(name+" the first time", func(t *testing.T) {
			p := plan(func(n int) []environment.Registered {
				if n == 1 {
					return change(slices.Clone(whole))
				}
				return slices.Clone(whole)
			})
			require.Empty(t, p.Findings)
			require.Len(t, p.Inventory, 3)
		})
		t.Run(name+" every other time", func(t *testing.T) {
			p := plan(func(n int) []environment.Registered {
				if n%2 == 1 {
					return change(slices.Clone(whole))
				}
				return slices.Clone(whole)
			})
			require.Equal(t, []string{"LifeTime: inventoryNotRead"}, findings(p))
			require.Contains(t, p.Findings[0].Text, "never agreed")
		})
	}
	t.Run("in another order, and with other deployments running, it is the same", func(t *testing.T) {
		p := plan(func(n int) []environment.Registered {
			list := slices.Clone(whole)
			if n%2 == 1 {
				slices.Reverse(list)
				list[0].Running = []string{"one"}
			}
			return list
		})
		require.Empty(t, p.Findings)
	})
}

// answering changes what a Service Center answers.
type answering struct {
	adapters.ServiceCenter
	change func(*license.Installed)
}

func (a answering) InstalledLicense(ctx context.Context, env environment.Environment) (license.Installed, error) {
	in, err := a.ServiceCenter.InstalledLicense(ctx, env)
	a.change(&in)
	return in, err
}

func TestAPlanIsRefusedWhereItCouldNotBeApplied(t *testing.T) {
	t.Run("the run has begun", func(t *testing.T) {
		s := newStage(t, migration.AsWritten)
		_, err := s.changeover(t).Apply(t.Context())
		require.NoError(t, err)
		_, err = s.changeover(t).Plan(t.Context())
		require.ErrorIs(t, err, changeover.ErrBegun)
	})
	t.Run("the journal is of another plan", func(t *testing.T) {
		s := newStage(t, migration.AsWritten)
		_, err := s.changeover(t).Apply(t.Context())
		require.NoError(t, err)
		s.plan.Module = "Another"
		_, err = s.changeover(t).Plan(t.Context())
		require.ErrorIs(t, err, journal.ErrForeign)
	})
	t.Run("the context is done", func(t *testing.T) {
		s := newStage(t, migration.AsWritten)
		for n := range 10 {
			ctx, cancel := context.WithCancel(t.Context())
			p, err := s.changeover(t, fault.OnIndex(n, fault.After, fault.Cancel(cancel))).Plan(ctx)
			require.ErrorIs(t, err, context.Canceled, "after call %d", n)
			require.Nil(t, p)
		}
	})
	t.Run("another verb is going on", func(t *testing.T) {
		s := newStage(t, migration.AsWritten)
		var c *changeover.Changeover
		var planned, applied error
		c = s.changeover(t, fault.OnIndex(3, fault.Before, fault.Cancel(func() {
			_, planned = c.Plan(t.Context())
			_, applied = c.ApplyPreview(t.Context(), new(changeover.Preview))
		})))
		_, err := c.Apply(t.Context())
		require.NoError(t, err)
		require.ErrorIs(t, planned, changeover.ErrRunning)
		require.ErrorIs(t, applied, changeover.ErrRunning)
	})
}

func TestAPreviewShowsNoSecretAndNothingUnprintable(t *testing.T) {
	s := newStage(t, migration.RefreshAndMove)
	s.plan.Infrastructure.Name = "Acme " + targetCode
	evil := "\x1b[2J" + sourceCode + "\u202e" + thirdCode + "\n"
	set := s.world.Set()
	set.ServiceCenter = answering{set.ServiceCenter, func(in *license.Installed) {
		in.Type, in.IPP, in.Ends = evil, license.IPP(evil), time.Date(20000, 1, 1, 0, 0, 0, 0, time.UTC)
	}}
	set.LifeTime = listing{set.LifeTime, func() ([]environment.Registered, error) {
		return []environment.Registered{{Name: evil, Address: evil, Running: []string{evil}}}, nil
	}}
	read := func() *changeover.Preview {
		c, err := changeover.New(s.plan, set, s.store, &changeover.Options{Clock: s.clock})
		require.NoError(t, err)
		p, err := c.Plan(t.Context())
		require.NoError(t, err)
		return p
	}
	hold := func(p *changeover.Preview) {
		b, err := json.Marshal(p)
		require.NoError(t, err)
		for _, text := range []string{string(b), previewText(t, p)} {
			for _, secret := range []string{sourceCode, targetCode, thirdCode, "\x1b", "\u202e", `\u001b"`} {
				require.NotContains(t, text, secret)
			}
		}
		again, err := changeover.ReadPreview(bytes.NewReader(b))
		require.NoError(t, err)
		require.Equal(t, p, again)
	}
	hold(read())
	set.LifeTime = listing{set.LifeTime, func() ([]environment.Registered, error) { return nil, errors.New(evil) }}
	set.ServiceCenter = failingCenter{set.ServiceCenter, errors.New(evil)}
	hold(read())
}

type listing struct {
	adapters.LifeTime
	registered func() ([]environment.Registered, error)
}

func (l listing) Registered(context.Context) ([]environment.Registered, error) { return l.registered() }

type failingCenter struct {
	adapters.ServiceCenter
	err error
}

func (f failingCenter) InstalledLicense(context.Context, environment.Environment) (license.Installed, error) {
	return license.Installed{}, f.err
}

func TestAPreviewIsReadBackAsItWasSaved(t *testing.T) {
	s := newStage(t, migration.RefreshAndMove)
	s.world.InstallByHand("Quality", code(t, thirdCode))
	p := s.preview(t)
	p.Inventory, p.Observed, p.Steps = p.Inventory[:1], p.Observed[:2], p.Steps[3:4] // one of each: every byte has its turn
	saved, err := json.Marshal(p)
	require.NoError(t, err)
	read := func(text []byte) (*changeover.Preview, error) { return changeover.ReadPreview(bytes.NewReader(text)) }
	same := func(t *testing.T, text []byte) {
		again, err := read(text)
		require.NoError(t, err)
		require.Equal(t, p, again)
		require.Equal(t, p.Digest(), again.Digest())
	}
	t.Run("as it is", func(t *testing.T) { same(t, saved) })
	t.Run("indented, as people read it", func(t *testing.T) {
		b, err := json.MarshalIndent(p, "", "\t")
		require.NoError(t, err)
		same(t, append(b, '\n'))
	})
	t.Run("by an encoder that does not escape HTML", func(t *testing.T) {
		var b bytes.Buffer
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false)
		require.NoError(t, e.Encode(p))
		same(t, b.Bytes())
	})
	refused := func(t *testing.T, text []byte, why string) {
		t.Helper()
		got, err := read(text)
		require.ErrorIs(t, err, changeover.ErrPreview, why)
		require.Nil(t, got, why)
	}
	t.Run("every byte changed is noticed", func(t *testing.T) {
		for i := range saved {
			changed := bytes.Clone(saved)
			changed[i] ^= 1
			refused(t, changed, fmt.Sprintf("byte %d: %q for %q", i, changed[i], saved[i]))
			if c := saved[i]; 'a' <= c && c <= 'z' {
				changed[i] = c - 'a' + 'A'
				refused(t, changed, fmt.Sprintf("byte %d: %q for %q", i, changed[i], saved[i]))
			}
		}
	})
	t.Run("every end cut off is noticed", func(t *testing.T) {
		for i := range saved {
			refused(t, saved[:i], fmt.Sprintf("%d bytes", i))
		}
	})
	for name, text := range map[string]string{
		"a key twice":           strings.Replace(string(saved), `{"version":1,`, `{"version":1,"version":1,`, 1),
		"a key in other case":   strings.Replace(string(saved), `{"version":1,`, `{"version":1,"Version":1,`, 1),
		"an unknown key":        strings.Replace(string(saved), `{"version":1,`, `{"version":1,"mood":"",`, 1),
		"a key that is missing": strings.Replace(string(saved), `{"version":1,`, `{`, 1),
		"another version":       strings.Replace(string(saved), `{"version":1,`, `{"version":2,`, 1),
		"something after it":    string(saved) + "{}",
		"another plan":          `{"version": 1, "infrastructure": "Acme", "environments": []}`,
		"nothing":               "", "null": "null", "a list": "[]",
	} {
		t.Run(name, func(t *testing.T) { refused(t, []byte(text), name) })
	}
	t.Run("an end that never comes is not waited for", func(t *testing.T) {
		_, err := changeover.ReadPreview(endless{})
		require.ErrorIs(t, err, changeover.ErrPreview)
		require.ErrorContains(t, err, "it has more than 67108864 bytes")
	})
	t.Run("an error of the reader is that error", func(t *testing.T) {
		_, err := changeover.ReadPreview(iotest.ErrReader(io.ErrUnexpectedEOF))
		require.ErrorIs(t, err, io.ErrUnexpectedEOF)
		require.NotErrorIs(t, err, changeover.ErrPreview)
	})
	t.Run("an error of the writer is returned", func(t *testing.T) {
		require.ErrorIs(t, p.WriteText(brokenWriter{}), io.ErrClosedPipe)
	})
}

type endless struct{}

func (endless) Read(b []byte) (int, error) { return len(b), nil }

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func TestAPreviewOfAThousandEnvironmentsCanBeRead(t *testing.T) {
	p := plan(t, migration.RefreshAndMove)
	for i := len(p.Infrastructure.Environments); i < environment.MaxEnvironments; i++ {
		p.Infrastructure.Environments = append(p.Infrastructure.Environments, environment.Environment{
			Name: fmt.Sprintf("E%d", i), Kind: environment.Quality, ServiceCenter: fmt.Sprintf("https://e%d.example.test", i), Serial: license.SerialNumber(fmt.Sprintf("E-%d", i)),
		})
	}
	set := newStage(t, migration.RefreshAndMove).world.Set()
	set.ServiceCenter = failingCenter{set.ServiceCenter, adapters.ErrPermission} // a thousand findings
	c, err := changeover.New(p, set, new(journal.Memory), &changeover.Options{Clock: new(fake.Clock)})
	require.NoError(t, err)
	preview, err := c.Plan(t.Context())
	require.NoError(t, err)
	for l := range strings.Lines(previewText(t, preview)) {
		require.Less(t, len(l), 300, l)
	}
	b, err := json.Marshal(preview)
	require.NoError(t, err)
	again, err := changeover.ReadPreview(bytes.NewReader(b))
	require.NoError(t, err)
	require.Equal(t, preview.Digest(), again.Digest())
}

// The steps are those of the tables that run, not of those that are shipped.
func TestAPreviewKnowsExtendedTables(t *testing.T) {
	s := newStage(t, migration.AsWritten)
	c, err := changeover.New(s.plan, s.world.Set(), s.store, &changeover.Options{Clock: s.clock, Extend: noticing, Steps: noticed()})
	require.NoError(t, err)
	p, err := c.Plan(t.Context())
	require.NoError(t, err)
	var each []string
	for _, step := range p.Steps {
		for _, d := range step.Each {
			each = append(each, d.Effect)
		}
	}
	require.Equal(t, []string{"notice", "fetchLicense", "backUp", "upload", "verify", "republish"}, each)

	_, err = s.changeover(t).ApplyPreview(t.Context(), p)
	var stale *changeover.StaleError
	require.ErrorAs(t, err, &stale)
	require.Len(t, stale.Differences, 1)
	require.Contains(t, stale.Differences[0], "the tables of the procedure are others")
	require.Empty(t, s.entries(t))
}

// noticing inserts a state of one's own at the beginning of each leg.
func noticing(_ migration.Leg, t machine.Table[environment.Facts]) machine.Table[environment.Facts] {
	return t.Insert(machine.Insertion[environment.Facts]{After: migration.Paused, State: "Noticed", Doc: "Somebody was told.", On: "noticed",
		Effect: machine.Effect{Name: "notice", Doc: "Tell somebody."}, Needs: slices.Clone(t.States[0].Needs)})
}

func noticed() map[machine.EffectName]machine.Step[environment.Facts] {
	return map[machine.EffectName]machine.Step[environment.Facts]{"notice": {Do: func(context.Context, *machine.Call[environment.Facts]) (machine.Trigger, error) {
		return "noticed", nil
	}}}
}

// Whoever can write the file can give it any text and a digest that fits.
func TestAPreviewThatSomebodyHasWrittenIsSafeToPrint(t *testing.T) {
	s := newStage(t, migration.RefreshAndMove)
	good, err := json.Marshal(s.preview(t))
	require.NoError(t, err)
	// with returns it with more at the end of every text, but for the digest of
	// the plan.
	with := func(more string) *changeover.Preview {
		var spoil func(key string, v any) any
		spoil = func(key string, v any) any {
			switch v := v.(type) {
			case string:
				if key == "plan" || key == "made" || key == "expires" || key == "ends" {
					return v
				}
				return v + more
			case []any:
				for i := range v {
					v[i] = spoil("", v[i])
				}
			case map[string]any:
				for k := range v {
					v[k] = spoil(k, v[k])
				}
			}
			return v
		}
		var tree any
		require.NoError(t, json.Unmarshal(good, &tree))
		spoilt, err := json.Marshal(spoil("", tree))
		require.NoError(t, err)
		var p changeover.Preview
		require.NoError(t, json.Unmarshal(spoilt, &p))
		p.Findings = append(p.Findings, environment.Finding{Where: more, Text: more, Hint: more})
		p.Omitted = append(p.Omitted, changeover.Omission{What: more, Why: more})
		again, err := json.Marshal(p)
		require.NoError(t, err)
		read, err := changeover.ReadPreview(bytes.NewReader(again))
		require.NoError(t, err)
		return read
	}
	read := with("\x1b[2J\u202e\t\n")
	text := previewText(t, read)
	require.Equal(t, strings.Count(previewText(t, with("x")), "\n"), strings.Count(text, "\n"), "no line comes from within")
	lines := append(stale(t, s, read), strings.Split(strings.TrimSuffix(text, "\n"), "\n")...)
	for _, l := range lines {
		require.Equal(t, printable.Whole(l), l)
	}
	require.Contains(t, strings.Join(lines[:20], " "), `\u001b`)
	require.Contains(t, text, `\u001b`)
}

// FuzzReadPreview: what is read is what was saved. Nothing that is not the
// marshaled form of a preview, but for white space, is read.
func FuzzReadPreview(f *testing.F) {
	s := newStage(f, migration.AsWritten)
	p := s.preview(f)
	p.Inventory, p.Observed, p.Steps = p.Inventory[:1], p.Observed[:1], p.Steps[3:4]
	saved, err := json.Marshal(p)
	require.NoError(f, err)
	f.Add(saved)
	f.Add([]byte(`{"version":1}`))
	f.Add([]byte(`{"version":1,"made":"0000-00-00T00:00:00Z","findings":[null]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		got, err := changeover.ReadPreview(bytes.NewReader(text))
		if err != nil {
			require.ErrorIs(t, err, changeover.ErrPreview)
			require.Nil(t, got)
			return
		}
		again, err := json.Marshal(got)
		require.NoError(t, err)
		var compact bytes.Buffer
		require.NoError(t, json.Compact(&compact, text))
		var escaped bytes.Buffer
		json.HTMLEscape(&escaped, compact.Bytes())
		require.Equal(t, string(again), escaped.String())
		require.NoError(t, got.WriteText(io.Discard))
	})
}
