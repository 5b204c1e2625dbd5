// Package scene has the infrastructures that the tiers of the reliability
// programme move: the same names, numbers and codes everywhere, so that what
// one tier finds another can repeat.
package scene

import (
	"fmt"
	"strings"

	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/license"
	"github.com/changeover-go/changeover/migration"
)

// The activation codes. In no other text of the project do they appear, so that
// whoever finds one in an output has found a leak.
const (
	Source = "SRC.K4N.4RY.A7Q.Z2W.X9E.C3R.AOU"
	Target = "TGT.C4N.4RY.B8P.L5M.V6T.D1Y.BOU"
	Third  = "THR.D4N.4RY.C9J.H3G.U2S.F7K.COU"
)

// Environments is how many environments a scene can have; the first is
// Production and the last is LifeTime.
const Environments = 6

var names = [Environments]string{"Production", "Quality", "Development", "Sandbox", "Training", "LifeTime"}

var kinds = [Environments]environment.Kind{environment.Production, environment.Quality, environment.Development,
	environment.Development, environment.Development, environment.LifeTime}

// Plan returns a valid plan for that profile over n environments, from 2 to
// [Environments].
func Plan(profile string, n int) migration.Plan {
	p := migration.Plan{
		Infrastructure: environment.Infrastructure{Name: "Acme"}, Source: Code(Source), Target: Code(Target),
		Profile: profile, Module: "ECT_Provider", MinCopies: 1, Accept: map[string][]license.IPP{},
	}
	for i := range names {
		if i >= n-1 && i < Environments-1 {
			continue
		}
		p.Infrastructure.Environments = append(p.Infrastructure.Environments, environment.Environment{
			Name: names[i], Kind: kinds[i], ServiceCenter: "https://" + strings.ToLower(names[i]) + ".example.test", Serial: Serial(i, 0),
		})
	}
	found, _ := migration.FindProfile(profile)
	for _, leg := range found.Legs {
		switch {
		case !leg.Verifies():
		case leg.Role == license.Source:
			p.Accept[leg.Name] = []license.IPP{license.Ignore}
		default:
			p.Accept[leg.Name] = []license.IPP{license.Protected, license.Unprotected}
		}
	}
	return p
}

// Serial returns the serial number of an environment's server; each generation
// of the hardware has its own.
func Serial(env, generation int) license.SerialNumber {
	group := fmt.Sprintf("%c%02d", 'P'+env, generation)
	return license.SerialNumber(strings.TrimSuffix(strings.Repeat(group+"-", 8), "-"))
}

// Code returns one of the package's codes, which are well formed.
func Code(s string) license.ActivationCode {
	code, _ := license.ParseActivationCode(s)
	return code
}
