package temporal

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"
	"go.temporal.io/sdk/worker"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/adapters/temporal/internal/parity"
	"github.com/changeover-go/changeover/adapters/temporal/internal/servertest"
	"github.com/changeover-go/changeover/migration"
	"github.com/changeover-go/changeover/migration/journal"
	"github.com/changeover-go/changeover/migration/report"
)

func TestMain(m *testing.M) { os.Exit(servertest.Run(m)) }

// hurry leaves nothing of the waits of a run.
const hurry = int(1e18)

// patience is how long anything may take on a busy machine.
const patience = time.Minute

// A stand is what workers of tests work for: infrastructures by name, each with
// the ports and the journal of its own.
type stand struct {
	client client.Client
	queue  string

	mu    sync.Mutex
	sites map[string]*played
}

// A played infrastructure is what stays of it when workers come and go.
type played struct {
	ports   adapters.Set
	journal journal.Store
}

type closable struct{ journal.Store }

func (closable) Close() error { return nil }

func dial(t testing.TB, s *servertest.Server) client.Client {
	t.Helper()
	c, err := client.DialContext(t.Context(), client.Options{
		HostPort: s.Address, Namespace: s.Namespace, Logger: sdklog.NewStructuredLogger(slog.New(slog.NewTextHandler(io.Discard, nil))),
	})
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c
}

// newStand returns a stand with the queue of its own and no worker yet.
func newStand(t testing.TB, s *servertest.Server) *stand {
	return &stand{client: dial(t, s), queue: t.Name(), sites: map[string]*played{}}
}

func (s *stand) put(p migration.Plan, ports adapters.Set, store journal.Store) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sites[p.Infrastructure.Name] = &played{ports, store}
}

func (s *stand) site(p migration.Plan) (*played, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if at, ok := s.sites[p.Infrastructure.Name]; ok {
		return at, nil
	}
	return nil, errors.New("nobody plays " + p.Infrastructure.Name)
}

// host is what the workers of the stand bring.
func (s *stand) host() *Host {
	return &Host{
		Ports: func(p migration.Plan) (adapters.Set, error) {
			at, err := s.site(p)
			if err != nil {
				return adapters.Set{}, err
			}
			return at.ports, nil
		},
		Journal: func(_ context.Context, p migration.Plan) (Journal, error) {
			at, err := s.site(p)
			if err != nil {
				return nil, err
			}
			return closable{at.journal}, nil
		},
	}
}

// work starts a worker process of the stand. It is stopped when the test is
// over, or before.
func (s *stand) work(t testing.TB, h *Host, options worker.Options) (stop func()) {
	t.Helper()
	w, err := NewWorkers(s.client, s.queue, h, options)
	require.NoError(t, err)
	require.NoError(t, w.Start())
	stop = sync.OnceFunc(w.Stop)
	t.Cleanup(stop)
	return stop
}

// until asks again and again, until it is so.
func until(t testing.TB, what string, so func() bool) {
	t.Helper()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for !so() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			require.FailNow(t, "waited in vain for this", what)
		}
	}
}

// over reports whether the workflow has ended, in whatever way.
func over(t testing.TB, r *Run) bool {
	t.Helper()
	d, err := r.client.DescribeWorkflowExecution(t.Context(), r.id, "")
	require.NoError(t, err)
	return d.GetWorkflowExecutionInfo().GetStatus() != enums.WORKFLOW_EXECUTION_STATUS_RUNNING
}

// rests waits until no verb goes on.
func rests(t testing.TB, r *Run) (s Status) {
	t.Helper()
	until(t, r.id+" rests", func() bool {
		var err error
		s, err = r.Status(t.Context())
		return err == nil && s.Verb == "" && s.Report != nil || over(t, r)
	})
	return s
}

// verdictOf is what the report of a status says.
func verdictOf(t testing.TB, s Status) report.Verdict {
	t.Helper()
	var rep struct{ Verdict report.Verdict }
	require.NoError(t, json.Unmarshal(s.Report, &rep))
	return rep.Verdict
}

// served is a parity.Host whose run is a workflow.
type served struct {
	*Run
	t     *testing.T
	stand *stand
	plan  migration.Plan
	store *journal.Memory
	opts  StartOptions
}

// served is a host for the plan, whose workflow was not begun yet.
func (s *stand) served(t *testing.T, p migration.Plan, ports adapters.Set) *served {
	h := &served{t: t, stand: s, plan: p, store: new(journal.Memory), opts: StartOptions{User: "ada", Hurry: hurry}}
	s.put(p, ports, h.store)
	return h
}

func (h *served) begin(back *Command) (err error) {
	opts := h.opts
	opts.RollBack = back
	h.Run, err = Start(h.t.Context(), h.stand.client, h.stand.queue, h.plan, &opts)
	return err
}

func (h *served) rest() (report.Verdict, error) {
	s := rests(h.t, h.Run)
	if s.Report == nil {
		_, err := h.Wait(h.t.Context())
		return "", err
	}
	return verdictOf(h.t, s), nil
}

// Apply implements [parity.Host].
func (h *served) Apply(context.Context) (report.Verdict, error) {
	if err := h.begin(nil); err != nil {
		return "", err
	}
	return h.rest()
}

// Resume implements [parity.Host].
func (h *served) Resume(ctx context.Context) (report.Verdict, error) {
	if err := h.Run.Resume(ctx, "ada", "go on"); err != nil {
		return "", err
	}
	return h.rest()
}

// RollBack implements [parity.Host].
func (h *served) RollBack(ctx context.Context, by, why string) (report.Verdict, error) {
	err := h.Run.RollBack(ctx, by, why)
	var notFound *serviceerror.NotFound
	if errors.As(err, &notFound) { // the workflow is over: another one takes it back
		err = h.begin(&Command{By: by, Why: why})
	}
	if err != nil {
		return "", err
	}
	return h.rest()
}

// Journal implements [parity.Host].
func (h *served) Journal(context.Context) ([]journal.Entry, error) {
	return entriesOf(h.t, h.store), nil
}

// onServer are the scenarios that are played on a real server too: each ending,
// each verb, and each way in which a call can end. All others are played in the
// SDK's test environment only, which takes a twentieth of the time.
var onServer = []string{
	"refresh and move", "published", "rolled back after the end", "mixed, and back after all", "target not prepared", "not in LifeTime",
	"upload lost after", "registration lost before", "portal forbids", "adapter panics", "held and released",
}

// The same plan gives the same journal on a real server.
func TestServerParity(t *testing.T) {
	s := newStand(t, servertest.Shared(t))
	s.work(t, s.host(), worker.Options{})
	var all sync.WaitGroup // side by side, and not as many as there are processors: they wait for the server
	played := 0
	for _, sc := range parity.All() {
		if !slices.Contains(onServer, sc.Name) {
			continue
		}
		played++
		all.Go(func() { t.Run(sc.Name, func(t *testing.T) { s.parity(t, sc) }) })
	}
	all.Wait()
	require.Equal(t, len(onServer), played)
}

func (s *stand) parity(t *testing.T, sc parity.Scenario) {
	st := sc.NewStage()
	process := parity.NewProcess(t, sc.Plan(), st.Ports)
	require.Empty(t, sc.Play(t.Context(), process, st))
	entries, err := process.Journal(t.Context())
	require.NoError(t, err)
	want, err := parity.Comparable(entries)
	require.NoError(t, err)

	st = sc.NewStage()
	host := s.served(t, sc.Plan(), st.Ports)
	require.Empty(t, sc.Play(t.Context(), host, st))
	got, err := parity.Comparable(entriesOf(t, host.store))
	require.NoError(t, err)
	for i := range min(len(want), len(got)) {
		require.JSONEq(t, want[i], got[i], "entry %d", i)
	}
	require.Len(t, got, len(want))
	clean(t, sc.Plan(), files(t, sc.Plan(), st.World), historyOf(t, s.client, host.id, ""))
}
