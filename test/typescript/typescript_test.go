package typescript

import (
	"strings"
	"testing"
)

// TestFailures: of a long run only what failed is told.
func TestFailures(t *testing.T) {
	got := string(failures([]byte(`TAP version 13
# Subtest: good
ok 1 - good
  ---
  duration_ms: 1
  ...
# Subtest: bad
not ok 2 - bad
  ---
  error: 'Expected 1'
  ...
# tests 2
`)))
	for _, want := range []string{"bad", "Expected 1", "# tests 2"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	if strings.Contains(got, "duration_ms") {
		t.Errorf("what passed is told:\n%s", got)
	}
}
