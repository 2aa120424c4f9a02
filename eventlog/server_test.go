package eventlog

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/snapback-io/snapback/eventlog/natsd"
)

const serverDirEnv = "SNAPBACK_TEST_SERVER_DIR"

// serveForParent is the other process: a nats-server until its input ends.
func serveForParent(dir string) {
	listen := os.Getenv(serverDirEnv + "_LISTEN")
	s, err := natsd.Start(natsd.Config{StoreDir: dir, SyncAlways: true, Listen: listen, Logger: quiet()})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(s.URL())
	_, _ = io.Copy(io.Discard, os.Stdin)
	s.Shutdown()
}

// startProcess starts a server in another process and gives its URL and how to kill it.
func startProcess(t testing.TB, dir, listen string) (url string, kill func()) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), serverDirEnv+"="+dir, serverDirEnv+"_LISTEN="+listen)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	kill = func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		in.Close()
	}
	t.Cleanup(kill)
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(line), kill
}
