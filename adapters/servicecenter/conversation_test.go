package servicecenter_test

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/adapters/servicecenter"
	"github.com/changeover-go/changeover/license"
)

// A conversation is read from a file; testdata/conversations/README.md
// describes the form.
type conversation struct {
	requests []string
	replies  []reply
}

func readConversation(t *testing.T, name string) conversation {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", "conversations", name+".txt"))
	require.NoError(t, err)
	var c conversation
	for part := range strings.SplitSeq(strings.TrimPrefix("\n"+strings.TrimSuffix(string(b), "\n"), "\n### "), "\n### ") {
		kind, rest, _ := strings.Cut(part, "\n")
		// A head without a body ends in the line break before the next part.
		head, body, _ := strings.Cut(rest+"\n\n", "\n\n")
		if body = strings.TrimSuffix(body, "\n\n"); body == "\n" {
			body = ""
		}
		head = strings.ReplaceAll(head, "\n", "\r\n") + "\r\n"
		switch kind {
		case "request":
			c.requests = append(c.requests, head+"\r\n"+body)
		case "answer":
			if file, ok := strings.CutPrefix(body, "{{"); ok {
				b, err := os.ReadFile(filepath.Join("testdata", strings.TrimSuffix(file, "}}")))
				require.NoError(t, err)
				body = string(b)
			}
			c.replies = append(c.replies, reply{raw: head + "Content-Length: " + strconv.Itoa(len(body)) + "\r\n\r\n" + body})
		default:
			require.Fail(t, "a part that is neither a request nor an answer", kind)
		}
	}
	require.Len(t, c.replies, len(c.requests))
	return c
}

// opaque is a license file that says nothing of itself.
func opaque(t *testing.T) license.File {
	t.Helper()
	file, err := license.NewFile([]byte("A made-up license that nobody can inspect."))
	require.NoError(t, err)
	return file
}

func TestConversationsAreHeldToTheByte(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(t *testing.T, s *server)
	}{
		{"installed", func(t *testing.T, s *server) {
			in, err := s.client(func(o *servicecenter.Options) {
				o.Page = page{in: license.Installed{Serial: serial, IPP: license.Ignore}}
			}).InstalledLicense(t.Context(), quality())
			require.NoError(t, err)
			require.Equal(t, license.Installed{Server: serial, Serial: serial, IPP: license.Ignore}, in)
		}},
		{"upload", func(t *testing.T, s *server) {
			require.NoError(t, s.client(nil).UploadLicense(t.Context(), quality(), opaque(t)))
		}},
		{"republish", func(t *testing.T, s *server) {
			waits := new(clock)
			p, err := s.client(func(o *servicecenter.Options) { o.Clock = waits }).RepublishModule(t.Context(), quality(), moduleName)
			require.NoError(t, err)
			require.Equal(t, adapters.Publication{Before: "7", After: "7"}, p)
			require.Equal(t, 3*servicecenter.DefaultPoll, waits.waited)
		}},
		{"abort", func(t *testing.T, s *server) {
			_, err := s.client(nil).RepublishModule(t.Context(), quality(), moduleName)
			require.Equal(t, adapters.ErrIntellectualProperty, adapters.ConditionOf(err), "%v", err)
			require.EqualError(t, err, `Quality: republishing ECT_Provider: publish 41: aborted before anything was put in place: an error: `+
				`"Intellectual Property Error: This module is under Intellectual Property Protection" (detail: "Go to the portal"): `+
				adapters.ErrIntellectualProperty.Error())
		}},
		{"solution", func(t *testing.T, s *server) {
			p, err := s.client(func(o *servicecenter.Options) { o.Solution = "Changeover <test>" }).RepublishModule(t.Context(), quality(), moduleName)
			require.NoError(t, err)
			require.Equal(t, adapters.Publication{Before: "7", After: "8"}, p)
		}},
		{"backup", func(t *testing.T, s *server) {
			file, err := s.link().BackupLicense(t.Context(), quality())
			require.NoError(t, err)
			require.Equal(t, opaque(t), file)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			talk := readConversation(t, c.name)
			s := newServer(t, talk.replies...)
			c.do(t, s)
			require.Equal(t, talk.requests, s.sent())
		})
	}
}

// TestEveryConversationIsHeld also keeps the files from being forgotten.
func TestEveryConversationIsHeld(t *testing.T) {
	files, err := filepath.Glob("testdata/conversations/*.txt")
	require.NoError(t, err)
	require.Len(t, files, 6)
	for _, f := range files {
		for _, raw := range readConversation(t, strings.TrimSuffix(filepath.Base(f), ".txt")).requests {
			head, body, _ := strings.Cut(raw, "\r\n\r\n")
			r, err := http.NewRequest(http.MethodPost, "https://example.test", bytes.NewReader([]byte(body)))
			require.NoError(t, err)
			if r.ContentLength > 0 {
				require.Contains(t, head, "\r\nContent-Length: "+strconv.FormatInt(r.ContentLength, 10)+"\r\n")
			}
		}
	}
}
