package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"time"
)

// postgresSettings are those that its documentation advises for a server of its
// own with many small transactions: memory as in 20.4, and checkpoints far
// apart as in 30.5. That a commit waits for the disk is the default and stays.
var postgresSettings = []string{
	"listen_addresses=", // a socket in its directory is enough
	"shared_buffers=1GB",
	"max_wal_size=4GB",
	"checkpoint_timeout=30min",
	"fsync=on",
	"synchronous_commit=on",
}

// database is a Postgres that runs.
type database struct {
	url  string
	stop func()
}

// postgresBinaries is the directory of initdb and postgres, the newest there is.
func postgresBinaries() (string, error) {
	if initdb, err := exec.LookPath("initdb"); err == nil {
		if _, err := exec.LookPath("postgres"); err == nil {
			initdb, err := filepath.EvalSymlinks(initdb)
			return filepath.Dir(initdb), err
		}
	}
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if len(found) == 0 {
		return "", errors.New("initdb and postgres are neither in PATH nor in /usr/lib/postgresql")
	}
	return filepath.Dir(slices.MaxFunc(found, func(a, b string) int { return versionOf(a) - versionOf(b) })), nil
}

func versionOf(initdb string) int {
	n, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(initdb))))
	return n
}

// startPostgres makes a database of its own and starts it.
func startPostgres(ctx context.Context, w *workshop) (*database, error) {
	binaries, err := postgresBinaries()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(w.dir, "pg")
	if err != nil {
		return nil, err
	}
	attr, err := unprivileged(w.dir, dir)
	if err != nil {
		return nil, err
	}
	data := filepath.Join(dir, "data")
	initdb := exec.CommandContext(ctx, filepath.Join(binaries, "initdb"), "-D", data, "-U", "peers", "--auth=trust", "--encoding=UTF8", "--locale=C")
	initdb.Dir, initdb.SysProcAttr = dir, attr
	if text, err := initdb.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w\n%s", err, text)
	}
	args := []string{"-D", data, "-k", dir}
	for _, setting := range postgresSettings {
		args = append(args, "-c", setting)
	}
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd := exec.Command(filepath.Join(binaries, "postgres"), args...)
	cmd.Dir, cmd.SysProcAttr, cmd.Stdout, cmd.Stderr = dir, attr, log, log
	if err := w.begin(cmd); err != nil {
		return nil, err
	}
	p := &process{cmd: cmd, ended: make(chan struct{})}
	go func() { _ = cmd.Wait(); close(p.ended) }()
	stop := func() {
		_ = cmd.Process.Signal(syscall.SIGINT) // "fast shutdown"
		p.stop()
		os.RemoveAll(dir)
	}
	if err := p.accepts(ctx, filepath.Join(binaries, "pg_isready"), dir); err != nil {
		text, _ := os.ReadFile(log.Name())
		stop()
		return nil, fmt.Errorf("postgres: %w\n%s", err, text)
	}
	return &database{"socket:" + dir + "?db=postgres&user=peers", stop}, nil
}

// accepts waits until the server takes connections.
func (p *process) accepts(ctx context.Context, isReady, dir string) error {
	ctx, cancel := context.WithTimeout(ctx, startWithin)
	defer cancel()
	for {
		if exec.CommandContext(ctx, isReady, "-h", dir, "-U", "peers").Run() == nil {
			return nil
		}
		select {
		case <-p.ended:
			return errors.New("it ended")
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// unprivileged has a command run as somebody else if this is root, whom
// Postgres refuses, and gives that user dir, which is inside parent.
func unprivileged(parent, dir string) (*syscall.SysProcAttr, error) {
	if os.Getuid() != 0 {
		return nil, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		if u, err = user.Lookup("nobody"); err != nil {
			return nil, fmt.Errorf("postgres does not run as root, and there is no other user: %w", err)
		}
	}
	uid, _ := strconv.Atoi(u.Uid)
	gid, _ := strconv.Atoi(u.Gid)
	if err := errors.Join(os.Chmod(parent, 0o711), os.Chown(dir, uid, gid)); err != nil {
		return nil, err
	}
	return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}, nil
}
