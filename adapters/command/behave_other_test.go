//go:build !unix

package command_test

// behave is for systems with signals and process groups.
func behave(string, []string) int { return 1 }
