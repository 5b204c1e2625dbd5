// Customadapter shows an adapter of one's own: a ServiceCenter that talks JSON
// to an admin service, tested by the suite of package adaptertest and used in a
// migration. The admin service is simulated, on loopback, in front of a
// fake.World; every other port is the world's own.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"time"

	"github.com/changeover-go/changeover"
	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/adapters/fake"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/license"
	"github.com/changeover-go/changeover/migration"
	"github.com/changeover-go/changeover/migration/journal"
)

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "customadapter:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer) error {
	plan, err := examplePlan()
	if err != nil {
		return err
	}
	world, server := simulate(&plan)
	defer server.Close()

	set := world.Set()
	set.ServiceCenter = &Console{Client: server.Client()}
	c, err := changeover.New(plan, set, new(journal.Memory), &changeover.Options{Clock: new(fake.Clock)})
	if err != nil {
		return err
	}
	r, err := c.Apply(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintln(out, r.Verdict)
	return nil
}

func examplePlan() (migration.Plan, error) {
	source, err1 := license.ParseActivationCode("AAA.AAA.AAA.AAA.AAA.AAA.AAA.AOU")
	target, err2 := license.ParseActivationCode("BBB.BBB.BBB.BBB.BBB.BBB.BBB.BOU")
	return migration.Plan{
		Infrastructure: environment.Infrastructure{Name: "Acme", Environments: []environment.Environment{
			{Name: "Production", Kind: environment.Production, ServiceCenter: "https://prod.example.test", Serial: "PPP-PPP-PPP-PPP-PPP-PPP-PPP-PPP"},
			{Name: "LifeTime", Kind: environment.LifeTime, ServiceCenter: "https://lt.example.test", Serial: "LLL-LLL-LLL-LLL-LLL-LLL-LLL-LLL"},
		}},
		Source: source, Target: target, Module: "ECT_Provider",
		Accept: map[string][]license.IPP{"refresh": {license.Ignore}, "move": {license.Protected, license.Unprotected}},
	}, errors.Join(err1, err2)
}

// simulate makes a world of the plan, puts an admin service in front of it, and
// writes its addresses into the plan.
func simulate(plan *migration.Plan) (*fake.World, *httptest.Server) {
	var world *fake.World
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		adminService(world, plan.Infrastructure).ServeHTTP(w, r)
	}))
	for i, env := range plan.Infrastructure.Environments {
		plan.Infrastructure.Environments[i].ServiceCenter = server.URL + "/" + env.Name
	}
	world = fake.New(plan.Infrastructure, plan.Source, plan.Target)
	return world, server
}

// adminService is the other side: what our imaginary admin service would do,
// in front of the simulated Service Centers of world.
func adminService(world *fake.World, inf environment.Infrastructure) http.Handler {
	center := world.Set().ServiceCenter
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name, verb, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
		env, ok := inf.Environment(name)
		if !ok {
			http.NotFound(w, r)
			return
		}
		var answer any
		var err error
		switch r.Method + " " + verb {
		case "GET license":
			var in license.Installed
			in, err = center.InstalledLicense(r.Context(), env)
			p := page{Server: string(in.Server), Code: in.Code.Reveal(), Serial: string(in.Serial), IPP: string(in.IPP), Type: in.Type}
			if !in.Ends.IsZero() {
				p.Ends = in.Ends.Format(time.DateOnly)
			}
			answer = p
		case "POST license":
			var file license.File
			var b []byte
			if b, err = io.ReadAll(http.MaxBytesReader(w, r.Body, license.MaxFileBytes)); err == nil {
				if file, err = license.NewFile(b); err == nil {
					err = center.UploadLicense(r.Context(), env, file)
				}
			}
		case "POST republish":
			answer, err = center.RepublishModule(r.Context(), env, r.URL.Query().Get("module"))
		default:
			http.NotFound(w, r)
			return
		}
		refuse := ""
		if condition := adapters.ConditionOf(err); condition != nil {
			for word, c := range conditions {
				if c == condition {
					refuse = word
				}
			}
		} else if err != nil {
			http.Error(w, "something broke", http.StatusInternalServerError)
			return
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"ok": err == nil, "refuse": refuse, "answer": answer})
	})
}
