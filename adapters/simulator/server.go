package simulator

import (
	"context"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/internal/printable"
)

// handle receives a request, carries it out, and answers.
func (s *Simulator) handle(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	if s.ended { // received while the simulator was being closed
		s.mu.Unlock()
		s.hangUp(w, nil)
		return
	}
	s.requests.Add(1)
	s.mu.Unlock()
	defer s.requests.Done()
	c, refusal := s.receive(w, r)
	if refusal != nil {
		send(w, r.Method, *refusal)
		return
	}
	s.mu.Lock()
	if s.hung != nil {
		select {
		case s.hung <- struct{}{}:
		default:
		}
		s.mu.Unlock()
		s.wait(r.Context())
		s.hangUp(w, nil)
		return
	}
	// What was received takes effect even if nobody waits for the answer.
	d := s.serve(context.WithoutCancel(r.Context()), c)
	s.keep()
	s.mu.Unlock()
	s.deliver(w, r, d)
}

// wait waits until the client has gone, or the simulator is closed.
func (s *Simulator) wait(ctx context.Context) {
	select {
	case <-ctx.Done():
	case <-s.closed:
	}
}

// receive reads a request. Requests to unknown hosts are turned away: a page
// of another site must not reach the simulation under a name of its own.
func (s *Simulator) receive(w http.ResponseWriter, r *http.Request) (call, *answer) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		return call{}, &answer{status: http.StatusRequestEntityTooLarge, kind: "text/plain; charset=utf-8", body: []byte("413 Request Entity Too Large\n")}
	}
	c := call{
		Method: r.Method, Host: strings.ToLower(r.Host), Path: r.URL.Path, Query: r.URL.RawQuery,
		Auth: r.Header.Get("Authorization"), Type: r.Header.Get("Content-Type"), Action: r.Header.Get("SOAPAction"),
		Admin: r.Header.Get(AdminHeader), Body: body,
	}
	_, port, _ := net.SplitHostPort(s.listener.Addr().String())
	if host, own, err := net.SplitHostPort(c.Host); err == nil && own == port {
		if c.Host = plainHost(host); !slices.Contains(ownHosts(), c.Host) {
			return c, nil
		}
	} else {
		c.Host = plainHost(c.Host)
		return c, nil
	}
	c.Host = ""
	if rest, ok := strings.CutPrefix(c.Path, "/at/"); ok {
		host, path, _ := strings.Cut(rest, "/")
		c.Host, c.Path, c.prefix = strings.ToLower(host), "/"+path, "/at/"+host
	}
	return c, nil
}

// ownHosts are the simulator's own hosts; with its own port they are not an
// environment's.
func ownHosts() []string { return []string{"localhost", "127.0.0.1", "::1"} }

// plainHost is a host without brackets and without the usual port.
func plainHost(host string) string {
	host = strings.TrimSuffix(strings.ToLower(host), ":443")
	if strings.HasPrefix(host, "[") && strings.HasSuffix(host, "]") {
		return host[1 : len(host)-1]
	}
	return host
}

// route finds out what a call is for.
func (s *Simulator) route(c call) served {
	p := s.platform()
	inf := p.world.Infrastructure()
	switch c.Host {
	case "":
		if c.Path == "/" {
			return served{does: func(_ context.Context, p platform) answer { return p.indexPage(c) }}
		}
		return served{does: always(notFound())}
	case PortalHost:
		if found, ok := vendor(c, p); ok {
			return found
		}
		return served{does: always(notFound())}
	case AdminHost:
		return served{does: func(context.Context, platform) answer { return s.administer(c) }}
	}
	known, best, bestPath := false, environment.Environment{}, ""
	for _, env := range inf.Environments {
		u, err := url.Parse(env.ServiceCenter)
		if err != nil || plainHost(u.Host) != c.Host {
			continue
		}
		known = true
		base := strings.TrimRight(u.Path, "/")
		rest, ok := cutFold(c.Path, base)
		if ok && (best.Name == "" || len(base) > len(basePath(best))) {
			best, bestPath = env, rest
		}
	}
	switch {
	case !known:
		return served{does: always(answer{status: http.StatusMisdirectedRequest, kind: "text/plain; charset=utf-8", body: []byte("421 Misdirected Request: the simulation has no such host\n")})}
	case best.Name == "":
		return served{does: always(notFound())}
	}
	if found, ok := serviceCenter(c, best, bestPath); ok {
		return found
	}
	if best.Kind == environment.LifeTime {
		if found, ok := lifeTime(c, best, bestPath, inf); ok {
			return found
		}
	}
	return served{env: best.Name, does: always(notFound())}
}

func cutFold(path, base string) (string, bool) {
	if len(path) < len(base) || !strings.EqualFold(path[:len(base)], base) {
		return "", false
	}
	return path[len(base):], base == "" || path[len(base):] == "" || path[len(base)] == '/'
}

func (s *Simulator) platform() platform {
	return platform{world: s.world, m: &s.memory, accounts: s.accounts}
}

// send writes a whole answer.
func send(w http.ResponseWriter, method string, a answer) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("X-Simulation", "this is not a real system")
	if strings.HasPrefix(a.kind, "text/html") {
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'")
	}
	h["Content-Type"] = nil // not to be guessed
	if a.kind != "" {
		h.Set("Content-Type", a.kind)
	}
	if a.realm != "" {
		h.Set("WWW-Authenticate", `Basic realm="`+a.realm+`", charset="UTF-8"`)
	}
	if a.filename != "" {
		h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": a.filename}))
	}
	if a.location != "" {
		h.Set("Location", a.location)
	}
	if a.status != http.StatusNoContent {
		h.Set("Content-Length", strconv.Itoa(len(a.body)))
	}
	w.WriteHeader(a.status)
	if method != http.MethodHead && a.status != http.StatusNoContent {
		_, _ = w.Write(a.body) // the client may have gone
	}
}

// hangUp sends these bytes and ends the connection. A handler that just returned
// would have answered: status 200, which says that it was done.
func (s *Simulator) hangUp(w http.ResponseWriter, b []byte) {
	h, ok := w.(http.Hijacker)
	if !ok {
		return
	}
	conn, _, err := h.Hijack()
	if err != nil {
		return
	}
	defer conn.Close()
	sent := make(chan struct{})
	defer close(sent)
	go func() { // the server does not close it any more, and the client may not read
		select {
		case <-sent:
		case <-s.closed:
			_ = conn.Close()
		}
	}()
	_, _ = conn.Write(b)
}

// report writes the effects that are new.
func (s *Simulator) report() {
	effects := s.world.Effects()
	for ; s.logged < len(effects); s.logged++ {
		if s.log != nil {
			fmt.Fprintln(s.log, printable.Text(effects[s.logged].String()))
		}
	}
}

// indexPage leads a browser to all other pages.
func (p platform) indexPage(c call) answer {
	type row struct {
		Name                               string
		Kind                               environment.Kind
		ServiceCenter, Licensing, LifeTime string
	}
	data := struct {
		head
		Environments    []row
		Portal, Support string
	}{head: header(c, "A simulated OutSystems infrastructure", ""), Portal: "/at/" + PortalHost + "/licensing", Support: "/at/" + PortalHost + "/support"}
	for _, env := range p.world.Infrastructure().Environments {
		u, err := url.Parse(env.ServiceCenter)
		if err != nil {
			continue
		}
		at := "/at/" + plainHost(u.Host)
		r := row{env.Name, env.Kind, env.ServiceCenter, at + basePath(env) + "/ServiceCenter/Licensing", ""}
		if env.Kind == environment.LifeTime {
			r.LifeTime = at + basePath(env) + "/lifetime"
		}
		data.Environments = append(data.Environments, r)
	}
	return page(http.StatusOK, "index", data)
}
