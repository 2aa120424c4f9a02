package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"path/filepath"
	"syscall"
	"time"

	"go.opentelemetry.io/otel/trace"
	"golang.org/x/sync/errgroup"

	"github.com/snapback-io/snapback/domain/service"
	"github.com/snapback-io/snapback/eventlog"
	"github.com/snapback-io/snapback/eventlog/natsd"
	"github.com/snapback-io/snapback/gateway"
	"github.com/snapback-io/snapback/projector/notary"
)

const (
	openTimeout = 30 * time.Second // for a log with long streams, or a NATS server that is still starting
	stopTimeout = 10 * time.Second // for clients to get the verdicts that are under way
	// goawaySpread is over what time the clients of a stopping server come back.
	goawaySpread = 2 * time.Second
)

// node is a running server: everything `snapback serve` starts.
//
//	 clients                                            operators
//	    │ HTTP, WebSocket                                   │
//	┌───▼───────────────┐                          ┌────────▼───────┐
//	│ public listener   │                          │ admin listener │
//	└───┬───────────────┘                          └────────┬───────┘
//	┌───▼──────────────────────────────────────────────────▼───────┐
//	│ gateway.Server                (projector: views of boards)    │
//	└───┬───────────────────────────────────────────────▲──────────┘
//	    │ commands                                      │ commits
//	┌───▼───────────────────────────────────────────────┴──────────┐
//	│ eventlog.Log                                                  │
//	└───┬──────────────────────┬────────────────────────▲──────────┘
//	    │ in-process           │ commands               │ commits
//	┌───▼──────────┐       ┌───▼────────────────────────┴───┐
//	│ natsd.Server │ or    │ service.Service   domain rules │
//	└──────────────┘ --nats-url ───────────────────────────┘
//
// With --roles a node has no public listener, or no service.Service. While the
// log opens the listeners say what is waited for (gate).
//
// Every box is an actor; when one ends, all do, from the top down: clients get
// the verdicts that are under way while what decides them still runs.
type node struct {
	serveCmd
	auth *gateway.Auth
	log  *slog.Logger

	nats     *natsd.Server // nil with --nats-url
	events   *eventlog.Log
	notary   *notary.Notary    // nil: there is no key to sign with
	members  *eventlog.Members // nil: there are no other nodes
	service  *service.Service  // nil: not a role of this node
	decided  chan struct{}     // closed when service has ended
	tracer   trace.Tracer      // nil: nothing is traced
	gateway  *gateway.Server
	listener net.Listener // nil: serving clients is not a role of this node
	admin    net.Listener // nil: none

	waiting               waiting // for what, while it starts
	publicGate, adminGate *gate
}

// run serves until ctx ends or a part of the node fails.
func (n *node) run(ctx context.Context) error {
	if err := n.listen(); err != nil {
		return err
	}
	defer n.closeListeners()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	deciding, stopDeciding := context.WithCancel(context.WithoutCancel(ctx))
	defer stopDeciding()
	actors, ctx := errgroup.WithContext(ctx)
	n.publicGate = newGate(ctx, earlyPatience, n.waiting.public)
	n.adminGate = newGate(ctx, 0, n.waiting.admin)
	if n.admin != nil {
		actors.Go(func() error { return n.serveHTTP(deciding, n.admin, n.adminGate, nil) })
	}
	actors.Go(func() error {
		defer stopDeciding()
		if n.listener == nil {
			<-ctx.Done()
			return nil
		}
		return n.serveHTTP(ctx, n.listener, n.publicGate, n.drain)
	})
	defer n.close()
	err := n.start(ctx)
	if err == nil {
		n.work(ctx, deciding, actors)
	} else if errors.Is(ctx.Err(), context.Canceled) {
		err = nil // told to stop while it started
	}
	if err != nil {
		stop()
	}
	err = cmp.Or(actors.Wait(), err)
	if n.gateway != nil {
		n.gateway.Close()
	}
	if err == nil { // else that is said
		n.log.Info("stopped")
	}
	return err
}

// start opens the log and makes what serves it.
func (n *node) start(ctx context.Context) error {
	if err := n.open(ctx); err != nil {
		return err
	}
	if err := n.attest(ctx); err != nil {
		return err
	}
	return n.build()
}

// work starts what runs until the node ends, and lets requests in.
func (n *node) work(ctx, deciding context.Context, actors *errgroup.Group) {
	actors.Go(func() error { tuneGC(ctx); return nil })
	actors.Go(func() error { return n.belong(ctx, deciding) })
	if n.does(roleDomain) {
		actors.Go(func() error { return n.decide(ctx, deciding) })
		actors.Go(func() error { n.sweep(ctx); return nil })
		actors.Go(func() error { n.sign(deciding); return nil })
	}
	n.adminGate.open(n.adminHandler())
	actors.Go(func() error {
		if n.Demo && n.does(roleDomain) {
			ensureDemo(ctx, n.events, n.log)
		}
		n.publicGate.open(n.gateway.Handler())
		n.announce()
		return nil
	})
}

// listen takes the ports first: a second server on this machine is told so
// before it touches anything.
func (n *node) listen() (err error) {
	defer func() {
		if err != nil {
			n.closeListeners()
		}
	}()
	if n.does(roleGateway) {
		if n.listener, err = listen("--addr", n.Addr); err != nil {
			return err
		}
	}
	if n.AdminAddr != "" {
		if n.admin, err = listen("--admin-addr", n.AdminAddr); err != nil {
			return err
		}
	}
	for flag, addr := range map[string]string{"--nats-addr": n.NATSAddr, "--cluster-addr": n.ClusterAddr} {
		if addr == "" {
			continue
		}
		free, err := listen(flag, addr) // for the embedded server, which would not say it as well
		if err != nil {
			return err
		}
		if err := free.Close(); err != nil {
			return err
		}
	}
	return nil
}

func listen(flag, addr string) (net.Listener, error) {
	l, err := net.Listen("tcp", addr)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("%s=%s: the port is in use, perhaps by another snapback", flag, addr)
	case errors.Is(err, syscall.EACCES):
		return nil, fmt.Errorf("%s=%s: this user may not listen on that port", flag, addr)
	case err != nil:
		return nil, fmt.Errorf("%s=%s: %w", flag, addr, err)
	}
	return l, nil
}

func (n *node) closeListeners() {
	if n.listener != nil {
		n.listener.Close()
	}
	if n.admin != nil {
		n.admin.Close()
	}
}

// open opens the log, embedded or at --nats-url.
func (n *node) open(ctx context.Context) error {
	if !n.clustered() { // the other nodes of a cluster may come at any time
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, openTimeout)
		defer cancel()
	}
	cfg := eventlog.Config{URL: n.NATSURL, Access: n.access(), Shards: n.Shards, Replicas: n.replicas(), Name: cmp.Or(n.Node, "snapback"), Logger: n.log}
	if n.NATSURL == "" {
		if err := n.embed(); err != nil {
			return err
		}
		cfg.InProcess = n.nats
	}
	if n.clustered() {
		ctx, opened := context.WithCancel(ctx)
		defer opened()
		go n.tellWaiting(ctx)
	}
	log, err := eventlog.Open(ctx, cfg)
	switch {
	case errors.Is(err, eventlog.ErrShards):
		return fmt.Errorf("--shards=%d: %w", n.Shards, err)
	case err != nil && n.NATSURL != "":
		return n.refused(n.NATSURL, err)
	}
	n.events = log
	return err
}

// embed starts the embedded server.
func (n *node) embed() error {
	cfg := natsd.Config{StoreDir: filepath.Join(n.Data, "nats"), SyncAlways: n.Sync == "always", Listen: n.NATSAddr, Logger: n.log}
	var err error
	if cfg.Cluster, err = n.cluster(); err != nil {
		return err
	}
	if n.NATSAddr != "" {
		cfg.Reader, _ = natsd.ParseReader(n.Reader) // the flag was checked
		cfg.Reader.Streams = eventlog.EventStreams(n.Shards)
	}
	n.nats, err = natsd.Start(cfg)
	var place *natsd.PlaceError
	var taken *natsd.NameError
	switch {
	case errors.As(err, &taken):
		return fmt.Errorf("--node=%s: the node at %s is called that already", taken.Name, taken.Addr)
	case errors.Is(err, natsd.ErrStoreInUse):
		return fmt.Errorf("--data=%s: another snapback that is running has this directory", n.Data)
	case errors.As(err, &place):
		return fmt.Errorf("--data=%s: it is that of node %s of cluster %s, and nobody else's (--node, --cluster-name, --cluster-addr)", n.Data, place.Node, place.Cluster)
	case errors.Is(err, natsd.ErrAlone):
		return fmt.Errorf("--data=%s: it has the log of a node that was alone, which a cluster does not take over: start the cluster with an empty directory, "+
			"and bring the boards there (`snapback export --all --contents --data DIR -o backup`, then `snapback import bundle backup`)", n.Data)
	case err != nil:
		return fmt.Errorf("--data=%s: %w", n.Data, err)
	case n.NATSAddr != "":
		n.log.Info("a NATS client may read the log", "url", n.nats.URL())
	}
	return nil
}

// close closes the log, and after it the server that holds it.
func (n *node) close() {
	if n.events != nil {
		n.events.Close()
	}
	if n.nats != nil {
		n.nats.Shutdown()
	}
}

// build makes what serves the open log. A node that serves no clients has a
// gateway, too, for its admin listener: without them it holds nothing.
func (n *node) build() (err error) {
	if err := n.meet(); err != nil {
		return err
	}
	cfg := gateway.Config{
		Log: n.events, Logger: n.log, Auth: n.auth, Origins: n.Origin,
		MaxContent: int64(n.MaxFile), BoardIDs: n.BoardIDs, Lab: n.Lab, Hosts: n.hosts(), Sync: n.syncMode(),
		Notary: n.notary, Archive: n.events, Rebuild: n.events, Collectors: n.events.Metrics(), Tracer: n.tracer,
	}
	if n.does(roleDomain) {
		if n.service, err = service.New(service.Config{Log: n.events, Logger: n.log, Members: n.members, Tracer: n.tracer}); err != nil {
			return err
		}
		n.decided = make(chan struct{})
		cfg.Workers, cfg.Collectors = n.service, append(cfg.Collectors, n.service.Metrics()...)
	}
	if n.members != nil {
		cfg.Members, cfg.Now = n.members, n.members.Now
	}
	cfg.Shards = n.events
	n.gateway, err = gateway.New(cfg)
	return err
}

// adminHandler is the gateway's, with the profiles of net/http/pprof if asked for.
func (n *node) adminHandler() http.Handler {
	if !n.Pprof {
		return n.gateway.AdminHandler()
	}
	mux := http.NewServeMux()
	mux.Handle("/", n.gateway.AdminHandler())
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	return mux
}

// hosts are the names open mode answers to: the machine's own, or all when
// others may connect.
func (n *node) hosts() []string {
	if n.InsecureOpen {
		return []string{"*"}
	}
	return nil
}

// syncMode is when an append is on disk: always, interval or unverified.
func (n *node) syncMode() string {
	if n.nats == nil {
		return "unverified"
	}
	return n.Sync
}

// decide runs the domain service until deciding ends. It is an error that it
// ends before the node is to stop (ctx).
func (n *node) decide(ctx, deciding context.Context) error {
	err := n.service.Run(deciding)
	close(n.decided)
	if err == nil && ctx.Err() == nil && deciding.Err() == nil {
		return errors.New("the domain service ended by itself")
	}
	return err
}

// sweepEvery is how often uploads that no event names are looked for, and how
// old one must be to be deleted.
const sweepEvery = 24 * time.Hour

// sweep deletes what uploads have left behind that were never named, each day
// what is up to a week old, until ctx ends.
func (n *node) sweep(ctx context.Context) {
	for wait := time.Hour; ; wait = sweepEvery {
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		before := time.Now().Add(-sweepEvery)
		uploads, err := n.events.SweepUploads(ctx, before.Add(-7*sweepEvery), before)
		chunks, err2 := n.events.SweepChunks(ctx, before)
		switch err := errors.Join(err, err2); {
		case ctx.Err() != nil:
		case err != nil:
			n.log.Warn("sweep broke off, tomorrow goes on", "error", err)
		default:
			n.log.Info("swept", "uploads", uploads, "chunks", chunks)
		}
	}
}

// drain lets the clients go.
func (n *node) drain(ctx context.Context) error {
	if !n.publicGate.isOpen() {
		return nil
	}
	n.log.Info("stopping; once more to stop at once")
	if err := n.gateway.Drain(ctx, goawaySpread); err != nil {
		n.log.Warn("not every client could be told in time", "error", err)
	}
	return nil
}

// serveHTTP serves until ctx ends, then stops accepting, calls drain and waits
// for the requests that are under way, all within stopTimeout.
func (n *node) serveHTTP(ctx context.Context, l net.Listener, h http.Handler, drain func(context.Context) error) error {
	server := &http.Server{
		Handler: h, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute,
		ErrorLog: slog.NewLogLogger(n.log.Handler(), slog.LevelWarn),
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(l) }()
	select {
	case err := <-failed:
		return fmt.Errorf("listener %s: %w", l.Addr(), err)
	case <-ctx.Done():
	}
	stopCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
	defer cancel()
	var ending errgroup.Group
	ending.Go(func() error {
		if server.Shutdown(stopCtx) != nil {
			return server.Close()
		}
		return nil
	})
	if drain != nil {
		ending.Go(func() error { return drain(stopCtx) })
	}
	return ending.Wait()
}
