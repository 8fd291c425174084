package live

import (
	"crypto/rand"
	"crypto/subtle"
	"net"
	"net/http"
	"strconv"
	"strings"
)

// A guard decides which requests come in.
type guard struct {
	hosts  []string // the names, with the port, that the server may be called by
	token  string   // "" on loopback
	cookie string   // keeps the token once it was in the address; all ports share their cookies
	cross  *http.CrossOriginProtection
}

// newGuard makes the guard of a server that listens at at and was asked to by the name host.
func newGuard(host string, at *net.TCPAddr) *guard {
	port := strconv.Itoa(at.Port)
	g := &guard{cookie: "pixelgrad-" + port, cross: http.NewCrossOriginProtection()}
	add := func(name string) { g.hosts = append(g.hosts, net.JoinHostPort(name, port)) }
	switch {
	case at.IP.IsLoopback():
		add(at.IP.String())
		add("localhost")
		if host != "" && host != "localhost" && host != at.IP.String() {
			add(host)
		}
	case at.IP.IsUnspecified(): // all addresses of this machine: any name may lead here, and the token decides
		g.token = rand.Text()
	default:
		add(at.IP.String())
		if host != at.IP.String() {
			add(host)
		}
		g.token = rand.Text()
	}
	if len(g.hosts) == 0 {
		g.hosts = []string{net.JoinHostPort(outward(), port)}
	}
	return g
}

// outward is the address of this machine that others most likely reach it by.
func outward() string {
	if addresses, err := net.InterfaceAddrs(); err == nil {
		for _, a := range addresses {
			if n, ok := a.(*net.IPNet); ok && n.IP.IsGlobalUnicast() && n.IP.To4() != nil {
				return n.IP.String()
			}
		}
	}
	return "127.0.0.1"
}

func (g *guard) url() string {
	u := "http://" + g.hosts[0] + "/"
	if g.token != "" {
		u += "?token=" + g.token
	}
	return u
}

// known reports whether the server may be called by the name in a request's Host header. A page
// of others can have its own name lead to this machine, but cannot send another name.
func (g *guard) known(host string) bool {
	name, _, err := net.SplitHostPort(host)
	if err != nil { // browsers leave out HTTP's own port
		name = strings.Trim(host, "[]")
		host = net.JoinHostPort(name, "80")
	}
	for _, h := range g.hosts {
		if strings.EqualFold(host, h) {
			return true
		}
	}
	// A server for all addresses is called by names that it cannot know. Numbers cannot be
	// made to lead elsewhere, and what has a name needs the token as well.
	return g.token != "" && net.ParseIP(name) != nil
}

// wrap lets in what may come in, and forbids the page what it does not need.
func (g *guard) wrap(next http.Handler) http.Handler {
	next = g.cross.Handler(next) // no POST from pages of others
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		if !g.known(r.Host) {
			http.Error(w, "this server is called by another name", http.StatusForbidden)
			return
		}
		if foreign(r) {
			http.Error(w, "this page is not for others to use", http.StatusForbidden)
			return
		}
		if g.token != "" && !g.allowed(w, r) {
			http.Error(w, "expected the token that the command has printed with the address", http.StatusForbidden)
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, 1<<10)
		next.ServeHTTP(w, r)
	})
}

// foreign reports whether a page of others asks for a part of this one, for which it would get a
// stream that lasts as long as the training. A link from there to here is no such thing.
func foreign(r *http.Request) bool {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "cross-site", "same-site":
		return r.Header.Get("Sec-Fetch-Mode") != "navigate"
	}
	origin := r.Header.Get("Origin")
	return origin != "" && !strings.EqualFold(origin, "http://"+r.Host)
}

// allowed looks for the token in the address, and from then on in a cookie.
func (g *guard) allowed(w http.ResponseWriter, r *http.Request) bool {
	same := func(s string) bool { return subtle.ConstantTimeCompare([]byte(s), []byte(g.token)) == 1 }
	if c, err := r.Cookie(g.cookie); err == nil && same(c.Value) {
		return true
	}
	if !same(r.URL.Query().Get("token")) {
		return false
	}
	http.SetCookie(w, &http.Cookie{Name: g.cookie, Value: g.token, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode})
	return true
}
