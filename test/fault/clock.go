package fault

import (
	"encoding/binary"
	"encoding/json"
	"errors"
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

// clockFile is the environment variable with the name of the file that sets the
// wall clock of such a server while it runs, see [Clock].
const clockFile = "SNAPBACK_TEST_CLOCK_FILE"

// Clock is the wall clock of a server built with ClockOverlay, as long as it
// lives and after each start.
type Clock struct{ path string }

// NewClock makes a clock that is right, in a file in dir.
func NewClock(dir string) (*Clock, error) {
	c := &Clock{filepath.Join(dir, "clock")}
	return c, c.Set(0)
}

// Env is what makes a server go by the clock.
func (c *Clock) Env() string { return clockFile + "=" + c.path }

// Set sets the clock so many seconds ahead; negative: behind.
func (c *Clock) Set(ahead int64) error {
	f, err := os.OpenFile(c.path, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(binary.NativeEndian.AppendUint64(nil, uint64(ahead)), 0)
	return errors.Join(err, f.Close())
}

// Off is the fault that the clock is wrong by so many seconds.
func (c *Clock) Off(ahead int64) Fault {
	return Fault{Name: "clock", Begin: func() error { return c.Set(ahead) }, End: func() error { return c.Set(0) }}
}

// nowAsIs is how package time begins to tell the time.
const nowAsIs = `
func Now() Time {
	sec, nsec, mono := runtimeNow()
`

const nowAstray = nowAsIs + `	sec += wallOffset + *wallSet
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

var wallSet = wallSetBy("` + clockFile + `")

// wallSetBy maps the file, so that who writes to it sets the clock.
func wallSetBy(name string) *int64 {
	path, _ := syscall.Getenv(name)
	if path == "" {
		return new(int64)
	}
	fd, err := syscall.Open(path, syscall.O_RDONLY, 0)
	if err != nil {
		panic(name + ": " + err.Error())
	}
	data, err := syscall.Mmap(fd, 0, 8, syscall.PROT_READ, syscall.MAP_SHARED)
	if err != nil {
		panic(name + ": " + err.Error())
	}
	return (*int64)(wall.Pointer(&data[0]))
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
	more := "\twall \"unsafe\"\n"
	if !strings.Contains(source, "\t\"syscall\"\n") {
		more += "\t\"syscall\"\n"
	}
	source = strings.Replace(source, imports, imports+more, 1)
	return strings.Replace(source, nowAsIs, nowAstray, 1) + offset, nil
}
