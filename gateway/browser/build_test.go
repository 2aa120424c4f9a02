package browser_test

import (
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/evanw/esbuild/pkg/api"
	"github.com/evanw/esbuild/pkg/cli"

	"github.com/snapback-io/snapback/test/bundle"
)

// limits of what a page loads, minified and gzipped, in bytes.
const (
	storeLimit = 8_000  // store and connection
	allLimit   = 14_000 // with undo, presence and offline
)

// zipped is the size of a page's script that says only this.
func zipped(t *testing.T, script string) int {
	t.Helper()
	made := bundle.Build(t, api.BuildOptions{
		Stdin:  &api.StdinOptions{Contents: script, ResolveDir: ".", Sourcefile: "page.ts", Loader: api.LoaderTS},
		Bundle: true, Format: api.FormatESModule, Target: api.ES2022, LegalComments: api.LegalCommentsNone,
		MinifyWhitespace: true, MinifyIdentifiers: true, MinifySyntax: true,
	})
	var zip bytes.Buffer
	w, err := gzip.NewWriterLevel(&zip, gzip.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(made[0].Contents); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return zip.Len()
}

func TestBudget(t *testing.T) {
	for _, c := range []struct {
		what, script string
		limit        int
	}{
		{"connect alone", `export { connect } from "./src/index.js";`, storeLimit},
		{"all of index.ts", `export * from "./src/index.js";`, allLimit},
	} {
		if size := zipped(t, c.script); size > c.limit {
			t.Errorf("%s: %d bytes, %d more than the budget of %d", c.what, size, size-c.limit, c.limit)
		} else {
			t.Logf("%s: %d of %d bytes", c.what, size, c.limit)
		}
	}
	if all := zipped(t, `export * from "./src/index.js";`); all < 2_000 {
		t.Errorf("all of it is %d bytes: that is not the client", all)
	}
}

// generators are the arguments of the esbuild runs that go generate makes here.
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

// TestGenerated says when a script in dist/ is older than src/.
func TestGenerated(t *testing.T) {
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
	stored(t, "*.js", made)
}

// TestGenerated_Declarations says the same of the declarations.
func TestGenerated_Declarations(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	compile(t, "-p", "tsconfig.build.json", "--outDir", dir)
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	made := map[string][]byte{}
	for _, file := range files {
		if made[filepath.Base(file)], err = os.ReadFile(file); err != nil {
			t.Fatal(err)
		}
	}
	stored(t, "*.d.ts", made)
}

// stored holds the files of a kind in dist/ against those that are made now.
func stored(t *testing.T, kind string, made map[string][]byte) {
	t.Helper()
	const again = "go generate ./gateway/browser"
	if len(made) == 0 {
		t.Fatal("nothing is made")
	}
	for name, want := range made {
		if got, err := os.ReadFile(filepath.Join("dist", name)); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s is not what src/ makes (%v): %s", name, err, again)
		}
	}
	there, err := filepath.Glob(filepath.Join("dist", kind))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range there {
		if name := filepath.Base(file); made[name] == nil {
			t.Errorf("nothing makes %s any more: remove it", name)
		}
	}
}
