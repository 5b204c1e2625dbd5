package verbs_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/adapters/fake"
	"github.com/changeover-go/changeover/adapters/simulator"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/license"

	"github.com/changeover-go/changeover/examples/changeover/internal/planfile"
	"github.com/changeover-go/changeover/examples/changeover/internal/verbs"
)

// A box of the runbook: what is to be done and to be seen.
type box struct {
	title, effect, text string
	before, after       int // how often what is installed may be read before, and after, something is chosen
}

// boxes reads the first part of a runbook; references to boxes are followed.
func boxes(t *testing.T, runbook string) (list []box) {
	text, _, _ := strings.Cut(regexp.MustCompile(`\\(.)`).ReplaceAllString(html.UnescapeString(runbook), "$1"), "\n## Part 2")
	how := "" // what is installed is read
	for _, part := range strings.Split(text, "\n- [ ] **")[1:] {
		head, rest, _ := strings.Cut(part, "\n")
		parts := regexp.MustCompile(`^\d+\. (.*)\*\* <!-- (\w+) -->$`).FindStringSubmatch(head)
		require.NotNil(t, parts, head)
		b := box{title: parts[1], effect: parts[2]}
		b.text, _, _ = strings.Cut(rest, "\n  - Otherwise:")
		reads := &b.before
		for _, step := range steps(b.text) {
			if _, n, found := strings.Cut(strings.TrimSuffix(step, "."), "Read what is installed, as in box "); found {
				n, err := strconv.Atoi(n)
				require.NoError(t, err)
				how = list[n-1].text
				step, b.text = how, b.text+how
			}
			if strings.Contains(step, "Ask the server for its own serial number") {
				require.Contains(t, b.text, "Read the page 2 times")
				*reads += 2
			}
			if strings.Contains(step, "hoose ") {
				reads = &b.after
			}
		}
		if strings.Contains(b.text, "the observed serial number") {
			b.text, b.before = b.text+how, 1 // which has to be read, though no step says so
		}
		list = append(list, b)
	}
	return list
}

// steps are the numbered lines of a text.
func steps(text string) (list []string) {
	for _, found := range regexp.MustCompile(`(?m)^ {1,2}\d+\. (.*)$`).FindAllStringSubmatch(text, -1) {
		list = append(list, found[1])
	}
	return list
}

// waits reports whether nobody is asked.
func (b box) waits() bool { return strings.HasPrefix(b.text, "  1. Wait ") }

// A question is what the person is told to do before something is asked.
type question struct {
	title        string
	instructions []string
	env          environment.Environment
}

// in reports whether all that is to be done stands in the box too.
func (q question) in(b box) bool {
	if strings.Contains(q.title, "a backup") && (!strings.Contains(b.text, "SHA-256") || b.effect != "openGate" && !strings.HasPrefix(b.title, q.env.Name+":")) {
		return false
	}
	return !slices.ContainsFunc(q.instructions, func(s string) bool { return !strings.Contains(b.text, s) })
}

// A place is where somebody stands who follows the runbook.
type place struct {
	box, reads int
	chosen     bool
}

// A follower knows every place where the person may stand: what is read last in
// one box may as well be what is read first in the next.
type follower struct {
	boxes  []box
	places map[place]bool
}

// follow begins before the first box. Boxes in which nobody is asked are left
// out.
func follow(list []box) *follower {
	f := &follower{places: map[place]bool{{box: -1}: true}}
	for _, b := range list {
		if !b.waits() {
			f.boxes = append(f.boxes, b)
		}
	}
	return f
}

// takes reports whether it is the turn of the question.
func (f *follower) takes(q question) bool {
	next := map[place]bool{}
	for at := range f.places {
		places := []place{at, {box: at.box + 1}}
		if at.box >= 0 && f.boxes[at.box].effect == "survey" {
			places = append(places, place{}) // plan and apply look more than once
		}
		for i, to := range places {
			again := i == 0 && at.box >= 0 && strings.HasPrefix(q.title, "the registered") // the run sees more often that the pause holds
			if to.box < 0 || to.box == len(f.boxes) || !again && !q.in(f.boxes[to.box]) {
				continue
			}
			if strings.Contains(q.title, "read the installed") {
				to.reads++
			}
			if strings.Contains(strings.Join(q.instructions, " "), "hoose ") && !to.chosen {
				to.chosen, to.reads = true, 0
			}
			if b := f.boxes[to.box]; to.chosen && to.reads <= b.after || !to.chosen && to.reads <= b.before {
				next[to] = true
			}
		}
	}
	f.places = next
	return len(next) > 0
}

// ended reports whether no box is left over.
func (f *follower) ended() bool {
	over := false
	for at := range f.places {
		over = over || at.box == len(f.boxes)-1
	}
	return over
}

// A person does on the pages of a simulation what the questions say, and
// answers with what is shown there.
type person struct {
	*testing.T
	*simulator.Person // at the vendor's pages and the licensing pages
	sim               *simulator.Simulator
	file              *planfile.File
	asked             []question
	row, downloads    int
	stored            string         // the file that is being stored
	kept              map[string]int // how many were, by environment
}

// runs carries out a command with the person at its terminal.
func (p *person) runs(f *follower, args ...string) (code int) {
	master, tty, err := pty.Open() // approvals are taken from a terminal alone
	require.NoError(p, err)
	defer func() { _, _ = tty.Close(), master.Close() }()
	go func() { _, _ = io.Copy(io.Discard, master) }() // the echo
	said, out := io.Pipe()
	ended := make(chan int, 1)
	go func() {
		ended <- verbs.Run(p.Context(), args, verbs.IO{In: tty, Out: out, Err: out})
		_ = out.Close()
	}()
	var heard bytes.Buffer
	for b := make([]byte, 4096); ; {
		n, err := said.Read(b)
		heard.Write(b[:n])
		if err != nil {
			return <-ended
		}
		if text, put := strings.CutSuffix(heard.String(), "\n> "); put {
			heard.Reset()
			if p.hears(text) {
				q := p.asked[len(p.asked)-1]
				require.True(p, f.takes(q), "question %d is not in the runbook, or not here: %s %q", len(p.asked), q.title, q.instructions)
			}
			_, err := master.WriteString(p.answer(text, text[strings.LastIndexByte(text, '\n')+1:]) + "\n")
			require.NoError(p, err)
		}
	}
}

// hears takes note of a question, and reports whether it asks for something
// that was not asked for before.
func (p *person) hears(text string) bool {
	var q question
	_, title, titled := strings.Cut(text, "\n=== ")
	_, approval, approve := strings.Cut(text, "Install the target licenses")
	switch {
	case titled:
		q.title, _, _ = strings.Cut(title, " ===\n")
		for _, env := range p.file.Plan.Infrastructure.Environments {
			if strings.HasPrefix(q.title, env.Name+": ") || strings.Contains(q.title, "license of "+env.Name+",") || strings.HasSuffix(q.title, string(env.Serial)) {
				q.env = env
			}
		}
	case approve:
		approval, _, _ = strings.Cut(approval, "\n")
		q = question{title: "approve", instructions: []string{"Install the target licenses" + approval}}
	case len(steps(text)) > 0:
		q.title, q.env = p.asked[len(p.asked)-1].title, p.asked[len(p.asked)-1].env
	default:
		return false
	}
	for _, s := range steps(text) {
		// Where a file lies on this computer, and what to answer, stands in no runbook.
		if strings.HasPrefix(s, "The file is ") || strings.HasPrefix(s, "Its SHA-256 is ") {
			continue
		}
		for _, code := range []license.ActivationCode{p.file.Plan.Source, p.file.Plan.Target} {
			s = strings.ReplaceAll(s, code.Reveal(), code.String())
		}
		q.instructions = append(q.instructions, regexp.MustCompile(`: |\. | and answer | version |\.$`).Split(s, 2)[0])
	}
	p.asked = append(p.asked, q)
	return true
}

// answer does what the question is about, and says what was seen.
func (p *person) answer(text, asked string) string {
	q := p.asked[len(p.asked)-1]
	is := func(about string) bool { return strings.Contains(q.title, about) }
	code := p.file.Plan.Source
	if strings.Contains(text, "the new (target) activation code") {
		code = p.file.Plan.Target
	}
	switch {
	case is("approve"):
		return p.file.Plan.Infrastructure.Name
	case is("(LifeTime)"):
		return p.lifeTime(text, asked, q.env)
	case is("a backup"):
		return p.vault(text, asked, q.env)
	case is("republish"):
		return p.module(asked, q.env)
	case is("download the license file"):
		return p.downloaded(p.FetchLicense(p.Context(), code, q.env))
	case is("download the installed license"):
		return p.downloaded(p.BackupLicense(p.Context(), q.env))
	case is("is the serial number registered"):
		listed, err := p.SerialRegistered(p.Context(), code, q.env)
		require.NoError(p, err)
		return map[bool]string{true: "listed", false: "not listed"}[listed]
	case is("register the serial number"):
		require.NoError(p, p.RegisterSerial(p.Context(), code, q.env))
		return "done"
	case is("upload a license"):
		_, path, _ := strings.Cut(text, "upload this file, no other: ")
		path, _, _ = strings.Cut(path, "\n")
		content, err := os.ReadFile(path)
		require.NoError(p, err)
		file, err := license.NewFile(content)
		require.NoError(p, err)
		require.NoError(p, p.UploadLicense(p.Context(), q.env, file))
		return "done"
	}
	in, err := p.InstalledLicense(p.Context(), q.env)
	require.NoError(p, err)
	return p.one(asked, map[string]string{
		"The server's own serial number": string(in.Server), "Activation Code on the page": in.Code.Reveal(), "Serial Number on the page": string(in.Serial),
		"License Type on the page": in.Type, "End Date on the page": in.Ends.Format(time.DateOnly), "Limit of the feature": string(in.IPP),
	})
}

// one returns the answer to the question that begins so.
func (p *person) one(asked string, answers map[string]string) string {
	for begins, answer := range answers {
		if strings.HasPrefix(asked, begins) {
			return answer
		}
	}
	require.Fail(p, "nobody can answer", asked)
	return ""
}

func (p *person) downloaded(file license.File, err error) string {
	require.NoError(p, err)
	p.downloads++
	return p.save(fmt.Sprintf("download-%d.lic", p.downloads), file.Bytes())
}

func (p *person) save(name string, content []byte) (path string) {
	path, err := filepath.Abs(name)
	require.NoError(p, err)
	require.NoError(p, os.WriteFile(path, content, 0o600))
	return path
}

// vault keeps two copies of each file, under its SHA-256.
func (p *person) vault(text, asked string, env environment.Environment) string {
	if _, path, found := strings.Cut(text, "  1. The file is "); found {
		p.stored, _, _ = strings.Cut(path, ", SHA-256 ")
		p.kept[env.Name]++
		return strconv.Itoa(p.kept[env.Name] - 1)
	}
	if _, digest, found := strings.Cut(asked, "Path of a copy with the SHA-256 "); found {
		path, err := filepath.Abs("copy-2-" + strings.Fields(digest)[0])
		require.NoError(p, err)
		return path
	}
	if strings.HasPrefix(asked, "Path of copy 3 ") {
		return "end"
	}
	content, err := os.ReadFile(p.stored)
	require.NoError(p, err)
	return p.save(fmt.Sprintf("copy-%s-%x", strings.Fields(asked)[3], sha256.Sum256(content)), content)
}

// lifeTime does what there is to do on LifeTime's page, which does not show
// whether an environment is in the vendor's cloud: these are not.
func (p *person) lifeTime(text, asked string, env environment.Environment) string {
	all := p.file.Plan.Infrastructure.Environments
	host := all[slices.IndexFunc(all, func(e environment.Environment) bool { return e.Kind == environment.LifeTime })].ServiceCenter
	page := p.open(host+"/lifetime", "", "")
	if strings.HasPrefix(asked, "What came of it?") {
		form := regexp.MustCompile(`action="([^"]*)"><input type="hidden" name="environment" value="` + env.Name + `" /><input type="hidden" name="paused" value="(\w+)"`).FindStringSubmatch(page)
		require.NotNil(p, form, page)
		require.Contains(p, p.open(host+form[1], "application/x-www-form-urlencoded", url.Values{"environment": {env.Name}, "paused": {form[2]}}.Encode()), `id="done"`)
		return "done"
	}
	rows := regexp.MustCompile(`-name">(.*?)</td><td[^>]*>(.*?)</td><td[^>]*>(paused|running)</td><td[^>]*></td>`).FindAllStringSubmatch(page, -1)
	lines := "Before, it showed:\n"
	for _, row := range rows {
		lines += "  - " + row[1] + " (" + row[2] + "), " + map[string]string{"paused": "paused", "running": "not paused"}[row[3]] + "\n"
	}
	same := map[bool]string{true: "yes", false: "no"}[strings.Contains(text, lines+"Does")]
	if strings.HasPrefix(asked, "Name of environment") {
		p.row++
	}
	if p.row > len(rows) {
		p.row = 0
		return "end"
	}
	row := rows[max(p.row, 1)-1]
	return p.one(asked, map[string]string{
		"Does LifeTime show exactly this": same, "Name of environment": row[1], "Its host name": row[2], "Is it in the vendor's cloud": "no",
		"Are deployments to it paused": map[string]string{"paused": "yes", "running": "no"}[row[3]], "Running deployments to it": "none",
	})
}

// module publishes the test module. The simulation has no page for that, so it
// is done over Service Center's documented services.
func (p *person) module(asked string, env environment.Environment) string {
	call := func(service, operation, fields, wanted string) string {
		namespace := "http://simulation.invalid/ServiceCenter/PlatformServices/"
		account := "<Username>" + p.sim.User() + "</Username><Password>" + p.sim.Password() + "</Password>"
		if service == "Solutions" {
			namespace, account = "http://ServiceCenter/Solutions/", strings.NewReplacer("Username", "username", "Password", "password").Replace(account)
		}
		text := p.open(env.ServiceCenter+"/ServiceCenter/"+service+".asmx", "text/xml; charset=utf-8", `<Envelope xmlns="http://schemas.xmlsoap.org/soap/envelope/"><Body><`+
			operation+` xmlns="http://www.outsystems.com">`+account+fields+`</`+operation+`></Body></Envelope>`, namespace+operation)
		require.NotContains(p, text, "<Type>Error</Type>")
		found := regexp.MustCompile(wanted).FindStringSubmatch(text)
		require.NotNil(p, found, text)
		return found[1]
	}
	const platform = "PlatformServices_v8_0_0"
	if strings.HasPrefix(asked, "Version with the green tick") {
		key := call(platform, "Modules_Get", "", "<Name>"+p.file.Plan.Module+"</Name><Key>(.*?)</Key>")
		return call(platform, "Module_GetVersions", "<HEModuleKey>"+key+"</HEModuleKey>", "<PublishedVersionNumber>(.*?)<")
	}
	id := call("Solutions", "PublishRunningVersion", "<SolutionName>"+p.file.Plan.Module+"</SolutionName>", "<SolutionPubId>(.*?)<")
	for range 20 { // it goes on whenever it is looked at
		if call(platform, "SolutionPack_GetPublishMessages", "<PublicationId>"+id+"</PublicationId><AfterId>0</AfterId>", "<IsFinished>(.*?)<") == "true" {
			return "done"
		}
	}
	return "unknown"
}

// open opens a page, or sends a form or a call, and returns what is answered.
func (p *person) open(address, kind, body string, action ...string) string {
	method := map[bool]string{true: http.MethodGet, false: http.MethodPost}[kind == ""]
	req, err := http.NewRequestWithContext(p.Context(), method, address, strings.NewReader(body))
	require.NoError(p, err)
	req.SetBasicAuth(p.sim.User(), p.sim.Password())
	req.Header = http.Header{"Authorization": req.Header["Authorization"], "Content-Type": {kind}, "Soapaction": action}
	client := http.Client{Transport: &http.Transport{TLSClientConfig: p.sim.TLS(), DialContext: p.sim.Dial, DisableKeepAlives: true}}
	resp, err := client.Do(req)
	require.NoError(p, err)
	defer resp.Body.Close()
	page, err := io.ReadAll(resp.Body)
	require.NoError(p, err)
	require.Equal(p, http.StatusOK, resp.StatusCode, "%s: %s", address, page)
	return string(page)
}

func TestWhoFollowsTheRunbookByHandCompletesTheMigration(t *testing.T) {
	t.Chdir(t.TempDir())
	code, _, errOut := call(t, "init", "--example")
	require.Zero(t, code, errOut)
	example, err := os.ReadFile("changeover.yaml")
	require.NoError(t, err)
	file, err := planfile.Read("changeover.yaml", ".", bytes.NewReader(example))
	require.NoError(t, err)
	world := fake.New(file.Plan.Infrastructure, file.Plan.Source, file.Plan.Target)
	world.PauseByHand("Quality") // by somebody else, whose pause stays
	sim, err := simulator.Start(world, nil)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, sim.Close()) })
	plan, _, found := strings.Cut(string(example), "\nadapters:")
	require.True(t, found)
	plan += "\nadapters: {connect: \"" + strings.TrimPrefix(sim.URL(), "https://") + "\", waits: none, attended: {who: Ada, reveal: true}, vault: attended}\n"
	require.NoError(t, os.WriteFile("changeover.yaml", []byte(plan), 0o600))
	code, runbook, errOut := call(t, "runbook")
	require.Zero(t, code, errOut)
	list := boxes(t, runbook)

	p := &person{T: t, Person: sim.Person(), sim: sim, file: file, kept: map[string]int{}}
	f := follow(list)
	require.Zero(t, p.runs(f, "plan"))
	for at := range f.places {
		require.Equal(t, "survey", f.boxes[at.box].effect, "a plan only looks")
	}
	p.asked, f = nil, follow(list)
	require.Zero(t, p.runs(f, "apply", "--plain", "--accessible"))
	require.True(t, f.ended(), "boxes are left over: %v", f.places)
	for _, env := range file.Plan.Infrastructure.Environments {
		in := world.Installed(env.Name)
		require.Equal(t, file.Plan.Target, in.Code, env.Name)
		require.Equal(t, env.Serial, in.Serial)
		require.Equal(t, env.Name == "Quality", world.Paused(env.Name), env.Name)
	}
	republished := 0
	for _, q := range p.asked {
		republished += strings.Count(strings.Join(q.instructions, ";"), "In the row of;")
	}
	require.Equal(t, strings.Count(runbook[:strings.Index(runbook, "## Part 2")], "<!-- republish -->"), republished)

	through := func(list []box) bool {
		f := follow(list)
		return !slices.ContainsFunc(p.asked, func(q question) bool { return !f.takes(q) }) && f.ended()
	}
	require.True(t, through(list))
	for i, b := range list {
		if b.waits() {
			continue // nobody is asked
		}
		t.Run(b.title+" is missing from the runbook", func(t *testing.T) {
			require.False(t, through(slices.Delete(slices.Clone(list), i, i+1)))
		})
		if i+1 == len(list) || list[i+1].waits() {
			continue
		}
		t.Run(b.title+" comes too late in the runbook", func(t *testing.T) {
			swapped := slices.Clone(list)
			swapped[i], swapped[i+1] = swapped[i+1], swapped[i]
			require.False(t, through(swapped))
		})
	}
}
