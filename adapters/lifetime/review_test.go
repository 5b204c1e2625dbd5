package lifetime_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// encoding/json takes a long s for an s: what is stated twice in this way is
// not read either.
func TestAFieldThatIsStatedTwiceInLettersThatLookAlikeIsNotReliedOn(t *testing.T) {
	list := "[" + env(productionKey, "Production", `,"IsOffline":true,"IſOffline":false`) + "]"
	_, err := newServer(t, func(*http.Request) string { return ok(list) }).client(nil).Registered(t.Context())
	require.ErrorContains(t, err, "twice")
}

// Servers write + and / of a token as escapes.
func TestAnAnswerThatRepeatsTheTokenInEscapesIsNotRead(t *testing.T) {
	escaped := strings.Replace(token, "-", `\u002d`, 1)
	_, err := newServer(t, func(*http.Request) string { return ok("[" + env(productionKey, escaped, "") + "]") }).client(nil).Registered(t.Context())
	require.ErrorContains(t, err, "repeats the token")
	unclean(t, err)
}

// Eight MiB of brackets would take more stack than a program may have, and end
// it in the middle of a change.
func TestAnAnswerThatIsTooDeepIsNotRead(t *testing.T) {
	for _, body := range []string{strings.Repeat("[", 8<<20), strings.Repeat(`{"a":`, 1<<20)} {
		s := newServer(t, func(*http.Request) string { return ok(body) })
		_, err := s.client(nil).Registered(t.Context())
		require.ErrorContains(t, err, "in one another")
		unclean(t, err)
	}
}
