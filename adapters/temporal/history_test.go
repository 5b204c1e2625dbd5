package temporal

import (
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"encoding/hex"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enums "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"google.golang.org/protobuf/proto"

	"github.com/changeover-go/changeover/adapters/fake"
	"github.com/changeover-go/changeover/adapters/fault"
	"github.com/changeover-go/changeover/adapters/temporal/internal/servertest"
	"github.com/changeover-go/changeover/license"
	"github.com/changeover-go/changeover/migration"
	"github.com/changeover-go/changeover/migration/report"
)

// historyOf returns the events of a workflow.
func historyOf(t testing.TB, c client.Client, id, run string) *historypb.History {
	t.Helper()
	h := new(historypb.History)
	events := c.GetWorkflowHistory(t.Context(), id, run, false, enums.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for events.HasNext() {
		e, err := events.Next()
		require.NoError(t, err)
		h.Events = append(h.Events, e)
	}
	return h
}

// stored are the bytes of an event as the server has them: payloads stand in
// them as they are.
func stored(t testing.TB, e *historypb.HistoryEvent) []byte {
	t.Helper()
	b, err := proto.Marshal(e)
	require.NoError(t, err)
	return b
}

// canaries are what tells that a part of a license file is somewhere: every
// stretch of its bytes, plain, in hex and in base64, and of what they inflate to.
type canaries map[string]string

// stretch is how long a stretch is. The longest thing of a license that a
// history may have, a serial number in quotes, is shorter.
const stretch = 36

func (c canaries) add(what string, b []byte) {
	for at := 0; at+stretch <= len(b); at++ {
		c[string(b[at:at+stretch])] = what
	}
}

func (c canaries) file(t testing.TB, f license.File) {
	t.Helper()
	b := f.Bytes()
	require.Greater(t, len(b), stretch)
	c.add("bytes", b)
	c.add("hex", []byte(hex.EncodeToString(b)))
	text := b
	if z, err := zlib.NewReader(bytes.NewReader(b)); err == nil {
		text, err = io.ReadAll(z)
		require.NoError(t, err)
		c.add("XML", text)
	}
	for _, b := range [][]byte{b, text} {
		for shift := range 3 { // where a multiple of three bytes may begin
			c.add("base64", []byte(base64.RawStdEncoding.EncodeToString(b[shift:])))
			c.add("base64 for addresses", []byte(base64.RawURLEncoding.EncodeToString(b[shift:])))
		}
	}
}

// found returns what the bytes have.
func (c canaries) found(b []byte) []string {
	var found []string
	for at := 0; at+stretch <= len(b); at++ {
		if what, ok := c[string(b[at:at+stretch])]; ok {
			found = append(found, what)
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// files are canaries of every license file that was installed or stored.
func files(t testing.TB, p migration.Plan, w *fake.World) canaries {
	t.Helper()
	c := canaries{}
	vault := w.Set().Vault
	for _, env := range p.Infrastructure.Environments {
		c.file(t, w.InstalledFile(env.Name))
		records, err := vault.List(t.Context(), env.Serial)
		require.NoError(t, err)
		for _, r := range records {
			f, err := vault.Get(t.Context(), env.Serial, r.Digest)
			require.NoError(t, err)
			c.file(t, f)
		}
	}
	return c
}

// clean checks that the history has no secret: nothing of a license file, and
// the activation codes only where the plan is, which is the request and what
// gives it to a worker that does not have it.
func clean(t testing.TB, p migration.Plan, c canaries, h *historypb.History) {
	t.Helper()
	plans := 0
	for _, e := range h.Events {
		b := stored(t, e)
		require.Empty(t, c.found(b), "event %d, %s", e.GetEventId(), e.GetEventType())
		for _, code := range []license.ActivationCode{p.Source, p.Target} {
			n := bytes.Count(b, []byte(code.Reveal()))
			if bytes.Contains(b, []byte(`"source":`)) || bytes.Contains(b, []byte(`\"source\":`)) {
				require.Equal(t, 1, n, "event %d has the plan", e.GetEventId())
				plans++
				continue
			}
			require.Zero(t, n, "event %d, %s, has an activation code", e.GetEventId(), e.GetEventType())
		}
	}
	require.Equal(t, 2*2, plans, "both codes, in the request and in the first activity")
}

func TestServerHistory(t *testing.T) {
	t.Parallel()
	s := newStand(t, servertest.Shared(t))
	s.work(t, s.host(), worker.Options{})

	t.Run("what must not be in a history would be found there", func(t *testing.T) {
		p := small("canary")
		w := fake.New(p.Infrastructure, p.Source, p.Target)
		c := canaries{}
		c.file(t, w.InstalledFile("Production"))
		b := w.InstalledFile("Production").Bytes()
		z, err := zlib.NewReader(bytes.NewReader(b))
		require.NoError(t, err)
		text, err := io.ReadAll(z)
		require.NoError(t, err)
		for what, planted := range map[string][]byte{
			"bytes": b, "hex": []byte(hex.EncodeToString(b[10:])), "XML": text[20:], "base64": []byte(base64.StdEncoding.EncodeToString(append([]byte("x"), b[5:]...))),
		} {
			require.Contains(t, c.found(slices.Concat([]byte("before"), planted, []byte("after"))), what)
		}
	})

	t.Run("a refused update leaves no event", func(t *testing.T) {
		p := small("refused")
		w := fake.New(p.Infrastructure, p.Source, p.Target)
		w.RejectUploads(p.Target, "Production", "not for you")
		h := s.served(t, p, w.Set())
		verdict, err := h.Apply(t.Context())
		require.NoError(t, err)
		require.Equal(t, report.Held, verdict)
		before := historyOf(t, s.client, h.id, "")
		for verb, err := range map[string]error{
			"release":        h.Release(t.Context(), "Production", "ada", "looked"),
			"resolve":        h.Resolve(t.Context(), "LifeTime", migration.Resolution{By: "ada", Evidence: "looked"}),
			"answer":         h.Answer(t.Context(), "1", "ada", "yes", false),
			"hold of nobody": h.Hold(t.Context(), "Production", "", ""),
		} {
			require.Error(t, err, verb)
		}
		require.Len(t, historyOf(t, s.client, h.id, "").Events, len(before.Events))
	})

	t.Run("one run of an infrastructure at a time, and another one after its end", func(t *testing.T) {
		p := small("twice")
		w := fake.New(p.Infrastructure, p.Source, p.Target)
		h := s.served(t, p, w.Set())
		h.opts.Ask = AskUpdate
		_, _ = h.startAndAsk(t)
		_, err := Start(t.Context(), s.client, s.queue, p, &h.opts)
		var started *serviceerror.WorkflowExecutionAlreadyStarted
		require.ErrorAs(t, err, &started)
		h.agree(t)
		result, err := h.Wait(t.Context())
		require.NoError(t, err)
		require.Equal(t, report.Completed, result.Verdict)
		h.opts.Ask = AskWorker
		verdict, err := h.RollBack(t.Context(), "ada", "changed our minds")
		require.NoError(t, err)
		require.Equal(t, report.RolledBack, verdict)
	})
}

// startAndAsk starts the run and returns what it asks first.
func (h *served) startAndAsk(t testing.TB) (*Run, []Question) {
	t.Helper()
	require.NoError(t, h.begin(nil))
	var asked []Question
	until(t, "a question", func() bool {
		var err error
		asked, err = h.Questions(t.Context())
		return err == nil && len(asked) > 0
	})
	return h.Run, asked
}

// agree answers everything with yes until the run rests or is over.
func (h *served) agree(t testing.TB) {
	t.Helper()
	until(t, "the end of all questions", func() bool {
		if over(t, h.Run) {
			return true
		}
		asked, err := h.Questions(t.Context())
		require.NoError(t, err)
		for _, q := range asked {
			require.NoError(t, h.Answer(t.Context(), q.ID, "ada", "agreed", false))
		}
		status, err := h.Status(t.Context())
		require.NoError(t, err)
		return len(asked) == 0 && status.Verb == ""
	})
}

// A worker that stops in the middle leaves the rest to the next one.
func TestServerWorkerStops(t *testing.T) {
	t.Parallel()
	s := newStand(t, servertest.Shared(t))
	p := small("worker stops")
	w := fake.New(p.Infrastructure, p.Source, p.Target)
	reached := make(chan struct{})
	ports := fault.Wrap(w.Set(), fault.On(fault.Match{Port: "ServiceCenter", Method: "UploadLicense"}, 1, fault.Before, fault.Cancel(func() { close(reached) })))
	h := s.served(t, p, ports)
	stop := s.work(t, s.host(), worker.Options{WorkerStopTimeout: patience})
	require.NoError(t, h.begin(nil))
	<-reached
	stop()
	require.False(t, over(t, h.Run), "the run goes on after the worker")
	s.work(t, s.host(), worker.Options{})
	result, err := h.Wait(t.Context())
	require.NoError(t, err)
	require.Equal(t, report.Completed, result.Verdict)
	valid(t, h.store)
}

// A worker with other tables does nothing, and says why.
func TestServerOtherDefinition(t *testing.T) {
	t.Parallel()
	s := newStand(t, servertest.Shared(t))
	p := small("other definition")
	w := fake.New(p.Infrastructure, p.Source, p.Target)
	h := s.served(t, p, w.Set())
	wrong := s.host()
	wrong.Extend = extended
	stop := s.work(t, wrong, worker.Options{})
	require.NoError(t, h.begin(nil))
	until(t, "the task fails with the reason", func() bool {
		for _, e := range historyOf(t, s.client, h.id, "").Events {
			if text := e.GetWorkflowTaskFailedEventAttributes().GetFailure().GetMessage(); strings.Contains(text, "run workers of the version that began it") {
				return true
			}
		}
		return false
	})
	require.Empty(t, w.Effects(), "nothing was done")
	require.Empty(t, entriesOf(t, h.store), "nothing is on record")
	stop()
	s.work(t, s.host(), worker.Options{})
	result, err := h.Wait(t.Context())
	require.NoError(t, err)
	require.Equal(t, report.Completed, result.Verdict)
}

// A server that is killed in the middle of a call goes on when it is back.
func TestServerKilled(t *testing.T) {
	t.Parallel()
	server := servertest.Start(t)
	s := newStand(t, server)
	s.work(t, s.host(), worker.Options{})
	p := small("server killed")
	w := fake.New(p.Infrastructure, p.Source, p.Target)
	reached, back := make(chan struct{}), make(chan struct{})
	ports := fault.Wrap(w.Set(), fault.On(fault.Match{Port: "ServiceCenter", Method: "UploadLicense"}, 1, fault.After, fault.Cancel(func() {
		close(reached)
		<-back
	})))
	h := s.served(t, p, ports)
	h.opts.Heartbeat = time.Second
	require.NoError(t, h.begin(nil))
	<-reached
	server.Kill()
	server.Go(t)
	close(back)
	result, err := h.Wait(t.Context())
	require.NoError(t, err)
	require.Equal(t, report.Completed, result.Verdict)
	valid(t, h.store)
	for _, env := range p.Infrastructure.Environments {
		require.Equal(t, p.Target, w.Installed(env.Name).Code)
	}
}
