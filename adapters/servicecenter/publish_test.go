package servicecenter_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/adapters/servicecenter"
)

const (
	ipp1   = "Invalid Intellectual Property: You are trying to upload or publish a solution that was created in a Platform Server and its intellectual Property is protected"
	ipp2   = "Intellectual Property Error: This module is under Intellectual Property Protection, so you cannot publish it to your environment."
	ipp3   = "Your OutSystems subscription only allows uploading modules developed in your environment, or downloaded from the OutSystems Forge."
	ipp3c  = "Foreign Module Error"
	locked = "Your module is currently being locked by another operation. User a is publishing module b."
)

// republish gives a server those replies, from the start of the publish on.
func republish(t *testing.T, replies ...reply) (*server, adapters.Publication, error) {
	t.Helper()
	s := newServer(t, upTo(t, replies[0], replies[1:]...)...)
	p, err := s.client(nil).RepublishModule(t.Context(), quality(), moduleName)
	return s, p, err
}

func TestTheErrorsOfAPublishMeanWhatTheirTextsSay(t *testing.T) {
	info, warning, stop := message("Info", "Compiling", ""), message("Warning", ipp2, locked), message("PublishStop", "Stopped", "")
	fails := func(text, detail string) string { return message("Error", text, detail) }
	for _, c := range []struct {
		name     string
		messages []string
		finished string // what it means when the publish ends with it
		aborted  string // and when it stops with it
	}{
		{"no message", nil, "unknown", "done"},
		{"information and warnings", []string{info, warning, info}, "done", "done"},
		{"types in other cases", []string{message(" INFO ", "", ""), message("warning", "", "")}, "done", "done"},
		{"an error of another kind", []string{fails("Compilation failed", "")}, "publishFailed", "publishFailed"},
		{"an error without a text", []string{fails("", "")}, "publishFailed", "publishFailed"},
		{"a message of an unknown type", []string{message("Fatal", "", "")}, "publishFailed", "publishFailed"},
		{"a message without a type", []string{"<Item><Message>a</Message></Item>"}, "publishFailed", "publishFailed"},
		{"the first text", []string{fails(ipp1, "")}, "intellectualProperty", "intellectualProperty"},
		{"the second text", []string{fails(ipp2, "")}, "intellectualProperty", "intellectualProperty"},
		{"the third text", []string{fails(ipp3, "")}, "intellectualProperty", "intellectualProperty"},
		{"the category of the third text", []string{fails(ipp3c, ipp3)}, "intellectualProperty", "intellectualProperty"},
		{"a text in the detail", []string{fails("ECT_Provider", ipp2)}, "intellectualProperty", "intellectualProperty"},
		{"a text in upper case", []string{fails(strings.ToUpper(ipp1), "")}, "intellectualProperty", "intellectualProperty"},
		{"a text in an unknown type", []string{message("", ipp1, "")}, "intellectualProperty", "intellectualProperty"},
		{"a text after many errors", []string{fails("a", ""), fails("b", ""), fails("c", ""), fails("d", ""), fails(ipp2, "")}, "intellectualProperty", "intellectualProperty"},
		{"a text before another error", []string{fails(ipp2, ""), fails("a", "")}, "intellectualProperty", "intellectualProperty"},
		{"a text not at the beginning", []string{fails("Not an "+ipp2, "")}, "publishFailed", "publishFailed"},
		{"the lock", []string{fails(locked, "")}, "busy", "busy"},
		{"the lock in the detail", []string{info, fails("ECT_Provider", strings.ToUpper(locked))}, "busy", "busy"},
		{"the lock and another error", []string{fails(locked, ""), fails("a", "")}, "publishFailed", "publishFailed"},
		{"the lock and a text", []string{fails(locked, ""), fails(ipp3, "")}, "intellectualProperty", "intellectualProperty"},
		{"no rights to publish", []string{fails("You do not have permission", "")}, "publishFailed", "publishFailed"},
	} {
		t.Run(c.name+", and the publish ends", func(t *testing.T) {
			s, _, err := republish(t, staged(`{"publishId":41}`), news(9, true, c.messages...), published(7))
			require.Equal(t, c.finished, means(err), "%v", err)
			if err != nil {
				require.Len(t, s.sent(), 5, "nothing more is asked")
			}
		})
		t.Run(c.name+", and the publish stops after its first step", func(t *testing.T) {
			last := aborted()
			if c.aborted == "done" {
				last = goOn()
			}
			s, _, err := republish(t, staged(`{"publishId":41}`), news(9, false, append(c.messages, stop)...), last, news(9, true), published(7))
			require.Equal(t, c.aborted, means(err), "%v", err)
			if err != nil {
				require.Len(t, s.sent(), 6)
				require.Contains(t, s.sent()[5], "SolutionPack_PublishAbort")
			}
		})
		t.Run(c.name+", in the answer to the start", func(t *testing.T) {
			var list []string
			for _, m := range c.messages {
				fields := strings.NewReplacer("<Item><Message>", `{"REST_PublicationMessage":{"Message":"`, "</Message><Detail>", `","Detail":"`,
					"</Detail><Type>", `","Type":"`, "</Type></Item>", `"}}`, "</Message></Item>", `"}}`).Replace(m)
				list = append(list, fields)
			}
			_, _, err := republish(t, staged(fmt.Sprintf(`{"publishId":41,"Messages":[%s]}`, strings.Join(list, ","))), news(9, true), published(7))
			require.Equal(t, c.finished, means(err), "%v", err)
		})
	}
}

func TestALockInTheSecondStepIsNoReasonToTryAgain(t *testing.T) {
	_, _, err := republish(t, staged(`{"publishId":41}`), news(1, false, message("PublishStop", "", "")), goOn(),
		news(2, true, message("Error", locked, "")), published(7))
	require.Equal(t, "publishFailed", means(err), "%v", err)
}

func TestAPublishThatSaysNothingIsNotTakenForDone(t *testing.T) {
	_, _, err := republish(t, staged(`{"publishId":41}`), news(0, true), published(7))
	require.ErrorIs(t, err, adapters.ErrUncertain)
}

func TestTheAnswerToAStartIsReadToTheLetter(t *testing.T) {
	reason := func(id, text string) string {
		return id + `"Messages":[{"REST_PublicationMessage":{"Message":"` + text + `","Detail":"d"}}]}`
	}
	for _, c := range []struct{ name, body, means string }{
		{"the id zero with a reason", reason(`{"publishId":0,`, "no"), "busy"},
		{"no id with a reason", reason(`{`, "no"), "busy"},
		{"the id null with a reason", reason(`{"publishId":null,`, "no"), "busy"},
		{"the id zero without a reason", `{"publishId":0,"Messages":[]}`, "busy"},
		{"the id zero and nothing else", `{"publishId":0}`, "busy"},
		{"the lock", reason(`{"publishId":0,`, locked), "busy"},
		{"intellectual property", reason(`{"publishId":0,`, ipp2), "intellectualProperty"},
		{"intellectual property without an id", reason(`{`, ipp1), "intellectualProperty"},
		{"rights", reason(`{"publishId":0,`, "You do not have permission to publish"), "permission"},
		{"no license", reason(`{"publishId":0,`, "No license was found for this server"), "publishFailed"},
		{"neither an id nor a reason", `{}`, "unknown"},
		{"no id and no messages", `{"Messages":[]}`, "unknown"},
		{"null", `null`, "unknown"},
		{"a list", `[]`, "unknown"},
		{"a negative id", reason(`{"publishId":-1,`, "no"), "unknown"},
		{"an id that is no whole number", `{"publishId":1.5}`, "unknown"},
		{"an id that is a text", `{"publishId":"41"}`, "unknown"},
		{"an id that is too great", `{"publishId":99999999999999999999}`, "unknown"},
		{"half an answer", `{"publishId":41`, "unknown"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, _, err := republish(t, staged(c.body))
			require.Equal(t, c.means, means(err), "%v", err)
			require.Len(t, s.sent(), 4, "nothing is followed")
			if c.means == "unknown" {
				require.ErrorIs(t, err, adapters.ErrUncertain)
			}
		})
	}
	t.Run("a solution's id that is zero is not known to mean anything", func(t *testing.T) {
		for _, id := range []string{"0", "-1", "", "x"} {
			s := newServer(t, upTo(t, says("PublishRunningVersion", "<SolutionPubId>"+id+"</SolutionPubId>"))...)
			_, err := s.client(func(o *servicecenter.Options) { o.Solution = "S" }).RepublishModule(t.Context(), quality(), moduleName)
			require.Equal(t, "unknown", means(err))
			require.ErrorIs(t, err, adapters.ErrUncertain)
		}
	})
}

func TestAModuleIsLookedUpByItsExactName(t *testing.T) {
	item := func(name, key, kind string) string {
		return "<M><Kind>" + kind + "</Kind><Key>" + key + "</Key><Name>" + name + "</Name></M>"
	}
	for _, c := range []struct{ name, list, means string }{
		{"another case", item("ect_provider", "k", "eSpace"), "moduleNotFound"},
		{"a longer name", item("ECT_Provider2", "k", "eSpace"), "moduleNotFound"},
		{"a blank behind it", item("ECT_Provider ", "k", "eSpace"), "moduleNotFound"},
		{"no modules at all", "", "permission"},
		{"twice", item("ECT_Provider", "k", "eSpace") + item("ECT_Provider", "l", "Extension"), "unknown"},
		{"without a key", item("ECT_Provider", "", "eSpace"), "unknown"},
		{"without a kind", item("ECT_Provider", "k", ""), "unknown"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newServer(t, answer(200, "text/xml", description(t)), says("Modules_Get", "<Found>"+c.list+"</Found>"))
			_, err := s.client(nil).RepublishModule(t.Context(), quality(), moduleName)
			require.Equal(t, c.means, means(err), "%v", err)
			require.Len(t, s.sent(), 2)
		})
	}
}

func TestTheVersionsAreThoseThatTheServerStates(t *testing.T) {
	_, p, err := republish(t, staged(`{"publishId":41}`), news(1, true, message("Info", "Done", "")), published(8))
	require.NoError(t, err)
	require.Equal(t, adapters.Publication{Before: "7", After: "8"}, p)

	for _, bad := range []string{
		"<Current>0</Current><Fault>0</Fault>", "<Current>-1</Current><Fault>0</Fault>", "<Current/><Fault>0</Fault>", "<Fault>0</Fault>",
		"<Current>7</Current>", "<Current>7</Current><Fault>x</Fault>", "<Current>7</Current><Fault>3</Fault><FaultText>No &#x1f; rights\u202e</FaultText>",
		"<Current>7</Current><Fault>3</Fault><FaultText>No rights\u202e</FaultText>",
	} {
		replies := upTo(t, staged(`{"publishId":41}`), news(1, true, message("Info", "Done", "")), says("Module_GetVersions", bad))
		s := newServer(t, replies...)
		p, err := s.client(nil).RepublishModule(t.Context(), quality(), moduleName)
		require.Equal(t, "unknown", means(err), bad)
		require.ErrorIs(t, err, adapters.ErrUncertain)
		require.Zero(t, p)
		safe(t, err)

		replies[2] = replies[5]
		s = newServer(t, replies...)
		_, err = s.client(nil).RepublishModule(t.Context(), quality(), moduleName)
		require.Equal(t, "unknown", means(err), bad)
		require.Len(t, s.sent(), 3, "nothing is started")
	}
}

func TestAPublishThatDoesNotEndIsGivenUpAndUnknown(t *testing.T) {
	for name, n := range map[string]int{"that says nothing": 0, "whose numbers go backwards": -5, "that repeats itself": 3} {
		t.Run(name, func(t *testing.T) {
			replies := upTo(t, staged(`{"publishId":41}`))
			for i := range 40 {
				last := n
				if i == 0 {
					last = 5
				}
				replies = append(replies, news(last, false, message("Info", "again", ""), message("PublishStop", "", "")))
				if i == 0 {
					replies = append(replies, goOn())
				}
			}
			s := newServer(t, replies...)
			waits := new(clock)
			_, err := s.client(func(o *servicecenter.Options) {
				o.Clock, o.Poll, o.PublishTimeout = waits, 10*time.Second, 5*time.Minute
			}).RepublishModule(t.Context(), quality(), moduleName)
			require.Equal(t, "unknown", means(err))
			require.ErrorContains(t, err, "has not finished within 5m0s")
			require.Equal(t, 5*time.Minute, waits.waited)
			require.Len(t, s.sent(), 4+1+31)
			for _, poll := range s.sent()[6:] {
				require.Contains(t, poll, "<Seen>5</Seen>", "what was seen once is not asked for again, and nothing goes on twice")
			}
		})
	}
}

func TestAPublishIsUnknownWhenNobodyWaitsForItsEnd(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s := newServer(t, upTo(t, staged(`{"publishId":41}`), news(1, false))...)
	waits := &clock{asleep: func(time.Duration) error { cancel(); return ctx.Err() }}
	_, err := s.client(func(o *servicecenter.Options) { o.Clock = waits }).RepublishModule(ctx, quality(), moduleName)
	require.Equal(t, "unknown", means(err))
	require.ErrorIs(t, err, adapters.ErrUncertain)
	require.ErrorIs(t, err, context.Canceled)
	require.Len(t, s.sent(), 5)
}

func TestManyErrorsAreCountedAndFewQuoted(t *testing.T) {
	evil := strings.NewReplacer("&", "&amp;", "<", "&lt;").Replace(hostile())
	var messages []string
	for range 1000 {
		messages = append(messages, message("Error", evil, evil))
	}
	s, _, err := republish(t, staged(`{"publishId":41}`), news(1000, false, messages...), news(1001, true, message("Error", ipp1, "the last")))
	require.Equal(t, "intellectualProperty", means(err))
	require.ErrorContains(t, err, "1001 errors: \"Invalid Intellectual Property: ")
	require.ErrorContains(t, err, "and 998 more")
	require.Less(t, len(err.Error()), 3000)
	safe(t, err, s.sent()...)
}
