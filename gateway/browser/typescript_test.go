package browser_test

import (
	"testing"

	"github.com/evanw/esbuild/pkg/api"

	"github.com/snapback-io/snapback/test/typescript"
)

const untested = "the browser client"

func TestTypeScript(t *testing.T) {
	typescript.Test(t, untested, api.BuildOptions{Packages: api.PackagesExternal})
}

// TestTypes holds everything against the compiler, the tests of types too.
func TestTypes(t *testing.T) {
	t.Parallel()
	typescript.Compile(t, untested, "-p", ".")
}
