//go:build !linux

package process

import (
	"context"

	"github.com/changeover-go/changeover/internal/reliability/tier"
)

// Child does nothing here.
func Child() {}

const notLinux = "it needs Linux"

func kill(_ context.Context, job *tier.Job)       { job.Skip("kill", notLinux) }
func syscalls(_ context.Context, job *tier.Job)   { job.Skip("syscalls", notLinux) }
func power(_ context.Context, job *tier.Job)      { job.Skip("power", notLinux) }
func full(_ context.Context, job *tier.Job)       { job.Skip("full", notLinux) }
func race(_ context.Context, job *tier.Job)       { job.Skip("race", notLinux) }
func quickstart(_ context.Context, job *tier.Job) { job.Skip("quickstart", notLinux) }
