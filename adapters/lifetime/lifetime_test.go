package lifetime_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/adapters/lifetime"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/internal/golden"
	"github.com/changeover-go/changeover/internal/wire"
)

// The golden files are written from the facts (2.1 to 2.3), with line ends that
// text files have.
func TestRequestsAreThoseOfTheFacts(t *testing.T) {
	w := &world{offline: "false", deployments: "[" + deployed(deploymentKey, productionKey, "2018-10-10T15:02:10.853Z") + "]", status: status("finished_successful", "")}
	s := newServer(t, w.answer)
	c := s.client(nil)
	require.NoError(t, c.PauseDeployments(t.Context(), production))
	require.NoError(t, c.ResumeDeployments(t.Context(), production))
	s.mu.Lock()
	defer s.mu.Unlock()
	names := []string{"environments", "deployments", "status", "pause", "environment", "environments", "resume", "environment"}
	require.Len(t, s.raw, len(names))
	for i, name := range names {
		head, body, found := strings.Cut(s.raw[i], "\r\n\r\n")
		require.True(t, found)
		require.Equal(t, strings.Count(head, "\n"), strings.Count(head, "\r\n"))
		golden.Compare(t, "testdata/"+name+".http", []byte(strings.ReplaceAll(head, "\r\n", "\n")+"\n\n"+body))
	}
}

func TestRegisteredListsWhatLifeTimeShows(t *testing.T) {
	w := &world{offline: "true", deployments: "[" + deployed(deploymentKey, productionKey, "2018-10-10T15:02:10") + "]",
		status: status("needs_user_intervention", "deployment_suspended")}
	list, err := newServer(t, w.answer).client(nil).Registered(t.Context())
	require.NoError(t, err)
	require.Equal(t, []environment.Registered{
		{Name: "Production", Address: "production.example.test", Paused: true, Running: []string{deploymentKey + ", needs_user_intervention (deployment_suspended)"}},
		{Name: "Quality", Address: "quality.example.test"},
	}, list)
}

func TestRegisteredOfAnEmptyLifeTimeIsEmpty(t *testing.T) {
	for name, answer := range map[string]string{"no content": noContent, "an empty list": ok("[]")} {
		t.Run(name, func(t *testing.T) {
			list, err := newServer(t, func(*http.Request) string { return answer }).client(nil).Registered(t.Context())
			require.NoError(t, err)
			require.Empty(t, list)
		})
	}
}

func TestWithoutIsOfflineNoPauseIsClaimedAndNothingIsSwitched(t *testing.T) {
	for name, offline := range map[string]string{"the field is missing": "", "the field is null": "null"} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, (&world{offline: offline}).answer)
			c := s.client(nil)
			list, err := c.Registered(t.Context())
			require.NoError(t, err)
			require.False(t, list[0].Paused)
			for _, do := range []func(context.Context, environment.Environment) error{c.PauseDeployments, c.ResumeDeployments} {
				err := do(t.Context(), production)
				require.Same(t, adapters.ErrUnsupported, adapters.ConditionOf(err))
				require.ErrorContains(t, err, "let a person answer for LifeTime")
			}
			require.NotContains(t, strings.Join(s.requests(), "\n"), "PUT")
		})
	}
}

func TestACloudEnvironmentIsLeftToTheVendor(t *testing.T) {
	s := newServer(t, (&world{offline: "false", cloud: true}).answer)
	c := s.client(nil)
	list, err := c.Registered(t.Context())
	require.NoError(t, err)
	require.True(t, list[0].Cloud)
	require.Same(t, adapters.ErrPermission, adapters.ConditionOf(c.PauseDeployments(t.Context(), production)))
	require.Same(t, adapters.ErrPermission, adapters.ConditionOf(c.ResumeDeployments(t.Context(), production)))
	require.NotContains(t, strings.Join(s.requests(), "\n"), "PUT")
}

func TestWhatIsAsWantedIsNotSwitched(t *testing.T) {
	for _, offline := range []bool{true, false} {
		w := &world{offline: fmt.Sprint(offline), deployments: "[" + deployed(deploymentKey, productionKey, "") + "]", status: status("running", "")}
		s := newServer(t, w.answer)
		do := s.client(nil).ResumeDeployments
		if offline {
			do = s.client(nil).PauseDeployments
		}
		require.NoError(t, do(t.Context(), production))
		require.Equal(t, []string{"GET /environments/"}, s.requests())
	}
}

func TestAnEnvironmentIsKnownByItsExactName(t *testing.T) {
	for _, name := range []string{"production", "Production ", "Prod", "LifeTime", "", productionKey, "prd.example.test"} {
		s := newServer(t, (&world{offline: "false"}).answer)
		err := s.client(nil).PauseDeployments(t.Context(), environment.Environment{Name: name, ServiceCenter: production.ServiceCenter})
		require.Same(t, adapters.ErrUnknownEnvironment, adapters.ConditionOf(err), name)
		require.Equal(t, []string{"GET /environments/"}, s.requests())
	}
}

func TestASwitchThatLifeTimeDoesNotShowIsInDoubt(t *testing.T) {
	for _, on := range []bool{true, false} {
		w := &world{offline: fmt.Sprint(!on), deaf: true}
		c := newServer(t, w.answer).client(nil)
		do := c.ResumeDeployments
		if on {
			do = c.PauseDeployments
		}
		err := do(t.Context(), production)
		require.ErrorIs(t, err, adapters.ErrUncertain)
		require.ErrorContains(t, err, "LifeTime shows that it was not")
	}
}

func TestAnotherEnvironmentInTheAnswerProvesNothing(t *testing.T) {
	w := &world{offline: "false"}
	s := newServer(t, func(r *http.Request) string {
		if stepOf(r) == "environment" {
			return ok(env(qualityKey, "Quality", `,"IsOffline":true`))
		}
		return w.answer(r)
	})
	err := s.client(nil).PauseDeployments(t.Context(), production)
	require.ErrorIs(t, err, adapters.ErrUncertain)
	require.ErrorContains(t, err, "another environment, Quality")
}

// Every word of the facts (2.2), and some that are not there.
func TestADeploymentIsRunningUnlessItsStatusSaysThatItIsNot(t *testing.T) {
	ended := map[string]bool{
		"saved": true, "running": false, "needs_user_intervention": false, "aborting": false, "aborted": true, "finished_successful": true,
		"finished_with_warnings": true, "finished_with_errors": true, "force_finished": true,
		"Saved": false, "finished": false, "queued": false, " saved": false, "a\u202eb": false,
	}
	for word, ended := range ended {
		t.Run(word, func(t *testing.T) {
			w := &world{offline: "false", deployments: "[" + deployed(deploymentKey, productionKey, "2026-01-02T03:04:05") + "]", status: status(word, "")}
			s := newServer(t, w.answer)
			c := s.client(nil)
			list, err := c.Registered(t.Context())
			require.NoError(t, err)
			require.Equal(t, ended, len(list[0].Running) == 0)
			require.Empty(t, list[1].Running)
			err = c.PauseDeployments(t.Context(), production)
			if ended {
				require.NoError(t, err)
				return
			}
			require.Same(t, adapters.ErrBusy, adapters.ConditionOf(err))
			require.ErrorContains(t, err, deploymentKey)
			require.NotContains(t, err.Error(), "\u202e")
			require.NotContains(t, strings.Join(s.requests(), "\n"), "PUT")
		})
	}
}

func key(n int) string { return fmt.Sprintf("77aa3a52-9f3e-4c11-8a77-%012d", n) }

func TestTheDeploymentsThatAreAskedForTheirStatus(t *testing.T) {
	day := func(n int) string { return time.Date(2026, 1, n, 0, 0, 0, 0, time.UTC).Format(time.RFC3339) }
	several := func(days ...string) (list []string) {
		for i, d := range days {
			list = append(list, deployed(key(i), productionKey, d))
		}
		return list
	}
	for _, tt := range []struct {
		name   string
		list   []string
		newest int
		want   []int
	}{
		{"all that were started", several(day(3), day(2), day(1)), 0, []int{0, 1, 2}},
		{"none that was never started", several("1900-01-01T00:00:00", day(2), "1900-01-01T00:00:00Z", "1900-01-01T00:00:00.000"), 0, []int{1}},
		{"those of which it is not known", several("", day(2)), 0, []int{0, 1}},
		{"the newest first, whatever the order", several(day(1), day(3), day(2)), 0, []int{1, 2, 0}},
		{"so many and no more", several(day(1), day(3), day(2)), 2, []int{1, 2}},
		{"those of which it is not known before all others", several(day(9), "", day(8)), 2, []int{1, 0}},
		{"those without a zone as those with one", several("2026-01-01T10:00:00", "2026-01-01T09:00:00.5Z", "2026-01-01T12:30:00+01:00"), 0, []int{2, 0, 1}},
		{"none to another environment", append(several(day(3)), deployed(key(1), qualityKey, day(2))), 0, []int{0}},
		{"those to the same key in capitals", []string{deployed(key(0), strings.ToUpper(productionKey), day(1))}, 0, []int{0}},
		{"those of which the target is not stated", []string{deployed(key(0), "", day(1))}, 0, []int{0}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := &world{offline: "false", deployments: "[" + strings.Join(tt.list, ",") + "]", status: status("finished_successful", "")}
			s := newServer(t, w.answer)
			require.NoError(t, s.client(func(o *lifetime.Options) { o.Newest = tt.newest }).PauseDeployments(t.Context(), production))
			var want []string
			for _, n := range tt.want {
				want = append(want, "GET /deployments/"+key(n)+"/status/")
			}
			got := s.requests()
			require.Equal(t, want, got[2:len(got)-2])
		})
	}
}

func TestOnlyTheNewestDeploymentsAreAskedAbout(t *testing.T) {
	var list []string
	for n := range 300 {
		list = append(list, deployed(key(n), productionKey, time.Date(2026, 1, 1, 0, n, 0, 0, time.UTC).Format(time.RFC3339)))
	}
	s := newServer(t, (&world{offline: "false", deployments: "[" + strings.Join(list, ",") + "]", status: status("aborted", "")}).answer)
	require.NoError(t, s.client(nil).PauseDeployments(t.Context(), production))
	got := s.requests()
	require.Len(t, got, 4+lifetime.DefaultNewest)
	require.Equal(t, "GET /deployments/"+key(299)+"/status/", got[2])
}

func TestADeploymentThatHasVanishedIsNotRunning(t *testing.T) {
	w := &world{offline: "false", deployments: "[" + deployed(deploymentKey, productionKey, "") + "]"}
	s := newServer(t, func(r *http.Request) string {
		if strings.HasSuffix(r.URL.Path, "/status/") {
			return documented(404, "There is no such deployment.")
		}
		return w.answer(r)
	})
	require.NoError(t, s.client(nil).PauseDeployments(t.Context(), production))
}

func TestSinceLimitsTheList(t *testing.T) {
	s := newServer(t, (&world{offline: "false"}).answer)
	since := time.Date(2025, 6, 7, 1, 0, 0, 0, time.FixedZone("east", 2*60*60))
	c := s.client(func(o *lifetime.Options) { o.Since = since })
	require.NoError(t, c.PauseDeployments(t.Context(), production))
	require.Equal(t, "GET /deployments/?MinDate=2025-06-06&TargetEnvironmentKey="+productionKey, s.requests()[1])
	require.Equal(t, "LifeTime over REST at lt.example.com, the newest 20 deployments to each environment since 2025-06-06", adapters.Describe(c))
}

func TestTheReasonIsSent(t *testing.T) {
	s := newServer(t, (&world{offline: "false"}).answer)
	require.NoError(t, s.client(func(o *lifetime.Options) { o.Reason = `Change 4711, "Move" <ä>` }).PauseDeployments(t.Context(), production))
	s.mu.Lock()
	defer s.mu.Unlock()
	require.Contains(t, s.raw[2], `{"IsMaintenanceModeEnabled":true,"Reason":"Change 4711, \"Move\" \u003cä\u003e"}`)
}

func TestListsThatCannotBeReliedOn(t *testing.T) {
	a, b := env(productionKey, "Production", ""), env(qualityKey, "Quality", "")
	many := make([]string, environment.MaxEnvironments+1)
	for n := range many {
		many[n] = env(key(n), fmt.Sprintf("E%d", n), "")
	}
	for name, list := range map[string]string{
		"no name":                         "[" + env(productionKey, "", "") + "]",
		"no key":                          "[" + env("", "Production", "") + "]",
		"a key that is a path":            "[" + env("../..", "Production", "") + "]",
		"a key of dots":                   "[" + env("..", "Production", "") + "]",
		"a key with a query":              "[" + env("a?b=c", "Production", "") + "]",
		"a key that is too long":          "[" + env(strings.Repeat("a", 65), "Production", "") + "]",
		"one key twice":                   "[" + a + "," + env(productionKey, "Quality", "") + "]",
		"one key twice, once in capitals": "[" + a + "," + env(strings.ToUpper(productionKey), "Quality", "") + "]",
		"one name twice":                  "[" + a + "," + b + "," + env(deploymentKey, "Quality", "") + "]",
		"too many":                        "[" + strings.Join(many, ",") + "]",
		"null":                            "null",
		"a null among them":               "[" + a + ",null]",
		"an object":                       a,
		"a text":                          `"[]"`,
		"cut off":                         "[" + a + ",",
		"more behind it":                  "[" + a + "][]",
		"a field twice":                   "[" + env(productionKey, "Production", `,"IsOffline":false,"IsOffline":true`) + "]",
		"a field twice, in two spellings": "[" + env(productionKey, "Production", `,"IsOffline":false,"isoffline":true`) + "]",
		"IsOffline as a text":             "[" + env(productionKey, "Production", `,"IsOffline":"false"`) + "]",
		"bytes that are not UTF-8":        "[" + env(productionKey, "Prod\xff", "") + "]",
		"nothing":                         "",
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, func(*http.Request) string { return ok(list) })
			c := s.client(nil)
			_, err := c.Registered(t.Context())
			for _, err := range []error{err, c.PauseDeployments(t.Context(), production), c.ResumeDeployments(t.Context(), production)} {
				require.Error(t, err)
				require.Nil(t, adapters.ConditionOf(err), "%v", err)
			}
			for _, r := range s.requests() {
				require.Equal(t, "GET /environments/", r)
			}
		})
	}
}

func TestDeploymentsThatCannotBeReliedOnKeepThePauseAway(t *testing.T) {
	for name, w := range map[string]*world{
		"a deployment without a key":        {deployments: "[" + deployed("", productionKey, "") + "]"},
		"a key that is a path":              {deployments: "[" + deployed("../x", productionKey, "") + "]"},
		"a date that is none":               {deployments: "[" + deployed(deploymentKey, productionKey, "yesterday") + "]"},
		"a date that is a number":           {deployments: `[{"Key":"a","StartedOn":5}]`},
		"an object":                         {deployments: "{}"},
		"a status without a word":           {deployments: "[" + deployed(deploymentKey, productionKey, "") + "]", status: "{}"},
		"a status that is a list":           {deployments: "[" + deployed(deploymentKey, productionKey, "") + "]", status: "[]"},
		"a status that is stated twice":     {deployments: "[" + deployed(deploymentKey, productionKey, "") + "]", status: `{"DeploymentStatus":"saved","DeploymentStatus":"running"}`},
		"a status that is stated otherwise": {deployments: "[" + deployed(deploymentKey, productionKey, "") + "]", status: `{"DeploymentStatus":["saved"]}`},
	} {
		t.Run(name, func(t *testing.T) {
			w.offline = "false"
			s := newServer(t, w.answer)
			c := s.client(nil)
			_, err := c.Registered(t.Context())
			require.Error(t, err)
			err = c.PauseDeployments(t.Context(), production)
			require.Error(t, err)
			require.Nil(t, adapters.ConditionOf(err), "%v", err)
			require.NotContains(t, strings.Join(s.requests(), "\n"), "PUT")
		})
	}
}

func TestNewReportsEveryMistakeAtOnce(t *testing.T) {
	_, err := lifetime.New(environment.Infrastructure{}, lifetime.Options{Reason: strings.Repeat("x", 201), Newest: -1, Timeout: -1})
	require.Error(t, err)
	for _, text := range []string{"Token is nil", "Reason has more than 200", "0 environments of kind", "Newest is negative", "cannot be negative"} {
		require.ErrorContains(t, err, text)
	}
	good := lifetime.Options{Token: func(context.Context) (string, error) { return token, nil }}
	for name, tt := range map[string]struct {
		change func(*environment.Infrastructure, *lifetime.Options)
		want   string
	}{
		"plain http": {func(i *environment.Infrastructure, _ *lifetime.Options) {
			i.Environments[1].ServiceCenter = "http://lt.example.com"
		}, "plain http"},
		"no address": {func(i *environment.Infrastructure, _ *lifetime.Options) { i.Environments[1].ServiceCenter = "" }, "not of the form"},
		"a password in it": {func(i *environment.Infrastructure, _ *lifetime.Options) {
			i.Environments[1].ServiceCenter = "https://a:hunter2@lt.example.com"
		}, "password"},
		"two LifeTimes": {func(i *environment.Infrastructure, _ *lifetime.Options) {
			i.Environments[0].Kind = environment.LifeTime
		}, "2 environments"},
		"an unprintable reason": {func(_ *environment.Infrastructure, o *lifetime.Options) { o.Reason = "a\nb" }, "printed"},
		"a code in the reason": {func(_ *environment.Infrastructure, o *lifetime.Options) {
			o.Reason = "from ABC.D1E.F2G.H3I.J4K.L5M.N6O.AOU on"
		}, "activation code"},
	} {
		t.Run(name, func(t *testing.T) {
			inf, o := plan("https://lt.example.com"), good
			tt.change(&inf, &o)
			_, err := lifetime.New(inf, o)
			require.ErrorContains(t, err, tt.want)
			require.NotContains(t, err.Error(), "hunter2")
			require.NotContains(t, err.Error(), "ABC.D1E")
		})
	}
	unverified := good
	unverified.TLS = newServer(t, nil).config.Clone()
	unverified.TLS.InsecureSkipVerify = true
	_, err = lifetime.New(plan("https://lt.example.com"), unverified)
	require.ErrorIs(t, err, wire.ErrUnverified)
}

func TestTheInterfaceIsBesideServiceCenter(t *testing.T) {
	for address, want := range map[string]string{
		"https://lt.example.com":                       "/lifetimeapi/rest/v2/environments/",
		"https://lt.example.com/":                      "/lifetimeapi/rest/v2/environments/",
		"https://lt.example.com/ServiceCenter":         "/lifetimeapi/rest/v2/environments/",
		"https://lt.example.com/servicecenter/":        "/lifetimeapi/rest/v2/environments/",
		"https://lt.example.com/outside":               "/outside/lifetimeapi/rest/v2/environments/",
		"https://lt.example.com/outside/ServiceCenter": "/outside/lifetimeapi/rest/v2/environments/",
	} {
		var path string
		s := newServer(t, func(r *http.Request) string { path = r.URL.Path; return noContent })
		c, err := lifetime.New(plan(address), lifetime.Options{Token: func(context.Context) (string, error) { return token, nil }, TLS: s.config, Dial: s.dial})
		require.NoError(t, err)
		_, err = c.Registered(t.Context())
		require.NoError(t, err)
		require.Equal(t, want, path)
	}
}

func TestWithoutATokenNothingIsSent(t *testing.T) {
	for name, tt := range map[string]struct {
		token string
		err   error
		want  *adapters.Condition
	}{
		"the source has none":   {"", errors.New("the safe\x1b[2J is shut"), adapters.ErrNotReached},
		"an empty one":          {"", nil, adapters.ErrPermission},
		"one with a line end":   {token + "\r\nX-Other: 1", nil, adapters.ErrPermission},
		"one with a blank":      {token + " ", nil, adapters.ErrPermission},
		"one that is not ASCII": {token + "ä", nil, adapters.ErrPermission},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, (&world{offline: "false"}).answer)
			c := s.client(func(o *lifetime.Options) { o.Token = func(context.Context) (string, error) { return tt.token, tt.err } })
			_, err := c.Registered(t.Context())
			for _, err := range []error{err, c.PauseDeployments(t.Context(), production), c.ResumeDeployments(t.Context(), production)} {
				require.Same(t, tt.want, adapters.ConditionOf(err))
				require.NotContains(t, err.Error(), token)
				require.NotContains(t, err.Error(), "\x1b")
			}
			require.Empty(t, s.requests())
		})
	}
}

// Whatever the token source does after the switch, the switch stays in doubt.
func TestATokenThatIsLostAfterTheSwitchLeavesADoubt(t *testing.T) {
	s := newServer(t, (&world{offline: "false"}).answer)
	asked := 0
	err := s.client(func(o *lifetime.Options) {
		o.Token = func(context.Context) (string, error) {
			if asked++; asked > 3 { // environments, deployments, switch
				return "", errors.New("expired")
			}
			return token, nil
		}
	}).PauseDeployments(t.Context(), production)
	require.ErrorIs(t, err, adapters.ErrUncertain)
	require.Nil(t, adapters.ConditionOf(err))
	require.Contains(t, s.requests()[2], "PUT")
}
