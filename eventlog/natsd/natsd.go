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
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
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
	// none: then nobody but this process gets in (a clustered server listens on
	// loopback all the same, and admits nobody). Without a Reader there is no
	// authentication, and never encryption: loopback or a private network only.
	Listen string
	// Reader is the only one whom Listen admits. nil: everybody, to everything.
	Reader *Reader
	// MaxStore bounds the disk space of all streams, bytes. 0: the disk does, see Reserve.
	MaxStore int64
	// Reserve is how much of the volume is kept free, bytes: with less left nobody
	// is to write ([Server.Full]). 0: a twentieth of it, 256 MiB at most.
	Reserve int64
	// Cluster makes the server a node of a cluster, nil: alone.
	Cluster *Cluster
	// Logger for the server's own words. nil: slog.Default().
	Logger *slog.Logger
}

// Server is a running nats-server. Safe for concurrent use.
type Server struct {
	cfg   Config
	unset func()                // gives up the store directory
	full  atomic.Pointer[error] // what Full says
	harm  atomic.Pointer[error] // what Harmed says
	stop  sync.Once

	turn    sync.Mutex // of boot and end
	nats    atomic.Pointer[server.Server]
	stopped chan struct{} // closed by Shutdown
}

// ErrStoreInUse: another server, in this or another process, has the store directory.
var ErrStoreInUse = errors.New("natsd: the store directory is in use")

const (
	startTimeout        = 30 * time.Second // recovery of large streams included
	defaultSyncInterval = 2 * time.Minute
	// noLimit is a limit that no disk reaches. Without one nats-server takes three
	// quarters of what is free when it starts, and counts against it what it has
	// stored before: a log of more than that would take nothing after a restart.
	noLimit = 1 << 60
)

// Start starts a server and returns when it takes connections. A clustered
// JetStream may need the other nodes before it answers.
func Start(cfg Config) (*Server, error) {
	if _, err := cfg.options(); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(cfg.StoreDir, 0o700); err != nil {
		return nil, fmt.Errorf("natsd: %w", err)
	}
	unset, err := lock(filepath.Join(cfg.StoreDir, "LOCK"))
	if err != nil {
		return nil, err
	}
	if cfg.Cluster != nil {
		err = cfg.Cluster.nameIsFree()
	}
	if err == nil {
		err = takePlace(cfg.StoreDir, cfg.Cluster)
	}
	if err != nil {
		unset()
		return nil, err
	}
	s := &Server{cfg: cfg, unset: unset, stopped: make(chan struct{})}
	if err := s.boot(); err != nil {
		s.Shutdown()
		return nil, err
	}
	s.lookAtSpace()
	go s.watchSpace()
	return s, nil
}

// boot starts the server proper. Whoever calls it again holds turn.
func (s *Server) boot() error {
	opts, err := s.cfg.options()
	if err != nil {
		return err
	}
	ns, err := server.NewServer(opts)
	if err != nil {
		return fmt.Errorf("natsd: %w", err)
	}
	s.harm.Store(nil)
	ns.SetLoggerV2(logger{s.log().With("from", "nats-server"), s.failed}, false, false, false)
	s.nats.Store(ns)
	ns.Start()
	if !ns.ReadyForConnections(startTimeout) {
		return fmt.Errorf("natsd: not ready after %v", startTimeout)
	}
	if s.cfg.Cluster == nil && !ns.JetStreamEnabled() {
		return errors.New("natsd: JetStream did not start")
	}
	if s.cfg.Reader != nil {
		return opts.CustomClientAuthentication.(*doorkeeper).admit(ns)
	}
	return nil
}

// Harmed is nil until a write of a server that is alone has failed for another
// reason than that the disk is full. From then on what is read from it may never
// have been on the disk: after a failed fsync nats-server still gives the record
// to readers, and nobody can tell until the machine is started again. The
// streams of a cluster's node are not asked any more then by nats-server itself.
func (s *Server) Harmed() error {
	if why := s.harm.Load(); why != nil {
		return *why
	}
	return nil
}

func (s *Server) failed(err error) {
	if s.cfg.Cluster != nil || strings.Contains(err.Error(), syscall.ENOSPC.Error()) {
		return
	}
	if err = fmt.Errorf("natsd: the disk has failed, look after it and start again: %w", err); s.harm.CompareAndSwap(nil, &err) {
		s.log().Error("the disk has failed: nothing is read from the log any more that may not be on it", "error", err)
	}
}

// end stops the server proper, if there is one.
func (s *Server) end() {
	if ns := s.nats.Load(); ns != nil {
		ns.Shutdown()
		ns.WaitForShutdown()
	}
}

func (s *Server) log() *slog.Logger {
	if s.cfg.Logger == nil {
		return slog.Default()
	}
	return s.cfg.Logger
}

func (cfg *Config) options() (*server.Options, error) {
	if cfg.StoreDir == "" {
		return nil, errors.New("natsd: no store directory")
	}
	if cfg.SyncInterval == 0 {
		cfg.SyncInterval = defaultSyncInterval
	}
	if cfg.MaxStore == 0 {
		cfg.MaxStore = noLimit
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
		opts.CustomClientAuthentication, opts.AlwaysEnableNonce = &doorkeeper{reader: r}, r.NKey != ""
	}
	var err error
	if cfg.Listen != "" {
		if opts.Host, opts.Port, err = hostPort(cfg.Listen); err != nil {
			return nil, err
		}
	}
	if cfg.Cluster != nil {
		err = cfg.Cluster.join(opts)
	}
	return opts, err
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
func (s *Server) InProcessConn() (net.Conn, error) { return s.nats.Load().InProcessConn() }

// Interest is how many subscriptions match a subject, of clients of this server
// and, each counted once, of other servers of the cluster.
func (s *Server) Interest(subject string) int { return s.nats.Load().GlobalAccount().Interest(subject) }

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
	return s.nats.Load().ClientURL()
}

// Shutdown stops the server and waits until its streams are on disk and
// closed. A node of a cluster hands over what it leads first. Later calls do nothing.
func (s *Server) Shutdown() {
	s.stop.Do(func() {
		close(s.stopped)
		s.turn.Lock()
		defer s.turn.Unlock()
		s.end()
		s.unset()
	})
}
