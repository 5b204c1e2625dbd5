package printable_test

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/internal/printable"
)

func TestJSONMeansTheSameAndCanBeLookedAt(t *testing.T) {
	for _, s := range []string{"", "plain", "é 漢字 “quoted” \\u202e", "a\u202eb\u200d\U000e0041\u2028\u00a0\x1b\n", "e\u0301\u0301\u0301\u0301", "\ufffd", "😀\U0001f3fd"} {
		checkJSON(t, s)
	}
	plain := []byte(`{"a":"b"}`)
	require.Equal(t, &plain[0], &printable.JSON(plain)[0], "what needs nothing is not copied")
}

func checkJSON(t *testing.T, s string) {
	t.Helper()
	b, err := json.Marshal(map[string]string{"text": s})
	require.NoError(t, err)
	escaped := printable.JSON(b)
	var before, after map[string]string
	require.NoError(t, json.Unmarshal(b, &before))
	require.NoError(t, json.Unmarshal(escaped, &after))
	require.Equal(t, before, after)
	require.Equal(t, -1, strings.IndexFunc(string(escaped), func(r rune) bool {
		return r != utf8.RuneError && !unicode.IsGraphic(r) || unicode.In(r, unicode.Cf, unicode.Cc, unicode.Zl, unicode.Zp)
	}), "%q", escaped)
}

func FuzzJSON(f *testing.F) {
	f.Add("a\u202eb")
	f.Fuzz(func(t *testing.T, s string) { checkJSON(t, s) })
}
