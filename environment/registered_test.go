package environment_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/environment"
)

// inventory is what the LifeTime of acme lists.
func inventory() []environment.Registered {
	return []environment.Registered{
		{Name: "Development", Address: "dev.example.test"},
		{Name: "Quality", Address: "qa.example.test"},
		{Name: "Production", Address: "prod.example.test"},
	}
}

func TestAnInventoryLikeThePlanHasNoFindings(t *testing.T) {
	require.Empty(t, acme().CheckRegistered(inventory()))
	paused := inventory()
	paused[2].Paused = true
	require.Empty(t, acme().CheckRegistered(paused))
}

func TestEveryDifferenceFromTheInventoryIsFound(t *testing.T) {
	// A list with the Quality environment changed.
	quality := func(change func(r *environment.Registered)) func(*environment.Infrastructure, *[]environment.Registered) {
		return func(_ *environment.Infrastructure, list *[]environment.Registered) { change(&(*list)[1]) }
	}
	stated := func(address string) func(*environment.Infrastructure, *[]environment.Registered) {
		return quality(func(r *environment.Registered) { r.Address = address })
	}
	add := func(r environment.Registered) func(*environment.Infrastructure, *[]environment.Registered) {
		return func(_ *environment.Infrastructure, list *[]environment.Registered) { *list = append(*list, r) }
	}
	for _, c := range []struct {
		name   string
		change func(i *environment.Infrastructure, list *[]environment.Registered)
		want   []string
		at     []string
	}{
		{"an environment of another LifeTime (seed, first rule)", func(_ *environment.Infrastructure, list *[]environment.Registered) {
			*list = slices.Delete(*list, 1, 2)
		},
			[]string{"notControlled"}, []string{`environments[1] "Quality"`}},
		{"an environment that the plan leaves out (seed, second rule)", add(environment.Registered{Name: "Staging", Address: "staging.example.test"}),
			[]string{"leftOut"}, []string{`registered[3] "Staging"`}},
		{"a plan without LifeTime (seed, third rule)", func(i *environment.Infrastructure, _ *[]environment.Registered) { i.Environments = i.Environments[:3] },
			[]string{"noLifeTime"}, []string{"environments"}},
		{"an empty inventory", func(_ *environment.Infrastructure, list *[]environment.Registered) { *list = nil },
			[]string{"notControlled", "notControlled", "notControlled"}, []string{`environments[0] "Production"`, `environments[1] "Quality"`, `environments[2] "Development"`}},
		{"an empty plan", func(i *environment.Infrastructure, _ *[]environment.Registered) { *i = environment.Infrastructure{} },
			[]string{"leftOut", "leftOut", "leftOut", "noLifeTime"}, []string{`registered[0] "Development"`, `registered[1] "Quality"`, `registered[2] "Production"`, "environments"}},
		{"a cloud environment", quality(func(r *environment.Registered) { r.Cloud = true }), []string{"cloudEnvironment"}, nil},
		{"a cloud environment that the plan leaves out", add(environment.Registered{Name: "Staging", Cloud: true}),
			[]string{"cloudEnvironment", "leftOut"}, []string{`registered[3] "Staging"`, `registered[3] "Staging"`}},

		{"a name in upper case", quality(func(r *environment.Registered) { r.Name = "QUALITY" }), []string{"differentSpelling"}, []string{`registered[1] "QUALITY"`}},
		{"a name with a blank at its end", quality(func(r *environment.Registered) { r.Name = "Quality " }), []string{"differentSpelling"}, []string{`registered[1] "Quality "`}},
		{"a name in upper case and another host", quality(func(r *environment.Registered) { r.Name, r.Address = "QUALITY", "q.example.test" }),
			[]string{"differentSpelling", "differentHost"}, []string{`registered[1] "QUALITY"`, `registered[1] "QUALITY"`}},
		{"another name for the same host", quality(func(r *environment.Registered) { r.Name = "QA" }), []string{"differentName"}, []string{`registered[1] "QA"`}},
		{"another name and another host", quality(func(r *environment.Registered) { r.Name, r.Address = "QA", "q.example.test" }),
			[]string{"leftOut", "notControlled"}, []string{`registered[1] "QA"`, `environments[1] "Quality"`}},
		{"no name and the same host", quality(func(r *environment.Registered) { r.Name = "" }), []string{"differentName"}, []string{`registered[1] ""`}},
		{"no name and no host", quality(func(r *environment.Registered) { r.Name, r.Address = "", "" }),
			[]string{"leftOut", "notControlled"}, []string{`registered[1] ""`, `environments[1] "Quality"`}},
		{"a name that would reorder text", quality(func(r *environment.Registered) { r.Name, r.Address = "Q\u202e\x1b", "" }),
			[]string{"leftOut", "notControlled"}, []string{`registered[1] "Q\u202e\u001b"`, `environments[1] "Quality"`}},
		{"an environment that is listed twice", add(environment.Registered{Name: "Quality", Address: "qa.example.test"}),
			[]string{"duplicateRegistered"}, []string{`registered[3] "Quality"`}},
		{"an environment that is listed twice, in two spellings", add(environment.Registered{Name: "quality", Address: "qa.example.test"}),
			[]string{"leftOut"}, []string{`registered[3] "quality"`}},
		{"an environment that is listed in two other spellings", func(_ *environment.Infrastructure, list *[]environment.Registered) {
			(*list)[1].Name = "QUALITY"
			*list = append(*list, environment.Registered{Name: "quality", Address: "qa.example.test"})
		}, []string{"differentSpelling", "leftOut"}, []string{`registered[1] "QUALITY"`, `registered[3] "quality"`}},
		{"two names of the plan that differ in case, which Check reports", func(i *environment.Infrastructure, list *[]environment.Registered) {
			i.Environments = append(i.Environments, environment.Environment{Name: "QUALITY", Kind: environment.Quality, ServiceCenter: "https://q2.example.test"})
			*list = append(*list, environment.Registered{Name: "quality", Address: "q2.example.test"})
		}, []string{"differentSpelling"}, []string{`registered[3] "quality"`}},
		{"no address on either side and different names", func(i *environment.Infrastructure, list *[]environment.Registered) {
			i.Environments[1].ServiceCenter, (*list)[1] = "", environment.Registered{Name: "QA"}
		}, []string{"leftOut", "notControlled"}, []string{`registered[1] "QA"`, `environments[1] "Quality"`}},
		{"names that are exchanged", func(_ *environment.Infrastructure, list *[]environment.Registered) {
			(*list)[0].Name, (*list)[1].Name = (*list)[1].Name, (*list)[0].Name
		}, []string{"differentHost", "differentHost"}, []string{`registered[0] "Quality"`, `registered[1] "Development"`}},
		{"an exact name after one in upper case", func(_ *environment.Infrastructure, list *[]environment.Registered) {
			*list = slices.Insert(*list, 0, environment.Registered{Name: "QUALITY", Address: "other.example.test"})
		}, []string{"leftOut"}, []string{`registered[0] "QUALITY"`}},

		{"the address as an URL", stated("https://qa.example.test/ServiceCenter"), nil, nil},
		{"the address with a port", stated("qa.example.test:443"), nil, nil},
		{"the address in upper case with a dot at its end", stated(" QA.example.TEST. "), nil, nil},
		{"another address", stated("qa.example.org"), []string{"differentHost"}, nil},
		{"an address that reorders text", stated("qa\u202e.example.org"), []string{"differentHost"}, nil},
		{"no address", stated(""), []string{"(unknownHost)"}, nil},
		{"an address that is none", stated("https://"), []string{"(unknownHost)"}, nil},
		{"an address with a control character", stated("qa\n.example.test"), []string{"(unknownHost)"}, nil},
		{"a plan without an address, which Check reports", func(i *environment.Infrastructure, _ *[]environment.Registered) { i.Environments[1].ServiceCenter = "" }, nil, nil},
		{"another address, with a password in the plan's", func(i *environment.Infrastructure, list *[]environment.Registered) {
			i.Environments[1].ServiceCenter = "https://admin:hunter2@qa.example.test"
			(*list)[1].Address = "https://admin:hunter2@q.example.test"
		}, []string{"differentHost"}, nil},

		{"LifeTime in its own list", add(environment.Registered{Name: "LifeTime", Address: "lt.example.test"}), []string{"lifeTimeRegistered"}, []string{`registered[3] "LifeTime"`}},
		{"LifeTime in its own list, spelled differently", add(environment.Registered{Name: "Lifetime"}), []string{"lifeTimeRegistered"}, []string{`registered[3] "Lifetime"`}},
		{"LifeTime in its own list under another name", add(environment.Registered{Name: "Console", Address: "lt.example.test"}), []string{"lifeTimeRegistered"}, []string{`registered[3] "Console"`}},

		{"a running deployment", quality(func(r *environment.Registered) { r.Running = []string{"Plan 7"} }), []string{"(deploymentsRunning)"}, nil},
		{"a running deployment to an environment that is left out", add(environment.Registered{Name: "Staging", Running: []string{"Plan 7"}}),
			[]string{"leftOut", "(deploymentsRunning)"}, []string{`registered[3] "Staging"`, `registered[3] "Staging"`}},
		{"everything about one environment at once", quality(func(r *environment.Registered) {
			*r = environment.Registered{Name: "QUALITY", Address: "q.example.test", Cloud: true, Running: []string{"a", "b"}}
		}), []string{"cloudEnvironment", "differentSpelling", "differentHost", "(deploymentsRunning)"},
			[]string{`registered[1] "QUALITY"`, `registered[1] "QUALITY"`, `registered[1] "QUALITY"`, `registered[1] "QUALITY"`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			i, list := acme(), inventory()
			c.change(&i, &list)
			got := i.CheckRegistered(list)
			want, at := c.want, []string{}
			if want == nil {
				want = []string{}
			}
			require.Equal(t, want, codes(got))
			complete(t, got)
			for _, f := range got {
				at = append(at, f.Where)
			}
			if c.at == nil {
				c.at = slices.Repeat([]string{`registered[1] "Quality"`}, len(got))
			}
			require.Equal(t, c.at, at)
		})
	}
}

func TestRunningDeploymentsAreNamedSafely(t *testing.T) {
	list := inventory()
	list[0].Running = []string{"Plan 7", "Plan\x1b[2J 8"}
	fs := acme().CheckRegistered(list)
	require.Len(t, fs, 1)
	require.Equal(t, `deployments are running: Plan 7, Plan\u001b[2J 8`, fs[0].Text)
	require.NoError(t, fs.Err(), "it is a warning")

	list[0].Running = slices.Repeat([]string{"Plan"}, 100_000)
	require.Less(t, len(acme().CheckRegistered(list)[0].Text), 300)
}

// Whatever part of the inventory is missing or added, each environment on
// either side is spoken of exactly once.
func TestEverySubsetOfTheInventoryIsAccountedFor(t *testing.T) {
	all := append(inventory(), environment.Registered{Name: "Staging", Address: "st.example.test"}, environment.Registered{Name: "Test", Address: "te.example.test"})
	for set := range 1 << len(all) {
		var list []environment.Registered
		want := map[string]string{"Production": "notControlled", "Quality": "notControlled", "Development": "notControlled"}
		for n, r := range all {
			if set&(1<<n) == 0 {
				continue
			}
			list = append(list, r)
			if want[r.Name] == "notControlled" {
				delete(want, r.Name)
			} else {
				want[r.Name] = "leftOut"
			}
		}
		got := map[string]string{}
		for _, f := range acme().CheckRegistered(list) {
			_, quoted, _ := strings.Cut(f.Where, " ")
			name := strings.Trim(quoted, `"`)
			require.NotContains(t, got, name)
			got[name] = f.Code
		}
		require.Equal(t, want, got, "%b", set)
	}
}

func TestAThousandEnvironmentsAreComparedInNoTime(t *testing.T) {
	i := acme()
	grow(environment.MaxEnvironments)(&i)
	var list []environment.Registered
	for _, e := range i.Environments {
		if e.Kind != environment.LifeTime {
			list = append(list, environment.Registered{Name: strings.ToUpper(e.Name), Address: e.ServiceCenter})
		}
	}
	fs := i.CheckRegistered(list)
	require.Len(t, fs, environment.MaxEnvironments-1)
	for _, f := range fs {
		require.Equal(t, "differentSpelling", f.Code)
	}
}

func ExampleInfrastructure_CheckRegistered() {
	i := environment.Infrastructure{Name: "Acme", Environments: []environment.Environment{
		{Name: "Production", Kind: environment.Production, ServiceCenter: "https://prod.example.test"},
		{Name: "LifeTime", Kind: environment.LifeTime, ServiceCenter: "https://lt.example.test"},
	}}
	for _, f := range i.CheckRegistered([]environment.Registered{
		{Name: "production", Address: "prod.example.test"},
		{Name: "Quality", Address: "qa.example.test"},
	}) {
		fmt.Println(f)
	}
	// Output:
	// registered[0] "production": is spelled differently in the plan: environments[0] "Production" (write the name as LifeTime has it, in upper and lower case too)
	// registered[1] "Quality": is controlled by this LifeTime, but the plan leaves it out (do not proceed unless every environment of this LifeTime changes its activation code)
}
