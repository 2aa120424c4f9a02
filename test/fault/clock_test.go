package fault

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

const clockProgram = `package main

import "time"

func main() {
	start := time.Now()
	time.Sleep(time.Millisecond)
	println(start.Unix(), time.Since(start) < time.Minute)
}
`

const setProgram = `package main

import (
	"bufio"
	"os"
	"time"
)

func main() {
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		println(time.Now().Unix())
	}
}
`

// program builds one whose clock can be wrong.
func program(t *testing.T, text string) string {
	t.Helper()
	dir := t.TempDir()
	source, program := filepath.Join(dir, "main.go"), filepath.Join(dir, "clock")
	if err := os.WriteFile(source, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("go", "build", "-overlay", ClockOverlay(t), "-o", program, source).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return program
}

// TestClock_IsSetWhileAProgramRuns, forwards and backwards.
func TestClock_IsSetWhileAProgramRuns(t *testing.T) {
	t.Parallel()
	clock, err := NewClock(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program(t, setProgram))
	cmd.Env = append(os.Environ(), clock.Env())
	in, _ := cmd.StdinPipe()
	out, _ := cmd.StderrPipe()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for _, ahead := range []int64{0, 300, -300, 0} {
		if err := clock.Set(ahead); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintln(in)
		lines.Scan()
		sec, err := strconv.ParseInt(lines.Text(), 10, 64)
		if off := sec - time.Now().Unix() - ahead; err != nil || off < -60 || off > 60 {
			t.Errorf("%d s ahead: off by %d s more, %v", ahead, off, err)
		}
	}
	in.Close()
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}

// TestClock_IsOffByWhatTheEnvironmentSays, and only the wall clock is.
func TestClock_IsOffByWhatTheEnvironmentSays(t *testing.T) {
	t.Parallel()
	program := program(t, clockProgram)
	for text, want := range map[string]time.Duration{"": 0, "300": 5 * time.Minute, "-300": -5 * time.Minute} {
		cmd := exec.Command(program)
		cmd.Env = append(os.Environ(), ClockOffset+"="+text)
		now := time.Now()
		out, err := cmd.CombinedOutput()
		sec, steady, _ := strings.Cut(strings.TrimSpace(string(out)), " ")
		told, err2 := time.ParseDuration(sec + "s")
		off := told - time.Duration(now.Unix())*time.Second - want
		if err != nil || err2 != nil || steady != "true" || off.Abs() > time.Minute {
			t.Errorf("%q: %q %v %v", text, out, err, err2)
		}
	}
}

func TestClock_AnotherGoIsTold(t *testing.T) {
	for _, source := range []string{"", "import (\n)\n", "import (\n)\nfunc Now() Time {\n\tsec, nsec, mono := now()\n"} {
		if _, err := astray(source); err == nil {
			t.Errorf("%q is taken", source)
		}
	}
}
