// Package natsd runs a nats-server inside this process: the default home of
// the log, alone or as a node of a cluster.
//
// With sync always every append blocks an operating system thread in fsync.
// Under GOMAXPROCS=1 that starves the whole process (measured: 1,250 appends/s
// against 11,000/s with GOMAXPROCS=4 on the same core): a program that starts
// a Server sees to it that GOMAXPROCS is 4 or more.
package natsd

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// MaxPayload is how large a message may be, bytes: two records of the largest size.
const MaxPayload = 8 << 20

// Config of a Server.
type Config struct {
	// StoreDir holds the log. It is made if it is not there; one server at a time may use it.
	StoreDir string
	// SyncAlways has every append on disk (fsync) before it is acknowledged.
	// Without it a power cut loses what came in the last SyncInterval.
	SyncAlways bool
	// SyncInterval between two fsyncs when SyncAlways is off. 0: two minutes.
	SyncInterval time.Duration
	// Listen is the address (host:port) for NATS clients from outside, "" for
	// none (a clustered server then has one on loopback, of its own choice).
	// Without a Reader there is no authentication, and never encryption: loopback
	// or a private network only.
	Listen string
	// Reader is the only one whom Listen admits. nil: everybody, to everything.
	Reader *Reader
	// MaxStore bounds the disk space of all streams, bytes. 0: three quarters of what is free.
	MaxStore int64
	// Cluster makes the server a node of a cluster, nil: alone.
	Cluster *Cluster
	// Logger for the server's own words. nil: slog.Default().
	Logger *slog.Logger
}

// Cluster is a node's place among the others.
type Cluster struct {
	Name   string   // the same on every node
	Node   string   // different on every node, and the same after every restart
	Listen string   // address (host:port) for the routes of the others
	Routes []string // nats://host:port of the nodes, itself included or not
}

// Server is a running nats-server. Safe for concurrent use.
type Server struct {
	cfg   Config
	nats  *server.Server
	door  *doorkeeper // nil: none
	unset func()      // gives up the store directory
	stop  sync.Once
}

// ErrStoreInUse: another server, in this or another process, has the store directory.
var ErrStoreInUse = errors.New("natsd: the store directory is in use")

const (
	startTimeout        = 30 * time.Second // recovery of large streams included
	defaultSyncInterval = 2 * time.Minute
)

// Start starts a server and returns when it takes connections. A clustered
// JetStream may need the other nodes before it answers.
func Start(cfg Config) (*Server, error) {
	opts, err := cfg.options()
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(cfg.StoreDir, 0o700); err != nil {
		return nil, fmt.Errorf("natsd: %w", err)
	}
	unset, err := lock(filepath.Join(cfg.StoreDir, "LOCK"))
	if err != nil {
		return nil, err
	}
	ns, err := server.NewServer(opts)
	if err != nil {
		unset()
		return nil, fmt.Errorf("natsd: %w", err)
	}
	log := cfg.Logger
	if log == nil {
		log = slog.Default()
	}
	ns.SetLoggerV2(logger{log.With("from", "nats-server")}, false, false, false)
	s := &Server{cfg: cfg, nats: ns, unset: unset}
	s.door, _ = opts.CustomClientAuthentication.(*doorkeeper)
	ns.Start()
	if !ns.ReadyForConnections(startTimeout) {
		s.Shutdown()
		return nil, fmt.Errorf("natsd: not ready after %v", startTimeout)
	}
	if cfg.Cluster == nil && !ns.JetStreamEnabled() {
		s.Shutdown()
		return nil, errors.New("natsd: JetStream did not start")
	}
	if s.door != nil {
		if err := s.door.admit(ns); err != nil {
			s.Shutdown()
			return nil, err
		}
	}
	return s, nil
}

func (cfg *Config) options() (*server.Options, error) {
	if cfg.StoreDir == "" {
		return nil, errors.New("natsd: no store directory")
	}
	if cfg.SyncInterval == 0 {
		cfg.SyncInterval = defaultSyncInterval
	}
	opts := &server.Options{
		ServerName:        "snapback",
		DontListen:        cfg.Listen == "",
		NoSigs:            true,
		JetStream:         true,
		StoreDir:          cfg.StoreDir,
		SyncAlways:        cfg.SyncAlways,
		SyncInterval:      cfg.SyncInterval,
		JetStreamMaxStore: cfg.MaxStore,
		MaxPayload:        MaxPayload,
		// A client that does not read is dropped after this much.
		MaxPending: 8 * MaxPayload,
	}
	if r := cfg.Reader; r != nil {
		if cfg.Listen == "" {
			return nil, errors.New("natsd: a reader needs an address to connect to")
		}
		opts.CustomClientAuthentication, opts.AlwaysEnableNonce = &doorkeeper{reader: *r}, r.NKey != ""
	}
	var err error
	if cfg.Listen != "" {
		if opts.Host, opts.Port, err = hostPort(cfg.Listen); err != nil {
			return nil, err
		}
	}
	if c := cfg.Cluster; c != nil {
		if cfg.Listen == "" {
			// nats-server starts its routes only behind a client listener.
			opts.DontListen, opts.Host, opts.Port = false, "127.0.0.1", server.RANDOM_PORT
			opts.Cluster.NoAdvertise = true
		}
		opts.ServerName = c.Node
		opts.Cluster.Name = c.Name
		if opts.Cluster.Host, opts.Cluster.Port, err = hostPort(c.Listen); err != nil {
			return nil, err
		}
		for _, route := range c.Routes {
			u, err := url.Parse(route)
			if err != nil {
				return nil, fmt.Errorf("natsd: route: %w", err)
			}
			opts.Routes = append(opts.Routes, u)
		}
	}
	return opts, nil
}

// hostPort splits an address; port 0 is one of the server's choice.
func hostPort(addr string) (string, int, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return "", 0, fmt.Errorf("natsd: address: %w", err)
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return "", 0, fmt.Errorf("natsd: port of %q: %w", addr, err)
	}
	if n == 0 {
		return host, server.RANDOM_PORT, nil
	}
	return host, int(n), nil
}

// InProcessConn opens a connection to the server without a socket.
func (s *Server) InProcessConn() (net.Conn, error) { return s.nats.InProcessConn() }

// Interest is how many subscriptions match a subject, of clients of this server
// and, each counted once, of other servers of the cluster.
func (s *Server) Interest(subject string) int { return s.nats.GlobalAccount().Interest(subject) }

// Sync says when appends are on disk: "always", or every so often ("2m0s").
func (s *Server) Sync() string {
	if s.cfg.SyncAlways {
		return "always"
	}
	return s.cfg.SyncInterval.String()
}

// URL is where clients from outside connect, "" without Config.Listen.
func (s *Server) URL() string {
	if s.cfg.Listen == "" {
		return ""
	}
	return s.nats.ClientURL()
}

// ClusterAddr is where the routes of other nodes connect, "" when alone.
func (s *Server) ClusterAddr() string {
	if a := s.nats.ClusterAddr(); a != nil {
		return a.String()
	}
	return ""
}

// Shutdown stops the server and waits until its streams are on disk and
// closed. A node of a cluster hands over what it leads first. Later calls do nothing.
func (s *Server) Shutdown() {
	s.stop.Do(func() {
		s.nats.Shutdown()
		s.nats.WaitForShutdown()
		s.unset()
	})
}
