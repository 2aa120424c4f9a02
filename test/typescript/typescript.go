// Package typescript runs what a directory with a package.json has of
// TypeScript: its tests, its compiler, and what go generate makes of it.
package typescript

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
const patience = 10 * time.Minute

// Node finds Node and the packages of package-lock.json in the working
// directory; untested says what nobody looks at without them.
func Node(t *testing.T, untested string) string {
	t.Helper()
	path := tool.Find(t, untested, "node")
	if _, err := os.Stat(filepath.Join("node_modules", "typescript")); err != nil {
		dir, _ := os.Getwd()
		tool.Missing(t, untested, "node_modules in "+filepath.Base(dir)+" (npm ci makes it)")
	}
	return path
}

var ran = regexp.MustCompile(`(?m)^# tests (\d+)$`)

// Test runs every test/*.test.ts in Node, one subtest each. The options say how
// they are bundled, as far as a program for Node does not say it.
func Test(t *testing.T, untested string, options api.BuildOptions) {
	t.Helper()
	program := Node(t, untested)
	files, err := filepath.Glob("test/*.test.ts*")
	if err != nil || len(files) == 0 {
		t.Fatalf("no tests in test/: %v", err)
	}
	dir := filepath.Join("node_modules", ".test")
	if err := os.RemoveAll(dir); err != nil { // of tests that are no more
		t.Fatal(err)
	}
	options.EntryPoints, options.Bundle, options.Platform, options.Format = files, true, api.PlatformNode, api.FormatESModule
	options.OutExtension = map[string]string{".js": ".mjs"}
	options.Outdir, options.Outbase, options.Write, options.Sourcemap = dir, "test", true, api.SourceMapInline
	bundle.Build(t, options)
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), filepath.Ext(file))
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

// Compile runs the TypeScript compiler.
func Compile(t *testing.T, untested string, args ...string) {
	t.Helper()
	program := Node(t, untested)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	args = append([]string{filepath.Join("node_modules", "typescript", "bin", "tsc")}, args...)
	if out, err := exec.CommandContext(ctx, program, args...).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}
