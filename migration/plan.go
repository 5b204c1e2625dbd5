package migration

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/internal/inorder"
	"github.com/changeover-go/changeover/internal/printable"
	"github.com/changeover-go/changeover/license"
)

// A Plan says what is wanted, as data. It can be read from JSON ([ReadPlan])
// or built in Go; [Plan.Validate] says everything that is wrong with it.
type Plan struct {
	Infrastructure environment.Infrastructure
	Source, Target license.ActivationCode
	// Profile names a reading of the procedure; empty means RefreshAndMove.
	Profile string
	// Module is republished as a test, for example "ECT_Provider".
	Module string
	// Accept holds, for each leg that verifies, the words for Intellectual
	// Property that it accepts. There is no default.
	Accept map[string][]license.IPP
	// Order names every environment once; empty means as written: Production
	// first, then the others as listed (seed, step 2).
	Order []string
	// First are canaries: each leg that stops the line takes them alone first.
	First []string
	// MaxInFlight says, for each leg, how many environments may be under way
	// at once. Missing means 1 in a leg with a gate, all in any other.
	MaxInFlight map[string]int
	// MinCopies of every backup must be whole; zero means 2, and 1 is warned
	// about: a backup is needed when something is broken already.
	MinCopies int
	// Pause names the environments whose deployments are paused; empty means
	// what the profile says.
	Pause []string
}

// Limits of a plan. They are wide: each only keeps out what is certainly a
// slip of the keyboard.
const (
	maxModuleRunes = 128
	maxInFlight    = 1000
	minCopies      = 2 // unless the plan says otherwise
	maxMinCopies   = 9
)

// profile returns the profile that the plan names, or the default one.
func (p Plan) profile() (Profile, bool) {
	if p.Profile == "" {
		return FindProfile(RefreshAndMove)
	}
	return FindProfile(p.Profile)
}

// Effective returns the plan with every default filled in. It shares nothing
// with p, and filling it in again changes nothing. A plan with findings is
// filled in as far as it can be.
func (p Plan) Effective() Plan {
	profile, known := p.profile()
	if known {
		p.Profile = profile.Name
	}
	p.Infrastructure.Environments = slices.Clone(p.Infrastructure.Environments)
	p.First = slices.Clone(p.First)
	p.Order = slices.Clone(p.Order)
	if len(p.Order) == 0 {
		p.Order = p.writtenOrder()
	}
	p.Pause = slices.Clone(p.Pause)
	if len(p.Pause) == 0 {
		p.Pause = p.writtenPause()
	}
	p.MinCopies = cmp.Or(p.MinCopies, minCopies)
	p.Accept = maps.Clone(p.Accept)
	for leg, words := range inorder.Of(p.Accept) {
		p.Accept[leg] = slices.Clone(words)
	}
	limits := make(map[string]int, len(profile.Legs))
	for _, leg := range profile.Legs {
		limits[leg.Name] = max(len(p.Infrastructure.Environments), 1)
		if leg.Gate {
			limits[leg.Name] = 1
		}
	}
	for leg, limit := range inorder.Of(p.MaxInFlight) {
		limits[leg] = limit
	}
	p.MaxInFlight = limits
	return p
}

// writtenOrder is Production first, then the others as listed (seed, step 2).
func (p Plan) writtenOrder() []string {
	var first, others []string
	for _, env := range p.Infrastructure.Environments {
		if env.Kind == environment.Production {
			first = append(first, env.Name)
		} else {
			others = append(others, env.Name)
		}
	}
	return append(first, others...)
}

// writtenPause is Production (seed, step 1), or every environment that LifeTime
// controls (the article as published). LifeTime does not control itself.
func (p Plan) writtenPause() []string {
	profile, _ := p.profile()
	var names []string
	for _, env := range p.Infrastructure.Environments {
		if env.Kind == environment.Production || profile.PauseAll && env.Kind != environment.LifeTime {
			names = append(names, env.Name)
		}
	}
	return names
}

// Rules returns what the plan decides about the environments' table of a leg,
// with defaults filled in.
func (p Plan) Rules(leg Leg) Rules {
	return Rules{Accept: slices.Clone(p.Accept[leg.Name]), MinCopies: cmp.Or(p.MinCopies, minCopies)}
}

// Digest identifies the plan in journals: the SHA-256, in hex, of all that the
// plan says with every default filled in. Plans that mean the same have the
// same digest; any other difference gives another one. The activation codes
// are part of what is hashed and cannot be read from it.
func (p Plan) Digest() string {
	p = p.Effective()
	accept := make(map[string][]license.IPP, len(p.Accept))
	for leg, words := range inorder.Of(p.Accept) {
		accept[leg] = slices.Sorted(slices.Values(words)) // a set: no word goes before another
	}
	// Marshal sorts the keys of maps, and strings and numbers always marshal.
	canonical, _ := json.Marshal(struct {
		Version        int                       `json:"version"`
		Infrastructure string                    `json:"infrastructure"`
		Source         string                    `json:"source"`
		Target         string                    `json:"target"`
		Profile        string                    `json:"profile"`
		Module         string                    `json:"module"`
		Environments   []environment.Environment `json:"environments"`
		Accept         map[string][]license.IPP  `json:"accept"`
		Order          []string                  `json:"order"`
		First          []string                  `json:"first,omitempty"`
		MaxInFlight    map[string]int            `json:"maxInFlight"`
		MinCopies      int                       `json:"minCopies"`
		Pause          []string                  `json:"pause"`
	}{
		planVersion, p.Infrastructure.Name, p.Source.Reveal(), p.Target.Reveal(), p.Profile, p.Module,
		p.Infrastructure.Environments, accept, p.Order, p.First, p.MaxInFlight, p.MinCopies, p.Pause,
	})
	sum := sha256.Sum256(canonical)
	return hex.EncodeToString(sum[:])
}

// Validate reports everything that is wrong with the plan, and what is worth
// knowing as warnings; among them every deviation from the written procedure,
// which is shown and not forbidden. Beside the findings of
// [environment.Infrastructure.Check] these are:
//
//   - noActivationCode, sameActivationCode (in any letter case), and as a
//     warning unusualActivationCode; codeInName, for an environment;
//   - noModule, longModule (more than 128 characters), invisibleInModule;
//   - unknownProfile, unknownLeg (in Accept or MaxInFlight);
//   - nothingAccepted, for a leg that verifies, emptyWord, repeatedWord, and as
//     warnings unknownWord and uselessAccept, for a leg that does not verify;
//   - unknownEnvironment and repeatedEnvironment (in Order, First or Pause),
//     missingEnvironment (in Order), and as a warning orderDeviates;
//   - maxInFlightRange (1 to 1,000), minCopiesRange (1 to 9), and as a warning
//     singleCopy;
//   - pausedLifeTime, and as warnings pauseDeviates and nothingPaused.
//
// Where is the path of the value in the JSON form of the plan. What cannot be
// judged before something else is mended is left out: without a known profile,
// nobody knows the legs. Activation codes are masked, those of the usual form
// even where they do not belong.
func (p Plan) Validate() environment.Findings { return masked(p.check()) }

// check is Validate, with activation codes that stand where they do not belong.
func (p Plan) check() environment.Findings {
	return slices.Concat(
		p.Infrastructure.Check(),
		p.checkCodes(),
		p.checkNameCodes(),
		p.checkModule(),
		p.checkProfile(),
		p.checkOrder(),
		p.checkNames("first", p.First),
		p.checkMinCopies(),
		p.checkPause(),
	)
}

func (p Plan) checkCodes() environment.Findings {
	var found environment.Findings
	for _, c := range []struct {
		where, hint string
		code        license.ActivationCode
	}{
		{"source", "the code that the infrastructure leaves", p.Source},
		{"target", "the code that the infrastructure moves to", p.Target},
	} {
		switch {
		case c.code.IsZero():
			found = append(found, environment.Finding{
				Code: "noActivationCode", Where: c.where, Text: "there is no activation code", Hint: c.hint,
			})
		case !c.code.Usual():
			found = append(found, environment.Finding{
				Code: "unusualActivationCode", Where: c.where, Warning: true,
				Text: fmt.Sprintf("the activation code %s does not have the usual form", c.code),
				Hint: "eight groups of three characters A-Z and 0-9, joined by dots",
			})
		}
	}
	if !p.Source.IsZero() && strings.EqualFold(p.Source.Reveal(), p.Target.Reveal()) {
		found = append(found, environment.Finding{
			Code: "sameActivationCode", Where: "target", Text: "the target activation code is the source activation code",
			Hint: "nothing would change; letter case makes no difference",
		})
	}
	return found
}

// checkNameCodes refuses environments that are called like a secret: their
// names are keys of the journal, in which codes are masked.
func (p Plan) checkNameCodes() environment.Findings {
	var found environment.Findings
	mask := license.NewMask(p.Source, p.Target)
	for i, env := range p.Infrastructure.Environments {
		if mask.Text(env.Name) != env.Name {
			found = append(found, environment.Finding{
				Code: "codeInName", Where: element("environments", i) + ".name", Text: "the name contains an activation code",
				Hint: "names are printed, codes are not; name it as LifeTime does",
			})
		}
	}
	return found
}

func (p Plan) checkModule() environment.Findings {
	var found environment.Findings
	if p.Module == "" {
		found = append(found, environment.Finding{
			Code: "noModule", Where: "module", Text: "there is no module to republish as a test",
			Hint: "the written procedure suggests ECT_Provider",
		})
	}
	if n := utf8.RuneCountInString(p.Module); n > maxModuleRunes {
		found = append(found, environment.Finding{
			Code: "longModule", Where: "module", Text: fmt.Sprintf("the module's name has %d characters, at most %d are accepted", n, maxModuleRunes),
		})
	}
	if strings.ContainsFunc(p.Module, func(r rune) bool { return !unicode.IsPrint(r) }) || !utf8.ValidString(p.Module) {
		found = append(found, environment.Finding{
			Code: "invisibleInModule", Where: "module", Text: "the module's name " + quote(p.Module) + " contains a control or invisible character",
			Hint: "type the name, do not paste it",
		})
	}
	return found
}

// checkProfile checks the profile and all that is said of its legs.
func (p Plan) checkProfile() environment.Findings {
	profile, known := p.profile()
	if !known {
		var names []string
		for _, q := range Profiles() {
			names = append(names, q.Name)
		}
		return environment.Findings{{
			Code: "unknownProfile", Where: "profile", Text: "there is no profile " + quote(p.Profile), Hint: choice(p.Profile, names),
		}}
	}
	var found environment.Findings
	var legs []string
	for _, leg := range profile.Legs {
		legs = append(legs, leg.Name)
		found = append(found, p.checkAccept(leg)...)
	}
	unknownLeg := func(path, name string) {
		if !slices.Contains(legs, name) {
			found = append(found, environment.Finding{
				Code: "unknownLeg", Where: member(path, name), Text: fmt.Sprintf("the profile %s has no leg %s", profile.Name, quote(name)), Hint: choice(name, legs),
			})
		}
	}
	for name := range inorder.Of(p.Accept) {
		unknownLeg("accept", name)
	}
	for name, n := range inorder.Of(p.MaxInFlight) {
		unknownLeg("maxInFlight", name)
		if n < 1 || n > maxInFlight {
			found = append(found, environment.Finding{
				Code: "maxInFlightRange", Where: member("maxInFlight", name), Text: fmt.Sprintf("%d environments cannot be under way at once", n),
				Hint: fmt.Sprintf("1 to %d; leave it out for the default", maxInFlight),
			})
		}
	}
	return found
}

func (p Plan) checkAccept(leg Leg) environment.Findings {
	where := member("accept", leg.Name)
	words := p.Accept[leg.Name]
	known := []string{string(license.Ignore), string(license.Protected), string(license.Unprotected)}
	var found environment.Findings
	switch {
	case leg.Verifies() && len(words) == 0:
		found = append(found, environment.Finding{
			Code: "nothingAccepted", Where: where, Text: fmt.Sprintf("the %s leg has no word for Intellectual Property that it accepts", leg.Name),
			Hint: fmt.Sprintf("list the words that a %s license of this infrastructure may show: %s", leg.Role, strings.Join(known, ", ")),
		})
	case !leg.Verifies() && len(words) > 0:
		found = append(found, environment.Finding{
			Code: "uselessAccept", Where: where, Warning: true, Text: fmt.Sprintf("the %s leg does not look at Intellectual Property", leg.Name), Hint: "leave it out",
		})
	}
	seen := map[license.IPP]bool{}
	for i, word := range words {
		at := element(where, i)
		switch {
		case word == "":
			found = append(found, environment.Finding{Code: "emptyWord", Where: at, Text: "the word is empty"})
		case seen[word]:
			found = append(found, environment.Finding{Code: "repeatedWord", Where: at, Text: "the word " + quote(string(word)) + " is listed twice"})
		case !slices.Contains(known, string(word)):
			found = append(found, environment.Finding{
				Code: "unknownWord", Where: at, Warning: true, Text: "the word " + quote(string(word)) + " is not known to occur",
				Hint: choice(string(word), known),
			})
		}
		seen[word] = true
	}
	return found
}

// named reports whether every environment has a name, so that names elsewhere
// can be compared with theirs.
func (p Plan) named() bool {
	envs := p.Infrastructure.Environments
	return len(envs) > 0 && !slices.ContainsFunc(envs, func(e environment.Environment) bool { return e.Name == "" })
}

// checkNames checks a list of names of environments.
func (p Plan) checkNames(path string, names []string) environment.Findings {
	if !p.named() {
		return nil
	}
	known := map[string]bool{}
	for _, env := range p.Infrastructure.Environments {
		known[env.Name] = true
	}
	var found environment.Findings
	seen := map[string]bool{}
	for i, name := range names {
		switch {
		case !known[name]:
			f := environment.Finding{Code: "unknownEnvironment", Where: element(path, i), Text: "there is no environment " + quote(name)}
			for _, env := range p.Infrastructure.Environments {
				if strings.EqualFold(env.Name, name) {
					f.Hint = quote(env.Name) + " differs in letter case only"
				}
			}
			found = append(found, f)
		case seen[name]:
			found = append(found, environment.Finding{Code: "repeatedEnvironment", Where: element(path, i), Text: quote(name) + " is listed twice"})
		}
		seen[name] = true
	}
	return found
}

func (p Plan) checkOrder() environment.Findings {
	found := p.checkNames("order", p.Order)
	if len(p.Order) == 0 || !p.named() {
		return found
	}
	listed := map[string]bool{}
	for _, name := range p.Order {
		listed[name] = true
	}
	written := p.writtenOrder()
	for _, name := range written {
		if !listed[name] {
			found = append(found, environment.Finding{
				Code: "missingEnvironment", Where: "order", Text: quote(name) + " is missing",
				Hint: "every environment takes part; without an order, the written one holds",
			})
		}
	}
	if len(found) == 0 && !slices.Equal(p.Order, written) {
		found = append(found, environment.Finding{
			Code: "orderDeviates", Where: "order", Warning: true, Text: "the order is not the written one",
			Hint: "Production first, then the others as listed (step 2)",
		})
	}
	return found
}

func (p Plan) checkMinCopies() environment.Findings {
	switch {
	case p.MinCopies < 0 || p.MinCopies > maxMinCopies:
		return environment.Findings{{
			Code: "minCopiesRange", Where: "minCopies", Text: fmt.Sprintf("%d whole copies of a backup cannot be demanded", p.MinCopies),
			Hint: fmt.Sprintf("1 to %d; leave it out for %d", maxMinCopies, minCopies),
		}}
	case p.MinCopies == 1:
		return environment.Findings{{
			Code: "singleCopy", Where: "minCopies", Text: "a single copy of a backup is lost with its disk", Warning: true,
			Hint: "give the vault a second place, best on another disk, and demand 2",
		}}
	}
	return nil
}

func (p Plan) checkPause() environment.Findings {
	found := p.checkNames("pause", p.Pause)
	for i, name := range p.Pause {
		for _, env := range p.Infrastructure.Environments {
			if env.Name == name && env.Kind == environment.LifeTime {
				found = append(found, environment.Finding{
					Code: "pausedLifeTime", Where: element("pause", i), Text: "deployments to " + quote(name) + " cannot be paused: LifeTime does not control itself",
					Hint: "leave it out",
				})
			}
		}
	}
	if _, known := p.profile(); !known || !p.named() {
		return found
	}
	written := p.writtenPause()
	if len(p.Pause) == 0 {
		if len(written) == 0 {
			found = append(found, environment.Finding{
				Code: "nothingPaused", Where: "pause", Warning: true, Text: "no deployments are paused: there is no environment of the kind production",
				Hint: "name the environments whose deployments must rest",
			})
		}
		return found
	}
	paused := map[string]bool{}
	for _, name := range p.Pause {
		paused[name] = true
	}
	for _, name := range written {
		if !paused[name] {
			found = append(found, environment.Finding{
				Code: "pauseDeviates", Where: "pause", Warning: true, Text: "deployments to " + quote(name) + " are not paused",
				Hint: "the profile pauses them (step 1)",
			})
		}
	}
	return found
}

// masked masks activation codes that stand where they do not belong, so that
// findings that quote the plan do not give them away.
func masked(found environment.Findings) environment.Findings {
	var mask license.Mask // those of the plan are among them, if they are usual
	for i, f := range found {
		found[i].Where, found[i].Text, found[i].Hint = mask.Text(f.Where), mask.Text(f.Text), mask.Text(f.Hint)
	}
	return found
}

func quote(s string) string { return `"` + printable.Text(s) + `"` }

// choice hints at what may have been meant.
func choice(got string, known []string) string {
	for _, name := range known {
		if strings.EqualFold(got, name) {
			return quote(name) + " differs in letter case only"
		}
	}
	return "known: " + strings.Join(known, ", ")
}

// member and element are steps of a path in the JSON form of a plan.
func member(path, key string) string {
	if path == "" {
		return printable.Text(key)
	}
	return path + "." + printable.Text(key)
}

func element(path string, i int) string { return fmt.Sprintf("%s[%d]", path, i) }
