package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/snapback-io/snapback/eventlog"
	"github.com/snapback-io/snapback/eventlog/natsd"
)

// direct is the flags of a command that opens the log itself, without a server.
// In the environment they have names of their own: where SNAPBACK_DATA says what
// a server serves, the server is to be asked.
type direct struct {
	Data       string `env:"SNAPBACK_OPEN_DATA" placeholder:"DIR" help:"Open the log in this directory; no server may be running on it."`
	NATSURL    string `name:"nats-url" env:"SNAPBACK_OPEN_NATS_URL" placeholder:"URL" help:"Open the log on this NATS server, beside the nodes that use it."`
	natsAccess `envprefix:"SNAPBACK_OPEN_"`
}

// asked says whether the command line names a log.
func (d *direct) asked() bool { return d.Data != "" || d.NATSURL != "" }

// open opens the log that the flags name, which must be there. Close it with end.
func (d *direct) open(ctx context.Context, s streams) (log *eventlog.Log, end func(), err error) {
	return d.openWith(ctx, s, eventlog.Config{Existing: true})
}

// openWith is open of a log as cfg has it, which says nothing of where it is.
func (d *direct) openWith(ctx context.Context, s streams, cfg eventlog.Config) (log *eventlog.Log, end func(), err error) {
	if err := d.natsAccess.check(d.NATSURL); err != nil {
		return nil, nil, usageError{err}
	}
	ctx, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	cfg.URL, cfg.Name, cfg.Logger = d.NATSURL, "snapback, beside the nodes", warnings(s)
	if d.NATSURL != "" {
		cfg.Access = d.access()
		if log, err = eventlog.Open(ctx, cfg); err != nil {
			return nil, nil, d.refused(d.NATSURL, err)
		}
		return log, log.Close, nil
	}
	store := filepath.Join(d.Data, "nats")
	if _, err := os.Stat(store); err != nil {
		return nil, nil, usageError{fmt.Errorf("--data=%s: there is no log: %w", d.Data, fileFault(err))}
	}
	raiseGOMAXPROCS()
	server, err := natsd.Start(natsd.Config{StoreDir: store, SyncAlways: true, Logger: cfg.Logger})
	if errors.Is(err, natsd.ErrStoreInUse) {
		return nil, nil, fmt.Errorf("--data=%s: a server is running on this directory: ask it with --server, or stop it", d.Data)
	}
	var place *natsd.PlaceError
	if errors.As(err, &place) {
		return nil, nil, fmt.Errorf("--data=%s: it is that of node %s of cluster %s, one copy of the log among others: ask a node with --server", d.Data, place.Node, place.Cluster)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("--data=%s: %w", d.Data, err)
	}
	cfg.InProcess = server
	if log, err = eventlog.Open(ctx, cfg); err != nil {
		server.Shutdown()
		return nil, nil, fmt.Errorf("--data=%s: %w", d.Data, err)
	}
	return log, func() { log.Close(); server.Shutdown() }, nil
}

// warnings is where a command that opens the log says what goes wrong with it.
func warnings(s streams) *slog.Logger {
	return slog.New(slog.NewTextHandler(s.Err, &slog.HandlerOptions{Level: slog.LevelWarn}))
}
