package gateway

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/snapback-io/snapback/domain"
)

// origins is who may call from a browser: the page this server serves and an
// allow-list. A caller that sends no Origin is no browser of another site.
type origins struct {
	all  bool
	list []string // lower case, scheme://host[:port]
}

// newOrigins reads Config.Origins.
func newOrigins(list []string) (origins, error) {
	var o origins
	for _, entry := range list {
		if entry == "*" {
			o.all = true
			continue
		}
		u, err := url.Parse(entry)
		if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") || u.Scheme+"://"+u.Host != entry {
			return o, fmt.Errorf("gateway: %q is no origin (https://app.example)", entry)
		}
		o.list = append(o.list, strings.ToLower(entry))
	}
	return o, nil
}

// same says whether the request comes from a page of this server. The scheme
// is not compared: a proxy in front may end TLS.
func same(r *http.Request, origin string) bool {
	u, err := url.Parse(origin)
	if err != nil || u.Host == "" {
		return false
	}
	port := map[string]string{"http": ":80", "https": ":443"}[u.Scheme]
	host := strings.ToLower(r.Host)
	return port != "" && strings.TrimSuffix(strings.ToLower(u.Host), port) == strings.TrimSuffix(host, port)
}

// listed says whether origin is another site that is allowed.
func (o origins) listed(origin string) bool {
	return o.all || slices.Contains(o.list, strings.ToLower(origin))
}

// allows says whether a request may change something or open a socket.
func (o origins) allows(r *http.Request) bool {
	values := r.Header.Values("Origin")
	if len(values) == 0 {
		return o.all || r.Header.Get("Sec-Fetch-Site") != "cross-site"
	}
	return len(values) == 1 && (same(r, values[0]) || o.listed(values[0]))
}

var (
	corsMethods = "GET, HEAD, POST, PUT"
	corsHeaders = "Authorization, Content-Type, Idempotency-Key, If-None-Match, If-Range, Mutation-Id, Range"
	corsExposed = "Accept-Ranges, Content-Disposition, Content-Range, ETag, Location, Mutation-Id, Retry-After"
)

// guard refuses what comes from a site that is not allowed and answers the
// preflights of those that are.
func (o origins) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Add("Vary", "Origin")
		origin := r.Header.Get("Origin")
		safe := r.Method == http.MethodGet || r.Method == http.MethodHead || r.Method == http.MethodOptions
		if (!safe || isUpgrade(r)) && !o.allows(r) {
			writeProblem(w, problem{code: domain.Forbidden, reason: "this origin is not allowed"})
			return
		}
		if origin != "" && !same(r, origin) && o.listed(origin) {
			h.Set("Access-Control-Allow-Origin", origin)
			h.Set("Access-Control-Expose-Headers", corsExposed)
			if r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != "" {
				h.Set("Access-Control-Allow-Methods", corsMethods)
				h.Set("Access-Control-Allow-Headers", corsHeaders)
				h.Set("Access-Control-Max-Age", "600")
				w.WriteHeader(http.StatusNoContent)
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

func isUpgrade(r *http.Request) bool {
	return strings.EqualFold(r.Header.Get("Upgrade"), "websocket")
}

var errHost = errors.New("gateway: this host name is not served")

// guardHost refuses requests under a name that a foreign site may have pointed
// at this machine (DNS rebinding): in open mode the address is all that keeps
// strangers out. Names of the machine itself, and those in names, pass.
func guardHost(names []string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !slices.Contains(names, "*") && !loopbackHost(r.Host, names) {
			writeProblem(w, problem{code: domain.Forbidden, reason: plain(errHost)})
			return
		}
		next.ServeHTTP(w, r)
	})
}

func loopbackHost(host string, names []string) bool {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if host == "localhost" || slices.Contains(names, host) {
		return true
	}
	ip, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && ip.IsLoopback()
}
