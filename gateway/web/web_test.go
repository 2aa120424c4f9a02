package web_test

import (
	"testing"

	"github.com/evanw/esbuild/pkg/api"

	"github.com/snapback-io/snapback/test/typescript"
)

const untested = "the board application"

func TestTypeScript(t *testing.T) {
	typescript.Test(t, untested, api.BuildOptions{
		JSX: api.JSXAutomatic, JSXImportSource: "preact",
		Alias: map[string]string{
			"react":                     "preact/compat",
			"@snapback/client":          "../browser/src/index.ts",
			"@snapback/client/react":    "../browser/src/react.ts",
			"@snapback/client/devtools": "../browser/src/devtools.ts",
		},
	})
}

func TestTypes(t *testing.T) {
	t.Parallel()
	typescript.Compile(t, untested, "-p", ".")
}

// TestGenerated says when a file in dist/ is older than src/.
func TestGenerated(t *testing.T) {
	typescript.Node(t, untested) // the libraries are bundled, too
	typescript.Stored(t, "*", typescript.Generate(t))
}
