package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
)

const (
	steps = 6
	queue = "bench"
)

// work is the workflow of six activities, and what they have marked.
type work struct {
	marks atomic.Pointer[[][steps]int64]
}

func (w *work) register(r worker.Registry) {
	r.RegisterWorkflow(w.Six)
	r.RegisterActivity(w.Step)
}

// Six is the workflow.
func (w *work) Six(ctx workflow.Context, instance int) (int, error) {
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{StartToCloseTimeout: time.Minute})
	for k := range steps {
		if err := workflow.ExecuteActivity(ctx, w.Step, instance, k).Get(ctx, nil); err != nil {
			return 0, err
		}
	}
	return steps, nil
}

// Step is the activity.
func (w *work) Step(_ context.Context, instance, k int) (int, error) {
	(*w.marks.Load())[instance][k] = time.Now().UnixNano()
	return k + 1, nil
}

// carryOut starts the instances, so many at once, and waits for them.
func (s *server) carryOut(ctx context.Context, r request) ([][steps]int64, error) {
	marks := make([][steps]int64, r.Instances)
	s.work.marks.Store(&marks)
	s.runs++
	free := make(chan struct{}, max(r.InFlight, 1))
	errs := make([]error, r.Instances)
	var wg sync.WaitGroup
	for i := range r.Instances {
		free <- struct{}{}
		wg.Go(func() {
			defer func() { <-free }()
			run, err := s.client.ExecuteWorkflow(ctx, client.StartWorkflowOptions{
				ID: fmt.Sprintf("instance-%d-of-run-%d", i, s.runs), TaskQueue: queue,
			}, s.work.Six, i)
			if err == nil {
				err = run.Get(ctx, nil)
			}
			errs[i] = err
		})
	}
	wg.Wait()
	return marks, errors.Join(errs...)
}
