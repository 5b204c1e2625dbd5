package archtest

// module is the path of the module that is examined.
const module = "github.com/changeover-go/changeover"

// A permit says what a package may import besides the standard library.
// Packages of this module are named by their folder, "." for the root. Two
// words have a meaning of their own: "public" stands for every package of this
// module that is not internal, and "testing" makes the package a test kit,
// which no other package may reach outside its tests.
type permit struct{ pkg, may string }

// floorPlan is the floor plan, bottom first. It is complete: a package that is
// not in it fails, an import that is not in it fails, and so does a line whose
// package does not exist. docs/adr/0001-floor-plan.md has the reasons;
// CONTRIBUTING.md shows this table.
var floorPlan = []permit{
	{"license", ""},
	{"internal/printable", ""},
	{"internal/inorder", ""},
	{"environment", "license internal/printable"},
	{"environment/machine", "internal/printable github.com/qmuntal/stateless"},
	{"adapters", "environment license"},
	{"migration/journal", "internal/printable"},
	{"internal/engine", "environment/machine internal/inorder internal/printable migration/journal go.uber.org/zap"},
	{"internal/manual", "environment internal/printable license"},
	{"internal/steps", "adapters environment environment/machine internal/printable license migration/journal"},
	{"migration", "adapters environment environment/machine internal/engine internal/inorder internal/printable internal/steps license migration/journal go.uber.org/zap"},
	{"rollback", "adapters environment environment/machine internal/engine internal/printable internal/steps license migration/journal go.uber.org/zap"},
	{"migration/report", "adapters environment environment/machine internal/engine internal/manual internal/printable internal/steps license migration migration/journal rollback"},
	{".", "adapters environment environment/machine internal/engine internal/printable internal/steps license migration migration/journal migration/report rollback go.uber.org/zap"},

	{"adapters/attended", "adapters environment internal/manual internal/printable license"},
	{"adapters/fake", "adapters environment internal/printable license"},
	{"adapters/fault", "adapters environment internal/printable license"},
	{"internal/disk", "internal/printable"},
	{"internal/wire", "adapters internal/printable"},
	{"adapters/servicecenter", "adapters environment internal/printable internal/wire license"},
	{"adapters/lifetime", "adapters environment internal/printable internal/wire license"},
	{"adapters/inbox", "adapters environment internal/disk internal/printable license"},
	{"adapters/command", "adapters environment internal/printable license"},
	{"adapters/simulator", "adapters adapters/fake environment internal/printable internal/wire license"},
	{"adapters/filevault", "adapters environment internal/disk internal/printable license"},
	{"adapters/filejournal", "internal/disk internal/printable migration/journal"},

	{"adapters/internal/worldtest", "adapters adapters/adaptertest adapters/fake environment license testing github.com/stretchr/testify"},
	{"adapters/adaptertest", "adapters environment internal/printable license testing github.com/stretchr/testify"},
	{"migration/journal/journaltest", "migration/journal testing github.com/stretchr/testify"},
	{"migration/migrationtest", "public internal/printable internal/reliability/law internal/reliability/model testing"},
	{"internal/disk/disktest", "internal/disk"},

	{"internal/reliability/law", "adapters environment internal/printable license migration migration/journal migration/report"},
	{"internal/reliability/scene", "environment license migration"},
	{"internal/reliability/tier", "internal/reliability/law"},
	{"internal/reliability/model", "environment environment/machine internal/printable internal/reliability/law internal/reliability/scene internal/reliability/tier internal/steps license migration rollback"},
	{"internal/reliability/simworld", "adapters environment internal/reliability/scene license"},
	{"internal/reliability/simulate", "public internal/reliability/law internal/reliability/scene internal/reliability/simworld internal/reliability/tier internal/steps go.uber.org/zap"},
	{"internal/reliability/crashdisk", "internal/disk"},
	{"internal/reliability/enumerate", "public internal/disk/disktest internal/reliability/crashdisk internal/reliability/law internal/reliability/scene internal/reliability/tier"},
	{"internal/reliability/process", "public internal/reliability/law internal/reliability/scene internal/reliability/tier"},
	{"internal/reliability/golden", "public internal/disk/disktest internal/reliability/law internal/reliability/tier"},
	{"internal/reliability/tamper", "public internal/disk/disktest internal/reliability/golden internal/reliability/scene internal/reliability/tier"},
	{"internal/reliability/hostile", "public internal/disk/disktest internal/reliability/law internal/reliability/scene internal/reliability/tier go.uber.org/zap"},
	{"internal/reliability/mutants", "internal/reliability/tier"},
	{"internal/reliability", "internal/reliability/enumerate internal/reliability/golden internal/reliability/hostile internal/reliability/law internal/reliability/model internal/reliability/mutants internal/reliability/process internal/reliability/simulate internal/reliability/tamper internal/reliability/tier"},

	{"internal/golden", "testing"},
	{"internal/archtest", ""},

	{"adapters/simulator/cmd/simulator", "public"},
	{"examples/quickstart", "public go.uber.org/zap"},
	{"examples/mixed", "public go.uber.org/zap"},
	{"examples/commandadapter", "public go.uber.org/zap"},
	{"examples/embedding", "public go.uber.org/zap"},
	{"examples/customadapter", "public go.uber.org/zap"},
	{"examples/customstep", "public go.uber.org/zap"},
}

// siblings never import each other, not even in their tests: what joins them
// is the root package.
var siblings = [][2]string{{"migration", "rollback"}}

// single names what exactly one package may import, tests included.
var single = map[string]string{
	"github.com/qmuntal/stateless": "environment/machine",
}

// Modules that are compiled in. A test kit is compiled into the tests of those
// who use it, never into their programs.
var (
	programModules = []string{"github.com/qmuntal/stateless", "go.uber.org/multierr", "go.uber.org/zap"}
	testModules    = []string{"github.com/stretchr/objx", "github.com/stretchr/testify", "go.uber.org/goleak", "go.yaml.in/yaml/v3"}
)

// testOnly are the modules that tests import, and nothing else does.
var testOnly = []string{"github.com/stretchr/testify", "go.uber.org/goleak"}

// What go.mod must say, and how many modules a program may get with the root
// package.
const (
	goLine             = "1.26.0"
	maxProgramModules  = 5
	examplesFolder     = "examples/"
	moduleListFile     = "allmodules"
	contributingFile   = "CONTRIBUTING.md"
	floorPlanBeginning = "<!-- The table is written by `make golden` from internal/archtest/policy_test.go. -->\n"
	floorPlanEnd       = "<!-- End of the table. -->"
)

// A scope says in which files a ban holds.
type scope string

const (
	code       scope = "code"       // all but the tests
	library    scope = "library"    // all but the tests and commands
	tests      scope = "tests"      // tests, and test kits
	everywhere scope = "everywhere" // both
)

// A ban forbids naming something. What is "import/path.Name" for a name of a
// package, "import/path.*" for all names of a package but those in but,
// ".Name" for a method or field of anything, or the bare name of a builtin or
// of the function init.
type ban struct {
	what  string
	but   string // space separated
	only  string // the packages in which it holds, space separated; empty: all
	scope scope
	why   string
}

const (
	noClock   = "nothing is decided by the wall clock and nothing waits for it unseen: take a clock from the options"
	noPrint   = "a library writes where it is told to: take an io.Writer, or a logger from the options"
	noExit    = "a library returns errors; only a command ends the process"
	noRewrite = "what was stored is never changed, replaced or removed"
	noGlobal  = "a logger comes from the options; nil means none"
	noReflect = "reflection prints what a type masks: name the fields"
	noSeed    = "a random choice comes from a seed that is printed, so that it can be repeated"
	noSkip    = "a test that is skipped proves nothing: run it, or delete it"
)

var bans = []ban{
	{what: "time.Now", scope: code, why: noClock},
	{what: "time.Since", scope: code, why: noClock},
	{what: "time.Until", scope: code, why: noClock},
	{what: "time.Sleep", scope: everywhere, why: "waiting is for a clock that tests can turn: use testing/synctest, or a clock from the options"},
	{what: "time.After", scope: code, why: noClock},
	{what: "time.AfterFunc", scope: code, why: noClock},
	{what: "time.Tick", scope: everywhere, why: noClock},
	{what: "time.NewTimer", scope: code, why: noClock},
	{what: "time.NewTicker", scope: code, why: noClock},

	{what: "math/rand.*", scope: everywhere, why: "there is math/rand/v2"},
	{what: "math/rand/v2.*", but: "New NewPCG NewChaCha8 Rand Source PCG ChaCha8", scope: code, why: noSeed},
	{what: "math/rand/v2.*", but: "New NewPCG NewChaCha8 Rand Source PCG ChaCha8 Uint64", scope: tests, why: noSeed + "; Uint64 may choose the seed"},

	{what: "os.Create", only: "adapters/filevault adapters/filejournal internal/disk", scope: code, why: noRewrite},
	{what: "os.Remove", only: "adapters/filevault adapters/filejournal internal/disk", scope: code, why: noRewrite},
	{what: "os.RemoveAll", only: "adapters/filevault adapters/filejournal internal/disk", scope: code, why: noRewrite},
	{what: "os.Rename", only: "adapters/filevault adapters/filejournal internal/disk", scope: code, why: noRewrite},
	{what: "os.Truncate", only: "adapters/filevault adapters/filejournal internal/disk", scope: code, why: noRewrite},
	{what: "os.WriteFile", only: "adapters/filevault adapters/filejournal internal/disk", scope: code, why: noRewrite},
	{what: ".Create", only: "adapters/filevault adapters/filejournal internal/disk", scope: code, why: noRewrite},
	{what: ".Remove", only: "adapters/filevault adapters/filejournal internal/disk", scope: code, why: noRewrite},
	{what: ".RemoveAll", only: "adapters/filevault adapters/filejournal internal/disk", scope: code, why: noRewrite},
	{what: ".Rename", only: "adapters/filevault adapters/filejournal internal/disk", scope: code, why: noRewrite},
	{what: ".Truncate", only: "adapters/filevault adapters/filejournal internal/disk", scope: code, why: noRewrite},
	{what: ".WriteFile", only: "adapters/filevault adapters/filejournal internal/disk", scope: code, why: noRewrite},

	{what: "fmt.Print", scope: library, why: noPrint},
	{what: "fmt.Printf", scope: library, why: noPrint},
	{what: "fmt.Println", scope: library, why: noPrint},
	{what: "print", scope: everywhere, why: noPrint},
	{what: "println", scope: everywhere, why: noPrint},
	{what: "os.Stdin", scope: library, why: noPrint},
	{what: "os.Stdout", scope: library, why: noPrint},
	{what: "os.Stderr", scope: library, why: noPrint},
	{what: "log.*", scope: library, why: noPrint},

	{what: "os.Exit", scope: library, why: noExit},
	{what: "panic", scope: code, why: "a run that panics leaves an infrastructure halfway: return an error"},
	{what: "init", scope: everywhere, why: "importing a package does nothing"},
	{what: "os.Getenv", scope: library, why: "a library is configured by its caller, not by the environment"},
	{what: "os.LookupEnv", scope: library, why: "a library is configured by its caller, not by the environment"},
	{what: "os.Environ", scope: library, why: "a library is configured by its caller, not by the environment"},
	{what: "context.Background", scope: library, why: "what may block is ended by its caller: hand the caller's context on"},
	{what: "context.TODO", scope: everywhere, why: "decide which context it is"},

	{what: "go.uber.org/zap.L", scope: everywhere, why: noGlobal},
	{what: "go.uber.org/zap.S", scope: everywhere, why: noGlobal},
	{what: "go.uber.org/zap.ReplaceGlobals", scope: everywhere, why: noGlobal},
	{what: "log/slog.Default", scope: everywhere, why: noGlobal},
	{what: "go.uber.org/zap.Any", scope: code, why: noReflect},
	{what: "go.uber.org/zap.Reflect", scope: code, why: noReflect},

	{what: ".Skip", scope: tests, why: noSkip},
	{what: ".Skipf", scope: tests, why: noSkip},
	{what: ".SkipNow", scope: tests, why: noSkip},
	{what: "testing.Short", scope: tests, why: noSkip},
}

// An exception lets a ban pass in one file, or in a package and those below
// it when where ends in a slash. An exception that nothing needs is an error.
type exception struct{ where, what, why string }

var exceptions = []exception{
	{"internal/engine/session.go", "time.Now", "the system's clock, behind the interface that tests replace"},
	{"internal/engine/term.go", "time.Now", "a call that does not come back is found by the machine's clock, whatever time a test plays"},
	{"internal/engine/term.go", "time.Until", "a call that does not come back is found by the machine's clock, whatever time a test plays"},
	{"internal/engine/term.go", "time.NewTimer", "a call that does not come back is found by the machine's clock, whatever time a test plays"},
	{"internal/engine/session.go", "time.NewTimer", "the system's clock, behind the interface that tests replace"},
	{"adapters/filevault/vault.go", "time.Now", "what Options.Now is when it is nil; it is recorded for people, and nothing is decided by it"},
	{"adapters/inbox/inbox.go", "time.Now", "what Options.Now is when it is nil; whether a license has expired is a question of the date"},
	{"adapters/attended/desk.go", "time.Now", "what Options.Now is when it is nil; it says when a person answered, and nothing is decided by it"},

	{"environment/machine/machine.go", "context.Background", "stateless wants a context; a decision takes none and cannot block"},
	{"adapters/fault/fault.go", "panic", "a panic is one of the faults to inject"},
	{"adapters/filevault/directory.go", ".Remove", "removes temporary names of its own, in the one function that checks that they are"},
	{"internal/disk/os.go", ".Remove", "what removes for the one above"},
	{"adapters/filejournal/store.go", ".Truncate", "cuts what a crash left unfinished: the last line, or a file without an entry"},
	{"adapters/filejournal/lock.go", ".Truncate", "LOCK says who holds it, for people; it is no record"},
	{"adapters/filejournal/ballast.go", ".Truncate", "the ballast is there to be given free; it is no record"},

	{"internal/reliability/", "time.Now", "tiers work with real processes, and say how long they took"},
	{"internal/reliability/", "time.Since", "tiers work with real processes, and say how long they took"},
	{"internal/reliability/process/", "time.AfterFunc", "processes are killed at a moment of the clock"},
	{"internal/reliability/process/", "time.NewTimer", "a process that hangs is found by the clock"},
	{"internal/reliability/process/", "context.Background", "a child is the whole program; what cleans up goes on when the tier is told to stop"},
	{"internal/reliability/process/", "os.Environ", "a child gets the environment of its parent, and what it is to do"},
	{"internal/reliability/process/child.go", "os.LookupEnv", "a child is told by its environment what it is to do"},
	{"internal/reliability/process/child.go", "os.Exit", "a child is the whole program"},
	{"internal/reliability/process/child.go", "os.Stderr", "a child is the whole program"},
	{"internal/reliability/hostile/world.go", "panic", "a panic of an adapter is one of the faults"},
	{"internal/reliability/simworld/ports.go", "panic", "a panic of an adapter is one of the faults"},
	{"internal/reliability/main_test.go", ".Skip", "it is the method of a tier's job, which says what was not done"},

	{"adapters/adaptertest/clause.go", "time.NewTimer", "a call that does not return would hang the suite"},
	{"adapters/adaptertest/clause.go", ".Skipf", "the harness declares what it cannot show; the name of the inability is printed"},
	{"migration/journal/journaltest/clauses.go", "time.NewTimer", "a call that does not return would hang the suite"},
	{"migration/journal/journaltest/journaltest.go", ".Skipf", "the harness declares what it cannot show; the name of the inability is printed"},
	{"internal/golden/golden.go", "os.Getenv", "UPDATE_GOLDEN is a variable, since a flag would be refused by packages that do not define it"},
}

// Text files are UTF-8 with LF. binaries are the endings of those files that
// are not text.
var binaries = []string{".lic", ".png", ".http", ".gz"}
