package browser_test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/evanw/esbuild/pkg/api"

	"github.com/snapback-io/snapback/test/bundle"
	"github.com/snapback-io/snapback/test/tool"
)

// patience is for one file of tests, or for the types of all.
const patience = 2 * time.Minute

// node finds Node and the packages of package-lock.json.
func node(t *testing.T) string {
	t.Helper()
	path := tool.Find(t, "the browser client", "node")
	if _, err := os.Stat(filepath.Join("node_modules", "typescript")); err != nil {
		tool.Missing(t, "the browser client", "gateway/browser/node_modules (npm ci makes it)")
	}
	return path
}

var ran = regexp.MustCompile(`(?m)^# tests (\d+)$`)

// TestTypeScript runs every test/*.test.ts in Node.
func TestTypeScript(t *testing.T) {
	program := node(t)
	files, err := filepath.Glob("test/*.test.ts")
	if err != nil || len(files) == 0 {
		t.Fatalf("no tests in test/: %v", err)
	}
	dir := filepath.Join("node_modules", ".test")
	if err := os.RemoveAll(dir); err != nil { // of tests that are no more
		t.Fatal(err)
	}
	bundle.Build(t, api.BuildOptions{
		EntryPoints: files, Bundle: true, Platform: api.PlatformNode, Format: api.FormatESModule, Packages: api.PackagesExternal,
		OutExtension: map[string]string{".js": ".mjs"}, Outdir: dir, Outbase: "test", Write: true, Sourcemap: api.SourceMapInline,
	})
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".ts")
		t.Run(strings.TrimSuffix(name, ".test"), func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			cmd := exec.CommandContext(ctx, program, "--experimental-websocket", "--enable-source-maps", "--test", "--test-reporter=tap", filepath.Join(dir, name+".mjs"))
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, failures(out))
			}
			if count := ran.FindSubmatch(out); count == nil || string(count[1]) == "0" {
				t.Fatalf("no test ran:\n%s", out)
			}
		})
	}
}

// failures is what a run of node's tests says, without what passed.
func failures(out []byte) []byte {
	var kept [][]byte
	passed := false
	for line := range bytes.Lines(out) {
		text := bytes.TrimSpace(line)
		if bytes.HasPrefix(text, []byte("ok ")) {
			passed = true
			continue
		}
		if passed && bytes.Equal(text, []byte("...")) {
			passed = false
			continue
		}
		if bytes.HasPrefix(text, []byte("not ok ")) || bytes.HasPrefix(text, []byte("# ")) {
			passed = false
		}
		if !passed {
			kept = append(kept, line)
		}
	}
	return bytes.Join(kept, nil)
}

// TestTypes holds everything against the compiler, the tests of types too.
func TestTypes(t *testing.T) {
	t.Parallel()
	compile(t, "-p", ".")
}

// compile runs the TypeScript compiler.
func compile(t *testing.T, args ...string) {
	t.Helper()
	program := node(t)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	args = append([]string{filepath.Join("node_modules", "typescript", "bin", "tsc")}, args...)
	if out, err := exec.CommandContext(ctx, program, args...).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

// TestTypeScript_SaysWhatFailed: of a long run only what failed is told.
func TestTypeScript_SaysWhatFailed(t *testing.T) {
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
