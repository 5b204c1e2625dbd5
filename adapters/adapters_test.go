package adapters_test

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/adapters/adaptertest"
	"github.com/changeover-go/changeover/adapters/internal/worldtest"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/license"
)

// declared returns the names of the conditions that condition.go declares.
func declared(t *testing.T) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "condition.go", nil, 0)
	require.NoError(t, err)
	var names []string
	for _, d := range file.Decls {
		group, ok := d.(*ast.GenDecl)
		if !ok || group.Tok != token.VAR {
			continue
		}
		for _, spec := range group.Specs {
			v := spec.(*ast.ValueSpec)
			literal, ok := v.Values[0].(*ast.UnaryExpr)
			if !ok {
				continue // ErrUncertain is no condition
			}
			name := literal.X.(*ast.CompositeLit).Elts[0].(*ast.BasicLit).Value
			names = append(names, strings.Trim(name, `"`))
			require.Equal(t, strings.ToLower("Err"+names[len(names)-1]), strings.ToLower(v.Names[0].Name),
				"variable and stable name of a condition say the same")
		}
	}
	return names
}

func TestConditionsAreTheCompleteList(t *testing.T) {
	var listed []string
	for _, c := range adapters.Conditions() {
		listed = append(listed, c.Condition())
	}
	require.Equal(t, declared(t), listed)
}

func TestConditionsAreDistinctAndSayWhatTheyMean(t *testing.T) {
	names, texts := map[string]bool{}, map[string]bool{}
	for _, c := range adapters.Conditions() {
		require.NotEmpty(t, c.Condition())
		require.NotEmpty(t, c.Error())
		require.False(t, names[c.Condition()], c.Condition())
		require.False(t, texts[c.Error()], c.Error())
		names[c.Condition()], texts[c.Error()] = true, true
		for _, other := range adapters.Conditions() {
			require.Equal(t, c == other, errors.Is(c, other))
		}
	}
}

func TestACallerCannotChangeTheListOfConditions(t *testing.T) {
	list := adapters.Conditions()
	list[0] = nil
	require.NotNil(t, adapters.Conditions()[0])
}

func TestConditionOf(t *testing.T) {
	for _, c := range adapters.Conditions() {
		for _, tt := range []struct {
			name string
			err  error
			want *adapters.Condition
		}{
			{"the condition itself", c, c},
			{"wrapped once", fmt.Errorf("Quality: %w: the server says no", c), c},
			{"wrapped deep", fmt.Errorf("a: %w", fmt.Errorf("b: %w", c)), c},
			{"joined with a plain error", errors.Join(errors.New("plain"), c), c},
			{"together with its cause", fmt.Errorf("%w: %w", c, context.DeadlineExceeded), c},
			{"uncertain in front", fmt.Errorf("%w: %w", adapters.ErrUncertain, c), nil},
			{"uncertain behind", fmt.Errorf("%w: %w", c, adapters.ErrUncertain), nil},
			{"uncertain deep inside", errors.Join(c, fmt.Errorf("a: %w", adapters.ErrUncertain)), nil},
			{"its text only", errors.New(c.Error()), nil},
		} {
			t.Run(c.Condition()+"/"+tt.name, func(t *testing.T) {
				require.Same(t, tt.want, adapters.ConditionOf(tt.err))
			})
		}
	}
	for name, err := range map[string]error{
		"nil": nil, "a plain error": errors.New("reset by peer"), "uncertain": adapters.ErrUncertain, "canceled": context.Canceled,
	} {
		t.Run(name, func(t *testing.T) { require.Nil(t, adapters.ConditionOf(err)) })
	}
}

func TestTestifyHandsTestimoniesToTheWitness(t *testing.T) {
	first := adapters.Testimony{By: "Ada", At: time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC), Text: "seen"}
	second := adapters.Testimony{By: "Grace"}
	var got []adapters.Testimony
	ctx := adapters.WithWitness(t.Context(), func(said adapters.Testimony) { got = append(got, said) })
	inner, cancel := context.WithCancel(ctx)
	adapters.Testify(inner, first)
	cancel()
	adapters.Testify(inner, second) // what was said is kept, whoever has given up
	require.Equal(t, []adapters.Testimony{first, second}, got)
}

func TestTheInnermostWitnessHears(t *testing.T) {
	var outer, inner int
	ctx := adapters.WithWitness(t.Context(), func(adapters.Testimony) { outer++ })
	ctx = adapters.WithWitness(ctx, func(adapters.Testimony) { inner++ })
	adapters.Testify(ctx, adapters.Testimony{})
	require.Equal(t, []int{0, 1}, []int{outer, inner})
}

func TestTestifyOutsideOfACallDoesNothing(t *testing.T) {
	adapters.Testify(t.Context(), adapters.Testimony{By: "Ada"})
}

func TestTestifyFromSeveralGoroutines(t *testing.T) {
	var mu sync.Mutex
	heard := 0
	ctx := adapters.WithWitness(t.Context(), func(adapters.Testimony) {
		mu.Lock()
		defer mu.Unlock()
		heard++
	})
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() { adapters.Testify(ctx, adapters.Testimony{By: "Ada"}) })
	}
	wg.Wait()
	require.Equal(t, 20, heard)
}

func TestValidateNamesExactlyTheMissingPorts(t *testing.T) {
	clear := []struct {
		name string
		do   func(*adapters.Set)
	}{
		{"Portal", func(s *adapters.Set) { s.Portal = nil }},
		{"ServiceCenter", func(s *adapters.Set) { s.ServiceCenter = nil }},
		{"LifeTime", func(s *adapters.Set) { s.LifeTime = nil }},
		{"Vault", func(s *adapters.Set) { s.Vault = nil }},
		{"Support", func(s *adapters.Set) { s.Support = nil }},
		{"Operator", func(s *adapters.Set) { s.Operator = nil }},
	}
	full := worldtest.New(t).Set
	for subset := range 1 << len(clear) {
		set := full
		var missing []string
		for i, c := range clear {
			if subset&(1<<i) != 0 {
				c.do(&set)
				missing = append(missing, c.name)
			}
		}
		err := set.Validate()
		if missing == nil {
			require.NoError(t, err)
			continue
		}
		require.Error(t, err)
		lines := strings.Split(err.Error(), "\n")
		require.Len(t, lines, len(missing))
		for i, name := range missing {
			require.Contains(t, lines[i], "adapters.Set: "+name+" is nil")
		}
	}
}

type described struct{ adapters.SupportDesk }

func (described) Describe() string { return "a desk on the second floor" }

func TestDescribe(t *testing.T) {
	require.Equal(t, "a desk on the second floor", adapters.Describe(described{}))
	require.Equal(t, "adapters_test.nameless", adapters.Describe(nameless{}), "the type, where a port says nothing")
}

// deaf is a ServiceCenter that must not be asked.
type deaf struct{ t *testing.T }

func (d deaf) called(env environment.Environment) {
	d.t.Errorf("the adapter of another environment was asked about %s", env.Name)
}

func (d deaf) InstalledLicense(_ context.Context, env environment.Environment) (license.Installed, error) {
	d.called(env)
	return license.Installed{}, adapters.ErrNotReached
}

func (d deaf) UploadLicense(_ context.Context, env environment.Environment, _ license.File) error {
	d.called(env)
	return adapters.ErrNotReached
}

func (d deaf) RepublishModule(_ context.Context, env environment.Environment, _ string) (adapters.Publication, error) {
	d.called(env)
	return adapters.Publication{}, adapters.ErrNotReached
}

func TestPerEnvironmentConforms(t *testing.T) {
	for _, tt := range []struct {
		name string
		mix  func(*testing.T, adaptertest.ServiceCenterHarness) adapters.PerEnvironment
	}{
		{"one adapter each", func(t *testing.T, h adaptertest.ServiceCenterHarness) adapters.PerEnvironment {
			return adapters.PerEnvironment{Default: deaf{t}, By: map[string]adapters.ServiceCenter{
				h.Env.Name: h.ServiceCenter, h.Other.Name: h.ServiceCenter,
			}}
		}},
		{"one adapter and the default", func(t *testing.T, h adaptertest.ServiceCenterHarness) adapters.PerEnvironment {
			return adapters.PerEnvironment{Default: h.ServiceCenter, By: map[string]adapters.ServiceCenter{
				h.Env.Name: h.ServiceCenter, "Elsewhere": deaf{t},
			}}
		}},
		{"the default only", func(_ *testing.T, h adaptertest.ServiceCenterHarness) adapters.PerEnvironment {
			return adapters.PerEnvironment{Default: h.ServiceCenter}
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			adaptertest.TestServiceCenter(t, func(t *testing.T) adaptertest.ServiceCenterHarness {
				h := worldtest.New(t).ServiceCenterHarness(0)
				h.ServiceCenter = tt.mix(t, h)
				return h
			})
		})
	}
}

func TestPerEnvironmentBacksUpWhereItsAdapterCan(t *testing.T) {
	h := worldtest.New(t).ServiceCenterHarness(0)
	plain := struct{ adapters.ServiceCenter }{h.ServiceCenter} // no LicenseBackuper
	p := adapters.PerEnvironment{Default: plain, By: map[string]adapters.ServiceCenter{h.Env.Name: h.ServiceCenter}}

	file, err := p.BackupLicense(t.Context(), h.Env)
	require.NoError(t, err)
	require.False(t, file.IsZero())

	_, err = p.BackupLicense(t.Context(), h.Other)
	require.Same(t, adapters.ErrUnsupported, adapters.ConditionOf(err))
}

// The names that journals and tables keep must never change.
func TestNamesOfConditionsAreStable(t *testing.T) {
	want := []string{
		"serialNotFound", "noSlot", "notPrepared", "wrongEnvironment", "rejected", "noLicense",
		"intellectualProperty", "publishFailed", "moduleNotFound", "busy", "notReached", "permission",
		"unknownEnvironment", "backupNotFound", "backupDamaged", "caseNotFound", "refused", "unsupported",
	}
	require.Equal(t, want, declared(t)[:len(want)], "conditions may be added at the end")
}

func TestPerEnvironmentWithoutAnAdapterIsUnsupported(t *testing.T) {
	var p adapters.PerEnvironment
	env := environment.Environment{Name: "Quality"}
	_, err := p.InstalledLicense(t.Context(), env)
	require.ErrorIs(t, err, adapters.ErrUnsupported)
	require.ErrorIs(t, p.UploadLicense(t.Context(), env, license.File{}), adapters.ErrUnsupported)
	_, err = p.RepublishModule(t.Context(), env, "ECT_Provider")
	require.ErrorIs(t, err, adapters.ErrUnsupported)
	_, err = p.BackupLicense(t.Context(), env)
	require.ErrorIs(t, err, adapters.ErrUnsupported)
}

func TestPerEnvironmentSaysWhoAnswersForWhom(t *testing.T) {
	p := adapters.PerEnvironment{Default: named("a program"), By: map[string]adapters.ServiceCenter{"Quality": named("a person"), "A": named("another")}}
	require.Equal(t, `"A": another, "Quality": a person, otherwise: a program`, adapters.Describe(p))
}

// named is a ServiceCenter of which only the description matters.
type named string

func (d named) Describe() string { return string(d) }

func (named) InstalledLicense(context.Context, environment.Environment) (license.Installed, error) {
	return license.Installed{}, nil
}
func (named) UploadLicense(context.Context, environment.Environment, license.File) error {
	return nil
}
func (named) RepublishModule(context.Context, environment.Environment, string) (adapters.Publication, error) {
	return adapters.Publication{}, nil
}

type nameless struct{ adapters.SupportDesk }
