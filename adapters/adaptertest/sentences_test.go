package adaptertest_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/adapters/adaptertest"
)

// The contract of the ports is what the comments of package adapters say.
// This table maps each sentence of them to the clauses that check it, or to
// the reason why no clause can. A sentence that is new, changed or gone breaks
// the test below until the table says the same as the comments.

// A sentence is one sentence of a comment, and what checks it.
type sentence struct {
	text    string
	clauses []string // that check it
	why     string   // no clause does
}

// by is a sentence that clauses check.
func by(text string, clauses ...string) sentence { return sentence{text: text, clauses: clauses} }

// not is a sentence that no clause checks.
func not(text, why string) sentence { return sentence{text: text, why: why} }

// Reasons that come again.
const (
	says     = "says what it is, not what it does"
	advice   = "advice or background for the author"
	caller   = "binds whoever calls the port"
	value    = "describes a value that the caller makes"
	ours     = "describes package adapters, whose own tests check it"
	noSuite  = "not a port: it has no suite"
	optional = "leaves the adapter free"
)

// A comment is what is said of one declaration.
type comment struct {
	of        string
	sentences []sentence
}

func contract() []comment {
	return []comment{
		{"package", []sentence{
			not("Package adapters declares what changeover needs from the outside: the ports that its users implement for their own portals, the conditions with which adapters answer, and [Set], which holds one adapter for every port.", says),
			not("If you are writing an adapter, this is the page to read; if you are embedding changeover, you fill a Set and read package changeover.", advice),
			not("# How to write an adapter", "heading"),
			not("Implement one port, two or three methods, and run its suite from package adapters/adaptertest in a test of your own; the suite is the contract, clause by clause. adapters/fake has a complete world to test against.", advice),
			not("What holds for every method of every port:", "introduces the list"),
			by("Calls come from several goroutines, at most one at a time for one environment.", several),
			by("The same call may come again, after a crash even if it was completed.",
				"RegisterSerial for a registered serial number takes up no further slot",
				"UploadLicense of the same file again changes nothing more",
				"RepublishModule returns when the publish has ended, and may be repeated",
				"PauseDeployments again changes nothing", "ResumeDeployments again changes nothing",
				"Put of the same file and label again stores nothing",
				"OpenCase with the key of an open case opens none",
				"Ask asks again every time"),
			by("It then does nothing more, or the same again.",
				"RegisterSerial for a registered serial number takes up no further slot",
				"UploadLicense of the same file again changes nothing more",
				"RepublishModule returns when the publish has ended, and may be repeated",
				"PauseDeployments again changes nothing", "ResumeDeployments again changes nothing",
				"Put of the same file and label again stores nothing",
				"OpenCase with the key of an open case opens none",
				"Ask asks again every time"),
			by("Return soon after ctx is done.", doneAlready, blocked),
			by("A call whose ctx is done before it begins changes nothing and returns an error.", doneAlready),
			not("A call may take hours, since an adapter may be a person.", optional),
			not("Add what you know with fmt.Errorf and %w: the environment, the request, the server's text.", "what there is to know differs from system to system; that a condition is wrapped is checked wherever one is named"),
			by("Put no license bytes, activation codes, passwords or tokens into errors.", noSecret),
			by("Adapters hold no policy: they do not retry, do not remember, do not decide.",
				"a server without a license gives no code and no error", // not remembered
				"Ask asks again every time",                             // neither remembered nor decided
				"RepublishModule says that the module is busy",          // not retried: the module is free at the second try
			),
			not("The tables of the procedures do.", says),
			not("# Three answers", "heading"),
			not("Every call ends in one of three ways.", "introduces them"),
			by("A nil error means done.",
				"RegisterSerial registers the serial number under the code", "UploadLicense installs the file",
				"PauseDeployments pauses the environment", "ResumeDeployments ends the pause",
				"what Put has stored is there after a crash",
				"OpenCase returns the reference of a case that FindCase finds", blocked),
			by("An error that wraps one of the conditions of this package ([ErrRejected], [ErrBusy], …) means that it was certainly not done, and why.",
				"RegisterSerial without a free slot registers nothing",
				"UploadLicense refuses a file for another serial number",
				"UploadLicense refuses a file that Service Center turns down",
				"RepublishModule says that the module is busy",
				"PauseDeployments does not abort a running deployment", blocked),
			by("Every other error, and every error that wraps [ErrUncertain], means that nobody knows.", blocked),
			not("Then the engine looks before it acts again, and holds for a person when it cannot see.", caller),
			not("When in doubt, return the plain error: it costs one look.", advice),
			by("A condition that is not true can cost Production its license.", blocked, doneAlready),
			by("A success answer of the other system is not enough: Service Center answers HTTP 200 with success=false (facts.md 3.1).", "UploadLicense refuses a file that Service Center turns down"),
			not("# People", "heading"),
			not("Any port may be answered by a person (package adapters/attended).", optional),
			not("An adapter that knows who stated something, and when, says so with [Testify]; the journal keeps it.", "only the adapter knows whether it knows"),
		}},
		{"LicensePortal", []sentence{
			not("A LicensePortal issues license files: the vendor's Licensing Portal or Customer Portal.", says),
			not("It has no public API (facts.md 5.1); a person usually stands behind it.", advice),
			conformance("TestLicensePortal"),
		}},
		{"LicensePortal.FetchLicense", []sentence{
			by("FetchLicense returns the license file that the portal issues for the environment's serial number under code.", "FetchLicense returns the file of the serial number under the code"),
			by("It changes nothing.", "FetchLicense changes nothing"),
			by("It returns ErrSerialNotFound when that serial number is not registered under code.", "FetchLicense does not find a serial number that is not registered under the code"),
			not("The bytes may differ from one download to the next.", optional),
		}},
		{"LicensePortal.SerialRegistered", []sentence{
			by("SerialRegistered reports whether the environment's serial number is registered under code.", "SerialRegistered reports whether the serial number is registered under the code"),
			by("It changes nothing.", "SerialRegistered changes nothing"),
		}},
		{"LicensePortal.RegisterSerial", []sentence{
			by("RegisterSerial registers the environment's serial number under code.", "RegisterSerial registers the serial number under the code"),
			by("It takes up a slot that only the vendor can give back, so it is never called twice without somebody having looked.", "RegisterSerial takes up one slot"), // the second half binds the caller
			by("It returns ErrNoSlot, and registers nothing, when no slot of the environment's kind is free.", "RegisterSerial without a free slot registers nothing"),
			by("After it returns nil, SerialRegistered reports true and FetchLicense finds the file.", "RegisterSerial registers the serial number under the code"),
		}},
		{"ServiceCenter", []sentence{
			not("A ServiceCenter is the management console of one environment.", says),
			conformance("TestServiceCenter"),
		}},
		{"ServiceCenter.InstalledLicense", []sentence{
			by("InstalledLicense reads the server's own serial number and the licensing page.", "InstalledLicense reads the server's serial number and the licensing page"),
			by("It changes nothing.", "InstalledLicense changes nothing"),
			by("A server without a license gives an Installed without a code, and no error.", "a server without a license gives no code and no error"),
		}},
		{"ServiceCenter.UploadLicense", []sentence{
			by("UploadLicense installs the file.", "UploadLicense installs the file"),
			by("It returns ErrWrongEnvironment when the file is for another serial number, and ErrRejected when Service Center turns it down for another reason; both install nothing.",
				"UploadLicense refuses a file for another serial number", "UploadLicense refuses a file that Service Center turns down"),
			by("After it returns nil, InstalledLicense shows the file's activation code, at once or after a while.", "UploadLicense installs the file"),
			by("Uploading the same file again changes nothing more.", "UploadLicense of the same file again changes nothing more"),
		}},
		{"ServiceCenter.RepublishModule", []sentence{
			by("RepublishModule publishes the version of the module that is published now, waits for the end, and says which version was published before and after.",
				"RepublishModule publishes the version that is published now", "RepublishModule returns when the publish has ended, and may be repeated"),
			by("It returns ErrModuleNotFound when there is no such module, ErrBusy when another publish holds the module, ErrIntellectualProperty when the platform refuses the module's origin, and ErrPublishFailed when the publish finished with any other error.",
				"RepublishModule refuses a module that does not exist", "RepublishModule says that the module is busy",
				"RepublishModule says that the module's origin was refused", "RepublishModule says that the publish finished with errors"),
		}},
		{"Publication", []sentence{not("A Publication is what a republish did.", says)}},
		{"Publication.Before", []sentence{by("published version before", "RepublishModule publishes the version that is published now")}},
		{"Publication.After", []sentence{by("published version after; the same, unless somebody else published",
			"RepublishModule publishes the version that is published now", "RepublishModule says so when somebody else has published")}},
		{"LifeTime", []sentence{
			not("LifeTime is the console that manages the environments and the deployments between them.", says),
			conformance("TestLifeTime"),
		}},
		{"LifeTime.Registered", []sentence{
			by("Registered lists the environments that LifeTime controls, LifeTime itself excepted, with the state of their deployments.",
				"Registered lists the environments that LifeTime controls", "Registered shows a running deployment"),
			by("It changes nothing.", "Registered changes nothing"),
		}},
		{"LifeTime.PauseDeployments", []sentence{
			by("PauseDeployments pauses deployments to the environment.", "PauseDeployments pauses the environment"),
			by("After it returns nil, Registered shows the environment paused.", "PauseDeployments pauses the environment"),
			by("Pausing again changes nothing.", "PauseDeployments again changes nothing"),
			by("It returns ErrBusy, and pauses nothing, while a deployment to the environment is running that the pause would abort.", "PauseDeployments does not abort a running deployment"),
			by("It returns ErrUnknownEnvironment when LifeTime does not control the environment.", "PauseDeployments refuses an environment that LifeTime does not control"),
		}},
		{"LifeTime.ResumeDeployments", []sentence{
			by("ResumeDeployments ends the pause.", "ResumeDeployments ends the pause"),
			by("After it returns nil, Registered does not show the environment paused.", "ResumeDeployments ends the pause"),
			by("Resuming again changes nothing.", "ResumeDeployments again changes nothing"),
			by("It returns ErrUnknownEnvironment when LifeTime does not control the environment.", "ResumeDeployments refuses an environment that LifeTime does not control"),
		}},
		{"BackupVault", []sentence{
			not("A BackupVault keeps license files for good.", says),
			by("What is in it is never changed or removed.", "Put changes no other record or file", "List returns a copy"),
			conformance("TestBackupVault"),
		}},
		{"BackupVault.Put", []sentence{
			by("Put stores the file as the next generation for label.Serial and returns its record when every copy has been written to durable storage, read back, and found to have the file's digest; Stored.Copies says how many those are.",
				"Put returns the record of the file", "Put counts generations for each serial number", "what Put has stored is there after a crash"),
			by("A file with the same digest and label that is stored already is not stored again: its record is returned.",
				"Put of the same file and label again stores nothing", "Put of the same file under another label stores it again"),
			by("No other record or file changes.", "Put changes no other record or file"),
		}},
		{"BackupVault.Get", []sentence{
			by("Get reads the file with that digest for that serial number and compares it with the digest.", "Get returns the bytes that were stored", "Get says that no copy is whole"),
			by("It returns ErrBackupNotFound when there is none, and ErrBackupDamaged when no copy has that digest any more.",
				"Get does not find what was not stored for the serial number", "Get says that no copy is whole"),
			by("A damaged copy is passed over when another is whole.", "Get passes over damaged copies"),
		}},
		{"BackupVault.List", []sentence{
			by("List returns the records for the serial number, oldest generation first.", "List returns the records, oldest generation first"),
			by("Each was read back, and Stored.Copies counts the copies that are whole now; a record whose copies are all damaged is listed with zero.", "List counts the copies that are whole now"),
		}},
		{"Label", []sentence{
			not("A Label says what a backup is.", says),
			not("It contains no secret.", value),
		}},
		{"Label.Environment", []sentence{not("for people", value)}},
		{"Label.Serial", []sentence{not("the server's serial number as observed", value)}},
		{"Label.Role", []sentence{not("whose license it is", value)}},
		{"Label.Origin", []sentence{not("environment.OriginPortal or environment.OriginInstalled", value)}},
		{"Stored", []sentence{by("Stored is the record of a backup.", "Put returns the record of the file")}},
		{"Stored.Generation", []sentence{by("counts from 1 for each serial number", "Put counts generations for each serial number")}},
		{"Stored.Copies", []sentence{by("that were read back and had the digest", "Put returns the record of the file", "List counts the copies that are whole now")}},
		{"SupportDesk", []sentence{
			not("A SupportDesk opens cases with the vendor's Support.", says),
			conformance("TestSupportDesk"),
		}},
		{"SupportDesk.OpenCase", []sentence{
			by("OpenCase opens one case and returns its reference.", "OpenCase opens one case", "OpenCase returns the reference of a case that FindCase finds"),
			by("When a case with the same key is open already, it opens none and returns that one's reference.",
				"OpenCase with the key of an open case opens none", "OpenCase with the key of an open case returns that case's reference", "OpenCase opens a case for each key"),
		}},
		{"SupportDesk.FindCase", []sentence{
			by("FindCase returns the reference of the case with that key.", "OpenCase returns the reference of a case that FindCase finds"),
			by("It returns ErrCaseNotFound when there is none.", "FindCase does not find what was not opened"),
		}},
		{"Case", []sentence{not("A Case is what Support is asked: one case with the whole list.", value)}},
		{"Case.Key", []sentence{not("derives from the run and what is asked, so that asking twice finds the first", value)}},
		{"Case.Body", []sentence{not("names article and step, as the procedure demands; activation codes are masked", value)}},
		{"Operator", []sentence{
			not("An Operator is the person, or the people, who answer for the run.", says),
			conformance("TestOperator"),
		}},
		{"Operator.Ask", []sentence{
			by("Ask puts a question and returns the answer, with who gave it and when.", "Ask puts the question to the person", "Ask returns a yes with who gave it and when"),
			by("It returns ErrRefused when the answer is no, when nobody answers, and at the end of input: silence never means yes.",
				"Ask says that the answer is no", "Ask takes silence for no", "Ask takes the end of input for no"),
		}},
		{"QuestionKind", []sentence{not("A QuestionKind says what an answer will be used for.", value)}},
		{"AskApproval", []sentence{not("The kinds of question.", says), not("may the run go on past a gate?", value)}},
		{"AskAttestation", []sentence{not("is a fact true that no adapter can read?", value)}},
		{"Question", []sentence{not("A Question is put to an Operator.", says)}},
		{"Question.Subject", []sentence{not(`stable name, for example "move" or "modulesChecked"`, value)}},
		{"Question.Environment", []sentence{by("empty: the infrastructure", "Ask puts the question to the person")}},
		{"Question.Text", []sentence{by("the question, to be answered with yes or no", "Ask puts the question to the person")}},
		{"Question.Details", []sentence{by("what to know, or to do, before answering", "Ask puts the question to the person")}},
		{"Answer", []sentence{by("An Answer is a yes, with its evidence.", "Ask returns a yes with who gave it and when")}},
		{"Answer.By", []sentence{by("who answered; never empty", "Ask returns a yes with who gave it and when")}},
		{"Answer.Text", []sentence{not("what was seen or said; may be empty", optional)}},
		{"LicenseBackuper", []sentence{
			not("A LicenseBackuper is a ServiceCenter that can also download the installed license (the licensing page's link Backup License).", says),
			not("It is optional: without it the run's journal says that this copy is missing.", caller),
		}},
		{"LicenseBackuper.BackupLicense", []sentence{
			by("BackupLicense returns the installed license's file.", "BackupLicense returns the file of the installed license"),
			by("It changes nothing.", "BackupLicense changes nothing"),
			by("It returns ErrNoLicense when none is installed.", "BackupLicense says that no license is installed"),
		}},
		{"Describer", []sentence{
			not(`A Describer says in a few words what answers for a port, for the journal: "attended", "Service Center over SOAP".`, optional),
			not("It is optional.", optional),
		}},
		{"Describe", []sentence{not("Describe returns what the port says of itself, or the name of its type.", ours)}},
		{"Clock", []sentence{
			not("A Clock tells the time and waits.", noSuite),
			not("It is not part of a [Set]: the machine's own clock serves unless a test or a rehearsal brings another.", noSuite),
		}},
		{"Clock.Now", []sentence{
			not("Now returns the time.", noSuite),
			not("It is for people and for expiry dates; nothing is decided by comparing the times of two records.", caller),
		}},
		{"Clock.Sleep", []sentence{not("Sleep returns nil after d, or ctx.Err() when ctx is done first.", noSuite)}},
		{"Tasks", []sentence{
			not("Tasks run what a run does side by side, for a host where that is not a matter of goroutines: a workflow engine that replays its code needs every step in an order of its own (adapters/temporal is such a host).", noSuite),
			not("They are not part of a [Set]; goroutines serve unless a host brings others.", noSuite),
			not("Whatever a run does with Tasks, it does from functions that Go runs, or from the caller of a verb, one at a time: control goes from one to another only in Wait, and where a port, a store or a clock lets others go on.", noSuite),
		}},
		{"Tasks.Go", []sentence{not("Go runs f beside its caller, at once or later, in a context that has the values of ctx.", noSuite)}},
		{"Tasks.Wait", []sentence{not("Wait returns once ready reports true. ready changes nothing.", noSuite)}},
		{"Tasks.WithTimeout", []sentence{
			not("WithTimeout returns a context whose deadline is d from now, in the time that the host goes by.", noSuite),
			not("Whether the context ends then, or whoever is called heeds the deadline, is up to the host.", noSuite),
		}},
		{"Set", []sentence{
			not("Set holds an adapter for every port.", says),
			not("All are required; adapters/attended answers for any of them through a person.", ours),
		}},
		{"Set.Validate", []sentence{not("Validate names every port that is missing.", ours)}},
	}
}

// conformance is the sentence that links a port to its suite.
func conformance(suite string) sentence {
	return not("Conformance: [github.com/changeover-go/changeover/adapters/adaptertest."+suite+"].", "links the suite "+suite)
}

// The suites by the names of their functions, with the names of their clauses.
func suites() []struct {
	name    string
	clauses []string
} {
	return []struct {
		name    string
		clauses []string
	}{
		{"TestLicensePortal", names(adaptertest.LicensePortalClauses())},
		{"TestServiceCenter", names(adaptertest.ServiceCenterClauses())},
		{"TestLifeTime", names(adaptertest.LifeTimeClauses())},
		{"TestBackupVault", names(adaptertest.BackupVaultClauses())},
		{"TestSupportDesk", names(adaptertest.SupportDeskClauses())},
		{"TestOperator", names(adaptertest.OperatorClauses())},
	}
}

func names[H any](clauses []adaptertest.Clause[H]) []string {
	var names []string
	for _, c := range clauses {
		names = append(names, c.Name)
	}
	return names
}

func TestEverySentenceOfTheContractIsAccountedFor(t *testing.T) {
	said := append(read(t, "../doc.go"), read(t, "../ports.go")...)
	var listed []string
	for _, c := range contract() {
		for _, s := range c.sentences {
			listed = append(listed, c.of+": "+s.text)
		}
	}
	require.Equal(t, said, listed, "the comments of package adapters and the table in this file differ")
}

func TestTheTableOfSentencesNamesClausesThatExist(t *testing.T) {
	known, named := map[string]bool{}, map[string]bool{}
	for _, s := range suites() {
		known["[github.com/changeover-go/changeover/adapters/adaptertest."+s.name+"]."] = true
		for _, c := range s.clauses {
			known[c] = true
		}
	}
	for _, c := range contract() {
		for _, s := range c.sentences {
			require.NotEqual(t, len(s.clauses) == 0, s.why == "", "%s: %s: either clauses or a reason", c.of, s.text)
			if link, ok := strings.CutPrefix(s.text, "Conformance: "); ok {
				require.True(t, known[link], "%s: there is no suite %s", c.of, link)
			}
			for _, clause := range s.clauses {
				require.True(t, known[clause], "%s: %s: there is no clause %q", c.of, s.text, clause)
				named[clause] = true
			}
		}
	}
	for _, s := range suites() {
		for _, c := range s.clauses {
			require.True(t, named[c], "%s: no sentence of the contract asks for the clause %q", s.name, c)
		}
	}
}

func TestNoSuiteHasTwoClausesOfOneName(t *testing.T) {
	for _, s := range suites() {
		sorted := slices.Sorted(slices.Values(s.clauses))
		require.Len(t, slices.Compact(sorted), len(s.clauses), s.name)
	}
}

// read returns the sentences of every comment on a declaration of the file, in
// order, each behind the name of what is declared: "ServiceCenter.UploadLicense:
// It …". The package comment has the name "package".
func read(t *testing.T, file string) (sentences []string) {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments)
	require.NoError(t, err)
	add := func(name string, comments ...*ast.CommentGroup) {
		for _, c := range comments {
			for _, s := range split(c.Text()) {
				sentences = append(sentences, name+": "+s)
			}
		}
	}
	add("package", parsed.Doc)
	for _, d := range parsed.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			name := d.Name.Name
			if d.Recv != nil {
				name = receiver(d.Recv.List[0].Type) + "." + name
			}
			add(name, d.Doc)
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				switch spec := spec.(type) {
				case *ast.TypeSpec:
					add(spec.Name.Name, d.Doc, spec.Doc)
					var fields *ast.FieldList
					switch of := spec.Type.(type) {
					case *ast.InterfaceType:
						fields = of.Methods
					case *ast.StructType:
						fields = of.Fields
					default:
						continue
					}
					for _, f := range fields.List {
						for _, n := range f.Names {
							add(spec.Name.Name+"."+n.Name, f.Doc, f.Comment)
						}
					}
				case *ast.ValueSpec:
					for i, n := range spec.Names {
						if i == 0 && spec == d.Specs[0] {
							add(n.Name, d.Doc) // of the whole group
						}
						add(n.Name, spec.Doc, spec.Comment)
					}
				}
			}
		}
	}
	return sentences
}

func receiver(of ast.Expr) string {
	switch of := of.(type) {
	case *ast.StarExpr:
		return receiver(of.X)
	case *ast.Ident:
		return of.Name
	}
	return ""
}

// split splits a comment into sentences: after a period with a capital letter
// behind it, at the end of a paragraph, and at the end of an item of a list.
func split(comment string) (sentences []string) {
	var (
		block = regexp.MustCompile(`\n\n|\n *- `)
		end   = regexp.MustCompile(`\. [A-Z]`)
	)
	for _, text := range block.Split(comment, -1) {
		text = strings.Join(strings.Fields(strings.TrimPrefix(strings.TrimSpace(text), "- ")), " ")
		for at := end.FindStringIndex(text); at != nil; at = end.FindStringIndex(text) {
			sentences = append(sentences, text[:at[0]+1])
			text = text[at[0]+2:]
		}
		if text != "" {
			sentences = append(sentences, text)
		}
	}
	return sentences
}

func TestCommentsAreSplitIntoSentences(t *testing.T) {
	require.Equal(t, []string{
		"# Heading", "One sentence (facts.md 5.1; more) of two lines.", "Another one.", "A list:",
		"First item. it goes on.", "Second.", "Third", "End.",
	}, split("# Heading\n\nOne sentence (facts.md 5.1; more)\nof two lines. Another one.\nA list:\n\n  - First item. it\n    goes on.\n  - Second. Third\n\nEnd.\n"))
}
