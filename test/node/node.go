// Package node runs the snapback binary, and a NATS server, as child processes
// that a test may stop, freeze and kill.
package node

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// readyWithin is how long a child may take until it is ready.
const readyWithin = 60 * time.Second

// built is a binary that is made when it is first needed.
type built struct {
	once sync.Once
	path string
	err  error
}

var binary, overlaid built

// Binary builds cmd/snapback, with the race detector if the test has it, and
// gives its path. It builds once per process; Main removes it.
func Binary(tb testing.TB) string {
	tb.Helper()
	return binary.build(tb)
}

// Overlaid is Binary with parts replaced, as `go build -overlay` has it; one
// file per process.
func Overlaid(tb testing.TB, overlay string) string {
	tb.Helper()
	return overlaid.build(tb, "-overlay", overlay)
}

func (b *built) build(tb testing.TB, flags ...string) string {
	tb.Helper()
	b.once.Do(func() {
		dir, err := os.MkdirTemp("", "snapback-bin")
		if err != nil {
			b.err = err
			return
		}
		b.path = filepath.Join(dir, "snapback")
		args := append([]string{"build", "-o", b.path}, flags...)
		if raceEnabled {
			args = append(args, "-race")
		}
		out, err := exec.Command("go", append(args, "github.com/snapback-io/snapback/cmd/snapback")...).CombinedOutput()
		if err != nil {
			b.err = fmt.Errorf("go build: %w\n%s", err, out)
		}
	})
	if b.err != nil {
		tb.Fatal(b.err)
	}
	return b.path
}

// Main runs a package's tests, or, in a child process, the NATS server that
// StartNATS asked for. Call it from TestMain; ends are called after the tests.
func Main(m *testing.M, ends ...func()) {
	if dir := os.Getenv(natsDirEnv); dir != "" {
		runNATS(dir, os.Getenv(natsAddrEnv))
		return
	}
	code := m.Run()
	for _, end := range ends {
		end()
	}
	Remove()
	os.Exit(code)
}

// Remove takes away what Binary and Overlaid have built.
func Remove() {
	for _, b := range []*built{&binary, &overlaid} {
		if b.path != "" {
			os.RemoveAll(filepath.Dir(b.path))
		}
	}
}

// child is a process with its output.
type child struct {
	tb     testing.TB
	name   string
	output *lockedBuffer

	mu   sync.Mutex
	cmd  *exec.Cmd
	done chan struct{} // closed when the process has ended
}

// Name is that of the process in the test's output.
func (c *child) Name() string { return c.name }

type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

func (c *child) start(cmd *exec.Cmd) error {
	cmd.Stdout, cmd.Stderr = c.output, c.output
	if err := cmd.Start(); err != nil {
		return err
	}
	done := make(chan struct{})
	go func() {
		cmd.Wait()
		close(done)
	}()
	c.mu.Lock()
	c.cmd, c.done = cmd, done
	c.mu.Unlock()
	return nil
}

func (c *child) signal(sig os.Signal) (done chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cmd == nil {
		done = make(chan struct{})
		close(done)
		return done
	}
	c.cmd.Process.Signal(sig)
	return c.done
}

// Kill ends the process at once, as a power cut would, and waits for its end.
func (c *child) Kill() { <-c.signal(syscall.SIGKILL) }

// Freeze stops the process where it is; Thaw lets it go on.
func (c *child) Freeze() { c.signal(syscall.SIGSTOP) }

// Thaw ends a Freeze.
func (c *child) Thaw() { c.signal(syscall.SIGCONT) }

// Stop ends the process with SIGTERM and fails the test if it does not end by
// itself with code 0.
func (c *child) Stop() {
	done := c.signal(syscall.SIGTERM)
	select {
	case <-done:
		c.mu.Lock()
		defer c.mu.Unlock()
		if code := c.cmd.ProcessState.ExitCode(); code != 0 {
			c.tb.Errorf("%s ended with code %d after SIGTERM", c.name, code)
		}
	case <-time.After(30 * time.Second):
		c.tb.Errorf("%s did not stop within 30 s of SIGTERM", c.name)
		c.Kill()
	}
}

// Running says whether the process has not ended.
func (c *child) Running() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cmd == nil {
		return false
	}
	select {
	case <-c.done:
		return false
	default:
		return true
	}
}

// Said is all that the process wrote so far, over restarts.
func (c *child) Said() string { return c.output.String() }

// finish kills what is left at the end of a test and reads the output.
func (c *child) finish() {
	c.Thaw()
	c.Kill()
	out := c.output.String()
	if strings.Contains(out, "WARNING: DATA RACE") || strings.Contains(out, "panic: ") {
		c.tb.Errorf("%s has a data race or panicked", c.name)
	}
	if c.tb.Failed() {
		const most = 8_000
		if len(out) > most {
			out = "...\n" + out[len(out)-most:]
		}
		c.tb.Logf("output of %s:\n%s", c.name, out)
	}
}

// Server is `snapback serve` as a child process, in open mode. Its address and
// data stay the same over restarts.
type Server struct {
	child
	Addr, AdminAddr, Data string
	ClusterAddr           string // "": it is alone
	// Binary, Inside and Env are as in [Place]; a change counts from the next start on.
	Binary      string
	Inside, Env []string
	args        []string
}

// Start starts a server with its data under dir and waits until it is ready.
// natsURL is empty for the embedded log. args are further flags of serve.
func Start(tb testing.TB, name, dir, natsURL string, args ...string) *Server {
	tb.Helper()
	s := &Server{child: child{tb: tb, name: name, output: &lockedBuffer{}}, Addr: FreeAddr(tb), AdminAddr: FreeAddr(tb), Data: dir}
	s.args = append([]string{"serve", "--addr", s.Addr, "--admin-addr", s.AdminAddr, "--data", dir}, args...)
	if natsURL != "" {
		s.args = append(s.args, "--nats-url", natsURL)
	}
	Binary(tb)
	tb.Cleanup(s.finish)
	s.Again()
	return s
}

// Again starts the process again after it was stopped or killed, and waits
// until it is ready.
func (s *Server) Again() {
	s.tb.Helper()
	s.launch()
	if err := s.waitReady(); err != nil {
		s.tb.Error(err)
	}
}

// Launch is Again without waiting: a node may not be able to be ready.
func (s *Server) Launch() { s.launch() }

func (s *Server) launch() {
	s.tb.Helper()
	words := slices.Clone(s.Inside)
	if s.Binary == "" {
		words = append(words, Binary(s.tb))
	} else {
		words = append(words, s.Binary)
	}
	words = append(words, s.args...)
	cmd := exec.Command(words[0], words[1:]...)
	cmd.Env = append(os.Environ(), "GOMAXPROCS=4")
	cmd.Env = append(cmd.Env, s.Env...)
	if err := s.start(cmd); err != nil {
		s.tb.Error(err)
	}
}

func (s *Server) waitReady() error {
	client := http.Client{Timeout: 2 * time.Second}
	last := "no answer"
	for end := time.Now().Add(readyWithin); time.Now().Before(end) && s.Running() && s.tb.Context().Err() == nil; {
		resp, err := client.Get("http://" + s.AdminAddr + "/readyz")
		if err == nil {
			body, _ := io.ReadAll(resp.Body)
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return nil
			}
			last = resp.Status + " " + string(body)
		}
		time.Sleep(20 * time.Millisecond)
	}
	return fmt.Errorf("%s is not ready: %s", s.name, last)
}

// FreeAddr is a loopback address that nobody listens on now. Its port lies
// below those the system gives to outgoing connections, and no two calls of
// this process give the same: it stays free until the child takes it.
func FreeAddr(tb testing.TB) string {
	tb.Helper()
	const low, ports = 12_000, 18_000
	for range 100 {
		addr := net.JoinHostPort("127.0.0.1", strconv.Itoa(low+rand.IntN(ports)))
		if _, taken := given.LoadOrStore(addr, true); taken {
			continue
		}
		if l, err := net.Listen("tcp", addr); err == nil {
			l.Close()
			return addr
		}
	}
	tb.Fatal("no free port")
	return ""
}

var given sync.Map // addresses FreeAddr gave
