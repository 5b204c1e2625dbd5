// Package process has the tiers of the reliability programme that use the real
// thing: processes that are killed, files on disks whose power is cut, system
// calls that fail, full disks, and rivals for one state directory. It is for
// the command of package reliability, which runs them.
//
// The process under test is the running program itself, started once more
// ([Child]): the real library over a real journal and real vaults. The world
// that it changes stays in the process that runs the tier, so it remembers what
// was done to it whatever happens to the other one. Every call of a port is a
// question over a socket; what the other process has made durable, it tells
// there too, so that one [law.Watch] sees all in the order of cause and effect.
//
// It injects nothing into the library: what fails here, fails in the kernel.
// Where there is no Linux, or not what a tier needs of it, the tier says so.
package process

import "github.com/changeover-go/changeover/internal/reliability/tier"

// Tiers returns the tiers, in the order in which they are best run.
func Tiers() []tier.Tier {
	return []tier.Tier{
		{Name: "kill", Doc: "Processes are killed at random moments and taken up again, until their runs end as they do without.", Run: kill},
		{Name: "syscalls", Doc: "Every system call on the state directory is once the last, and once fails.", Run: syscalls},
		{Name: "power", Doc: "The power of ext4 and XFS disks is cut; a program that does not sync its directories must be found out.", Run: power},
		{Name: "full", Doc: "The disk becomes full, runs out of files, or turns read-only, at random moments.", Run: full},
		{Name: "race", Doc: "Processes race for one state directory, while its lock is removed and its holder is stopped.", Run: race},
		{Name: "quickstart", Doc: "The first example is killed ten times and ends Completed.", Run: quickstart},
	}
}
