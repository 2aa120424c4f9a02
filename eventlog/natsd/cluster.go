package natsd

import (
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/nats-io/nats-server/v2/server"
)

// Cluster is a node's place among the others.
type Cluster struct {
	Name   string   // the same on every node
	Node   string   // different on every node, and the same after every restart
	Listen string   // address (host:port) for the routes of the others
	Routes []string // nats://host:port of the nodes, itself included or not
	// Secret is what a node has to know to be let in, the same on every node;
	// "": whoever reaches Listen is let in, and may read and write everything.
	// Who is found at an address of Routes is believed, and told its hash: where
	// others could be found there, it takes TLS.
	Secret string
	// TLS is this node's certificate (Certificates) and who signs those of the
	// others (RootCAs): each end asks the other for its own. nil: no encryption.
	TLS *tls.Config
}

// routeUser is whom nodes connect to each other as.
const routeUser = "snapback"

// tlsTimeout is how long a handshake between two nodes may take, seconds.
const tlsTimeout = 5

// join makes a server with opts the cluster's node.
func (c *Cluster) join(opts *server.Options) (err error) {
	if opts.DontListen {
		// nats-server starts its routes only behind a client listener: this one admits nobody.
		opts.DontListen, opts.Host, opts.Port = false, "127.0.0.1", server.RANDOM_PORT
		opts.CustomClientAuthentication = &doorkeeper{}
	}
	opts.ServerName = c.Node
	opts.Cluster.Name = c.Name
	opts.Cluster.NoAdvertise = true // a client of one node learns nothing of the others
	if opts.Cluster.Host, opts.Cluster.Port, err = hostPort(c.Listen); err != nil {
		return err
	}
	if c.Secret != "" {
		opts.Cluster.Username, opts.Cluster.Password = routeUser, c.hash()
	}
	if c.TLS != nil {
		both := c.TLS.Clone()
		both.ClientCAs, both.ClientAuth = both.RootCAs, tls.RequireAndVerifyClientCert
		opts.Cluster.TLSConfig, opts.Cluster.TLSTimeout = both, tlsTimeout
	}
	for _, route := range c.Routes {
		u, err := url.Parse(route)
		if err != nil {
			return fmt.Errorf("natsd: route: %w", err)
		}
		if c.Secret != "" {
			u.User = url.UserPassword(opts.Cluster.Username, opts.Cluster.Password)
		}
		opts.Routes = append(opts.Routes, u)
	}
	return nil
}

// hash is the secret as nodes tell it each other: without a sign that means
// something to nats-server, or in a URL.
func (c *Cluster) hash() string {
	sum := sha256.Sum256([]byte(c.Secret))
	return hex.EncodeToString(sum[:])
}

// ClusterAddr is where the routes of other nodes connect, "" when alone.
func (s *Server) ClusterAddr() string {
	if a := s.nats.Load().ClusterAddr(); a != nil {
		return a.String()
	}
	return ""
}

// Peers are the names of the other nodes that this one has a connection with, sorted.
func (s *Server) Peers() []string {
	routes, err := s.nats.Load().Routez(nil)
	if err != nil {
		return nil
	}
	var names []string
	for _, r := range routes.Routes {
		names = append(names, r.RemoteName)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Quorum says whether the cluster has a leader as far as this node knows: more
// than half of its nodes are there, or all when it starts for the first time. A
// server that is alone has one.
func (s *Server) Quorum() bool {
	if s.cfg.Cluster == nil {
		return true
	}
	info, err := s.nats.Load().Jsz(nil)
	return err == nil && info.Meta != nil && info.Meta.Leader != ""
}

// Leads counts the streams and the consumers with several copies that this
// server leads.
func (s *Server) Leads() (streams, consumers int) {
	groups := s.nats.Load().Raftz(&server.RaftzOptions{AccountFilter: server.DEFAULT_GLOBAL_ACCOUNT})
	if groups == nil {
		return 0, 0
	}
	for _, account := range *groups {
		for name, group := range account {
			switch {
			case group.State != server.Leader.String():
			case strings.HasPrefix(name, "S-"):
				streams++
			case strings.HasPrefix(name, "C-"):
				consumers++
			}
		}
	}
	return streams, consumers
}
