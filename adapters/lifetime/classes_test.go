package lifetime_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/adapters/lifetime"
)

// The requests that a pause makes, in order; a resume makes all but the second
// and third.
var steps = []string{"environments", "deployments", "status", "switch", "environment"}

func stepOf(r *http.Request) string {
	switch path := r.URL.Path; {
	case strings.HasSuffix(path, "/maintenancemode"):
		return "switch"
	case strings.HasSuffix(path, "/status/"):
		return "status"
	case strings.HasSuffix(path, "/deployments/"):
		return "deployments"
	case strings.HasSuffix(path, "/environments/"):
		return "environments"
	}
	return "environment"
}

// A class is an answer and what it means as the answer to each request of a
// pause, in the order of steps. "": the call goes on, or has succeeded; "?":
// nobody knows; otherwise the name of a condition.
type class struct {
	name   string
	answer string
	means  string
}

func html(status int) string {
	return reply(status, "text/html; charset=utf-8", "<html><body>\x1b[2JPlease log in "+token+"</body></html>")
}

func classes() []class {
	const unknown = "? ? ? ? ?"
	// After the switch everything is unknown but what shows that it was done.
	list := []class{
		{"401 as documented", documented(401, "Invalid token"), "permission permission permission permission ?"},
		{"401 as a page", html(401), "permission permission permission permission ?"},
		{"401 without a body", "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n", "permission permission permission permission ?"},
		{"403 as documented", documented(403, "The user has no permission"), "permission permission permission permission ?"},
		{"403 as a page", html(403), "permission permission permission permission ?"},
		{"400 as documented", documented(400, "Bad request"), "unsupported unsupported unsupported ? ?"},
		{"404 as documented", documented(404, "Not found"), "unsupported unknownEnvironment  unknownEnvironment ?"},
		{"405 as documented", documented(405, "The feature is disabled"), "unsupported unsupported unsupported unsupported ?"},
		{"429", reply(429, "text/plain", "slow down"), "busy busy busy busy ?"},
		{"200 with a page", html(200), "? ? ?  ?"},
		{"200 without a content type", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]", "? ? ?  ?"},
		{"200 with another content type", reply(200, "text/plain", "[]"), "? ? ?  ?"},
		{"200 with a content type that is none", reply(200, "application/", "[]"), unknown},
		{"200 in another charset", reply(200, "application/json; charset=utf-16", "[\x00]\x00"), unknown},
		{"200 with garbage", ok("\x00\x01{"), "? ? ?  ?"},
		{"200 that is cut off", strings.TrimSuffix(ok(`{"Key":"a","Name":"b"}`), `b"}`), unknown},
		{"200 with JSON that is cut off", ok(`{"Key":"a","Name":"b`), "? ? ?  ?"},
		{"200 with an error in its body", ok(`{"Errors":["no"],"StatusCode":400}`), "? ? ?  ?"},
		{"200 that is compressed", "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n[]", unknown},
		{"200 with a header that does not end", "HTTP/1.1 200 OK\r\nX-Long: " + strings.Repeat("x", 1<<20), unknown},
		{"201 with a body", reply(201, "application/json", "[]"), "? ? ?  ?"},
		{"202", "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n", "? ? ?  ?"},
		{"204", noContent, "unknownEnvironment  ?  ?"},
		{"301 to another host", "HTTP/1.1 301 Moved\r\nLocation: https://elsewhere.example.com/\r\nContent-Length: 0\r\n\r\n", unknown},
		{"302 to a page of the same", "HTTP/1.1 302 Found\r\nLocation: /login\r\nContent-Length: 0\r\n\r\n", unknown},
		{"nothing", "", unknown},
		{"what is not HTTP", "SSH-2.0-x\r\n", unknown},
	}
	for _, status := range []int{400, 404, 405} {
		list = append(list, class{fmt.Sprint(status, " as a page"), html(status), unknown})
		list = append(list, class{fmt.Sprint(status, " that states another status"), reply(status, "application/json", `{"Errors":["no"],"StatusCode":500}`), unknown})
		list = append(list, class{fmt.Sprint(status, " without a body"), fmt.Sprintf("HTTP/1.1 %d X\r\nContent-Length: 0\r\n\r\n", status), unknown})
		list = append(list, class{fmt.Sprint(status, " with more than is documented"), reply(status, "application/json", fmt.Sprintf(`{"Errors":["no"],"StatusCode":%d,"Proxy":true}`, status)), unknown})
		list = append(list, class{fmt.Sprint(status, " that names no error"), reply(status, "application/json", fmt.Sprintf(`{"Errors":[],"StatusCode":%d}`, status)), unknown})
		list = append(list, class{fmt.Sprint(status, " in another content type"), reply(status, "text/json", fmt.Sprintf(`{"Errors":["no"],"StatusCode":%d}`, status)), unknown})
	}
	for _, status := range []int{410, 500, 501, 503} {
		list = append(list, class{fmt.Sprint(status, " as documented"), documented(status, "Something went wrong"), unknown})
		list = append(list, class{fmt.Sprint(status, " as a page"), html(status), unknown})
	}
	return list
}

func outcome(err error) string {
	switch condition := adapters.ConditionOf(err); {
	case err == nil:
		return ""
	case condition == nil:
		return "?"
	default:
		return condition.Condition()
	}
}

// unclean says what an error must not contain.
func unclean(t *testing.T, err error) {
	t.Helper()
	if err == nil {
		return
	}
	text := err.Error()
	for i := range len(token) - 12 {
		if strings.Contains(text, token[i:i+12]) {
			t.Errorf("the token: %s", text)
		}
	}
	if strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f || r == 0x202e || r == 0x2028 }) {
		t.Errorf("raw: %q", text)
	}
	require.Less(t, len(text), 2000)
}

func TestEveryAnswerToEveryRequestHasItsMeaning(t *testing.T) {
	type port = func(*lifetime.Client, context.Context) error
	calls := []struct {
		name string
		made []string // the steps whose answers are tried
		do   port
	}{
		{"PauseDeployments", steps, func(c *lifetime.Client, ctx context.Context) error { return c.PauseDeployments(ctx, production) }},
		{"ResumeDeployments", []string{"switch", "environment"}, func(c *lifetime.Client, ctx context.Context) error { return c.ResumeDeployments(ctx, production) }},
		{"Registered", steps[:3], func(c *lifetime.Client, ctx context.Context) error {
			list, err := c.Registered(ctx)
			if err != nil && list != nil {
				return errors.New("a list and an error")
			}
			return err
		}},
	}
	for _, class := range classes() {
		want := strings.Split(class.means, " ")
		require.Len(t, want, len(steps), class.name)
		for _, call := range calls {
			for n, step := range steps {
				if !slices.Contains(call.made, step) {
					continue
				}
				t.Run(class.name+" to "+step+" of "+call.name, func(t *testing.T) {
					w := &world{offline: fmt.Sprint(call.name == "ResumeDeployments"), status: status("saved", ""), deployments: "[" + deployed(deploymentKey, productionKey, "") + "]"}
					s := newServer(t, func(r *http.Request) string {
						if stepOf(r) == step {
							if step == "switch" {
								w.answer(r) // it may have been done, whatever is answered
							}
							return class.answer
						}
						return w.answer(r)
					})
					err := call.do(s.client(nil), t.Context())
					want := want[n]
					if want == "unknownEnvironment" && step == "environments" && call.name == "Registered" {
						want = "" // an empty list
					}
					require.Equal(t, want, outcome(err), "%v", err)
					unclean(t, err)
					if err != nil && n < slices.Index(steps, "switch") {
						require.NotContains(t, strings.Join(s.requests(), "\n"), "PUT", "nothing may be changed after a doubt")
					}
				})
			}
		}
	}
}

func TestAnAnswerThatIsTooLongIsNotRead(t *testing.T) {
	for _, step := range []string{"environments", "switch"} {
		w := &world{offline: "false"}
		s := newServer(t, func(r *http.Request) string {
			if stepOf(r) == step {
				return ok("[" + strings.Repeat(" ", 8<<20) + "]")
			}
			return w.answer(r)
		})
		err := s.client(nil).PauseDeployments(t.Context(), production)
		require.Equal(t, "?", outcome(err))
		require.ErrorContains(t, err, "more than 8388608 bytes")
	}
}

// A server that repeats what it was sent, and worse, in every place of every
// answer: nothing of it is printed raw, and the token not at all.
func TestNothingThatAServerSaysIsPrintedRawNorTheToken(t *testing.T) {
	hostile := []string{"Bearer " + token + "\u202e", "\x1b[2J\u2028" + strings.Repeat("\u202e", 10_000), strings.Repeat("x", 195) + token}
	for _, text := range hostile {
		quoted := strings.NewReplacer("\x1b", `\u001b`).Replace(text)
		inHeader := strings.NewReplacer("\x1b", "", "\u2028", "").Replace(text)
		for _, answer := range map[string]string{
			"an error":           reply(400, "application/json", `{"Errors":["`+quoted+`","and"],"StatusCode":400}`),
			"a permission":       reply(403, "application/json", `{"Errors":["`+quoted+`"],"StatusCode":403}`),
			"a page":             reply(500, "text/html", text),
			"a content type":     reply(200, inHeader+"/x", "[]"),
			"a charset":          reply(200, `application/json; charset="`+inHeader+`"`, "[]"),
			"an encoding":        "HTTP/1.1 200 OK\r\nContent-Encoding: " + inHeader + "\r\nContent-Length: 0\r\n\r\n",
			"a redirect":         "HTTP/1.1 302 Found\r\nLocation: https://" + inHeader + ".example.com/" + token + "\r\nContent-Length: 0\r\n\r\n",
			"a status":           "HTTP/1.1 500 " + inHeader + "\r\nContent-Length: 0\r\n\r\n",
			"a key":              ok("[" + env(quoted, "Production", "") + "]"),
			"a name":             ok("[" + env(productionKey, quoted, "") + "," + env(qualityKey, quoted, "") + "]"),
			"a field":            ok(`[{"` + quoted + `":1,"` + quoted + `":2}]`),
			"a type of a field":  ok(`[{"Key":["` + quoted + `"]}]`),
			"what is not JSON":   ok(text),
			"a line of a header": "HTTP/1.1 200 OK\r\n" + inHeader + "\r\n\r\n",
		} {
			for _, step := range steps {
				w := &world{offline: "false", status: status("saved", ""), deployments: "[" + deployed(deploymentKey, productionKey, "") + "]"}
				s := newServer(t, func(r *http.Request) string {
					if stepOf(r) == step {
						return answer
					}
					return w.answer(r)
				})
				unclean(t, s.client(nil).PauseDeployments(t.Context(), production))
			}
		}
	}
}

// What is read from an answer is shown to people: not one that has the token.
func TestAnAnswerThatRepeatsTheTokenIsNotRead(t *testing.T) {
	for _, list := range []string{env(productionKey, token, ""), env(productionKey, "Production", `,"X":"Bearer `+token+`"`)} {
		_, err := newServer(t, func(*http.Request) string { return ok("[" + list + "]") }).client(nil).Registered(t.Context())
		require.ErrorContains(t, err, "repeats the token")
		unclean(t, err)
	}
}

func TestWhatIsRunningIsNamedSafely(t *testing.T) {
	w := &world{offline: "false", deployments: "[" + deployed(deploymentKey, productionKey, "") + "]", status: status(`\u001b[2J`, strings.Repeat(`\u202e`, 1000))}
	s := newServer(t, w.answer)
	list, err := s.client(nil).Registered(t.Context())
	require.NoError(t, err)
	require.Less(t, len(list[0].Running[0]), 1000)
	for _, r := range list[0].Running[0] {
		require.True(t, r >= ' ' && r != 0x202e)
	}
}

func TestWhatWasNeverSentIsNotReached(t *testing.T) {
	for n, step := range steps {
		w := &world{offline: "false", status: status("saved", ""), deployments: "[" + deployed(deploymentKey, productionKey, "") + "]"}
		s := newServer(t, w.answer)
		dialed := 0
		err := s.client(func(o *lifetime.Options) {
			o.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
				if dialed++; dialed > n {
					return nil, errors.New("connection refused")
				}
				return s.dial(ctx, network, address)
			}
		}).PauseDeployments(t.Context(), production)
		want := "notReached"
		if step == "environment" {
			want = "?" // the switch was sent
		}
		require.Equal(t, want, outcome(err), step)
		require.Len(t, s.requests(), n)
	}
}

func TestACallThatIsCanceledReturnsAndLeavesNothing(t *testing.T) {
	calls := map[string]func(*lifetime.Client, context.Context) error{
		"PauseDeployments":  func(c *lifetime.Client, ctx context.Context) error { return c.PauseDeployments(ctx, production) },
		"ResumeDeployments": func(c *lifetime.Client, ctx context.Context) error { return c.ResumeDeployments(ctx, production) },
		"Registered": func(c *lifetime.Client, ctx context.Context) error {
			_, err := c.Registered(ctx)
			return err
		},
	}
	for name, do := range calls {
		for n, step := range steps {
			t.Run(name+" at "+step, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				w := &world{offline: fmt.Sprint(name == "ResumeDeployments"), status: status("saved", ""), deployments: "[" + deployed(deploymentKey, productionKey, "") + "]"}
				hanging := false
				s := newServer(t, func(r *http.Request) string {
					if stepOf(r) == step {
						hanging = true
						cancel()
						<-ctx.Done()
						return ""
					}
					return w.answer(r)
				})
				err := do(s.client(nil), ctx)
				if !hanging {
					require.NoError(t, err) // the call does not make this request
					return
				}
				require.ErrorIs(t, err, context.Canceled)
				require.Nil(t, adapters.ConditionOf(err), "the request was received")
				require.LessOrEqual(t, len(s.requests()), n+1)
			})
		}
		t.Run(name+" before it begins", func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			s := newServer(t, (&world{offline: "false"}).answer)
			err := do(s.client(nil), ctx)
			require.ErrorIs(t, err, context.Canceled)
			require.Empty(t, s.requests())
		})
	}
}
