package temporal

import (
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	enums "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	taskqueuepb "go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/api/temporalproto"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/adapters/fake"
	"github.com/changeover-go/changeover/adapters/temporal/internal/parity"
	"github.com/changeover-go/changeover/adapters/temporal/internal/servertest"
	"github.com/changeover-go/changeover/migration"
	"github.com/changeover-go/changeover/migration/report"
)

// A recording is a run of which the history is kept, to be replayed by every
// later version of the workflow. One that does not replay any more would stop
// every run that is under way when workers of the new version begin.
type recording struct {
	name string
	args []string                            // of the server
	play func(t *testing.T, s *stand) string // returns the ID of the workflow
}

func recordings() []recording {
	hurry := []string{servertest.Hurry}
	return []recording{
		{"completed-refresh-and-move", hurry, scenario("refresh and move")},
		{"completed-as-written", hurry, scenario("as written")},
		{"completed-published", hurry, scenario("published")},
		{"rolled-back", hurry, scenario("ipp error in Production")},
		{"held-and-resolved", hurry, scenario("target not prepared")},
		{"mixed-and-back", hurry, scenario("mixed, and back after all")},
		{"answered-by-update", nil, func(t *testing.T, s *stand) string {
			h := s.asking(t, small("answered"), "")
			h.agree(t)
			result, err := h.Wait(t.Context())
			require.NoError(t, err)
			require.Equal(t, report.Completed, result.Verdict)
			return h.id
		}},
		{"canceled-held", nil, func(t *testing.T, s *stand) string {
			h := s.asking(t, small("canceled held"), OnCancelHold)
			require.NoError(t, h.Cancel(t.Context()))
			_, err := h.Wait(t.Context())
			require.Error(t, err)
			require.Equal(t, report.Held, verdictOf(t, rests(t, h.Run)))
			return h.id
		}},
		{"canceled-rolled-back", nil, func(t *testing.T, s *stand) string {
			h := s.asking(t, small("canceled back"), OnCancelRollBack)
			require.NoError(t, h.Cancel(t.Context()))
			_, _ = h.Wait(t.Context()) // canceled, or rolled back
			require.Equal(t, report.RolledBack, verdictOf(t, rests(t, h.Run)))
			return h.id
		}},
		{"fleet", hurry, func(t *testing.T, s *stand) string {
			var requests []Request
			for _, name := range []string{"first", "second", "third"} {
				p := small(name)
				p.Infrastructure.Environments = p.Infrastructure.Environments[:1]
				p.Infrastructure.Environments[0].Kind = "lifetime"
				s.served(t, p, fake.New(p.Infrastructure, p.Source, p.Target).Set())
				r, err := NewRequest(p, nil)
				require.NoError(t, err)
				requests = append(requests, r)
			}
			f, err := NewFleetRequest(requests, 2)
			require.NoError(t, err)
			started, err := StartFleet(t.Context(), s.client, s.queue, "recorded", f)
			require.NoError(t, err)
			members, err := started.Wait(t.Context())
			require.NoError(t, err)
			for _, m := range members {
				require.Equal(t, report.Completed, m.Verdict, m)
			}
			return started.id
		}},
	}
}

func scenario(name string) func(*testing.T, *stand) string {
	return func(t *testing.T, s *stand) string {
		for _, sc := range parity.All() {
			if sc.Name == name {
				st := sc.NewStage()
				h := s.served(t, sc.Plan(), st.Ports)
				h.opts.Hurry = 0 // the server's clock jumps, so that there are timers
				require.Empty(t, sc.Play(t.Context(), h, st))
				return h.id
			}
		}
		require.FailNow(t, "there is no such scenario", name)
		return ""
	}
}

// asking is a run that has begun to ask.
func (s *stand) asking(t *testing.T, p migration.Plan, onCancel string) *served {
	h := s.served(t, p, fake.New(p.Infrastructure, p.Source, p.Target).Set())
	h.opts.Ask, h.opts.OnCancel = AskUpdate, onCancel
	_, _ = h.startAndAsk(t)
	return h
}

// record plays the run and keeps its history.
func (r recording) record(t *testing.T, path string) {
	s := newStand(t, servertest.Start(t, r.args...))
	s.work(t, s.host(), worker.Options{})
	h := historyOf(t, s.client, r.play(t, s), "")
	for _, e := range h.Events { // who recorded it is nobody's business
		anonymous(e.ProtoReflect())
	}
	text, err := temporalproto.CustomJSONMarshalOptions{}.Marshal(h)
	require.NoError(t, err)
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	require.NoError(t, err)
	_, err = z.Write(text)
	require.NoError(t, err)
	require.NoError(t, z.Close())
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, b.Bytes(), 0o644))
}

func read(t testing.TB, path string) *historypb.History {
	t.Helper()
	b, err := os.ReadFile(path)
	require.NoError(t, err, "UPDATE_GOLDEN=1 go test -run TestRecord records it")
	require.Less(t, len(b), 150_000, "recordings are small")
	z, err := gzip.NewReader(bytes.NewReader(b))
	require.NoError(t, err)
	h, err := client.HistoryFromJSON(z, client.HistoryJSONOptions{})
	require.NoError(t, err)
	return h
}

// workflows are what a worker registers, without its activities.
type workflows struct{ worker.WorkflowReplayer }

func (workflows) RegisterActivityWithOptions(any, activity.RegisterOptions) {}

func replay(h *historypb.History) error {
	on := workflows{worker.NewWorkflowReplayer()}
	host := &Host{Ports: func(migration.Plan) (adapters.Set, error) { return adapters.Set{}, nil }}
	host.register(on, newCalls(host, "own"))
	return on.ReplayWorkflowHistory(silent{}, h)
}

// What was recorded replays: this version may take over the runs of the one
// that recorded. UPDATE_GOLDEN=1 records anew, after a change that must not.
func TestRecordedHistoriesReplay(t *testing.T) {
	for _, r := range recordings() {
		t.Run(r.name, func(t *testing.T) {
			path := filepath.Join("testdata", "histories", r.name+".json.gz")
			if os.Getenv("UPDATE_GOLDEN") == "1" {
				r.record(t, path)
			}
			h := read(t, path)
			require.NoError(t, replay(h))
			t.Log(measure(h))

			// A history of another order does not.
			var scheduled []*historypb.HistoryEvent
			for _, e := range h.Events {
				if a := e.GetActivityTaskScheduledEventAttributes(); a != nil {
					scheduled = append(scheduled, e)
				}
			}
			for i := 1; i < len(scheduled); i++ {
				a, b := scheduled[i-1].GetActivityTaskScheduledEventAttributes(), scheduled[i].GetActivityTaskScheduledEventAttributes()
				if a.ActivityType.Name != b.ActivityType.Name && i > len(scheduled)/2 {
					a.ActivityType, b.ActivityType = b.ActivityType, a.ActivityType
					require.ErrorContains(t, replay(h), "nondeterministic")
					return
				}
			}
			require.Empty(t, scheduled, "no two calls could be exchanged")
		})
	}
}

// A size is what a history takes.
type size struct{ Events, Bytes, Activities, Timers, Tasks int }

func measure(h *historypb.History) (s size) {
	for _, e := range h.Events {
		s.Events++
		s.Bytes += proto.Size(e)
		switch e.EventType {
		case enums.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
			s.Activities++
		case enums.EVENT_TYPE_TIMER_STARTED:
			s.Timers++
		case enums.EVENT_TYPE_WORKFLOW_TASK_COMPLETED:
			s.Tasks++
		}
	}
	return s
}

// anonymous replaces everything that names the machine of a worker or client.
func anonymous(m protoreflect.Message) {
	if q, ok := m.Interface().(*taskqueuepb.TaskQueue); ok && q.Kind == enums.TASK_QUEUE_KIND_STICKY {
		q.Name = "a worker's own"
	}
	m.Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		switch {
		case field.Name() == "identity" && field.Kind() == protoreflect.StringKind:
			m.Set(field, protoreflect.ValueOfString("a worker"))
		case field.Kind() == protoreflect.MessageKind && !field.IsList() && !field.IsMap():
			anonymous(value.Message())
		}
		return true
	})
}
