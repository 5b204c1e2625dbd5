package fake_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/adapters/fake"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/license"
)

func TestLifeTime(t *testing.T) {
	registered := func(s *scene) environment.Registered {
		list, err := s.LifeTime.Registered(s.ctx())
		require.NoError(s.t, err)
		for _, r := range list {
			if r.Name == quality.Name {
				return r
			}
		}
		return environment.Registered{}
	}
	t.Run("a pause is seen, and its end", func(t *testing.T) {
		s := newScene(t)
		require.NoError(t, s.LifeTime.PauseDeployments(t.Context(), quality))
		require.True(t, registered(s).Paused)
		require.True(t, s.Paused(quality.Name))
		require.False(t, s.Paused(production.Name))
		require.NoError(t, s.LifeTime.ResumeDeployments(t.Context(), quality))
		require.False(t, registered(s).Paused)
	})
	t.Run("a running deployment keeps the pause away until it is finished", func(t *testing.T) {
		s := newScene(t)
		s.StartDeployment(quality.Name)
		s.StartDeployment(quality.Name)
		require.Equal(t, []string{"deployment-1", "deployment-2"}, registered(s).Running)
		err := s.LifeTime.PauseDeployments(t.Context(), quality)
		require.ErrorIs(t, err, adapters.ErrBusy)
		require.ErrorContains(t, err, "deployment-1")
		require.False(t, registered(s).Paused)
		s.FinishDeployment(quality.Name)
		require.Equal(t, []string{"deployment-2"}, registered(s).Running)
		s.FinishDeployment(quality.Name)
		s.FinishDeployment(quality.Name)
		require.NoError(t, s.LifeTime.PauseDeployments(t.Context(), quality))
		s.StartDeployment(quality.Name)
		require.Empty(t, registered(s).Running, "nothing starts while it is paused")
	})
	t.Run("others pause without asking, and abort what runs", func(t *testing.T) {
		s := newScene(t)
		s.StartDeployment(quality.Name)
		s.PauseByHand(quality.Name)
		require.Equal(t, []any{true, 0}, []any{registered(s).Paused, len(registered(s).Running)})
		s.ResumeByHand(quality.Name)
		require.False(t, registered(s).Paused)
	})
	t.Run("LifeTime controls neither itself nor what was taken from it", func(t *testing.T) {
		s := newScene(t)
		s.Unregister(quality.Name)
		require.Zero(t, registered(s))
		for _, env := range []environment.Environment{lifeTime, quality, {Name: "Elsewhere"}} {
			require.ErrorIs(t, s.LifeTime.PauseDeployments(t.Context(), env), adapters.ErrUnknownEnvironment)
			require.ErrorIs(t, s.LifeTime.ResumeDeployments(t.Context(), env), adapters.ErrUnknownEnvironment)
		}
	})
}

func TestVault(t *testing.T) {
	s := newScene(t)
	label := adapters.Label{Environment: quality.Name, Serial: quality.Serial, Role: license.Source, Origin: environment.OriginPortal}
	put := func(l adapters.Label, salt string) adapters.Stored {
		stored, err := s.Vault.Put(t.Context(), l, fake.LicenseFile(details(t), salt))
		require.NoError(t, err)
		return stored
	}
	list := func() []adapters.Stored {
		stored, err := s.Vault.List(t.Context(), quality.Serial)
		require.NoError(t, err)
		return stored
	}
	require.Empty(t, list())

	first := put(label, "1")
	require.Equal(t, adapters.Stored{Label: label, Digest: fake.LicenseFile(details(t), "1").Digest(), Generation: 1, Copies: 2, At: fake.Start().Add(time.Second)}, first)
	require.Equal(t, first, put(label, "1"), "the same again")
	second := put(label, "2")
	other := label
	other.Origin = environment.OriginInstalled
	third := put(other, "1")
	elsewhere := label
	elsewhere.Serial = production.Serial
	require.Equal(t, 1, put(elsewhere, "1").Generation, "generations count for each serial number")
	require.Equal(t, []int{1, 2, 3}, []int{first.Generation, second.Generation, third.Generation})
	require.Equal(t, []adapters.Stored{first, second, third}, list())

	_, err := s.Vault.Get(t.Context(), quality.Serial, "none")
	require.ErrorIs(t, err, adapters.ErrBackupNotFound)
	_, err = s.Vault.Get(t.Context(), "none", first.Digest)
	require.ErrorIs(t, err, adapters.ErrBackupNotFound)

	s.DamageBackup(quality.Serial, second.Digest, 1)
	f, err := s.Vault.Get(t.Context(), quality.Serial, second.Digest)
	require.NoError(t, err)
	require.Equal(t, second.Digest, f.Digest())
	s.DamageBackup(quality.Serial, second.Digest, 0)
	s.DamageBackup(quality.Serial, second.Digest, 2)
	_, err = s.Vault.Get(t.Context(), quality.Serial, second.Digest)
	require.ErrorIs(t, err, adapters.ErrBackupDamaged, "damage does not heal")
	require.Zero(t, list()[1].Copies)

	again := put(label, "2")
	require.Equal(t, []int{4, 2}, []int{again.Generation, again.Copies})
	f, err = s.Vault.Get(t.Context(), quality.Serial, second.Digest)
	require.NoError(t, err)
	require.Equal(t, second.Digest, f.Digest())

	_, err = s.Vault.Put(t.Context(), label, license.File{})
	require.Error(t, err)
	_, err = s.Vault.Put(t.Context(), adapters.Label{}, f)
	require.Error(t, err)
	require.Len(t, list(), 4)
}

func TestSupport(t *testing.T) {
	s := newScene(t)
	a, b := adapters.Case{Key: "a", Subject: "first", Body: "list"}, adapters.Case{Key: "b"}
	_, err := s.Support.FindCase(t.Context(), "a")
	require.ErrorIs(t, err, adapters.ErrCaseNotFound)
	for _, c := range []struct {
		open adapters.Case
		want string
	}{{a, "CASE-1"}, {b, "CASE-2"}, {a, "CASE-1"}, {adapters.Case{Key: "b", Subject: "another"}, "CASE-2"}} {
		reference, err := s.Support.OpenCase(t.Context(), c.open)
		require.NoError(t, err)
		require.Equal(t, c.want, reference)
		reference, err = s.Support.FindCase(t.Context(), c.open.Key)
		require.NoError(t, err)
		require.Equal(t, c.want, reference)
	}
	_, err = s.Support.OpenCase(t.Context(), adapters.Case{Subject: "no key"})
	require.Error(t, err)
	require.Equal(t, []adapters.Case{a, b}, s.Cases())
}

func TestOperator(t *testing.T) {
	q := adapters.Question{Kind: adapters.AskApproval, Subject: "move", Text: "Go on?", Details: []string{"all are backed up"}}
	t.Run("says yes and signs", func(t *testing.T) {
		s := newScene(t)
		a, err := s.Operator.Ask(t.Context(), q)
		require.NoError(t, err)
		require.Equal(t, adapters.Answer{By: fake.OperatorName, At: fake.Start(), Text: "yes"}, a)
		require.Equal(t, []adapters.Question{q}, s.Questions())
	})
	t.Run("can be somebody else, who may use the world", func(t *testing.T) {
		s := newScene(t)
		s.Answer(func(asked adapters.Question) (adapters.Answer, error) {
			require.Equal(t, q, asked)
			asked.Details[0] = "changed"
			return adapters.Answer{By: "Ada", Text: string(s.Installed(quality.Name).IPP)}, nil
		})
		a, err := s.Operator.Ask(t.Context(), q)
		require.NoError(t, err)
		require.Equal(t, adapters.Answer{By: "Ada", Text: "Protected"}, a)
		require.Equal(t, []adapters.Question{q}, s.Questions())
		s.Answer(nil)
		a, err = s.Operator.Ask(t.Context(), q)
		require.NoError(t, err)
		require.Equal(t, fake.OperatorName, a.By)
	})
	t.Run("may refuse, fail, or stay silent, which is no", func(t *testing.T) {
		s := newScene(t)
		broken := errors.New("broken")
		for _, c := range []struct{ say, want error }{{adapters.ErrRefused, adapters.ErrRefused}, {broken, broken}, {nil, adapters.ErrRefused}} {
			s.Answer(func(adapters.Question) (adapters.Answer, error) { return adapters.Answer{Text: "yes"}, c.say })
			a, err := s.Operator.Ask(t.Context(), q)
			require.ErrorIs(t, err, c.want)
			require.Zero(t, a)
		}
	})
}

func TestClockStandsStillUntilSomebodySleeps(t *testing.T) {
	var c fake.Clock
	require.Equal(t, fake.Start(), c.Now())
	require.Equal(t, fake.Start(), c.Now())
	require.NoError(t, c.Sleep(t.Context(), 90*time.Minute))
	require.NoError(t, c.Sleep(t.Context(), -time.Hour))
	require.NoError(t, c.Sleep(t.Context(), 0))
	require.Equal(t, fake.Start().Add(90*time.Minute), c.Now())
	done, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, c.Sleep(done, time.Hour), context.Canceled)
	require.Equal(t, fake.Start().Add(90*time.Minute), c.Now())
}
