// Package tool finds the programs that tests need beside Go.
package tool

import (
	"log"
	"os"
	"os/exec"
	"testing"
)

// Find gives the path of the first of these programs that there is. Without
// one the test fails where CI is set and is skipped, loudly, on a machine that
// has only Go; untested says what nobody looks at then.
func Find(tb testing.TB, untested string, names ...string) string {
	tb.Helper()
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	Missing(tb, untested, names[0])
	return ""
}

// Missing is Find's end for what is missing and no program.
func Missing(tb testing.TB, untested, what string) {
	tb.Helper()
	if os.Getenv("CI") != "" {
		tb.Fatalf("no %s: install it, %s must be tested", what, untested)
	}
	log.Printf("SKIPPED: no %s found, %s IS NOT TESTED", what, untested)
	tb.Skipf("no %s found", what)
}
