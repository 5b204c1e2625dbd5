package fake_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/adapters/fake"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/license"
)

func TestAWorldShowsWhatItConsistsOf(t *testing.T) {
	s := newScene(t)
	before := saved(t, s.World)
	require.Equal(t, infrastructure(), s.Infrastructure())
	require.Equal(t, s.source, s.World.Source())
	require.Equal(t, s.target, s.World.Target())
	require.Equal(t, fake.Start(), s.Time())
	require.Equal(t, []string{fake.TestModule, fake.CustomerModule}, s.Modules(quality.Name))
	require.Empty(t, s.Deployments())
	accounts := s.Accounts()
	require.Len(t, accounts, 2)
	require.Equal(t, s.source, accounts[0].Code)
	require.Equal(t, fake.Registration{Environment: quality.Name, Kind: quality.Kind, Serial: quality.Serial}, accounts[0].Registered[1])
	require.Equal(t, s.target, accounts[1].Code)
	require.Empty(t, accounts[1].Registered)
	require.Contains(t, accounts[1].Slots, fake.Slots{Kind: environment.Quality, Free: 1})
	backup, err := s.ServiceCenter.(adapters.LicenseBackuper).BackupLicense(t.Context(), quality)
	require.NoError(t, err)
	require.Equal(t, backup.Digest(), s.InstalledFile(quality.Name).Digest())
	require.Equal(t, before, saved(t, s.World), "looking changes nothing")
	require.Empty(t, s.Calls()[1:], "and is no call")

	empty := new(fake.World)
	require.Empty(t, empty.Infrastructure().Environments)
	require.True(t, empty.Source().IsZero())
	require.Empty(t, empty.Accounts())
}

// What is shown is a copy: changing it does not change the world.
func TestWhatAWorldShowsIsACopy(t *testing.T) {
	s := newScene(t)
	s.StartDeployment(quality.Name)
	before := saved(t, s.World)
	s.Infrastructure().Environments[0].Name = "x"
	s.Accounts()[0].Registered[0].Environment = "x"
	s.Accounts()[1].Slots[0].Free = 99
	s.Modules(quality.Name)[0] = "x"
	s.Deployments()[0].State = fake.Aborted
	require.Equal(t, before, saved(t, s.World))
}

// The first of two steps of a publish finds what the republish would find, for
// every reason that there is, and publishes nothing.
func TestPublishableSaysWhatARepublishWouldSay(t *testing.T) {
	for name, change := range map[string]func(*scene){
		"nothing in the way":   func(*scene) {},
		"locked":               func(s *scene) { s.LockModule(quality.Name, fake.CustomerModule, 2) },
		"broken":               func(s *scene) { s.BreakModule(quality.Name, fake.CustomerModule, "Compilation failed") },
		"no license":           func(s *scene) { s.InstallByHand(quality.Name, license.ActivationCode{}) },
		"another serial":       func(s *scene) { s.ChangeSerial(quality.Name, "NEW") },
		"marked":               func(s *scene) { s.MarkModule(quality.Name, fake.CustomerModule, s.third) },
		"removed":              func(s *scene) { s.RemoveModule(quality.Name, fake.CustomerModule) },
		"overrun by somebody":  func(s *scene) { s.PublishByOther(quality.Name, fake.CustomerModule) },
		"marked with its code": func(s *scene) { s.MarkModule(quality.Name, fake.CustomerModule, s.source) },
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			change(s)
			effects := len(s.Effects())
			first := s.Publishable(quality.Name, fake.CustomerModule)
			require.Len(t, s.Effects(), effects)
			_, second := s.ServiceCenter.RepublishModule(t.Context(), quality, fake.CustomerModule)
			if second == nil {
				require.NoError(t, first)
			} else {
				require.EqualError(t, first, second.Error())
				require.Equal(t, adapters.ConditionOf(second), adapters.ConditionOf(first))
			}
		})
	}
}

func TestPublishableUsesUpALock(t *testing.T) {
	s := newScene(t)
	s.LockModule(quality.Name, fake.CustomerModule, 1)
	require.ErrorIs(t, s.Publishable(quality.Name, fake.CustomerModule), adapters.ErrBusy)
	require.NoError(t, s.Publishable(quality.Name, fake.CustomerModule))
}

func TestDeploymentsAreRemembered(t *testing.T) {
	s := newScene(t)
	at := fake.Start()
	s.World.Now = func() time.Time { return at }
	s.StartDeployment(quality.Name)
	at = at.Add(time.Hour)
	s.StartDeployment(production.Name)
	s.StartDeployment(quality.Name)
	s.FinishDeployment(quality.Name)
	require.NoError(t, s.AbortDeployments(quality.Name))
	require.NoError(t, s.AbortDeployments(quality.Name), "nothing is running")
	s.PauseByHand(production.Name)
	s.StartDeployment(production.Name) // refused
	require.Equal(t, []fake.Deployment{
		{Name: "deployment-1", Environment: quality.Name, Started: fake.Start(), State: fake.Finished},
		{Name: "deployment-2", Environment: production.Name, Started: at, State: fake.Aborted},
		{Name: "deployment-3", Environment: quality.Name, Started: at, State: fake.Aborted},
	}, s.Deployments())
	again := new(fake.World)
	require.NoError(t, again.Load(bytesOf(saved(t, s.World))))
	require.Equal(t, s.Deployments(), again.Deployments())
	var aborted int
	for _, e := range s.Effects() {
		if e.Method == "AbortDeployments" {
			aborted++
		}
	}
	require.Equal(t, 1, aborted)
}

func TestDeploymentsThatCannotBeAbortedGoOn(t *testing.T) {
	s := newScene(t)
	s.StartDeployment(quality.Name)
	s.Unabortable(quality.Name, true)
	before := saved(t, s.World)
	require.ErrorIs(t, s.AbortDeployments(quality.Name), adapters.ErrBusy)
	require.Equal(t, before, saved(t, s.World))
	s.Unabortable(quality.Name, false)
	require.NoError(t, s.AbortDeployments(quality.Name))
}
