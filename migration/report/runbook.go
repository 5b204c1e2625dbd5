package report

import (
	"bytes"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/environment/machine"
	"github.com/changeover-go/changeover/internal/manual"
	"github.com/changeover-go/changeover/internal/steps"
	"github.com/changeover-go/changeover/license"
	"github.com/changeover-go/changeover/migration"
	"github.com/changeover-go/changeover/rollback"
)

// WriteRunbook writes the plan as a checklist in Markdown, for people who do
// everything by hand or want to see on paper what a run does: each step in the
// order in which a run comes to it, with the exact clicks, what must be seen
// before going on, what to do otherwise, and room for who did it, when, and
// what was seen. The way back is a part of its own. The steps and conditions
// are those of the tables, the clicks those of package attended.
//
// Each box ends in a comment with the name of its effect, for whoever reads the
// checklist with a program. Activation codes are masked. The error is that of [migration.Plan.Validate],
// or of w.
func WriteRunbook(w io.Writer, plan migration.Plan) error {
	if err := plan.Validate().Err(); err != nil {
		return err
	}
	plan = plan.Effective()
	profile, _ := migration.FindProfile(plan.Profile)
	r := &runbook{plan: plan, profile: profile, clean: newCleaner(plan), refs: map[string]string{}, read: map[string]int{}}
	for _, c := range Clauses() {
		r.refs[c.ID] = c.Ref
	}
	r.introduce()
	r.forward()
	r.support()
	r.back()
	_, err := io.WriteString(w, r.linked())
	return err
}

// linked returns the text, in which the addresses that people have to open can
// be read and clicked. All other text stays without markup.
func (r *runbook) linked() string {
	var pairs []string
	for _, address := range append([]string{"https://www.outsystems.com/", "https://success.outsystems.com/"}, r.addresses()...) {
		pairs = append(pairs, markup(address), address)
	}
	return strings.NewReplacer(pairs...).Replace(r.String())
}

// addresses are those of the Service Centers that have nothing in them that
// could be markup.
func (r *runbook) addresses() []string {
	var plain []string
	for _, env := range r.plan.Infrastructure.Environments {
		if u, err := url.Parse(env.ServiceCenter); err == nil && markup(u.Hostname()) == u.Hostname() {
			plain = append(plain, u.Scheme+"://"+u.Hostname())
		}
	}
	return plain
}

// A runbook is the checklist of a plan.
type runbook struct {
	document
	plan    migration.Plan // effective
	profile migration.Profile
	clean   cleaner
	refs    map[string]string // clause -> where it stands
	n       int               // boxes so far
	read    map[string]int    // environment -> box that says how to read what is installed

	goesBack bool // the way back is being written
}

// The parts by which steps refer to each other.
const (
	partForward = "Part 1: forward"
	partSupport = "Part 2: what only Support can mend"
	partBack    = "Part 3: the way back"
)

func (r *runbook) introduce() {
	r.heading(1, "Runbook: the activation code of "+r.clean.text(r.plan.Infrastructure.Name))
	r.paragraph(fmt.Sprintf("From %s to %s, with the profile %s: %s", r.plan.Source, r.plan.Target, r.profile.Name, r.profile.Doc))
	r.paragraph("Plan " + r.plan.Digest() + ".")
	r.list([]string{
		"Read everything before you begin, and ask Support first if anything is unclear.",
		"The boxes come in the order in which they are done, one at a time. Tick a box only when all was seen that stands under \"Go on when\", and write down who did it, when, and what was seen.",
		"Where anything else was seen, do what stands under \"Otherwise\". If it does not stand there, change nothing more anywhere, and ask Support, naming the article \"" + steps.Article + "\" and the step (clause U1).",
		"A page that is not reached, or that is busy: wait and try again. Where you do not know whether something was done, look at what the page shows before you do it again.",
		"No license is uploaded without a backup that was read back. After an intellectual property error nothing more is begun anywhere: go to \"" + partBack + "\" (clause M2.box).",
	})
	r.WriteByte('\n')
	r.table("environment", "kind", "Service Center", "serial number", "deployments are paused")
	for _, env := range r.plan.Infrastructure.Environments {
		paused := "no"
		if slices.Contains(r.plan.Pause, env.Name) {
			paused = "yes"
		}
		r.row(r.clean.text(env.Name), string(env.Kind), r.clean.whole(env.ServiceCenter), r.clean.text(string(env.Serial)), paused)
	}
}

// begin begins a part, after a blank line.
func (r *runbook) begin(title string) {
	r.blank()
	r.heading(2, title)
}

func (r *runbook) blank() {
	if !bytes.HasSuffix(r.Bytes(), []byte("\n\n")) {
		r.WriteByte('\n')
	}
}

// chapter begins the steps of an effect of the infrastructure.
func (r *runbook) chapter(e machine.Effect) {
	r.blank()
	var title strings.Builder
	for _, c := range string(e.Name) {
		if unicode.IsUpper(c) {
			title.WriteByte(' ')
		}
		title.WriteRune(unicode.ToLower(c))
	}
	r.heading(3, upperFirst(title.String()))
	r.paragraph(e.Doc)
}

func (r *runbook) forward() {
	r.begin(partForward)
	line := migration.InfrastructureTable(r.profile)
	for _, at := range line.Course(line.Initial, "") {
		seen := seenFor(line, at)
		r.chapter(at.Effect)
		for _, leg := range r.profile.Legs {
			for i, stage := range leg.Stages {
				if stage.Effect == at.Effect.Name {
					r.stage(leg, i)
				}
			}
		}
		r.lineStep(at, seen, r.profile.Legs[len(r.profile.Legs)-1].Role)
	}
}

// stage writes the part of a leg that a stage is, environment by environment.
func (r *runbook) stage(leg migration.Leg, i int) {
	stage, table := leg.Stages[i], migration.EnvironmentTable(leg, r.plan.Rules(leg))
	from := table.Initial
	if i > 0 {
		from = leg.Stages[i-1].Until
	}
	order := r.plan.Order
	if stage.Policy == migration.StopTheLine && len(r.plan.First) > 0 {
		others := slices.DeleteFunc(slices.Clone(order), func(name string) bool { return slices.Contains(r.plan.First, name) })
		order = slices.Concat(r.plan.First, others)
		r.paragraph("First, and before any other environment begins: " + list(r.clean.texts(r.plan.First)) + ".")
	}
	for _, name := range order {
		for _, at := range table.Course(from, stage.Until) {
			r.environmentStep(find(r.plan, name), leg.Role, at, seenFor(table, at), r.otherwise(table.Edges, at, leg.Role, stage.Policy))
		}
	}
}

func (r *runbook) support() {
	r.begin(partSupport)
	line := migration.InfrastructureTable(r.profile)
	for _, at := range line.Course(migration.CaseNeeded, "") {
		r.paragraph("Only if a step of \"" + partForward + "\" has led here. " + docOf(line, at.State))
		r.lineStep(at, seenFor(line, at), license.Source)
	}
	r.blank()
	r.paragraph("When Support has helped, begin again in those environments with the first step of the leg in which they stopped; after question 3 of the article, in every environment.")
}

func (r *runbook) back() {
	r.begin(partBack)
	r.goesBack = true
	r.paragraph("Only after an intellectual property error, or when somebody decides it. Write down who, when, and why.")
	line, table := rollback.InfrastructureTable(), rollback.EnvironmentTable()
	for _, at := range line.Course(line.Initial, "") {
		r.chapter(at.Effect)
		if at.Effect.Name == "restoreLicenses" {
			for _, name := range r.plan.Order {
				for _, each := range table.Course(table.Initial, "") {
					r.environmentStep(find(r.plan, name), license.Source, each, seenFor(table, each), r.otherwise(table.Edges, each, license.Source, ""))
				}
			}
		}
		r.lineStep(at, seenFor(line, at), license.Source)
	}
}

// docOf returns what is true in a state.
func docOf[F any](t machine.Table[F], s machine.State) string {
	for _, n := range t.States {
		if n.State == s {
			return n.Doc
		}
	}
	return ""
}

// seenFor returns what must be seen before the next state is claimed: what the
// guards on the way ask for, or else what is true in it.
func seenFor[F any](t machine.Table[F], at machine.Passage) []string {
	var seen []string
	for _, name := range at.Edge.If {
		for _, g := range t.Guards {
			if g.Name == name {
				seen = append(seen, g.Doc)
			}
		}
	}
	if len(seen) == 0 {
		seen = append(seen, docOf(t, at.Edge.To))
	}
	return seen
}

// otherwise says of everything else that the table knows to happen in a state
// what to do about it.
func (r *runbook) otherwise(edges []machine.Edge, at machine.Passage, role license.Role, policy migration.Policy) []string {
	var lines []string
	for _, e := range edges {
		if e.From != at.State || e.On == at.Edge.On {
			continue
		}
		var found []string
		for _, c := range at.Effect.Catch {
			if c.Trigger == e.On {
				found = append(found, meaning(c.Condition))
			}
		}
		if len(found) == 0 {
			found = []string{meaning(string(e.On))}
		}
		line := upperFirst(strings.Join(found, ", or ")) + ": "
		if hint := hintFor(conditionOf(at.Effect, e.On), question(e.On, role)); hint != "" {
			line += hint + ". "
		}
		if n := question(e.On, role); n > 0 {
			line += fmt.Sprintf("This is question %d of the article (clause F%d). ", n, n)
		}
		lines = append(lines, line+whatThen(e.To, policy))
	}
	return lines
}

// conditionOf returns the condition that an effect turns into a trigger, or the
// trigger where there is none.
func conditionOf(e machine.Effect, on machine.Trigger) string {
	for _, c := range e.Catch {
		if c.Trigger == on {
			return c.Condition
		}
	}
	return string(on)
}

// meaning says what a condition, or a trigger that is none, means.
func meaning(name string) string {
	for _, c := range adapters.Conditions() {
		if c.Condition() == name {
			return c.Error()
		}
	}
	switch name {
	case "fileRefused":
		return "the file is not what it should be"
	case "sourceNotShown":
		return "the source license does not show any more"
	case "nothingToRestore":
		return "the source license shows for this server, and no target license was ever uploaded here"
	}
	return "it ends with " + name
}

// question returns which question of the article speaks of what has happened;
// 0: none.
func question(on machine.Trigger, role license.Role) int {
	switch {
	case on == "serialNotFound" && role == license.Source:
		return 1
	case on == "notPrepared" && role == license.Source:
		return 2
	case on == "notPrepared":
		return 3
	}
	return 0
}

// whatThen says where a state leads that was not the one hoped for.
func whatThen(to machine.State, policy migration.Policy) string {
	switch {
	case to == migration.RollingBack:
		return "Begin nothing more anywhere and go to \"" + partBack + "\"."
	case to == rollback.RolledBack:
		return "Nothing is to be put back: tick this box and leave out the other two of this environment."
	case to == rollback.RestoredNotTested:
		return "Go on with the other environments; deployments stay paused until somebody takes responsibility."
	case policy == migration.Collect:
		return "Note it and go on with the next environment; at the end of this chapter go to \"" + partSupport + "\", once, with the whole list."
	case policy == migration.StopTheLine:
		return "Begin nothing in any other environment and go to \"" + partSupport + "\"."
	}
	return "Note it, go on with the other environments, and ask Support."
}

// box writes one step.
func (r *runbook) box(effect machine.EffectName, title, clause string, do, seen, otherwise []string) {
	r.n++
	title = upperFirst(title)
	if ref := r.refs[clause]; ref != "" {
		title += fmt.Sprintf(" (%s, clause %s)", ref, clause)
	}
	fmt.Fprintf(r, "- [ ] **%d. %s** <!-- %s -->\n", r.n, r.line(title), effect)
	for i, s := range do {
		fmt.Fprintf(r, "  %d. %s\n", i+1, r.line(s))
	}
	item := func(label string, lines []string) {
		if len(lines) > 0 {
			fmt.Fprintf(r, "  - %s:\n", label)
		}
		for _, s := range lines {
			fmt.Fprintf(r, "    - %s\n", r.line(s))
		}
	}
	item("Go on when", seen)
	item("Otherwise", otherwise)
	r.WriteString("  - Who, when, what was seen: ................................................\n")
}

// line makes a line of a box ready for the page: an activation code may stand in
// anything that a plan says.
func (r *runbook) line(s string) string { return markup(r.clean.whole(s)) }

// clauseFor returns the clause of an effect; what the text says of the source
// license alone is a gap where it is done for the target license.
func clauseFor(effect machine.EffectName, role license.Role) string {
	clause := clauseOfStep(string(effect))
	if role == license.Target && strings.HasPrefix(clause, "M2") {
		return "G1"
	}
	return clause
}

// environmentStep writes the box of one environment's effect.
func (r *runbook) environmentStep(env environment.Environment, role license.Role, at machine.Passage, seen, otherwise []string) {
	title, do := r.environmentClicks(env, role, at.Effect)
	r.box(at.Effect.Name, r.clean.text(env.Name)+": "+title, clauseFor(at.Effect.Name, role), do, seen, otherwise)
}

// environmentClicks says how a person does an effect in one environment.
func (r *runbook) environmentClicks(env environment.Environment, role license.Role, e machine.Effect) (title string, do []string) {
	module := r.clean.text(r.plan.Module)
	read := fmt.Sprintf("Read what is installed, as in box %d.", r.read[env.Name])
	stillPaused := manual.OpenEnvironments + " See that deployments are still paused: " + or(list(r.clean.texts(r.plan.Pause)), "nowhere") + "."
	publish := []string{manual.OpenModules(env), manual.FindModule(r.plan.Module), "Write down the version with the green tick Published.",
		manual.PublishVersion("that version"), manual.WaitForPublish, "See that the same version has the green tick afterwards."}
	switch e.Name {
	case "registerSerial":
		return "register the serial number under the target activation code", []string{read, manual.OpenPortal(r.code(role)),
			manual.FindSerial(env) + " If it is listed, change nothing.", "Otherwise " + manual.RegisterSerial(env)}
	case "fetchLicense":
		return fmt.Sprintf("download the %s license", role), []string{read, manual.OpenPortal(r.code(role)), manual.FindSerial(env), manual.DownloadLicense}
	case "backUp":
		return "keep the downloaded license, and the installed one", []string{"Write down the SHA-256 of the downloaded file. " + manual.KeepFile,
			manual.OpenLicensing(env), manual.BackupLicense, "Write down its SHA-256 too. " + manual.KeepFile,
			fmt.Sprintf("Read every copy again, at least %s of the downloaded file, and compare the SHA-256.", plural(r.plan.MinCopies, "copy", "copies"))}
	case "upload":
		return fmt.Sprintf("upload the %s license", role), []string{read, stillPaused, manual.OpenLicensing(env),
			manual.UploadLicense + "the downloaded one, with the SHA-256 that was written down.", manual.WaitForPage, read}
	case "verify":
		return "see what stands for Intellectual Property", []string{read}
	case "republish":
		return "republish " + module, append([]string{stillPaused}, publish...)
	case "restore":
		return "put the source license back", []string{read, "If the source license shows, and no target license was ever uploaded here, stop: change nothing, tick this box, and leave out the other two of this environment.",
			manual.OpenLicensing(env),
			manual.UploadLicense + "the newest backup of the source license for this serial number; rather one that this environment has accepted before.",
			manual.WaitForPage, read}
	case "confirm":
		return "see that the source license is back", []string{read}
	case "testRestored":
		return "republish " + module, publish
	}
	return string(e.Name), []string{e.Doc}
}

// howToRead writes out, once for each environment, how what is installed is
// read; it is the box that comes next.
func (r *runbook) howToRead(env environment.Environment, s machine.Settle) []string {
	if box, ok := r.read[env.Name]; ok {
		return []string{fmt.Sprintf("Read what is installed, as in box %d.", box)}
	}
	r.read[env.Name] = r.n + 1
	do := []string{manual.AskServer(env), manual.OpenLicensing(env), manual.FilterIPP,
		"Write down the server's serial number, and of the page the activation code, the serial number and the word for Intellectual Property."}
	if s.Reads > 1 {
		do = append(do, fmt.Sprintf("Read the page %d times, %s apart: it must say the same.", s.Reads, span(s.Every)))
	}
	return do
}

// span says how long something takes.
func span(d time.Duration) string {
	if d >= time.Minute && d%time.Minute == 0 {
		return plural(int(d/time.Minute), "minute", "minutes")
	}
	return plural(int(d/time.Second), "second", "seconds")
}

// code names the activation code of a role.
func (r *runbook) code(role license.Role) string {
	if role == license.Target {
		return "the new (target) activation code " + r.plan.Target.String()
	}
	return "the old (source) activation code " + r.plan.Source.String()
}

// lineStep writes the boxes of an effect of the infrastructure; role is whose
// license shows everywhere in the end. One that takes the environments through
// a stage has its boxes already.
func (r *runbook) lineStep(at machine.Passage, seen []string, role license.Role) {
	clause := clauseOfStep(string(at.Effect.Name))
	if r.goesBack && clause == "M1" {
		clause = "R1"
	}
	box := func(title string, seen []string, otherwise string, do ...string) {
		r.box(at.Effect.Name, title, clause, do, seen, []string{otherwise})
	}
	readAll := func(role license.Role, otherwise string) {
		for _, env := range r.plan.Infrastructure.Environments {
			box(r.clean.text(env.Name)+": read what is installed", []string{fmt.Sprintf("The page shows %s, and the server and the page both show the serial number %s.",
				r.code(role), r.clean.text(string(env.Serial)))}, otherwise, r.howToRead(env, at.Effect.Settle)...)
		}
	}
	ask := func(question string) string { return "Ask whoever decides: \"" + question + "\"" }
	switch at.Effect.Name {
	case "survey":
		box("read the environments of LifeTime", []string{"LifeTime lists every environment of the table above, and no other; itself it may list or not."},
			"Do not begin: the change is for all environments of one LifeTime (clauses imp.1a to imp.1c).", manual.OpenEnvironments, manual.SeeDeployments)
		readAll(license.Source, "Do not begin: find out who changed it and why.")
	case "pause":
		for _, name := range r.plan.Pause {
			box(r.clean.text(name)+": pause deployments", seen, "Change nothing more until it is paused. If somebody else had paused it before, write down who: it is not resumed in the end.",
				manual.OpenEnvironment(find(r.plan, name)), manual.PauseFirst+": maintenance mode would abort it. Let it end first.", manual.Pause)
		}
	case "attestModules":
		box("have the modules checked", seen, "Do not go on: a module that is marked for another activation code cannot be published after the move.",
			"Run ActivationCodeCheck in every environment.", ask("Has ActivationCodeCheck found every module of every environment clean?"))
	case "openGate":
		box("decide on the target licenses", seen, "Wait, or go back: \""+partBack+"\".", "Read every backup again and compare the SHA-256 with the one that was written down.",
			ask(fmt.Sprintf("Install the target licenses of %s in all %d environments of %s now?", r.plan.Target, len(r.plan.Order), r.clean.text(r.plan.Infrastructure.Name))))
	case "sweep":
		box("let the last change settle", []string{"The time has passed."}, "Wait.", fmt.Sprintf("Wait %s after the last change.", span(at.Effect.Settle.Window)))
		otherwise := "Deployments stay paused. Find out what has changed, or go back: \"" + partBack + "\"."
		if r.goesBack {
			otherwise = "Deployments stay paused. Do the boxes of that environment again; if that was tried already, go to the box \"tell Support\" now."
		}
		readAll(role, otherwise)
	case "resumeDeployments":
		for _, name := range r.plan.Pause {
			do := []string{manual.OpenEnvironment(find(r.plan, name)), manual.Resume}
			if r.goesBack {
				do = append([]string{"Only if every box of this part is ticked, or somebody takes responsibility for those that are not, and has signed here: ................"}, do...)
			}
			box(r.clean.text(name)+": resume deployments, if they were paused for this", seen, "Look at every environment again before you try again.", do...)
		}
	case "openCase", "report":
		what := "each environment with its serial number, the step, and what was seen"
		if at.Effect.Name == "report" {
			what = "where an intellectual property error was met or why it was stopped, and of every environment which license it shows now, and whether the republish succeeded"
		}
		box("tell Support", seen, "Try again later; open no second case.", manual.OpenSupport, "Look first for a case that was opened for this already. If there is one, open none.",
			"Otherwise open one case. Name the article \""+steps.Article+"\", "+r.plan.Source.String()+" and "+r.plan.Target.String()+", and "+what+".")
	}
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}
