package simulator_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/adapters/fake"
	"github.com/changeover-go/changeover/adapters/internal/worldtest"
	"github.com/changeover-go/changeover/adapters/simulator"
	"github.com/changeover-go/changeover/license"
)

const success, failure = "<success>true</success>", "<success>false</success>"

// seen shows for each kind that a client which knows nothing but HTTP meets it,
// and what it does to the world.
func seen() map[string]func(r *rig) {
	type F = simulator.Fault
	fails := func(r *rig, got reply) {
		r.Helper()
		require.Error(r, got.err)
	}
	uploads := func(f F, installed bool, look func(r *rig, got reply)) func(r *rig) {
		return func(r *rig) {
			f.Environment, f.Operation = "Quality", "SetLicense"
			r.inject(f)
			got := r.setLicense(r.Quality, r.ForQuality)
			look(r, got)
			want := r.Source
			if installed {
				want = r.Target
			}
			require.Equal(r, want, r.installed(r.Quality))
			// It happens once, and to no other environment.
			require.Contains(r, r.setLicense(r.Dev, r.ForDev).body, success)
			require.Contains(r, r.setLicense(r.Quality, r.ForQuality).body, success)
			require.Equal(r, r.Target, r.installed(r.Quality))
		}
	}
	status := func(want int) func(*rig, reply) {
		return func(r *rig, got reply) {
			r.Helper()
			require.NoError(r, got.err)
			require.Equal(r, want, got.status)
		}
	}
	contains := func(text string) func(*rig, reply) {
		return func(r *rig, got reply) {
			r.Helper()
			require.NoError(r, got.err)
			require.Contains(r, got.body, text)
		}
	}
	readsBadly := func(kind string, look func(r *rig, got reply)) func(r *rig) {
		return func(r *rig) {
			for _, done := range []bool{false, true} {
				uploads(F{Kind: kind, Done: done}, done, look)(r)
				r.World.InstallByHand("Quality", r.Source)
			}
			r.inject(F{Kind: kind, Operation: "environments"}, F{Kind: kind, Operation: "LicensingPage"})
			look(r, r.environments())
			look(r, r.licensing(r.Quality))
		}
	}
	publishEnds := func(kind, text string, license bool) func(r *rig) {
		return func(r *rig) {
			if license { // marks are enforced under the target license only
				require.Contains(r, r.setLicense(r.Quality, r.ForQuality).body, success)
			}
			r.inject(F{Kind: kind, Environment: "Quality", Module: fake.CustomerModule})
			types, all := r.publish(r.Quality, fake.CustomerModule)
			require.Contains(r, types, "Error")
			require.Contains(r, all, text)
			require.Zero(r, r.effects("RepublishModule"))
			types, _ = r.publish(r.Quality, fake.TestModule)
			require.NotContains(r, types, "Error")
		}
	}
	return map[string]func(r *rig){
		"notReached": func(r *rig) {
			r.inject(F{Kind: "notReached", Environment: "Quality", Times: 2})
			require.Contains(r, r.platformInfo(r.Dev).body, "<Serial>"+string(r.Dev.Serial))
			fails(r, r.platformInfo(r.Quality))
			fails(r, r.licensing(r.Quality))
			require.Contains(r, r.platformInfo(r.Quality).body, "<Serial>"+string(r.Quality.Serial))
		},
		"requestLost":  uploads(F{Kind: "requestLost"}, false, fails),
		"answerLost":   uploads(F{Kind: "answerLost"}, true, fails),
		"answerCut":    uploads(F{Kind: "answerCut"}, true, fails),
		"errorButDone": uploads(F{Kind: "errorButDone"}, true, status(500)),
		"successButNotDone": func(r *rig) {
			uploads(F{Kind: "successButNotDone"}, false, contains(success))(r)
			r.inject(F{Kind: "successButNotDone", Operation: "Staging_PublishWith2StepOption"}, F{Kind: "successButNotDone", Operation: "maintenanceMode"})
			types, all := r.publish(r.Quality, fake.TestModule)
			require.NotContains(r, types, "Error")
			require.Contains(r, all, "was published")
			require.Zero(r, r.effects("RepublishModule"))
			require.Equal(r, 200, r.maintenance(r.Dev, true).status)
			require.False(r, r.World.Paused("Development"))
		},
		"fault":        uploads(F{Kind: "fault"}, false, contains("<faultstring>")),
		"unauthorized": uploads(F{Kind: "unauthorized"}, false, status(401)),
		"forbidden":    uploads(F{Kind: "forbidden"}, false, status(403)),
		"tooMany":      uploads(F{Kind: "tooMany"}, false, status(429)),
		"falseWithoutText": func(r *rig) {
			look := func(r *rig, got reply) {
				require.Contains(r, got.body, failure)
				require.NotContains(r, got.body, "errorText")
			}
			uploads(F{Kind: "falseWithoutText", Done: true}, true, look)(r)
			r.World.InstallByHand("Quality", r.Source)
			uploads(F{Kind: "falseWithoutText"}, false, look)(r)
		},
		"falseWithText": uploads(F{Kind: "falseWithText", Text: "No <way>"}, false, contains(failure+"<errorText>No &lt;way&gt;</errorText>")),
		"hang": func(r *rig) {
			r.inject(F{Kind: "hang", Environment: "Quality", Operation: "SetLicense", Done: true})
			r.client.Timeout = 300e6
			fails(r, r.setLicense(r.Quality, r.ForQuality))
			require.Equal(r, r.Target, r.installed(r.Quality))
		},
		"late": func(r *rig) {
			r.inject(F{Kind: "late", Environment: "Quality", Operation: "SetLicense", Count: 2})
			fails(r, r.setLicense(r.Quality, r.ForQuality))
			for range 2 {
				r.platformInfo(r.Quality)
				r.platformInfo(r.Dev) // of another environment: does not count
				require.Equal(r, r.Source, r.installed(r.Quality))
			}
			r.platformInfo(r.Quality)
			require.Equal(r, r.Target, r.installed(r.Quality))
		},
		"twice": func(r *rig) {
			r.inject(F{Kind: "twice", Operation: "Staging_PublishWith2StepOption"})
			id, message, _ := r.stage(r.Quality, fake.TestModule, false)
			require.Equal(r, 1, id, message)
			id, message, _ = r.stage(r.Quality, fake.TestModule, false)
			require.Zero(r, id)
			require.Contains(r, message, "locked by another operation")
			r.inject(F{Kind: "twice", Operation: "SetLicense"})
			require.Contains(r, r.setLicense(r.Quality, r.ForQuality).body, success)
			require.Equal(r, 1, r.effects("UploadLicense"), "the same license again changes nothing")
		},
		"elsewhere": func(r *rig) {
			r.inject(F{Kind: "elsewhere", Environment: "Quality", Other: "Production"}, F{Kind: "elsewhere", Environment: "Development", Operation: "maintenanceMode"})
			require.Contains(r, r.setLicense(r.Quality, r.ForQuality).body, success)
			require.Equal(r, r.Source, r.installed(r.Quality))
			require.Equal(r, r.Target, r.installed(r.Production))
			require.Equal(r, 200, r.maintenance(r.Dev, true).status)
			require.False(r, r.World.Paused("Development"))
			require.True(r, r.World.Paused("Production"))
		},
		"html":  readsBadly("html", contains("<title>Log in</title>")),
		"empty": readsBadly("empty", func(r *rig, got reply) { require.Empty(r, got.body); require.Equal(r, 200, got.status) }),
		"huge":  uploads(F{Kind: "huge"}, false, func(r *rig, got reply) { require.Greater(r, len(got.body), 8<<20) }),
		"garbage": readsBadly("garbage", func(r *rig, got reply) {
			require.Contains(r, got.body, "\x1b[2J")
			require.NotContains(r, got.header.Get("Content-Type"), "octet")
		}),
		"wrongType": readsBadly("wrongType", func(r *rig, got reply) { require.Equal(r, "text/plain; charset=utf-8", got.header.Get("Content-Type")) }),
		"wrongCharset": readsBadly("wrongCharset", func(r *rig, got reply) {
			require.Contains(r, got.header.Get("Content-Type"), "charset=utf-16")
			require.True(r, strings.HasPrefix(got.body, "\xff\xfe"))
		}),
		"redirect": readsBadly("redirect", func(r *rig, got reply) {
			require.Equal(r, http.StatusFound, got.status)
			require.Contains(r, got.header.Get("Location"), "https://elsewhere.simulation.invalid/")
		}),
		"tokenExpired": func(r *rig) {
			r.inject(F{Kind: "tokenExpired", Skip: 1})
			require.Equal(r, 200, r.environments().status)
			for range 3 {
				got := r.environments()
				require.Equal(r, 401, got.status)
				require.JSONEq(r, `{"Errors":["The token has expired."],"StatusCode":401}`, got.body)
			}
		},
		"staleRead": func(r *rig) {
			r.inject(F{Kind: "staleRead", Environment: "Quality", Count: 2})
			require.Contains(r, r.setLicense(r.Quality, r.ForQuality).body, success)
			for _, want := range []license.ActivationCode{r.Source, r.Source, r.Target, r.Target} {
				require.Equal(r, want.Reveal(), r.shows(r.Quality))
			}
		},
		"flapping": func(r *rig) {
			r.inject(F{Kind: "flapping", Environment: "Quality", Code: "target"})
			for _, want := range []license.ActivationCode{r.Source, r.Target, r.Source, r.Target} {
				require.Equal(r, want.Reveal(), r.shows(r.Quality))
			}
			require.Equal(r, r.Source, r.installed(r.Quality))
		},
		"unreadable": func(r *rig) {
			r.inject(F{Kind: "unreadable", Environment: "Quality"})
			require.NotContains(r, r.licensing(r.Quality).body, "id=\"code\"")
			require.Equal(r, r.Source.Reveal(), r.shows(r.Quality))
		},
		"noLicenseShown": func(r *rig) {
			r.inject(F{Kind: "noLicenseShown", Environment: "Quality"})
			require.Contains(r, r.licensing(r.Quality).body, `id="none"`)
			require.Equal(r, r.Source.Reveal(), r.shows(r.Quality))
		},
		"thirdCode": func(r *rig) {
			r.inject(F{Kind: "thirdCode", Environment: "Quality"})
			require.NotContains(r, []string{"", r.Source.Reveal(), r.Target.Reveal()}, r.shows(r.Quality))
		},
		"changedByHand": func(r *rig) {
			r.inject(F{Kind: "changedByHand", Environment: "Quality"}, F{Kind: "changedByHand", Environment: "Development", Code: "none"})
			require.Equal(r, r.Target.Reveal(), r.shows(r.Quality))
			require.Empty(r, r.shows(r.Dev))
		},
		"serialChanged": func(r *rig) {
			r.inject(F{Kind: "serialChanged", Environment: "Quality", Operation: "SetLicense"})
			require.Contains(r, r.platformInfo(r.Quality).body, string(r.Quality.Serial))
			require.Contains(r, r.setLicense(r.Quality, r.ForQuality).body, failure)
			require.NotContains(r, r.platformInfo(r.Quality).body, string(r.Quality.Serial))
			require.Contains(r, r.licensing(r.Quality).body, "issued for a different server")
		},
		"serialMissing": func(r *rig) {
			require.Equal(r, 200, r.download(r.Source, r.Quality).status)
			r.inject(F{Kind: "serialMissing", Environment: "Quality"})
			require.Contains(r, r.download(r.Source, r.Quality).body, `title="serialNotFound"`)
		},
		"noSlot": func(r *rig) {
			r.inject(F{Kind: "noSlot", Environment: "Quality"})
			require.Contains(r, r.register(r.Target, r.Quality).body, `title="noSlot"`)
			require.Contains(r, r.register(r.Target, r.Dev).body, `id="done"`)
		},
		"underReview": func(r *rig) {
			r.inject(F{Kind: "underReview", Environment: "Quality"})
			require.Contains(r, r.register(r.Target, r.Quality).body, "under review")
			require.Contains(r, r.register(r.Target, r.Quality).body, "under review")
			require.Contains(r, r.register(r.Target, r.Dev).body, `id="done"`)
			require.Equal(r, 1, r.effects("RegisterSerial"))
		},
		"notPrepared": func(r *rig) {
			r.register(r.Target, r.Quality)
			for _, c := range []struct {
				f    F
				code license.ActivationCode
				want license.IPP
			}{
				{F{}, r.Target, license.Ignore},
				{F{Code: "source"}, r.Source, license.Protected},
				{F{Word: "Geschützt"}, r.Target, "Geschützt"},
				{F{Missing: true}, r.Target, ""},
			} {
				c.f.Kind, c.f.Environment = "notPrepared", "Quality"
				r.inject(c.f)
				require.Equal(r, c.want, r.inspected(r.download(c.code, r.Quality)).IPP())
			}
		},
		"wrongFile": func(r *rig) {
			r.register(r.Target, r.Quality)
			r.inject(F{Kind: "wrongFile", Environment: "Quality", Other: "Production"})
			d := r.inspected(r.download(r.Target, r.Quality))
			require.Equal(r, r.Production.Serial, d.Serial)
			require.Equal(r, r.Target, d.Code)
		},
		"wrongCode": func(r *rig) {
			r.register(r.Target, r.Quality)
			r.inject(F{Kind: "wrongCode", Environment: "Quality"})
			d := r.inspected(r.download(r.Target, r.Quality))
			require.Equal(r, r.Quality.Serial, d.Serial)
			require.Equal(r, r.Source, d.Code)
		},
		"expired": func(r *rig) {
			r.inject(F{Kind: "expired", Environment: "Quality", Code: "source"})
			require.Equal(r, 2020, r.inspected(r.download(r.Source, r.Quality)).Ends.Year())
		},
		"distinctDownloads": func(r *rig) {
			require.Equal(r, r.download(r.Source, r.Quality).body, r.download(r.Source, r.Quality).body)
			r.inject(F{Kind: "distinctDownloads"})
			require.NotEqual(r, r.download(r.Source, r.Quality).body, r.download(r.Source, r.Quality).body)
		},
		"pauseLost": func(r *rig) {
			require.Equal(r, 200, r.maintenance(r.Quality, true).status)
			r.inject(F{Kind: "pauseLost", Environment: "Quality", Operation: "SetLicense"})
			require.Contains(r, r.environments().body, `"IsOffline":true`)
			r.setLicense(r.Quality, r.ForQuality)
			require.NotContains(r, r.environments().body, `"IsOffline":true`)
		},
		"pausedByOther": func(r *rig) {
			r.inject(F{Kind: "pausedByOther", Environment: "Quality"})
			require.Contains(r, r.environments().body, `"IsOffline":true`)
		},
		"deploymentRunning": func(r *rig) {
			r.inject(F{Kind: "deploymentRunning", Environment: "Quality"}, F{Kind: "deploymentRunning", Environment: "Development", Unabortable: true})
			require.Equal(r, 2, strings.Count(r.rest("GET", "/deployments/?MinDate=2000-01-01", "").body, `"StartedOn"`))
			require.Equal(r, 200, r.maintenance(r.Quality, true).status, "maintenance mode aborts what is running")
			require.Equal(r, 1, r.effects("AbortDeployments"))
			require.Equal(r, 400, r.maintenance(r.Dev, true).status)
			require.False(r, r.World.Paused("Development"))
		},
		"deploymentFinished": func(r *rig) {
			r.World.StartDeployment("Quality")
			r.inject(F{Kind: "deploymentFinished", Environment: "Quality", Operation: "deployments", Skip: 1})
			r.rest("GET", "/deployments/?MinDate=2000-01-01", "")
			require.Equal(r, fake.Running, r.World.Deployments()[0].State)
			r.rest("GET", "/deployments/?MinDate=2000-01-01", "")
			require.Equal(r, fake.Finished, r.World.Deployments()[0].State)
		},
		"offlineUnknown": func(r *rig) {
			require.Contains(r, r.environments().body, "IsOffline")
			r.inject(F{Kind: "offlineUnknown"})
			require.NotContains(r, r.environments().body, "IsOffline")
			require.NotContains(r, r.environments().body, "IsOffline")
		},
		"publishNotStarted": func(r *rig) {
			r.inject(F{Kind: "publishNotStarted", Operation: "Staging_PublishWith2StepOption", Text: "Not now."})
			id, message, _ := r.stage(r.Quality, fake.TestModule, false)
			require.Zero(r, id)
			require.Equal(r, "Not now.", message)
			types, _ := r.publish(r.Quality, fake.TestModule)
			require.NotContains(r, types, "Error")
		},
		"busy": func(r *rig) {
			r.inject(F{Kind: "busy", Environment: "Quality", Count: 2})
			for range 2 {
				id, message, _ := r.stage(r.Quality, fake.TestModule, false)
				require.Zero(r, id)
				require.Contains(r, message, "Your module is currently being locked by another operation.")
			}
			types, _ := r.publish(r.Quality, fake.TestModule)
			require.NotContains(r, types, "Error")
		},
		"lateError": func(r *rig) {
			r.inject(F{Kind: "lateError", Environment: "Quality", Text: "Too late."})
			types, all := r.publish(r.Quality, fake.TestModule)
			require.Greater(r, len(types), 4)
			require.Equal(r, "Error", types[len(types)-1])
			require.Contains(r, all, "Too late.")
			require.Zero(r, r.effects("RepublishModule"))
		},
		"publishStop": func(r *rig) {
			r.inject(F{Kind: "publishStop", Environment: "Quality"})
			types, all := r.publish(r.Quality, fake.TestModule)
			require.Contains(r, types, "Error")
			require.Equal(r, "PublishStop", types[len(types)-1])
			require.Contains(r, all, "<IsFinished>false")
			require.Zero(r, r.effects("RepublishModule"))
		},
		"slowPublish": func(r *rig) {
			plain, _ := r.publish(r.Quality, fake.TestModule)
			r.inject(F{Kind: "slowPublish", Environment: "Quality", Count: 7})
			slow, _ := r.publish(r.Quality, fake.TestModule)
			require.Len(r, slow, len(plain)+7)
		},
		"neverFinishes": func(r *rig) {
			r.inject(F{Kind: "neverFinishes", Environment: "Quality"})
			id, _, _ := r.stage(r.Quality, fake.TestModule, false)
			types, _ := r.finish(r.Quality, id)
			require.Nil(r, types)
			id, message, _ := r.stage(r.Quality, fake.TestModule, false)
			require.Zero(r, id)
			require.Contains(r, message, "locked")
		},
		"versionMoved": func(r *rig) {
			r.inject(F{Kind: "versionMoved", Environment: "Quality"})
			types, _ := r.publish(r.Quality, fake.TestModule)
			require.NotContains(r, types, "Error")
			require.Equal(r, "2", r.World.Published("Quality", fake.TestModule))
		},
		"ipp":         publishEnds("ipp", "Intellectual Property Error: This module is under Intellectual Property Protection", true),
		"ippSolution": publishEnds("ippSolution", "Invalid Intellectual Property: You are trying to upload or publish a solution", true),
		"ippForeign":  publishEnds("ippForeign", "Foreign Module Error", true),
		"moduleMissing": func(r *rig) {
			require.Contains(r, r.modules(r.Quality).body, fake.CustomerModule)
			r.inject(F{Kind: "moduleMissing", Environment: "Quality", Module: fake.CustomerModule})
			require.NotContains(r, r.modules(r.Quality).body, fake.CustomerModule)
		},
		"publishFails": publishEnds("publishFails", "Compilation failed.", false),
		"restoreFails": func(r *rig) {
			r.inject(F{Kind: "restoreFails", Environment: "Quality", Text: "Not back."})
			before := r.World.InstalledFile("Quality")
			require.Contains(r, r.setLicense(r.Quality, r.ForQuality).body, success)
			require.Contains(r, r.setLicense(r.Quality, before).body, "Not back.")
			require.Equal(r, r.Target, r.installed(r.Quality))
		},
		"uploadRejected": func(r *rig) {
			r.inject(F{Kind: "uploadRejected", Environment: "Quality", Text: "Not this one."})
			require.Contains(r, r.setLicense(r.Quality, r.ForQuality).body, failure+"<errorText>Not this one.")
			require.Contains(r, r.setLicense(r.Dev, r.ForDev).body, success)
		},
	}
}

func TestEveryKindOfFaultIsSeenByAClient(t *testing.T) {
	copies := worldtest.New(t).Copies(t)
	shown := seen()
	require.Len(t, shown, len(simulator.Kinds()))
	for _, kind := range simulator.Kinds() {
		t.Run(kind.Name+": "+kind.Meaning, func(t *testing.T) {
			require.Contains(t, shown, kind.Name)
			shown[kind.Name](newRig(t, copies(t), ""))
		})
	}
}
