package browser_test

import (
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"testing"

	"github.com/evanw/esbuild/pkg/api"

	"github.com/snapback-io/snapback/test/bundle"
	"github.com/snapback-io/snapback/test/typescript"
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

// TestGenerated says when a script in dist/ is older than src/.
func TestGenerated(t *testing.T) {
	typescript.Stored(t, "*.js", typescript.Generate(t))
}

// TestGenerated_Declarations says the same of the declarations.
func TestGenerated_Declarations(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	typescript.Compile(t, untested, "-p", "tsconfig.build.json", "--outDir", dir)
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
	typescript.Stored(t, "*.d.ts", made)
}
