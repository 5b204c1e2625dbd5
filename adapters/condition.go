package adapters

import "errors"

// A Condition is a reason why something is known not to have been done. Wrap
// it with fmt.Errorf and %w to say more; match it with errors.Is. The
// conditions of this package are the complete list; an adapter invents none.
type Condition struct {
	name, text string
}

// Error says what the condition means.
func (c *Condition) Error() string { return c.text }

// Condition returns the stable name by which tables and journals know it.
func (c *Condition) Condition() string { return c.name }

// The conditions. Every one of them asserts that the call changed nothing.
var (
	ErrSerialNotFound       = &Condition{"serialNotFound", "the serial number is not registered under this activation code"}
	ErrNoSlot               = &Condition{"noSlot", "no free slot for an environment of this kind under this activation code"}
	ErrNotPrepared          = &Condition{"notPrepared", "the license is not prepared for the migration"}
	ErrWrongEnvironment     = &Condition{"wrongEnvironment", "the license file is for another serial number"}
	ErrRejected             = &Condition{"rejected", "Service Center turned the license down"}
	ErrNoLicense            = &Condition{"noLicense", "no license is installed"}
	ErrIntellectualProperty = &Condition{"intellectualProperty", "the platform refused the module's intellectual property"}
	ErrPublishFailed        = &Condition{"publishFailed", "the publish finished with errors"}
	ErrModuleNotFound       = &Condition{"moduleNotFound", "there is no such module"}
	ErrBusy                 = &Condition{"busy", "another operation holds what is needed; try again later"}
	ErrNotReached           = &Condition{"notReached", "the system was provably not reached; nothing was sent"}
	ErrPermission           = &Condition{"permission", "the account is not allowed to do this, or its credentials have expired"}
	ErrUnknownEnvironment   = &Condition{"unknownEnvironment", "LifeTime does not control this environment"}
	ErrBackupNotFound       = &Condition{"backupNotFound", "there is no such backup"}
	ErrBackupDamaged        = &Condition{"backupDamaged", "no copy of the backup is whole"}
	ErrCaseNotFound         = &Condition{"caseNotFound", "there is no such support case"}
	ErrRefused              = &Condition{"refused", "the operator did not say yes"}
	ErrUnsupported          = &Condition{"unsupported", "the adapter cannot do this"}
)

// Conditions returns every condition, in a fixed order.
func Conditions() []*Condition {
	return []*Condition{
		ErrSerialNotFound, ErrNoSlot, ErrNotPrepared, ErrWrongEnvironment, ErrRejected, ErrNoLicense,
		ErrIntellectualProperty, ErrPublishFailed, ErrModuleNotFound, ErrBusy, ErrNotReached, ErrPermission,
		ErrUnknownEnvironment, ErrBackupNotFound, ErrBackupDamaged, ErrCaseNotFound, ErrRefused, ErrUnsupported,
	}
}

// ErrUncertain says openly that nobody knows whether the call took effect, for
// example after a timeout behind a request that was sent. Every error that
// wraps no [Condition] means the same. An error that wraps both is uncertain.
var ErrUncertain error = uncertain{}

// uncertain tells itself apart by a method, so that the engine, which does not
// import this package, knows it too.
type uncertain struct{}

func (uncertain) Error() string   { return "it is not known whether this was done" }
func (uncertain) Uncertain() bool { return true }

// ConditionOf returns the condition that err wraps. It returns nil for nil,
// for an error that wraps [ErrUncertain], and for one that wraps no condition:
// the last two mean that the outcome is unknown.
func ConditionOf(err error) *Condition {
	var c *Condition
	if err == nil || errors.Is(err, ErrUncertain) || !errors.As(err, &c) {
		return nil
	}
	return c
}
