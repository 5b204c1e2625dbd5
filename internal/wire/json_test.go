package wire_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/internal/wire"
)

func TestJSONTakesWhatCanBeReadInOneWayOnly(t *testing.T) {
	deep := func(n int) string { return strings.Repeat(`[`, n) + strings.Repeat(`]`, n) }
	type value struct {
		Status *int
		List   []any
	}
	for text, want := range map[string]string{
		`{"Status":1,"List":[{"a":1},{"a":2}]}`: "", `{"status":null}`: "", `{"other":1}`: "", ` {} `: "",
		`{"List":` + deep(63) + `}`: "", `{"List":` + deep(64) + `}`: "in one another", strings.Repeat("[", 1<<20): "in one another",
		``: "not the JSON", `null`: "neither", `"text"`: "neither", `1`: "neither", `{"Status":1}{}`: "goes on", `{"Status":1`: "not the JSON",
		`{"Status":1,"Status":2}`: "twice", `{"Status":1,"STATUS":2}`: "twice", `{"Status":1,"ſtatuſ":2}`: "twice", `{"List":[{"k":1,"` + "\u212a" + `":2}]}`: "twice",
		`{"Status":"1"}`: "not the JSON", `{"Status":1.5}`: "not the JSON", `[]`: "not the JSON",
	} {
		var v value
		if err := wire.JSON([]byte(text), &v, false); want == "" {
			require.NoError(t, err, text)
		} else {
			require.ErrorContains(t, err, want, text[:min(len(text), 50)])
			clean(t, err)
		}
	}
	var v value
	require.NoError(t, wire.JSON([]byte(`{"Status":1}`), &v, true))
	require.Error(t, wire.JSON([]byte(`{"Status":1,"Other":2}`), &v, true))
}

func TestRepeatsFindsASecretHoweverItIsEscaped(t *testing.T) {
	for text, want := range map[string]bool{
		`["a+b/c"]`: true, `["x a\u002bb\/c x"]`: true, `{"a\u002Bb/c":1}`: true, `{"x":[{"y":"a+b/c"}]}`: true, "no JSON: a+b/c": true,
		`["a", "b/c"]`: false, `[1.5,null,true]`: false, "": false, strings.Repeat("[", 1<<20): false,
	} {
		require.Equal(t, want, wire.Repeats([]byte(text), "a+b/c"), text[:min(len(text), 50)])
	}
}
