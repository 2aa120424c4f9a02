package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/snapback-io/snapback/cmd/snapback/load"
)

// peer is a server to be measured.
type peer struct {
	name    string
	title   string                                 // in the table
	durable string                                 // what an ack says of the disk
	prepare func(context.Context, *workshop) error // says what is missing
	start   func(context.Context, *workshop) (*server, error)
}

func (p peer) id() string { return p.name }

// server is one that runs.
type server struct {
	load.Target
	stop func()
}

var peers = []peer{
	{"hub", "bare hub, gorilla/websocket", "memory", nothing, startHub()},
	{"hub-frames", "the same, one write per frame", "memory", nothing, startHub("-coalesce=false")},
	{"socketio", "Socket.IO", "memory", needNode, startNode("socketio", speakSocketIO)},
	{"sharedb", "ShareDB", "memory", needNode, startNode("sharedb", speakShareDB)},
	{"hub-wal", "bare hub with a write-ahead file", "fsynced", nothing, startHubWAL},
	{"socketio-postgres", "Socket.IO with Postgres", "fsynced", needPostgres, startSocketIOPostgres},
	{"snapback", "Snapback", "fsynced", buildSnapback, startSnapback},
}

func nothing(context.Context, *workshop) error { return nil }

func needNode(_ context.Context, w *workshop) error {
	if _, err := exec.LookPath("node"); err != nil {
		return fmt.Errorf("%w: it needs Node.js 20 or later", err)
	}
	if _, err := os.Stat(filepath.Join(w.source, "node_modules", ".package-lock.json")); err != nil {
		return errors.New("its packages are not installed: run `npm ci` in test/peers")
	}
	return nil
}

func needPostgres(ctx context.Context, w *workshop) error {
	_, err := postgresBinaries()
	return errors.Join(needNode(ctx, w), err)
}

func buildSnapback(ctx context.Context, w *workshop) error {
	text, err := exec.CommandContext(ctx, "go", "build", "-o", w.snapback(), module+"/cmd/snapback").CombinedOutput()
	if err != nil {
		return fmt.Errorf("go build: %w\n%s", err, text)
	}
	return nil
}

func startSnapback(ctx context.Context, w *workshop) (*server, error) {
	dir, err := os.MkdirTemp(w.dir, "data")
	if err != nil {
		return nil, err
	}
	s, err := load.StartServer(ctx, load.ServerConfig{Binary: w.snapback(), Data: dir, Pin: w.pin})
	if err != nil {
		return nil, err
	}
	return &server{&load.Snapback{URL: s.URL, Small: true}, s.Kill}, nil
}

// hubCommand as the first argument makes this program the hub.
const hubCommand = "hub"

func startHub(args ...string) func(context.Context, *workshop) (*server, error) {
	return func(ctx context.Context, w *workshop) (*server, error) {
		self, err := os.Executable()
		if err != nil {
			return nil, err
		}
		cmd := exec.Command(self, append([]string{hubCommand}, args...)...)
		if w.pin {
			cmd.Env = append(os.Environ(), "GOMAXPROCS=4") // as Snapback has it, and here too it is faster
		}
		p, err := w.start(ctx, cmd)
		if err != nil {
			return nil, err
		}
		return &server{target{p.addr, speakHub}, p.stop}, nil
	}
}

func startHubWAL(ctx context.Context, w *workshop) (*server, error) {
	dir, err := os.MkdirTemp(w.dir, "wal")
	if err != nil {
		return nil, err
	}
	return startHub("-wal", filepath.Join(dir, "changes"))(ctx, w)
}

func startNode(name string, speak func(string) dialect) func(context.Context, *workshop) (*server, error) {
	return func(ctx context.Context, w *workshop) (*server, error) {
		p, err := w.start(ctx, w.node(name))
		if err != nil {
			return nil, err
		}
		return &server{target{p.addr, speak}, p.stop}, nil
	}
}

func startSocketIOPostgres(ctx context.Context, w *workshop) (*server, error) {
	db, err := startPostgres(ctx, w)
	if err != nil {
		return nil, err
	}
	p, err := w.start(ctx, w.node("socketio", "--postgres", db.url))
	if err != nil {
		db.stop()
		return nil, err
	}
	return &server{target{p.addr, speakSocketIO}, func() { p.stop(); db.stop() }}, nil
}

func (w *workshop) node(name string, args ...string) *exec.Cmd {
	cmd := exec.Command("node", append([]string{filepath.Join(w.source, name, "server.js")}, args...)...)
	cmd.Env = append(os.Environ(), "NODE_ENV=production")
	return cmd
}

// begin starts a command, on core 0 alone, it and its children, if the workshop pins.
func (w *workshop) begin(cmd *exec.Cmd) error {
	if w.pin {
		return load.StartPinned(cmd, 0)
	}
	return cmd.Start()
}

const (
	startWithin = 30 * time.Second
	stopWithin  = 10 * time.Second
)

// process is a server's process that told where it listens.
type process struct {
	cmd   *exec.Cmd
	addr  string
	ended chan struct{} // closed when it has been waited for
}

// start runs a server that prints its address, as host:port, when it is ready.
func (w *workshop) start(ctx context.Context, cmd *exec.Cmd) (*process, error) {
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p := &process{cmd: cmd, ended: make(chan struct{})}
	cmd.Stderr = os.Stderr
	if err := w.begin(cmd); err != nil {
		return nil, err
	}
	lines := bufio.NewReader(stdout)
	addr := make(chan string, 1)
	go func() {
		line, _ := lines.ReadString('\n')
		addr <- strings.TrimSpace(line)
		_, _ = io.Copy(io.Discard, lines)
		_ = cmd.Wait()
		close(p.ended)
	}()
	select {
	case p.addr = <-addr:
	case <-time.After(startWithin):
	case <-ctx.Done():
	}
	if p.addr == "" {
		p.stop()
		return nil, fmt.Errorf("%s did not say where it listens", strings.Join(cmd.Args, " "))
	}
	return p, nil
}

func (p *process) stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.ended:
	case <-time.After(stopWithin):
		_ = p.cmd.Process.Kill()
		<-p.ended
	}
}
