package fault

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// ClockOffset is the environment variable by which the wall clock of a server
// built with ClockOverlay is ahead, whole seconds; negative: behind. Its
// monotonic clock is right.
const ClockOffset = "SNAPBACK_TEST_CLOCK_OFFSET"

// nowAsIs is how package time begins to tell the time.
const nowAsIs = `
func Now() Time {
	sec, nsec, mono := runtimeNow()
`

const nowAstray = nowAsIs + `	sec += wallOffset
`

const offset = `
var wallOffset = wallOffsetOf("` + ClockOffset + `")

func wallOffsetOf(name string) (sec int64) {
	text, _ := syscall.Getenv(name)
	digits := text
	if len(text) > 0 && text[0] == '-' {
		digits = text[1:]
	}
	for i := range len(digits) {
		sec = 10*sec + int64(digits[i]-'0')
	}
	if len(digits) < len(text) {
		sec = -sec
	}
	return sec
}
`

// ClockOverlay writes what `go build -overlay` needs to make a program whose
// clock can be wrong, in all of its parts, and gives the name of that file. It
// replaces one function of Go's library, and fails the test where a newer Go
// has another one.
func ClockOverlay(tb testing.TB) string {
	tb.Helper()
	out, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		tb.Fatal(err)
	}
	original := filepath.Join(strings.TrimSpace(string(out)), "src", "time", "time.go")
	source, err := os.ReadFile(original)
	if err != nil {
		tb.Fatal(err)
	}
	changed, err := astray(string(source))
	if err != nil {
		tb.Fatalf("%s: %v", original, err)
	}
	dir := tb.TempDir()
	replacement, overlay := filepath.Join(dir, "time.go"), filepath.Join(dir, "overlay.json")
	list, _ := json.Marshal(map[string]map[string]string{"Replace": {original: replacement}})
	for name, data := range map[string]string{replacement: changed, overlay: string(list)} {
		if err := os.WriteFile(name, []byte(data), 0o600); err != nil {
			tb.Fatal(err)
		}
	}
	return overlay
}

func astray(source string) (string, error) {
	const imports = "import (\n"
	for _, part := range []string{nowAsIs, imports} {
		if n := strings.Count(source, part); n != 1 {
			return "", fmt.Errorf("%q is there %d times: this Go tells the time in another way", part, n)
		}
	}
	if !strings.Contains(source, "\t\"syscall\"\n") {
		source = strings.Replace(source, imports, imports+"\t\"syscall\"\n", 1)
	}
	return strings.Replace(source, nowAsIs, nowAstray, 1) + offset, nil
}
