package fault

import (
	"os"
	"os/exec"
	"path/filepath"
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

// TestClock_IsOffByWhatTheEnvironmentSays, and only the wall clock is.
func TestClock_IsOffByWhatTheEnvironmentSays(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	source, program := filepath.Join(dir, "main.go"), filepath.Join(dir, "clock")
	if err := os.WriteFile(source, []byte(clockProgram), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("go", "build", "-overlay", ClockOverlay(t), "-o", program, source).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
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
