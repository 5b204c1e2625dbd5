package simulator

import (
	"encoding/json"
	"net/http"
	"strings"
)

// A call is a request as far as anything is decided by it. It can be kept and
// carried out again.
type call struct {
	Method string `json:"method"`
	Host   string `json:"host"`            // without the simulator's own port
	Path   string `json:"path"`            // decoded
	Query  string `json:"query,omitempty"` // as it was sent
	Auth   string `json:"auth,omitempty"`  // the header Authorization
	Type   string `json:"type,omitempty"`  // the header Content-Type
	Action string `json:"action,omitempty"`
	Admin  string `json:"-"` // the header AdminHeader
	Body   []byte `json:"body,omitempty"`

	prefix string // put before the links of pages: "" or "/at/host"
}

// basic returns the credentials of Basic authentication.
func (c call) basic() (user, password string, ok bool) {
	return (&http.Request{Header: http.Header{"Authorization": {c.Auth}}}).BasicAuth()
}

// bearer returns the token of a bearer.
func (c call) bearer() string {
	kind, token, _ := strings.Cut(c.Auth, " ")
	if !strings.EqualFold(kind, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}

// answer is what is sent back.
type answer struct {
	status   int
	kind     string // Content-Type; empty: none is sent
	filename string // of a download
	location string // of a redirect
	realm    string // asks for Basic authentication
	body     []byte

	silent bool // nothing is sent back: the world itself loses the answer
}

func htmlAnswer(status int, body []byte) answer {
	return answer{status: status, kind: "text/html; charset=utf-8", body: body}
}

func jsonAnswer(status int, v any) answer {
	b, err := json.Marshal(v)
	if err != nil {
		return answer{status: http.StatusInternalServerError}
	}
	return answer{status: status, kind: "application/json; charset=utf-8", body: b}
}

func unauthorized() answer {
	return answer{status: http.StatusUnauthorized, kind: "text/plain; charset=utf-8", realm: "simulation", body: []byte("401 Unauthorized\n")}
}

func notFound() answer {
	return answer{status: http.StatusNotFound, kind: "text/plain; charset=utf-8", body: []byte("404 Not Found\n")}
}

func notAllowed() answer {
	return answer{status: http.StatusMethodNotAllowed, kind: "text/plain; charset=utf-8", body: []byte("405 Method Not Allowed\n")}
}
