package environment_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/license"
)

// acme is an infrastructure with which nothing is wrong.
func acme() environment.Infrastructure {
	return environment.Infrastructure{Name: "Acme", Environments: []environment.Environment{
		{Name: "Production", Kind: environment.Production, ServiceCenter: "https://prod.example.test", Serial: "PRD-BBB-CCC-DDD-EEE-FFF-GGG-HHH"},
		{Name: "Quality", Kind: environment.Quality, ServiceCenter: "https://qa.example.test", Serial: "QUA-BBB-CCC-DDD-EEE-FFF-GGG-HHH"},
		{Name: "Development", Kind: environment.Development, ServiceCenter: "https://dev.example.test", Serial: "DEV-BBB-CCC-DDD-EEE-FFF-GGG-HHH"},
		{Name: "LifeTime", Kind: environment.LifeTime, ServiceCenter: "https://lt.example.test", Serial: "LIF-BBB-CCC-DDD-EEE-FFF-GGG-HHH"},
	}}
}

// codes returns the codes of findings; those of warnings in parentheses.
func codes(fs environment.Findings) []string {
	out := []string{}
	for _, f := range fs {
		if f.Warning {
			f.Code = "(" + f.Code + ")"
		}
		out = append(out, f.Code)
	}
	return out
}

// complete checks what holds for every finding, whatever was checked.
func complete(t *testing.T, fs environment.Findings) {
	t.Helper()
	for _, f := range fs {
		require.NotEmpty(t, f.Code)
		require.NotEmpty(t, f.Where, f.Code)
		require.NotEmpty(t, f.Text, f.Code)
		require.NotEmpty(t, f.Hint, f.Code)
		for _, text := range []string{f.Code, f.Where, f.Text, f.Hint} {
			require.NotContains(t, text, "\n", f.Code)
			require.NotContains(t, text, "\x1b", f.Code)
			require.NotContains(t, text, "\u202e", f.Code)
			require.NotContains(t, text, "hunter2", f.Code)
		}
	}
}

func TestAnInfrastructureWithoutFaultHasNoFindings(t *testing.T) {
	require.Empty(t, acme().Check())
	require.NoError(t, acme().Check().Err())
}

// faults are faults of one kind each, with the findings that they give. at
// says where, unless it is the Quality environment.
var faults = []struct {
	name   string
	change func(i *environment.Infrastructure)
	want   []string
	at     string
}{
	{"an infrastructure without a name", infrastructureName(""), []string{"emptyName"}, "infrastructure"},
	{"an infrastructure with a name of blanks", infrastructureName(" \t "), []string{"emptyName", "unprintableName"}, "infrastructure"},
	{"an infrastructure with a name of 129 runes", infrastructureName(strings.Repeat("ä", 129)), []string{"longName"}, "infrastructure"},
	{"an infrastructure with an escape sequence in its name", infrastructureName("Acme\x1b[2J"), []string{"unprintableName"}, "infrastructure"},
	{"an infrastructure called *", infrastructureName("*"), nil, ""},

	{"an environment without a name", name(""), []string{"emptyName"}, `environments[1] ""`},
	{"a name of blanks", name("  "), []string{"emptyName"}, `environments[1] "  "`},
	{"a name of 128 runes", name(strings.Repeat("ä", 128)), nil, ""},
	{"a name of 129 runes", name(strings.Repeat("ä", 129)), []string{"longName"}, `environments[1] "` + strings.Repeat("ä", 129) + `"`},
	{"a name that is too long to be printed whole", name(strings.Repeat("ä", 300)), []string{"longName"}, `environments[1] "` + strings.Repeat("ä", 179) + `… (121 more)"`},
	{"a long name with a control character at its end", name(strings.Repeat("ä", 300) + "\a"), []string{"longName", "unprintableName"}, `environments[1] "` + strings.Repeat("ä", 179) + `… (122 more)"`},
	{"a line feed in a name", name("Qua\nlity"), []string{"unprintableName"}, `environments[1] "Qua\u000ality"`},
	{"a name that is reordered", name("Qua\u202elity"), []string{"unprintableName"}, `environments[1] "Qua\u202elity"`},
	{"a zero width joiner in a name", name("Qua\u200dlity"), []string{"unprintableName"}, `environments[1] "Qua\u200dlity"`},
	{"a no-break space in a name", name("Qua\u00a0lity"), []string{"unprintableName"}, `environments[1] "Qua\u00a0lity"`},
	{"a name that is not UTF-8", name("Qua\xfflity"), []string{"unprintableName"}, `environments[1] "Qua\xfflity"`},
	{"two combining marks in a row", name("Quality\u0301\u0302"), nil, ""},
	{"three combining marks in a row", name("Quality\u0301\u0302\u0303"), []string{"unprintableName"}, `environments[1] "Quality` + "\u0301\u0302" + `\u0303"`},
	{"the name *", name("*"), []string{"reservedName"}, `environments[1] "*"`},
	{"a name with a * in it", name("Quality *"), nil, ""},
	{"a name like a path upwards", name("../x"), nil, ""},
	{"a name that Windows reserves", name("CON"), nil, ""},
	{"a name that ends in a dot and a space", name("Quality. "), nil, ""},
	{"a name with quotes, brackets and a comma", name(`"<Quality>", 'x'`), nil, ""},
	{"a name in another script", name("品質"), nil, ""},

	{"an environment without a kind", kind(""), []string{"unknownKind"}, ""},
	{"an unknown kind", kind("staging\x1b"), []string{"unknownKind"}, ""},
	{"a known kind in upper case", kind("Quality"), []string{"unknownKind"}, ""},
	{"a second LifeTime", kind(environment.LifeTime), []string{"severalLifeTimes"}, `environments[3] "LifeTime"`},
	{"no LifeTime", func(i *environment.Infrastructure) { i.Environments[3].Kind = environment.Quality }, []string{"noLifeTime"}, "environments"},

	{"no address", address(""), []string{"invalidAddress"}, ""},
	{"an address without a scheme", address("qa.example.test"), []string{"invalidAddress"}, ""},
	{"an address with a port, without a scheme", address("qa.example.test:443"), []string{"invalidAddress"}, ""},
	{"an address with a scheme only", address("https://"), []string{"invalidAddress"}, ""},
	{"an address with a port only", address("https://:443"), []string{"invalidAddress"}, ""},
	{"an address without slashes", address("https:qa.example.test"), []string{"invalidAddress"}, ""},
	{"a path in place of an address", address("/ServiceCenter"), []string{"invalidAddress"}, ""},
	{"an address with a port that is a word", address("https://qa.example.test:https"), []string{"invalidAddress"}, ""},
	{"an address with port 0", address("https://qa.example.test:0"), []string{"invalidAddress"}, ""},
	{"an address with port 65535", address("https://qa.example.test:65535"), nil, ""},
	{"an address with port 65536", address("https://qa.example.test:65536"), []string{"invalidAddress"}, ""},
	{"an address with a line feed", address("https://qa.example.test\n"), []string{"invalidAddress"}, ""},
	{"an address with a blank", address("https://qa example.test"), []string{"invalidAddress"}, ""},
	{"an address of another scheme", address("ftp://qa.example.test"), []string{"invalidAddress"}, ""},
	{"an http address", address("http://qa.example.test"), []string{"insecureAddress"}, ""},
	{"an address in upper case", address("HTTPS://QA.EXAMPLE.TEST/ServiceCenter"), nil, ""},
	{"an address with a password", address("https://admin:hunter2@qa.example.test"), []string{"addressWithPassword"}, ""},
	{"an address with a user name", address("https://hunter2@qa.example.test"), []string{"addressWithPassword"}, ""},
	{"an http address with a password", address("http://admin:hunter2@qa.example.test"), []string{"insecureAddress", "addressWithPassword"}, ""},
	{"a broken address with a password", address("https://admin:hunter2@qa.example.test:x"), []string{"invalidAddress"}, ""},
	{"an address with a query", address("https://qa.example.test/?password=hunter2"), []string{"invalidAddress"}, ""},
	{"an address with an empty query", address("https://qa.example.test?"), []string{"invalidAddress"}, ""},
	{"an address with a fragment", address("https://qa.example.test/#hunter2"), []string{"invalidAddress"}, ""},
	{"an address that is a number", address("https://192.0.2.7"), nil, ""},
	{"an address that is an IPv6 number", address("https://[2001:db8::7]:8443"), nil, ""},

	{"no serial number", serial(""), []string{"invalidSerial"}, ""},
	{"a serial number with a control character", serial("QUA-\x1b[2J"), []string{"invalidSerial"}, ""},
	{"a serial number that is wrong in three ways", serial(license.SerialNumber(" \n" + strings.Repeat("Q", 70))), []string{"invalidSerial"}, ""},
	{"a serial number of an unusual form", serial("QUA-7"), []string{"(unusualSerial)"}, ""},
	{"a serial number in lower case", serial("qua-bbb-ccc-ddd-eee-fff-ggg-hhh"), []string{"(unusualSerial)"}, ""},
	{"another environment's serial number", serial("PRD-BBB-CCC-DDD-EEE-FFF-GGG-HHH"), []string{"duplicateSerial"}, ""},
	{"another environment's serial number in lower case", serial("prd-bbb-ccc-ddd-eee-fff-ggg-hhh"), []string{"(unusualSerial)", "duplicateSerial"}, ""},

	{"another environment's name", name("Production"), []string{"duplicateName"}, `environments[1] "Production"`},
	{"another environment's name in upper case", name("PRODUCTION"), []string{"duplicateName"}, `environments[1] "PRODUCTION"`},
	{"another environment's name with blanks around it", name(" Production "), []string{"duplicateName"}, `environments[1] " Production "`},
	{"another environment's name with an invisible character", name("Pro\u200bduction"), []string{"unprintableName", "duplicateName"}, `environments[1] "Pro\u200bduction"`},

	{"another environment's address", address("https://prod.example.test"), []string{"duplicateAddress"}, ""},
	{"another environment's address with a slash", address("https://prod.example.test/"), []string{"duplicateAddress"}, ""},
	{"another environment's address with its port", address("https://prod.example.test:443"), []string{"duplicateAddress"}, ""},
	{"another environment's address with its port and zeros", address("https://prod.example.test:00443"), []string{"duplicateAddress"}, ""},
	{"another environment's address in upper case", address("https://PROD.example.TEST"), []string{"duplicateAddress"}, ""},
	{"another environment's address with a dot at the end of the host", address("https://prod.example.test./"), []string{"duplicateAddress"}, ""},
	{"another environment's address over http", address("http://prod.example.test"), []string{"insecureAddress", "duplicateAddress"}, ""},
	{"another environment's address over http with its port", address("http://prod.example.test:80"), []string{"insecureAddress", "duplicateAddress"}, ""},
	{"another environment's address with a path that leads nowhere", address("https://prod.example.test/a//../"), []string{"duplicateAddress"}, ""},
	{"another environment's host with another port", address("https://prod.example.test:8443"), nil, ""},
	{"another environment's host with another path", address("https://prod.example.test/quality"), nil, ""},

	{"no environments", func(i *environment.Infrastructure) { i.Environments = nil }, []string{"noEnvironments", "noLifeTime"}, "environments"},
	{"1,000 environments", grow(1000), nil, ""},
	{"1,001 environments", grow(1001), []string{"tooManyEnvironments"}, "environments"},
}

func infrastructureName(s string) func(*environment.Infrastructure) {
	return func(i *environment.Infrastructure) { i.Name = s }
}

func name(s string) func(*environment.Infrastructure) {
	return func(i *environment.Infrastructure) { i.Environments[1].Name = s }
}

func kind(k environment.Kind) func(*environment.Infrastructure) {
	return func(i *environment.Infrastructure) { i.Environments[1].Kind = k }
}

func address(s string) func(*environment.Infrastructure) {
	return func(i *environment.Infrastructure) { i.Environments[1].ServiceCenter = s }
}

func serial(s license.SerialNumber) func(*environment.Infrastructure) {
	return func(i *environment.Infrastructure) { i.Environments[1].Serial = s }
}

func grow(n int) func(*environment.Infrastructure) {
	return func(i *environment.Infrastructure) {
		for k := len(i.Environments); k < n; k++ {
			i.Environments = append(i.Environments, environment.Environment{
				Name: fmt.Sprintf("Development %d", k), Kind: environment.Development,
				ServiceCenter: fmt.Sprintf("https://dev%d.example.test", k),
				Serial:        license.SerialNumber(fmt.Sprintf("X%02d-X%02d-CCC-DDD-EEE-FFF-GGG-HHH", k/100, k%100)),
			})
		}
	}
}

func TestEveryFaultIsFoundWithItsPlace(t *testing.T) {
	for _, f := range faults {
		t.Run(f.name, func(t *testing.T) {
			i := acme()
			f.change(&i)
			got := i.Check()
			want := f.want
			if want == nil {
				want = []string{}
			}
			require.Equal(t, want, codes(got))
			complete(t, got)
			at := f.at
			if at == "" {
				at = `environments[1] "Quality"`
			}
			for _, g := range got {
				require.Equal(t, at, g.Where)
			}
		})
	}
}

// Each field of an environment gets one of its faults, in every combination of
// a sample with a printed seed: no finding hides another.
func TestEverythingThatIsWrongIsFoundAtOnce(t *testing.T) {
	const seed = 1
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	alone := func(prefix string) (of []int) {
		for n, f := range faults {
			// Faults of the Quality environment that concern no other one.
			if (f.at == "" || strings.HasPrefix(f.at, "environments[1]")) && len(f.want) > 0 && !strings.Contains(strings.Join(f.want, " "), "duplicate") &&
				strings.HasPrefix(strings.Trim(f.want[0], "("), prefix) {
				of = append(of, n)
			}
		}
		require.NotEmpty(t, of, prefix)
		return of
	}
	fields := [][]int{
		slices.Concat(alone("emptyName"), alone("longName"), alone("unprintable"), alone("reserved")), alone("unknownKind"),
		slices.Concat(alone("invalidAddress"), alone("insecure"), alone("addressWith")), slices.Concat(alone("invalidSerial"), alone("unusual")),
	}
	for range 2000 {
		i, want := acme(), []string{}
		for _, field := range fields {
			f := faults[field[random.IntN(len(field))]]
			f.change(&i)
			want = append(want, f.want...)
		}
		got := i.Check()
		require.Equal(t, want, codes(got))
		complete(t, got)
	}
}

func TestFaultsOfSeveralEnvironmentsAndOfTheWholeAreFoundAtOnce(t *testing.T) {
	i := environment.Infrastructure{Environments: []environment.Environment{
		{},
		{Name: "Quality", Kind: "qa", ServiceCenter: "http://u:hunter2@x.example.test", Serial: "S"},
		{Name: "QUALITY", Kind: environment.Quality, ServiceCenter: "https://x.example.test/", Serial: "s"},
		{},
	}}
	got := i.Check()
	complete(t, got)
	require.Equal(t, []string{
		"emptyName", "noLifeTime",
		"emptyName", "unknownKind", "invalidAddress", "invalidSerial",
		"unknownKind", "insecureAddress", "addressWithPassword", "(unusualSerial)",
		"(unusualSerial)", "duplicateName", "duplicateSerial", "duplicateAddress",
		"emptyName", "unknownKind", "invalidAddress", "invalidSerial",
	}, codes(got))
	require.Equal(t, []string{"(unusualSerial)", "(unusualSerial)"}, codes(got.Warnings()))
	require.Equal(t, len(got)-2, len(got.Err().(interface{ Unwrap() []error }).Unwrap()))
	require.Equal(t, got, i.Check(), "the order is always the same")
}

func TestNamesThatAPersonWouldTakeForTheSameAreDuplicates(t *testing.T) {
	pairs := [][2]string{
		{"prod", "PROD"}, {"straße", "STRAßE"}, {"Kelvin", "\u212aelvin"}, {"ΣΑΣ", "σας"}, {"ДЕВ", "дев"},
		{"Qualität", "Qualita\u0308t"}, {"Produção", "Produc\u0327a\u0303o"}, {"PRODUÇÃO", "produção"}, {"Köln", "Koln"},
		{"Ｐｒｏｄ", "prod"}, {"dev 1", "dev  1"}, {"dev 1", "dev\u00a01"}, {"dev\u200b", "dev"}, {"d\u00adev", "dev"}, {"dev\ufe0f", "dev"},
		{"\u202edev", "dev"}, {" dev", "dev "},
		{"Ấn", "A\u0302\u0301n"}, // not found: beyond Latin Extended-A
	}
	for _, p := range pairs {
		t.Run(fmt.Sprintf("%+q and %+q", p[0], p[1]), func(t *testing.T) {
			i := acme()
			i.Environments[0].Name, i.Environments[1].Name = p[0], p[1]
			if got := codes(i.Check()); p[0] == "Ấn" {
				require.NotContains(t, got, "duplicateName", "the limit that the documentation states")
			} else {
				require.Contains(t, got, "duplicateName")
			}
		})
	}
	for _, p := range [][2]string{{"dev 1", "dev 2"}, {"dev1", "dev 1"}, {"dev", "dev."}, {"æ", "ae"}, {"本番", "品質"}, {"Đ", "D"}} {
		t.Run(fmt.Sprintf("not %+q and %+q", p[0], p[1]), func(t *testing.T) {
			i := acme()
			i.Environments[0].Name, i.Environments[1].Name = p[0], p[1]
			require.NotContains(t, codes(i.Check()), "duplicateName")
		})
	}
}

// Every letter with one accent up to U+017F is the same as the letter followed
// by the accent. The list is of how the letters are written, not of how the
// code folds them.
func TestEveryAccentedLatinLetterIsTakenApart(t *testing.T) {
	accents := map[rune]string{
		0x300: "AÀEÈIÌOÒUÙaàeèiìoòuù", 0x301: "AÁEÉIÍOÓUÚYÝaáeéiíoóuúyýCĆcćLĹlĺNŃnńRŔrŕSŚsśZŹzź",
		0x302: "AÂEÊIÎOÔUÛaâeêiîoôuûCĈcĉGĜgĝHĤhĥJĴjĵSŜsŝWŴwŵYŶyŷ", 0x303: "AÃNÑOÕaãnñoõIĨiĩUŨuũ",
		0x304: "AĀaāEĒeēIĪiīOŌoōUŪuū", 0x306: "AĂaăEĔeĕGĞgğIĬiĭOŎoŏUŬuŭ", 0x307: "CĊcċEĖeėGĠgġIİZŻzż",
		0x308: "AÄEËIÏOÖUÜaäeëiïoöuüyÿYŸ", 0x30a: "AÅaåUŮuů", 0x30b: "OŐoőUŰuű", 0x30c: "CČcčDĎdďEĚeěLĽlľNŇnňRŘrřSŠsšTŤtťZŽzž",
		0x327: "CÇcçGĢKĶkķLĻlļNŅnņRŖrŗSŞsşTŢtţgģ", 0x328: "AĄaąEĘeęIĮiįUŲuų",
	}
	n := 0
	for accent, letters := range accents {
		rs := []rune(letters)
		for k := 0; k < len(rs); k += 2 {
			n++
			i := acme()
			i.Environments[0].Name, i.Environments[1].Name = "x"+string(rs[k+1]), "x"+string(rs[k])+string(accent)
			require.Contains(t, codes(i.Check()), "duplicateName", "%c and %c with U+%04X", rs[k+1], rs[k], accent)
		}
	}
	require.Equal(t, 161, n)
}

func TestAnEnvironmentIsFoundByItsExactName(t *testing.T) {
	env, ok := acme().Environment("Quality")
	require.True(t, ok)
	require.Equal(t, acme().Environments[1], env)
	for _, name := range []string{"", "quality", "Quality ", "Staging"} {
		_, ok := acme().Environment(name)
		require.False(t, ok, name)
	}
}

func TestKeysAreSafeAndTellNamesApart(t *testing.T) {
	keys := map[string]string{}
	for _, f := range faults {
		i := acme()
		f.change(&i)
		for _, e := range i.Environments {
			require.Regexp(t, "^[0-9a-f]{16}$", e.Key())
			if name, again := keys[e.Key()]; again {
				require.Equal(t, name, e.Name)
			}
			keys[e.Key()] = e.Name
		}
	}
	require.NotEqual(t, environment.Environment{Name: "prod"}.Key(), environment.Environment{Name: "Prod"}.Key())
	require.Equal(t, "d810ff3253a0d0a9", environment.Environment{Name: "Production"}.Key(), "stored files are found by it: it never changes")
}

func FuzzCheck(f *testing.F) {
	for _, fault := range faults {
		i := acme()
		fault.change(&i)
		if len(i.Environments) > 1 {
			e := i.Environments[1]
			f.Add(e.Name, string(e.Kind), e.ServiceCenter, string(e.Serial))
		}
	}
	f.Fuzz(func(t *testing.T, name, kind, address, serial string) {
		i := acme()
		i.Environments[1] = environment.Environment{Name: name, Kind: environment.Kind(kind), ServiceCenter: address, Serial: license.SerialNumber(serial)}
		for _, g := range i.Check() {
			for _, r := range g.Error() {
				if r < ' ' || r == 0x7f {
					t.Fatalf("%q has a control character", g.Error())
				}
			}
		}
		// An environment is always a duplicate of itself, unless it is not
		// there at all.
		i.Environments[2] = i.Environments[1]
		if _, err := license.ParseSerialNumber(serial); err == nil {
			require.Contains(t, codes(i.Check()), "duplicateSerial")
		}
	})
}

func ExampleInfrastructure_Check() {
	i := environment.Infrastructure{Name: "Acme", Environments: []environment.Environment{
		{Name: "Production", Kind: environment.Production, ServiceCenter: "http://prod.example.test", Serial: "PRD-BBB-CCC-DDD-EEE-FFF-GGG-HHH"},
		{Name: "production", Kind: environment.Quality, ServiceCenter: "https://qa.example.test", Serial: "QUA-1"},
	}}
	for _, f := range i.Check() {
		fmt.Println(f.Code, "at", f.Where)
	}
	// Output:
	// noLifeTime at environments
	// insecureAddress at environments[0] "Production"
	// unusualSerial at environments[1] "production"
	// duplicateName at environments[1] "production"
}
