package steps

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/internal/printable"
	"github.com/changeover-go/changeover/license"
)

// Article is the written procedure that a support case refers to.
const Article = "Moving to a new Activation Code"

// A Needy is an environment of a support case.
type Needy struct {
	Env environment.Environment
	environment.Need
	Reading environment.Reading
}

// questions are the FAQ of the written procedure, and what each asks for.
var questions = map[int]string{
	1: "Question 1 of its FAQ, serial numbers that are not found under the old code: please provide license files in a different way, for all of these environments.",
	2: "Question 2 of its FAQ, licenses of the old code that are not prepared for the migration: please provide prepared license files, for all of these environments.",
	3: "Question 3 of its FAQ, licenses of the new code that are not prepared for the migration: please correct the license definition; all target licenses will then be fetched again.",
}

// Case puts everything that Support is asked into one case: each question of
// the procedure with its whole list, the article and the step. run names the
// run, source and target the codes, masked.
func Case(run, infrastructure string, source, target license.ActivationCode, needy []Needy) adapters.Case {
	var b strings.Builder
	fmt.Fprintf(&b, "We are changing the activation code of the infrastructure %s from %s to %s,\nfollowing the article %q.\n",
		printable.Text(infrastructure), source, target, Article)
	key := sha256.New()
	for _, n := range needy {
		fmt.Fprintf(key, "%s\x00%s\x00%s\x00", n.Env.Name, n.Condition, n.Step)
	}
	for faq := 1; faq <= 4; faq++ {
		question, heading := questions[faq], false
		if faq == 4 {
			question = "Something unexpected happened in these environments; please advise."
		}
		for _, n := range needy {
			if n.FAQ != faq && !(faq == 4 && questions[n.FAQ] == "") {
				continue
			}
			if !heading {
				heading = true
				fmt.Fprintf(&b, "\n%s\n", question)
			}
			fmt.Fprintf(&b, "  - %s (%s), serial number %s, at %s\n    found: %s\n", printable.Text(n.Env.Name), n.Env.Kind,
				printable.Text(string(n.Env.Serial)), StepOf(n.Step), printable.Whole(n.Text))
		}
	}
	return adapters.Case{
		Key:     run + "/" + hex.EncodeToString(key.Sum(nil)[:6]),
		Subject: fmt.Sprintf("Change of activation code of %s: %d environment(s) need help", printable.Text(infrastructure), len(needy)),
		Body:    b.String(),
	}
}

// RolledBackCase is the report on a run that was stopped and has gone back
// (seed, rollback step 3): why it was stopped, and where.
func RolledBackCase(run string, inf environment.Infrastructure, source, target license.ActivationCode, latch environment.Latch) adapters.Case {
	var needy []Needy
	if env, ok := inf.Environment(latch.Environment); ok {
		needy = append(needy, Needy{Env: env, Need: environment.Need{Condition: latch.Condition, Step: latch.Step, Text: latch.Text}})
	}
	c := Case(run, inf.Name, source, target, needy)
	if len(needy) == 0 {
		c.Subject = fmt.Sprintf("Change of activation code of %s was rolled back", printable.Text(inf.Name))
	}
	c.Body += fmt.Sprintf("\nThe change was stopped (%s) and rolled back: every environment shows the source license again.\n", printable.Text(latch.Condition))
	return c
}

// StepOf names the step of the written procedure at which an effect stands.
func StepOf(effect string) string {
	switch effect {
	case "pause":
		return "migration step 1"
	case "fetchLicense", "backUp":
		return "migration step 2b"
	case "upload":
		return "migration step 2c"
	case "verify":
		return "migration step 2d"
	case "republish":
		return "migration step 3"
	case "restore":
		return "rollback step 2a"
	case "confirm":
		return "rollback step 2b"
	case "testRestored":
		return "rollback step 2c"
	}
	return effect + " (the article has no step for it)"
}
