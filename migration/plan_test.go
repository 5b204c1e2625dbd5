package migration_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/license"
	"github.com/changeover-go/changeover/migration"
)

const (
	sourceCode = "ABC.D1E.F2G.H3I.J4K.L5M.N6O.AOU"
	targetCode = "ZYX.W9V.U8T.S7R.Q6P.O5N.M4L.AOU"
)

func activationCode(t testing.TB, s string) license.ActivationCode {
	t.Helper()
	code, err := license.ParseActivationCode(s)
	require.NoError(t, err)
	return code
}

// samplePlan has no finding, not even a warning.
func samplePlan(t testing.TB) migration.Plan {
	t.Helper()
	env := func(name string, kind environment.Kind, host, serial string) environment.Environment {
		return environment.Environment{Name: name, Kind: kind, ServiceCenter: "https://" + host + ".example.test", Serial: license.SerialNumber(serial)}
	}
	return migration.Plan{
		Infrastructure: environment.Infrastructure{Name: "Acme", Environments: []environment.Environment{
			env("Development", environment.Development, "dev", "DDD-BBB-CCC-DDD-EEE-FFF-GGG-HHH"),
			env("Quality", environment.Quality, "qa", "QQQ-BBB-CCC-DDD-EEE-FFF-GGG-HHH"),
			env("Production", environment.Production, "prod", "PPP-BBB-CCC-DDD-EEE-FFF-GGG-HHH"),
			env("LifeTime", environment.LifeTime, "lt", "LLL-BBB-CCC-DDD-EEE-FFF-GGG-HHH"),
		}},
		Source: activationCode(t, sourceCode),
		Target: activationCode(t, targetCode),
		Module: "ECT_Provider",
		Accept: map[string][]license.IPP{"refresh": {license.Ignore}, "move": {license.Protected, license.Unprotected}},
	}
}

func TestEffective(t *testing.T) {
	t.Run("defaults are filled in", func(t *testing.T) {
		p := samplePlan(t).Effective()
		require.Equal(t, migration.RefreshAndMove, p.Profile)
		require.Equal(t, []string{"Production", "Development", "Quality", "LifeTime"}, p.Order)
		require.Equal(t, map[string]int{"refresh": 4, "move": 1}, p.MaxInFlight)
		require.Equal(t, 2, p.MinCopies)
		require.Equal(t, []string{"Production"}, p.Pause)
		require.Empty(t, p.First)
	})
	t.Run("a profile that pauses everything pauses all that LifeTime controls", func(t *testing.T) {
		p := samplePlan(t)
		p.Profile = migration.Published
		p = p.Effective()
		require.Equal(t, []string{"Development", "Quality", "Production"}, p.Pause)
		require.Equal(t, map[string]int{"backup": 4, "move": 1}, p.MaxInFlight)
	})
	t.Run("what the plan says is kept", func(t *testing.T) {
		said := samplePlan(t)
		said.Profile = migration.AsWritten
		said.Order = []string{"LifeTime", "Quality", "Development", "Production"}
		said.First = []string{"Quality"}
		said.MaxInFlight = map[string]int{"refresh": 3}
		said.MinCopies = 3
		said.Pause = []string{"Quality"}
		require.Equal(t, said, said.Effective())
	})
	t.Run("what the plan says of some legs does not hide the defaults of others", func(t *testing.T) {
		p := samplePlan(t)
		p.MaxInFlight = map[string]int{"move": 2}
		require.Equal(t, map[string]int{"refresh": 4, "move": 2}, p.Effective().MaxInFlight)
	})
	t.Run("filling in again changes nothing", func(t *testing.T) {
		for _, profile := range migration.Profiles() {
			p := samplePlan(t)
			p.Profile = profile.Name
			require.Equal(t, p.Effective(), p.Effective().Effective())
		}
	})
	t.Run("an empty plan and an unknown profile can be filled in", func(t *testing.T) {
		require.Equal(t, map[string]int{"refresh": 1, "move": 1}, migration.Plan{}.Effective().MaxInFlight)
		p := samplePlan(t)
		p.Profile = "unknown"
		require.Equal(t, "unknown", p.Effective().Profile)
		require.Equal(t, []string{"Production"}, p.Effective().Pause)
	})
	t.Run("nothing is shared with the plan", func(t *testing.T) {
		p := fullPlan(t)
		before := p.Digest()
		e := p.Effective()
		e.Infrastructure.Environments[0].Name = "x"
		e.Order[0], e.First[0], e.Pause[0] = "x", "x", "x"
		e.Accept["move"][0] = "x"
		e.Accept["refresh"] = nil
		e.MaxInFlight["move"] = 9
		require.Equal(t, before, p.Digest())
	})
}

func TestRules(t *testing.T) {
	p := samplePlan(t)
	for _, leg := range migration.Profiles()[0].Legs {
		require.Equal(t, migration.Rules{Accept: p.Accept[leg.Name], MinCopies: 2}, p.Rules(leg))
		require.Equal(t, p.Rules(leg), p.Effective().Rules(leg))
	}
	p.MinCopies = 3
	move := migration.Profiles()[0].Legs[1]
	require.Equal(t, 3, p.Rules(move).MinCopies)
	p.Rules(move).Accept[0] = "x"
	require.Equal(t, license.Protected, p.Accept["move"][0], "the rules share the plan's words")
}

// TestValidateRules changes one thing in a plan without findings, for each rule.
func TestValidateRules(t *testing.T) {
	type plan = migration.Plan
	for _, rule := range []struct {
		name   string
		change func(p *plan)
		code   string
		where  string
		warn   bool
		says   []string
	}{
		{"no source", func(p *plan) { p.Source = license.ActivationCode{} }, "noActivationCode", "source", false, nil},
		{"no target", func(p *plan) { p.Target = license.ActivationCode{} }, "noActivationCode", "target", false, nil},
		{"the same code twice", func(p *plan) { p.Target = p.Source }, "sameActivationCode", "target", false, nil},
		{"an unusual source", func(p *plan) { p.Source = activationCode(t, "unusual-source") }, "unusualActivationCode", "source", true, []string{"*** #"}},
		{"an unusual target", func(p *plan) { p.Target = activationCode(t, "unusual-target") }, "unusualActivationCode", "target", true, []string{"*** #"}},

		{"no module", func(p *plan) { p.Module = "" }, "noModule", "module", false, []string{"ECT_Provider"}},
		{"a module of 129 characters", func(p *plan) { p.Module = strings.Repeat("é", 129) }, "longModule", "module", false, []string{"129", "128"}},
		{"a module with an escape", func(p *plan) { p.Module = "ECT\x1b[2J" }, "invisibleInModule", "module", false, []string{`\u001b[2J`}},
		{"a module with a bidirectional override", func(p *plan) { p.Module = "ECT\u202e" }, "invisibleInModule", "module", false, []string{`\u202e`}},
		{"a module that is not UTF-8", func(p *plan) { p.Module = "ECT\xff" }, "invisibleInModule", "module", false, []string{`\xff`}},

		{"an unknown profile", func(p *plan) { p.Profile = "fast" }, "unknownProfile", "profile", false, []string{`"fast"`, "known: refresh-and-move, as-written, published"}},
		{"a profile in other letter cases", func(p *plan) { p.Profile = "As-Written" }, "unknownProfile", "profile", false, []string{`"as-written" differs in letter case only`}},

		{"no words for a leg", func(p *plan) { delete(p.Accept, "move") }, "nothingAccepted", "accept.move", false, []string{"target license", "Ignore, Protected, Unprotected"}},
		{"an empty set for a leg", func(p *plan) { p.Accept["refresh"] = nil }, "nothingAccepted", "accept.refresh", false, []string{"source license"}},
		{"words for an unknown leg", func(p *plan) { p.Accept["backup"] = []license.IPP{license.Ignore} }, "unknownLeg", "accept.backup", false, []string{`"backup"`, "known: refresh, move"}},
		{"words for a leg in other letter cases", func(p *plan) { p.Accept["Move"] = []license.IPP{license.Ignore} }, "unknownLeg", "accept.Move", false, []string{`"move" differs in letter case only`}},
		{"an empty word", func(p *plan) { p.Accept["move"] = []license.IPP{license.Protected, ""} }, "emptyWord", "accept.move[1]", false, nil},
		{"a word twice", func(p *plan) { p.Accept["move"] = []license.IPP{license.Protected, license.Protected} }, "repeatedWord", "accept.move[1]", false, []string{`"Protected"`}},
		{"an unknown word", func(p *plan) { p.Accept["move"] = []license.IPP{"Geschützt"} }, "unknownWord", "accept.move[0]", true, []string{`"Geschützt"`}},
		{"a word in other letter cases", func(p *plan) { p.Accept["refresh"] = []license.IPP{"ignore"} }, "unknownWord", "accept.refresh[0]", true, []string{`"Ignore" differs in letter case only`}},
		{"words for a leg that does not verify", func(p *plan) {
			p.Profile = migration.Published
			p.Accept = map[string][]license.IPP{"backup": {license.Ignore}, "move": {license.Protected}}
		}, "uselessAccept", "accept.backup", true, nil},

		{"nobody under way in a leg", func(p *plan) { p.MaxInFlight = map[string]int{"move": 0} }, "maxInFlightRange", "maxInFlight.move", false, []string{"1 to 1000"}},
		{"fewer than nobody under way", func(p *plan) { p.MaxInFlight = map[string]int{"move": -1} }, "maxInFlightRange", "maxInFlight.move", false, nil},
		{"too many under way", func(p *plan) { p.MaxInFlight = map[string]int{"refresh": 1001} }, "maxInFlightRange", "maxInFlight.refresh", false, nil},
		{"a limit for an unknown leg", func(p *plan) { p.MaxInFlight = map[string]int{"mvoe": 1} }, "unknownLeg", "maxInFlight.mvoe", false, []string{`"mvoe"`}},

		{"an order that misses an environment", func(p *plan) { p.Order = []string{"Production", "Development", "LifeTime"} }, "missingEnvironment", "order", false, []string{`"Quality"`}},
		{"an order that repeats an environment", func(p *plan) { p.Order = []string{"Production", "Development", "Quality", "LifeTime", "Quality"} }, "repeatedEnvironment", "order[4]", false, []string{`"Quality"`}},
		{"an order that invents an environment", func(p *plan) { p.Order = []string{"Production", "Development", "Quality", "LifeTime", "Test"} }, "unknownEnvironment", "order[4]", false, []string{`"Test"`}},
		{"an order that is not the written one", func(p *plan) { p.Order = []string{"Development", "Quality", "Production", "LifeTime"} }, "orderDeviates", "order", true, []string{"Production first"}},

		{"a canary that is no environment", func(p *plan) { p.First = []string{"quality"} }, "unknownEnvironment", "first[0]", false, []string{`"Quality" differs in letter case only`}},
		{"a canary twice", func(p *plan) { p.First = []string{"Quality", "Quality"} }, "repeatedEnvironment", "first[1]", false, nil},

		{"fewer than no copies", func(p *plan) { p.MinCopies = -1 }, "minCopiesRange", "minCopies", false, []string{"-1", "1 to 9"}},
		{"ten copies", func(p *plan) { p.MinCopies = 10 }, "minCopiesRange", "minCopies", false, []string{"10"}},
		{"a single copy", func(p *plan) { p.MinCopies = 1 }, "singleCopy", "minCopies", true, []string{"lost with its disk"}},

		{"a pause of no environment", func(p *plan) { p.Pause = []string{"Production", "Test"} }, "unknownEnvironment", "pause[1]", false, nil},
		{"a pause twice", func(p *plan) { p.Pause = []string{"Production", "Production"} }, "repeatedEnvironment", "pause[1]", false, nil},
		{"a pause of LifeTime", func(p *plan) { p.Pause = []string{"Production", "LifeTime"} }, "pausedLifeTime", "pause[1]", false, []string{"leave it out"}},
		{"a pause without Production", func(p *plan) { p.Pause = []string{"Quality"} }, "pauseDeviates", "pause", true, []string{`"Production"`}},
		{"no Production to pause", func(p *plan) { p.Infrastructure.Environments[2].Kind = environment.Quality }, "nothingPaused", "pause", true, nil},

		{"an infrastructure without a name", func(p *plan) { p.Infrastructure.Name = "" }, "", "", false, nil},
	} {
		t.Run(rule.name, func(t *testing.T) {
			p := samplePlan(t)
			require.Empty(t, p.Validate(), "the sample is wrong before anything was changed")
			rule.change(&p)
			found := p.Validate()
			if rule.code == "" {
				require.Equal(t, p.Infrastructure.Check(), found)
				require.NotEmpty(t, found)
				return
			}
			require.Len(t, found, 1)
			f := found[0]
			require.Equal(t, rule.code, f.Code)
			require.Equal(t, rule.where, f.Where)
			require.Equal(t, rule.warn, f.Warning, f.Text)
			for _, text := range rule.says {
				require.Contains(t, f.Error(), text)
			}
			for _, text := range printed(found) {
				requirePrintable(t, text)
				require.NotContains(t, text, "unusual-")
			}
		})
	}
}

func TestValidateAccepts(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(p *migration.Plan)
	}{
		{"every limit at its end", func(p *migration.Plan) {
			p.Module = strings.Repeat("é", 128)
			p.MaxInFlight = map[string]int{"refresh": 1000, "move": 1}
			p.MinCopies = 9
		}},
		{"every environment as a canary", func(p *migration.Plan) { p.First = []string{"Quality", "Development", "Production", "LifeTime"} }},
		{"a wider pause than the profile's", func(p *migration.Plan) { p.Pause = []string{"Quality", "Production", "Development"} }},
		{"the written order, spelled out", func(p *migration.Plan) { p.Order = []string{"Production", "Development", "Quality", "LifeTime"} }},
		{"the letter of the procedure", func(p *migration.Plan) {
			p.Profile = migration.AsWritten
			delete(p.Accept, "move")
		}},
		{"the published article", func(p *migration.Plan) {
			p.Profile = migration.Published
			delete(p.Accept, "refresh")
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := samplePlan(t)
			c.change(&p)
			require.Empty(t, p.Validate())
			require.Empty(t, p.Effective().Validate(), "filled in, it is another plan")
		})
	}
}

// TestValidateSaysEverythingAtOnce makes one mistake of each part.
func TestValidateSaysEverythingAtOnce(t *testing.T) {
	p := samplePlan(t)
	p.Infrastructure.Name = ""
	p.Source = license.ActivationCode{}
	p.Module = ""
	p.Accept = map[string][]license.IPP{"refresh": {""}, "a": nil, "b": nil}
	p.Order = []string{"Production", "Production"}
	p.First = []string{"x"}
	p.MaxInFlight = map[string]int{"move": 0, "a": 0}
	p.MinCopies = -1
	p.Pause = []string{"LifeTime"}
	want := []string{
		"noActivationCode source", "noModule module",
		"emptyWord accept.refresh[0]", "nothingAccepted accept.move", "unknownLeg accept.a", "unknownLeg accept.b",
		"unknownLeg maxInFlight.a", "maxInFlightRange maxInFlight.a", "maxInFlightRange maxInFlight.move",
		"repeatedEnvironment order[1]", "missingEnvironment order", "missingEnvironment order", "missingEnvironment order",
		"unknownEnvironment first[0]", "minCopiesRange minCopies", "pausedLifeTime pause[0]", "pauseDeviates pause",
	}
	require.NotEmpty(t, p.Infrastructure.Check())
	for range 200 { // maps are ranged over in another order each time
		var got []string
		for _, f := range p.Validate()[len(p.Infrastructure.Check()):] {
			got = append(got, f.Code+" "+f.Where)
		}
		require.Equal(t, want, got)
	}
}

func TestValidateSaysNothingThatHangsOnAnotherMistake(t *testing.T) {
	t.Run("without environments nothing is said of their names", func(t *testing.T) {
		p := samplePlan(t)
		p.Order, p.First, p.Pause = []string{"x"}, []string{"y"}, []string{"z"}
		for _, change := range []func(){
			func() { p.Infrastructure.Environments[1].Name = "" },
			func() { p.Infrastructure.Environments = nil },
		} {
			change()
			require.Equal(t, p.Infrastructure.Check(), p.Validate())
		}
	})
	t.Run("without a profile nothing is said of its legs", func(t *testing.T) {
		p := samplePlan(t)
		p.Profile, p.Accept, p.MaxInFlight, p.Pause = "x", nil, map[string]int{"y": 0}, []string{"Quality"}
		require.Len(t, p.Validate(), 1)
	})
}

// fullPlan says everything, and nothing by default.
func fullPlan(t testing.TB) migration.Plan {
	p := samplePlan(t)
	p.Profile = migration.RefreshAndMove
	p.Order = []string{"Production", "Quality", "Development", "LifeTime"}
	p.First = []string{"Quality", "Development"}
	p.MaxInFlight = map[string]int{"refresh": 2, "move": 3}
	p.MinCopies = 3
	p.Pause = []string{"Quality", "Production"}
	return p
}

// variant is a value with one change, and what was changed.
type variant struct {
	change string
	value  reflect.Value
}

// variants returns every way to change one thing in v. A word more or less in
// a list is a change, and so is another order.
func variants(t *testing.T, v reflect.Value) []variant {
	var out []variant
	add := func(change string, change2 func(c reflect.Value)) {
		c := reflect.New(v.Type()).Elem()
		c.Set(v)
		change2(c)
		out = append(out, variant{change, c})
	}
	if v.Type() == reflect.TypeFor[license.ActivationCode]() {
		add("", func(c reflect.Value) { c.Set(reflect.ValueOf(activationCode(t, "OTH.ERC.ODE.AAA.BBB.CCC.DDD.EEE"))) })
		return out
	}
	switch v.Kind() {
	case reflect.String:
		add("", func(c reflect.Value) { c.SetString(v.String() + "x") })
	case reflect.Int:
		add("", func(c reflect.Value) { c.SetInt(v.Int() + 1) })
	case reflect.Struct:
		for i := range v.NumField() {
			for _, f := range variants(t, v.Field(i)) {
				add("."+v.Type().Field(i).Name+f.change, func(c reflect.Value) { c.Field(i).Set(f.value) })
			}
		}
	case reflect.Slice:
		require.NotZero(t, v.Len(), "a list that is empty cannot be changed enough")
		part := func(from, to int) reflect.Value {
			return reflect.AppendSlice(reflect.MakeSlice(v.Type(), 0, 0), v.Slice(from, to))
		}
		for i := range v.Len() {
			for _, e := range variants(t, v.Index(i)) {
				add(fmt.Sprintf("[%d]%s", i, e.change), func(c reflect.Value) { c.Set(part(0, v.Len())); c.Index(i).Set(e.value) })
			}
			add(fmt.Sprintf("[%d] gone", i), func(c reflect.Value) { c.Set(reflect.AppendSlice(part(0, i), v.Slice(i+1, v.Len()))) })
			if i > 0 && v.Type() != reflect.TypeFor[[]license.IPP]() {
				add(fmt.Sprintf("[%d] earlier", i), func(c reflect.Value) {
					c.Set(part(0, v.Len()))
					c.Index(i).Set(v.Index(i - 1))
					c.Index(i - 1).Set(v.Index(i))
				})
			}
		}
		add(" longer", func(c reflect.Value) { c.Set(reflect.Append(part(0, v.Len()), reflect.New(v.Type().Elem()).Elem())) })
	case reflect.Map:
		require.NotZero(t, v.Len(), "a map that is empty cannot be changed enough")
		without := func(key reflect.Value) reflect.Value {
			m := reflect.MakeMap(v.Type())
			for _, k := range v.MapKeys() {
				if k.String() != key.String() {
					m.SetMapIndex(k, v.MapIndex(k))
				}
			}
			return m
		}
		for _, k := range v.MapKeys() {
			for _, e := range variants(t, v.MapIndex(k)) {
				add(fmt.Sprintf("[%s]%s", k, e.change), func(c reflect.Value) { c.Set(without(k)); c.SetMapIndex(k, e.value) })
			}
			add(fmt.Sprintf("[%s] gone", k), func(c reflect.Value) { c.Set(without(k)) })
			add(fmt.Sprintf("[%s] renamed", k), func(c reflect.Value) {
				c.Set(without(k))
				c.SetMapIndex(reflect.ValueOf(k.String()+"x"), v.MapIndex(k))
			})
		}
	default:
		t.Fatalf("%s: nobody knows how to change this", v.Type())
	}
	return out
}

func TestDigest(t *testing.T) {
	t.Run("any change gives another digest", func(t *testing.T) {
		p := fullPlan(t)
		seen := map[string]string{p.Digest(): "nothing"}
		all := variants(t, reflect.ValueOf(p))
		for _, v := range all {
			digest := v.value.Interface().(migration.Plan).Digest()
			require.Empty(t, seen[digest], "the same digest after changing%s", v.change)
			seen[digest] = v.change
		}
		require.Greater(t, len(all), 70, "the sweep has become smaller")
		require.Equal(t, fullPlan(t), p, "the sweep has changed the plan itself")
	})
	t.Run("plans that mean the same have the same digest", func(t *testing.T) {
		for _, profile := range migration.Profiles() {
			p := samplePlan(t)
			p.Profile = profile.Name
			require.Equal(t, p.Digest(), p.Effective().Digest(), profile.Name)
		}
		p := samplePlan(t)
		q := samplePlan(t)
		q.Profile = migration.RefreshAndMove
		q.Order = []string{"Production", "Development", "Quality", "LifeTime"}
		q.First = []string{}
		q.MaxInFlight = map[string]int{"move": 1, "refresh": 4}
		q.MinCopies = 2
		q.Pause = []string{"Production"}
		slices.Reverse(q.Accept["move"])
		require.Equal(t, p.Digest(), q.Digest())
	})
	t.Run("it is the same each time", func(t *testing.T) {
		p := fullPlan(t)
		for range 50 {
			require.Equal(t, p.Digest(), fullPlan(t).Digest())
		}
	})
	t.Run("it is 64 hexadecimal digits, of an empty plan too", func(t *testing.T) {
		require.Regexp(t, "^[0-9a-f]{64}$", fullPlan(t).Digest())
		require.Regexp(t, "^[0-9a-f]{64}$", migration.Plan{}.Digest())
	})
}

func ExamplePlan_Validate() {
	p := migration.Plan{
		Infrastructure: environment.Infrastructure{Name: "Acme", Environments: []environment.Environment{
			{Name: "Production", Kind: environment.Production, ServiceCenter: "https://prod.example.test", Serial: "PPP-BBB-CCC-DDD-EEE-FFF-GGG-HHH"},
			{Name: "LifeTime", Kind: environment.LifeTime, ServiceCenter: "https://lt.example.test", Serial: "LLL-BBB-CCC-DDD-EEE-FFF-GGG-HHH"},
		}},
		Module: "ECT_Provider",
		Accept: map[string][]license.IPP{"refresh": {license.Ignore}},
		Order:  []string{"LifeTime", "Production"},
	}
	p.Source, _ = license.ParseActivationCode("ABC.D1E.F2G.H3I.J4K.L5M.N6O.AOU")
	p.Target, _ = license.ParseActivationCode("ZYX.W9V.U8T.S7R.Q6P.O5N.M4L.AOU")
	fmt.Println(p.Validate().Err())
	fmt.Println(p.Validate().Warnings())
	// Output:
	// accept.move: the move leg has no word for Intellectual Property that it accepts (list the words that a target license of this infrastructure may show: Ignore, Protected, Unprotected)
	// [order: the order is not the written one (Production first, then the others as listed (step 2))]
}
