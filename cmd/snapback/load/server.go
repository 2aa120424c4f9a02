package load

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Server is a snapback process started for a measurement, on ports and in a
// directory of its own. Not safe for concurrent use.
type Server struct {
	ServerConfig
	URL   string // for clients
	Admin string // its metrics

	cluster bool // one of several nodes

	cmd    *exec.Cmd
	output bytes.Buffer  // its log
	ended  chan struct{} // closed when the process has ended
	err    error         // with which it ended
}

// ServerConfig is how to start a Server.
type ServerConfig struct {
	Binary string // of snapback
	Data   string // directory of its log; it survives Stop
	Pin    bool   // on core 0 alone, with GOMAXPROCS=4
	Sync   string // --sync; "" is always
	Args   []string
}

const (
	startWithin = time.Minute
	stopWithin  = 30 * time.Second
)

// StartServer starts a server and returns when it is ready.
func StartServer(ctx context.Context, cfg ServerConfig) (*Server, error) {
	s, err := newServer(cfg)
	if err != nil {
		return nil, err
	}
	return s, s.Start(ctx, "")
}

func newServer(cfg ServerConfig) (*Server, error) {
	s := &Server{ServerConfig: cfg}
	for _, addr := range []*string{&s.URL, &s.Admin} {
		free, err := freeAddr()
		if err != nil {
			return nil, err
		}
		*addr = "http://" + free
	}
	return s, nil
}

func freeAddr() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// Start starts it again after Stop, at the same address with the same log;
// sync "" is as configured.
func (s *Server) Start(ctx context.Context, sync string) error {
	args := append([]string{"serve", "--addr", strings.TrimPrefix(s.URL, "http://"), "--admin-addr", strings.TrimPrefix(s.Admin, "http://"),
		"--data", s.Data, "--sync", cmp.Or(sync, s.Sync, "always"), "--no-demo", "--log-level", "warn"}, s.Args...)
	s.cmd = exec.Command(s.Binary, args...)
	s.cmd.Env = os.Environ()
	s.cmd.Stdout, s.cmd.Stderr = &s.output, &s.output
	own, start := s.cmd, s.cmd.Start
	if s.Pin {
		own.Env = append(own.Env, "GOMAXPROCS=4")
		start = func() error { return StartPinned(own, 0) }
	}
	if err := start(); err != nil {
		return err
	}
	ended := make(chan struct{})
	s.ended = ended
	go func() {
		s.err = own.Wait()
		close(ended)
	}()
	if s.cluster {
		return nil // ready when the others are
	}
	return s.ready(ctx)
}

func (s *Server) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startWithin)
	defer cancel()
	for {
		if resp, err := get(ctx, s.Admin+"/readyz"); err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-s.ended:
			return fmt.Errorf("load: the server ended: %w\n%s", cmp.Or(s.err, errors.New("exit 0")), s.output.Bytes())
		case <-ctx.Done():
			return fmt.Errorf("load: the server is not ready: %w", ctx.Err())
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// Stop ends the process; its log stays.
func (s *Server) Stop() error {
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-s.ended:
		return s.err
	case <-time.After(stopWithin):
		_ = s.cmd.Process.Kill()
		<-s.ended
		return errors.New("load: the server did not stop by itself")
	}
}

// Kill ends the process at once.
func (s *Server) Kill() {
	_ = s.cmd.Process.Kill()
	<-s.ended
}

func get(ctx context.Context, url string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	return http.DefaultClient.Do(req)
}

// Metric reads one value of a server's /metrics at admin (http://host:port).
func Metric(ctx context.Context, admin, name string) (float64, error) {
	resp, err := get(ctx, strings.TrimSuffix(admin, "/")+"/metrics")
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	for lines.Scan() {
		if value, ok := strings.CutPrefix(lines.Text(), name+" "); ok {
			return strconv.ParseFloat(value, 64)
		}
	}
	return 0, fmt.Errorf("load: %s/metrics has no %s", admin, name)
}

// CPU gives what tells the CPU time a server, or all its nodes, have used, nil when its metrics are
// not known. It counts from the server's start.
func (o Own) CPU(ctx context.Context) func() float64 {
	if o.Admin == "" {
		return nil
	}
	return func() (seconds float64) {
		for _, admin := range append([]string{o.Admin}, o.Admins...) {
			s, _ := Metric(ctx, admin, "process_cpu_seconds_total")
			seconds += s
		}
		return seconds
	}
}

// Profile takes a CPU profile over d into a file. The server must run with --pprof.
func (s *Server) Profile(ctx context.Context, d time.Duration, file string) error {
	resp, err := get(ctx, fmt.Sprintf("%s/debug/pprof/profile?seconds=%d", s.Admin, max(1, int(d.Seconds()))))
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("load: profile: %s: %s", resp.Status, data)
	}
	if err != nil {
		return err
	}
	return os.WriteFile(file, data, 0o644)
}

// TempServer starts a server in a temporary directory, which remove deletes
// after the server has ended.
func TempServer(ctx context.Context, cfg ServerConfig) (s *Server, remove func(), err error) {
	dir, err := os.MkdirTemp("", "snapback-bench")
	if err != nil {
		return nil, nil, err
	}
	cfg.Data = filepath.Join(dir, "data")
	if s, err = StartServer(ctx, cfg); err != nil {
		os.RemoveAll(dir)
		return nil, nil, err
	}
	return s, func() { s.Kill(); os.RemoveAll(dir) }, nil
}

// TempNodes starts n nodes of one cluster, each with a copy of the log, in a
// temporary directory, and returns when all are ready.
func TempNodes(ctx context.Context, cfg ServerConfig, n int) (nodes []*Server, remove func(), err error) {
	dir, err := os.MkdirTemp("", "snapback-bench")
	if err != nil {
		return nil, nil, err
	}
	remove = func() {
		for _, s := range nodes {
			if s.ended != nil {
				s.Kill()
			}
		}
		os.RemoveAll(dir)
	}
	peers := make([]string, n)
	for i := 0; i < n && err == nil; i++ {
		peers[i], err = freeAddr()
	}
	for i := 0; i < n && err == nil; i++ {
		own, name := cfg, fmt.Sprint("n", i+1)
		own.Data = filepath.Join(dir, name)
		own.Args = append([]string{"--node", name, "--cluster-addr", peers[i], "--cluster-peers", strings.Join(peers, ",")}, cfg.Args...)
		var s *Server
		if s, err = newServer(own); err == nil {
			s.cluster = true
			err = s.Start(ctx, "")
			nodes = append(nodes, s)
		}
	}
	for _, s := range nodes {
		if err == nil {
			err = s.ready(ctx)
		}
	}
	if err != nil {
		remove()
		return nil, nil, err
	}
	return nodes, remove, nil
}

// PinSelf keeps this process to core 1 with one Go thread, for a server pinned
// to core 0. Linux only, and two cores or more.
func PinSelf() error {
	if runtime.NumCPU() < 2 {
		return errors.New("load: pinning needs two cores")
	}
	if err := pinSelf(1); err != nil {
		return err
	}
	runtime.GOMAXPROCS(1)
	return nil
}
