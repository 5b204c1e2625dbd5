package command_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/adapters/command"
	"github.com/changeover-go/changeover/internal/golden"
)

const schemaHead = `# The schema of package command

Version 1. A program is started once for each call. It reads one request from
stdin and writes one answer to stdout, both JSON objects in UTF-8 without a byte
order mark, of at most 8 MiB. What it writes to stderr is for people.

Both are read strictly: a key that is missing, unknown, repeated or spelled in
another case, null, a value of another type, and anything beside the one object
make an answer that is not taken. A time has the form of RFC 3339, with a time
zone: 2026-03-01T09:00:00Z. base64 is the standard one, with padding, in one
piece.

This file is written by a test from the types that are read and written.

## Exit codes

| Code | Name | Meaning |
|---|---|---|
| 0 | | done; stdout is one answer |
`

const schemaCodes = `| every other | | nobody knows whether it was done; the last line of stderr says more |

With a code from 200, which asserts that nothing was changed, the last line of
stderr is the reason. With every code but 0, stdout is empty, or has version,
method and testimony only. Codes of further conditions will follow at the end.
`

// schema writes the schema for people.
func schema() string {
	var b strings.Builder
	b.WriteString(schemaHead)
	for i, c := range adapters.Conditions() {
		fmt.Fprintf(&b, "| %d | %s | %s |\n", command.ExitCode(adapters.Conditions()[i]), c.Condition(), c.Error())
	}
	b.WriteString(schemaCodes)
	table := func(what string, fields []command.Field) {
		if len(fields) == 0 {
			fmt.Fprintf(&b, "\n%s: no further fields.\n", what)
			return
		}
		fmt.Fprintf(&b, "\n%s:\n\n| Field | Type | Meaning |\n|---|---|---|\n", what)
		for _, f := range fields {
			doc := f.Doc
			if f.Optional {
				doc += " (may be left out)"
			}
			fmt.Fprintf(&b, "| %s | %s | %s |\n", f.Name, f.Type, doc)
		}
	}
	request, answer := command.Heads()
	b.WriteString("\n## Every request and answer\n")
	table("Request", request)
	table("Answer", answer)
	for _, m := range command.Schema() {
		fmt.Fprintf(&b, "\n## %s.%s\n", m.Port, m.Method)
		table("Request", m.Request)
		table("Answer", m.Answer)
	}
	return b.String()
}

func TestTheSchemaIsAsItWasReviewed(t *testing.T) {
	golden.Compare(t, "schema.md", []byte(schema()))
}

func TestEveryFieldOfTheSchemaSaysWhatItIs(t *testing.T) {
	check := func(fields []command.Field) {
		for _, f := range fields {
			require.NotEmpty(t, f.Name)
			require.NotEmpty(t, f.Doc, f.Name)
			require.NotContains(t, f.Doc, "|", f.Name)
			require.Equal(t, strings.ToLower(f.Name[:1]), f.Name[:1], f.Name)
		}
	}
	request, answer := command.Heads()
	check(request)
	check(answer)
	seen := map[string]bool{}
	for _, m := range command.Schema() {
		require.False(t, seen[m.Method], "the name alone says which method it is")
		seen[m.Method] = true
		check(m.Request)
		check(m.Answer)
	}
	require.Len(t, seen, 16)
}

// The exit codes that programs were written for never change.
func TestExitCodesAreStable(t *testing.T) {
	for i, want := range []struct {
		code int
		err  error
	}{
		{0, nil},
		{200, adapters.ErrSerialNotFound},
		{201, adapters.ErrNoSlot},
		{202, adapters.ErrNotPrepared},
		{203, adapters.ErrWrongEnvironment},
		{204, adapters.ErrRejected},
		{205, adapters.ErrNoLicense},
		{206, adapters.ErrIntellectualProperty},
		{207, adapters.ErrPublishFailed},
		{208, adapters.ErrModuleNotFound},
		{209, adapters.ErrBusy},
		{210, adapters.ErrNotReached},
		{211, adapters.ErrPermission},
		{212, adapters.ErrUnknownEnvironment},
		{213, adapters.ErrBackupNotFound},
		{214, adapters.ErrBackupDamaged},
		{215, adapters.ErrCaseNotFound},
		{216, adapters.ErrRefused},
		{217, adapters.ErrUnsupported},
		{1, adapters.ErrUncertain},
		{1, fmt.Errorf("%w: %w", adapters.ErrBusy, adapters.ErrUncertain)},
		{1, fmt.Errorf("plain")},
	} {
		require.Equal(t, want.code, command.ExitCode(want.err), "row %d", i)
	}
	last := adapters.Conditions()[len(adapters.Conditions())-1]
	require.LessOrEqual(t, command.ExitCode(last), 254, "exit codes end at 255, which is taken")
}
