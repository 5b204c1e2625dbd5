// Package environment describes an OutSystems infrastructure and its
// environments, what has become known of each of them ([Facts], [Line]), and
// whether the infrastructure may be migrated at all ([Infrastructure.Check],
// [Infrastructure.CheckRegistered]). It holds values and rules; it does no I/O.
package environment

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"

	"github.com/changeover-go/changeover/license"
)

// A Kind is the purpose of an environment.
type Kind string

// The kinds. An infrastructure has exactly one environment of kind LifeTime.
const (
	Production  Kind = "production"
	Quality     Kind = "quality"
	Development Kind = "development"
	LifeTime    Kind = "lifetime"
)

// Kinds lists every kind.
func Kinds() []Kind { return []Kind{Production, Quality, Development, LifeTime} }

// Known reports whether k is one of [Kinds].
func (k Kind) Known() bool { return slices.Contains(Kinds(), k) }

// An Environment is one OutSystems environment: a Service Center and the
// serial number of the server behind it. LifeTime is one of them.
type Environment struct {
	Name          string               `json:"name"`
	Kind          Kind                 `json:"kind"`
	ServiceCenter string               `json:"serviceCenter"` // base address, https
	Serial        license.SerialNumber `json:"serial"`        // as planned; the server is asked before it is relied on
}

// Key is a name for the environment that is safe in any file system: it
// derives from the name's digest and never contains the name.
func (e Environment) Key() string {
	sum := sha256.Sum256([]byte("changeover environment\x00" + e.Name))
	return hex.EncodeToString(sum[:8])
}

// An Infrastructure is all environments under one activation code and one
// LifeTime, LifeTime included.
type Infrastructure struct {
	Name         string
	Environments []Environment
}

// Registered is an environment as LifeTime's list has it. LifeTime itself is
// not in its own list (facts.md 2.1).
type Registered struct {
	Name    string
	Address string // host name, or base address
	Cloud   bool   // hosted by the vendor, who then installs its licenses
	Paused  bool   // deployments to it are paused right now
	Running []string
}
