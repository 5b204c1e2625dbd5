package steps_test

import (
	"errors"
	"reflect"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/adapters/fault"
	"github.com/changeover-go/changeover/internal/steps"
	"github.com/changeover-go/changeover/license"
)

// calls calls every method of every port of a set and hands over the errors.
func calls(t *testing.T, set adapters.Set, s *steps.Site, see func(port, method string, err error)) (n int) {
	t.Helper()
	if b, ok := set.ServiceCenter.(adapters.LicenseBackuper); ok {
		_, err := b.BackupLicense(t.Context(), s.Env("Production"))
		see("ServiceCenter", "BackupLicense", err)
		n++
	}
	for _, port := range []any{set.Portal, set.ServiceCenter, set.LifeTime, set.Vault, set.Support, set.Operator} {
		v := reflect.ValueOf(port)
		for i := range v.NumMethod() {
			m, name := v.Method(i), v.Type().Method(i).Name
			if name == "BackupLicense" || name == "Describe" {
				continue
			}
			args := make([]reflect.Value, m.Type().NumIn())
			for j := range args {
				args[j] = reflect.Zero(m.Type().In(j))
			}
			args[0] = reflect.ValueOf(t.Context())
			out := m.Call(args)
			err, _ := out[len(out)-1].Interface().(error)
			see(v.Type().Name(), name, err)
			n++
		}
	}
	return n
}

func TestTheGuardLetsNoErrorInAsItStands(t *testing.T) {
	s, w := site(t)
	raw := errors.Join(errors.New("\x1b[2J of "+s.Source.Reveal()), adapters.ErrBusy)
	guarded := steps.Guard(fault.Wrap(w.Set(), fault.Always(fault.Match{}, fault.Before, raw)), license.NewMask(s.Source, s.Target), nil)
	n := calls(t, guarded, s, func(port, method string, err error) {
		require.Error(t, err, "%s.%s", port, method)
		require.NotContains(t, err.Error(), "\x1b")
		require.NotContains(t, err.Error(), "\n")
		require.NotContains(t, err.Error(), s.Source.Reveal())
		require.Equal(t, adapters.ErrBusy, adapters.ConditionOf(err), "what it states is not changed")
	})
	require.Equal(t, 16, n, "every method of every port")
	calls(t, steps.Guard(fault.Wrap(w.Set(), fault.Always(fault.Match{}, fault.Before, nil)), license.Mask{}, nil), s, func(port, method string, err error) {
		require.NoError(t, err, "%s.%s", port, method)
	})
}

func TestTheGuardTurnsAPanicIntoAnErrorThatSaysNothing(t *testing.T) {
	s, w := site(t)
	stacks := 0
	guarded := steps.Guard(fault.Wrap(w.Set(), fault.Always(fault.Match{}, fault.Before, fault.Panic)), license.Mask{}, func(stack []byte) {
		require.Contains(t, string(stack), "fault")
		stacks++
	})
	n := calls(t, guarded, s, func(port, method string, err error) {
		require.ErrorContains(t, err, "panicked", "%s.%s", port, method)
		require.Nil(t, adapters.ConditionOf(err))
	})
	require.Equal(t, n, stacks)
	_, err := steps.Guard(fault.Wrap(w.Set(), fault.Always(fault.Match{}, fault.Before, fault.Panic)), license.Mask{}, nil).LifeTime.Registered(t.Context())
	require.Error(t, err)
}

func TestTheGuardAddsNoAbility(t *testing.T) {
	_, w := site(t)
	set := w.Set()
	_, ok := steps.Guard(set, license.Mask{}, nil).ServiceCenter.(adapters.LicenseBackuper)
	require.True(t, ok)
	set.ServiceCenter = struct{ adapters.ServiceCenter }{set.ServiceCenter}
	_, ok = steps.Guard(set, license.Mask{}, nil).ServiceCenter.(adapters.LicenseBackuper)
	require.False(t, ok)
}
