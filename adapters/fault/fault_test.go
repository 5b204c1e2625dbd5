package fault_test

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/adapters/fake"
	"github.com/changeover-go/changeover/adapters/fault"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/license"
)

var (
	production = environment.Environment{Name: "Production", Kind: environment.Production, ServiceCenter: "https://prod.example.test", Serial: "PRO-AAA-BBB-CCC-DDD-EEE-FFF-111"}
	quality    = environment.Environment{Name: "Quality", Kind: environment.Quality, ServiceCenter: "https://qa.example.test", Serial: "QUA-AAA-BBB-CCC-DDD-EEE-FFF-222"}
)

var errInjected = errors.New("the line went dead")

func newWorld(t testing.TB) (w *fake.World, target license.ActivationCode) {
	t.Helper()
	source, err := license.ParseActivationCode("ABC.D1E.F2G.H3I.J4K.L5M.N6O.AOU")
	require.NoError(t, err)
	target, err = license.ParseActivationCode("ZYX.W9V.U8T.S7R.Q6P.O5N.M4L.AOU")
	require.NoError(t, err)
	return fake.New(environment.Infrastructure{Name: "Acme", Environments: []environment.Environment{production, quality}}, source, target), target
}

// procedure is something that drives the ports, eleven calls in all.
func procedure(ctx context.Context, set adapters.Set, code license.ActivationCode) error {
	if _, err := set.LifeTime.Registered(ctx); err != nil {
		return err
	}
	for _, env := range []environment.Environment{production, quality} {
		if err := set.LifeTime.PauseDeployments(ctx, env); err != nil {
			return err
		}
		if err := set.Portal.RegisterSerial(ctx, code, env); err != nil {
			return err
		}
		f, err := set.Portal.FetchLicense(ctx, code, env)
		if err != nil {
			return err
		}
		if _, err := set.Vault.Put(ctx, adapters.Label{Environment: env.Name, Serial: env.Serial}, f); err != nil {
			return err
		}
		if err := set.ServiceCenter.UploadLicense(ctx, env, f); err != nil {
			return err
		}
	}
	return nil
}

const procedureCalls = 11

func ports() []reflect.Type {
	var out []reflect.Type
	set := reflect.TypeFor[adapters.Set]()
	for i := range set.NumField() {
		out = append(out, set.Field(i).Type)
	}
	return out
}

// call calls the method of a port with zero arguments.
func call(ctx context.Context, port reflect.Value, method string) (results []reflect.Value) {
	m := port.MethodByName(method)
	args := []reflect.Value{reflect.ValueOf(ctx)}
	for i := 1; i < m.Type().NumIn(); i++ {
		args = append(args, reflect.Zero(m.Type().In(i)))
	}
	return m.Call(args)
}

func errorOf(results []reflect.Value) error {
	err, _ := results[len(results)-1].Interface().(error)
	return err
}

// TestEveryMethodOfEveryPortIsWrapped finds a method that is new: it would
// reach the wrapped port past the injectors.
func TestEveryMethodOfEveryPortIsWrapped(t *testing.T) {
	methods := 0
	check := func(t *testing.T, port, method string, of func(adapters.Set) reflect.Value) {
		methods++
		t.Run(port+"."+method, func(t *testing.T) {
			w, _ := newWorld(t)
			var seen []fault.Op
			index := fault.OnIndex(0, fault.Before, errInjected)
			match := fault.On(fault.Match{Port: port, Method: method}, 1, fault.Before, errInjected)
			lost := fault.On(fault.Match{Port: port, Method: method}, 2, fault.After, errInjected)
			set := fault.Wrap(w.Set(), index, match, lost, fault.Watch(func(op fault.Op) { seen = append(seen, op) }))
			for n := range 4 {
				results := call(t.Context(), of(set), method)
				if n < 3 {
					require.Equal(t, errInjected, errorOf(results), "call %d", n)
					for _, r := range results[:len(results)-1] {
						require.True(t, r.IsZero(), "the answer to call %d is lost", n)
					}
				} else {
					require.NotErrorIs(t, errorOf(results), errInjected)
				}
			}
			for _, i := range []*fault.Injector{index, match, lost} {
				require.True(t, i.Hit())
			}
			for n, op := range seen {
				require.Equal(t, fault.Op{Index: n, Port: port, Method: method}, op)
			}
			require.Len(t, seen, 4)
			// The last two of four were passed on.
			require.Equal(t, []fake.Call{{Port: port, Method: method}, {Port: port, Method: method}}, w.Calls())
		})
	}
	for i, port := range ports() {
		for m := range port.NumMethod() {
			check(t, port.Name(), port.Method(m).Name, func(set adapters.Set) reflect.Value { return reflect.ValueOf(set).Field(i).Elem() })
		}
	}
	check(t, "ServiceCenter", "BackupLicense", func(set adapters.Set) reflect.Value { return reflect.ValueOf(set.ServiceCenter) })
	require.Equal(t, 16, methods)
}

// TestEveryInterfaceOfPackageAdaptersIsKnownHere finds an optional ability that
// is new: a wrapped port would lose it.
func TestEveryInterfaceOfPackageAdaptersIsKnownHere(t *testing.T) {
	known := map[string]string{
		"LicenseBackuper": "wrapped if the ServiceCenter has it",
		"Describer":       "passed on",
		"Clock":           "not a part of Set",
		"Tasks":           "not a part of Set",
	}
	for _, port := range ports() {
		known[port.Name()] = "wrapped"
	}
	files, err := filepath.Glob("../*.go")
	require.NoError(t, err)
	found := 0
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		ast.Inspect(file, func(n ast.Node) bool {
			if spec, ok := n.(*ast.TypeSpec); ok {
				if _, ok := spec.Type.(*ast.InterfaceType); ok {
					require.Contains(t, known, spec.Name.Name)
					found++
				}
			}
			return true
		})
	}
	require.Equal(t, len(known), found)
}

func TestEnvironmentsAreNamed(t *testing.T) {
	w, target := newWorld(t)
	var seen []fault.Op
	set := fault.Wrap(w.Set(), fault.Watch(func(op fault.Op) { seen = append(seen, op) }))
	require.NoError(t, procedure(t.Context(), set, target))
	_, err := set.Operator.Ask(t.Context(), adapters.Question{Environment: "Quality"})
	require.NoError(t, err)
	_, err = set.ServiceCenter.InstalledLicense(t.Context(), quality)
	require.NoError(t, err)
	_, err = set.ServiceCenter.RepublishModule(t.Context(), quality, fake.TestModule)
	require.NoError(t, err)
	_, err = set.ServiceCenter.(adapters.LicenseBackuper).BackupLicense(t.Context(), quality)
	require.NoError(t, err)
	_, err = set.Portal.SerialRegistered(t.Context(), target, quality)
	require.NoError(t, err)
	require.NoError(t, set.LifeTime.ResumeDeployments(t.Context(), quality))

	calls := w.Calls()
	require.Len(t, seen, len(calls))
	for i, op := range seen {
		require.Equal(t, fault.Op{Index: i, Port: calls[i].Port, Method: calls[i].Method, Environment: calls[i].Environment}, op)
		require.Equal(t, calls[i].String(), op.String())
	}
}

func TestSweep(t *testing.T) {
	for _, when := range []fault.When{fault.Before, fault.After} {
		t.Run(fmt.Sprintf("each call fails once, %s", when), func(t *testing.T) {
			for n := 0; ; n++ {
				w, target := newWorld(t)
				clean, _ := newWorld(t)
				require.NoError(t, procedure(t.Context(), clean.Set(), target))

				inj := fault.OnIndex(n, when, errInjected)
				set := fault.Wrap(w.Set(), inj)
				err := procedure(t.Context(), set, target)
				if !inj.Hit() {
					require.NoError(t, err)
					require.Equal(t, procedureCalls, n, "every call had its turn")
					require.Zero(t, inj.Op())
					return
				}
				require.Equal(t, errInjected, err)
				reached := n
				if when == fault.After {
					reached++
				}
				require.Equal(t, append([]fake.Call{}, clean.Calls()[:reached]...), append([]fake.Call{}, w.Calls()...))
				c := clean.Calls()[n]
				require.Equal(t, fault.Op{Index: n, Port: c.Port, Method: c.Method, Environment: c.Environment}, inj.Op())
				require.Equal(t, fmt.Sprintf("call %d, %s %v: the line went dead", n, when, c), inj.String())

				// It strikes once; the calls after it go through.
				require.NoError(t, procedure(t.Context(), set, target))
				require.Equal(t, clean.Installed("Quality"), w.Installed("Quality"))
			}
		})
	}
}

func TestOnStrikesTheCallThatMatches(t *testing.T) {
	for _, c := range []struct {
		match fault.Match
		calls []int // numbers of the calls that match
	}{
		{fault.Match{}, []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10}},
		{fault.Match{Port: "LifeTime"}, []int{0, 1, 6}},
		{fault.Match{Method: "UploadLicense"}, []int{5, 10}},
		{fault.Match{Environment: "Quality"}, []int{6, 7, 8, 9, 10}},
		{fault.Match{Port: "LicensePortal", Environment: "Production"}, []int{2, 3}},
		{fault.Match{Port: "ServiceCenter", Method: "UploadLicense", Environment: "Quality"}, []int{10}},
		{fault.Match{Port: "ServiceCenter", Method: "FetchLicense"}, nil},
	} {
		for nth := range len(c.calls) + 1 {
			t.Run(fmt.Sprintf("%v, number %d", c.match, nth), func(t *testing.T) {
				w, target := newWorld(t)
				inj := fault.On(c.match, nth, fault.Before, errInjected)
				require.Equal(t, fmt.Sprintf("call %d of %v, before: the line went dead", nth, c.match), inj.String())
				err := procedure(t.Context(), fault.Wrap(w.Set(), inj), target)
				if nth == len(c.calls) {
					require.NoError(t, err)
					require.False(t, inj.Hit())
					return
				}
				require.Equal(t, errInjected, err)
				require.Equal(t, c.calls[nth], inj.Op().Index)
			})
		}
	}
}

func TestAlwaysStrikesEveryTime(t *testing.T) {
	w, _ := newWorld(t)
	inj := fault.Always(fault.Match{Port: "ServiceCenter", Environment: "Quality"}, fault.Before, adapters.ErrNotReached)
	require.Equal(t, "every call of ServiceCenter.* in Quality, before: "+adapters.ErrNotReached.Error(), inj.String())
	set := fault.Wrap(w.Set(), inj)
	for n := range 3 {
		_, err := set.ServiceCenter.InstalledLicense(t.Context(), quality)
		require.ErrorIs(t, err, adapters.ErrNotReached)
		require.Equal(t, 2*n, inj.Op().Index)
		_, err = set.ServiceCenter.InstalledLicense(t.Context(), production)
		require.NoError(t, err)
	}
}

func TestNilErrorSaysDone(t *testing.T) {
	w, target := newWorld(t)
	set := fault.Wrap(w.Set(), fault.OnIndex(0, fault.Before, nil), fault.OnIndex(1, fault.After, nil))
	require.NoError(t, set.Portal.RegisterSerial(t.Context(), target, quality))
	registered, err := w.Set().Portal.SerialRegistered(t.Context(), target, quality)
	require.NoError(t, err)
	require.False(t, registered, "the first was not passed on")
	require.NoError(t, set.Portal.RegisterSerial(t.Context(), target, quality))
	registered, err = w.Set().Portal.SerialRegistered(t.Context(), target, quality)
	require.NoError(t, err)
	require.True(t, registered, "the second was")
}

func TestSeveralFaults(t *testing.T) {
	t.Run("the first one given ends the call, and the others do not strike", func(t *testing.T) {
		w, _ := newWorld(t)
		second := errors.New("second")
		a := fault.OnIndex(0, fault.Before, errInjected)
		b := fault.OnIndex(0, fault.Before, second)
		c := fault.OnIndex(0, fault.After, second)
		_, err := fault.Wrap(w.Set(), c, a, b).LifeTime.Registered(t.Context())
		require.Equal(t, errInjected, err)
		require.Equal(t, []bool{true, false, false}, []bool{a.Hit(), b.Hit(), c.Hit()})
		require.Empty(t, w.Calls())
	})
	t.Run("sets can be wrapped twice", func(t *testing.T) {
		w, target := newWorld(t)
		outer, inner := fault.OnIndex(3, fault.Before, errInjected), fault.OnIndex(2, fault.After, adapters.ErrUncertain)
		set := fault.Wrap(fault.Wrap(w.Set(), inner), outer)
		require.ErrorIs(t, procedure(t.Context(), set, target), adapters.ErrUncertain)
		require.Equal(t, errInjected, procedure(t.Context(), set, target))
		require.Equal(t, adapters.Describe(w.Set().Portal), adapters.Describe(set.Portal))
	})
}

func TestHang(t *testing.T) {
	for _, when := range []fault.When{fault.Before, fault.After} {
		t.Run(fmt.Sprintf("%s, until the context is done", when), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, target := newWorld(t)
				inj := fault.OnIndex(0, when, fault.Hang)
				set := fault.Wrap(w.Set(), inj)
				ctx, cancel := context.WithCancelCause(t.Context())
				done := make(chan error, 1)
				go func() { done <- set.Portal.RegisterSerial(ctx, target, quality) }()
				synctest.Wait() // it hangs for good
				require.Empty(t, done)
				require.True(t, inj.Hit())
				require.Len(t, w.Effects(), map[fault.When]int{fault.Before: 0, fault.After: 1}[when])
				cancel(errInjected)
				require.ErrorIs(t, <-done, context.Canceled)
			})
		})
	}
}

func TestPanic(t *testing.T) {
	for _, when := range []fault.When{fault.Before, fault.After} {
		t.Run(fmt.Sprint(when), func(t *testing.T) {
			w, target := newWorld(t)
			set := fault.Wrap(w.Set(), fault.OnIndex(0, when, fault.Panic))
			require.PanicsWithValue(t, fmt.Sprintf("fault: call 0, %s LicensePortal.RegisterSerial in Quality: panic", when), func() {
				_ = set.Portal.RegisterSerial(t.Context(), target, quality)
			})
			require.Len(t, w.Effects(), map[fault.When]int{fault.Before: 0, fault.After: 1}[when])
			require.NoError(t, set.Portal.RegisterSerial(t.Context(), target, quality), "nothing is left locked")
		})
	}
}

func TestCancel(t *testing.T) {
	for n := range procedureCalls {
		for _, when := range []fault.When{fault.Before, fault.After} {
			t.Run(fmt.Sprintf("call %d, %s", n, when), func(t *testing.T) {
				w, target := newWorld(t)
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				inj := fault.OnIndex(n, when, fault.Cancel(cancel))
				err := procedure(ctx, fault.Wrap(w.Set(), inj), target)
				require.True(t, inj.Hit())
				require.Error(t, ctx.Err())
				reached := n
				if when == fault.After {
					reached++ // the call itself, whose answer is not lost
				}
				require.Len(t, w.Calls(), reached)
				if reached == procedureCalls {
					require.NoError(t, err)
				} else {
					require.ErrorIs(t, err, context.Canceled)
				}
			})
		}
	}
}

func TestWatcherSeesACallBeforeAnythingHappens(t *testing.T) {
	w, target := newWorld(t)
	inj := fault.OnIndex(3, fault.Before, errInjected)
	var seen []fault.Op
	watch := fault.Watch(func(op fault.Op) {
		require.Len(t, w.Calls(), op.Index)
		require.False(t, inj.Hit())
		seen = append(seen, op)
	})
	require.Error(t, procedure(t.Context(), fault.Wrap(w.Set(), inj, watch), target))
	require.Len(t, seen, 4, "also the one that was struck")
	require.False(t, watch.Hit())
	require.Equal(t, "every call, watched", watch.String())
}

func TestWhatIsMissingStaysMissing(t *testing.T) {
	require.Equal(t, adapters.Set{}, fault.Wrap(adapters.Set{}))
	w, _ := newWorld(t)
	require.NoError(t, fault.Wrap(w.Set()).Validate())
	set := w.Set()
	set.ServiceCenter = struct{ adapters.ServiceCenter }{set.ServiceCenter} // hides BackupLicense
	_, can := fault.Wrap(set).ServiceCenter.(adapters.LicenseBackuper)
	require.False(t, can)
}

func TestPortsSayOfThemselvesWhatTheWrappedOnesDo(t *testing.T) {
	w, _ := newWorld(t)
	inner, outer := reflect.ValueOf(w.Set()), reflect.ValueOf(fault.Wrap(w.Set()))
	for i := range inner.NumField() {
		require.Equal(t, adapters.Describe(inner.Field(i).Interface()), adapters.Describe(outer.Field(i).Interface()))
	}
}

func TestNamesFromOutsideArePrintedSafely(t *testing.T) {
	require.Equal(t, `ServiceCenter.UploadLicense in a\u001b[2J`, fault.Op{Port: "ServiceCenter", Method: "UploadLicense", Environment: "a\x1b[2J"}.String())
	require.Equal(t, "*.*", fault.Match{}.String())
}

// TestCallsAreNumberedWithoutGaps means most under -race.
func TestCallsAreNumberedWithoutGaps(t *testing.T) {
	w, target := newWorld(t)
	var mu sync.Mutex
	seen := map[int]bool{}
	watch := fault.Watch(func(op fault.Op) {
		mu.Lock()
		defer mu.Unlock()
		require.False(t, seen[op.Index])
		seen[op.Index] = true
	})
	index := fault.OnIndex(100, fault.Before, errInjected)
	match := fault.On(fault.Match{Method: "SerialRegistered"}, 200, fault.After, errInjected)
	set := fault.Wrap(w.Set(), index, watch, match)
	var wg sync.WaitGroup
	var failed [8]int
	for g := range failed {
		wg.Go(func() {
			for range 100 {
				if _, err := set.Portal.SerialRegistered(t.Context(), target, quality); err != nil {
					failed[g]++
				}
				_, _, _ = index.String(), match.Hit(), match.Op()
			}
		})
	}
	wg.Wait()
	require.Len(t, seen, 800)
	sum := 0
	for _, n := range failed {
		sum += n
	}
	require.Equal(t, 2, sum, "each strikes once")
	require.Equal(t, 100, index.Op().Index)
	require.Equal(t, 200, match.Op().Index)
}
