package typescript

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/evanw/esbuild/pkg/api"
	"github.com/evanw/esbuild/pkg/cli"

	"github.com/snapback-io/snapback/test/bundle"
)

// generators are the arguments of the esbuild runs that go generate makes in
// the working directory.
func generators(t *testing.T) [][]string {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var runs [][]string
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(source)) {
			if args, ok := strings.CutPrefix(line, "//go:generate go tool esbuild "); ok {
				runs = append(runs, strings.Fields(args))
			}
		}
	}
	return runs
}

// Generate does what the go:generate lines for esbuild in the working directory
// do, without writing files: what is made, by name.
func Generate(t *testing.T) map[string][]byte {
	t.Helper()
	made := map[string][]byte{}
	for _, args := range generators(t) {
		options, err := cli.ParseBuildOptions(args)
		if err != nil {
			t.Fatalf("%q: %v", args, err)
		}
		options.LogLevel, options.Write = api.LogLevelSilent, false
		for _, file := range bundle.Build(t, options) {
			made[filepath.Base(file.Path)] = file.Contents
		}
	}
	return made
}

// Stored holds the files in dist/ whose names match the pattern against those
// that are made now.
func Stored(t *testing.T, pattern string, made map[string][]byte) {
	t.Helper()
	if len(made) == 0 {
		t.Fatal("nothing is made")
	}
	for name, want := range made {
		if got, err := os.ReadFile(filepath.Join("dist", name)); err != nil || !bytes.Equal(got, want) {
			t.Errorf("dist/%s is not what src/ makes (%v): go generate here", name, err)
		}
	}
	there, err := filepath.Glob(filepath.Join("dist", pattern))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range there {
		if name := filepath.Base(file); made[name] == nil {
			t.Errorf("nothing makes dist/%s any more: remove it", name)
		}
	}
}
