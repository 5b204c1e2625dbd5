package command

import (
	"slices"

	"github.com/changeover-go/changeover/adapters"
)

const (
	exitDone      = 0
	exitUnknown   = 1   // any code that is not in the list of conditions would do
	exitCondition = 200 // of the first of adapters.Conditions; the others follow in order
)

// exitCode returns the exit code with which a program says how a call ended.
func exitCode(err error) int {
	if err == nil {
		return exitDone
	}
	if i := slices.Index(adapters.Conditions(), adapters.ConditionOf(err)); i >= 0 {
		return exitCondition + i
	}
	return exitUnknown
}

// conditionOf returns the condition that an exit code stands for; nil if it
// stands for none.
func conditionOf(code int) *adapters.Condition {
	all := adapters.Conditions()
	if i := code - exitCondition; i >= 0 && i < len(all) {
		return all[i]
	}
	return nil
}
