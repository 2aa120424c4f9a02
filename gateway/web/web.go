// Package web has the board application, the page at /: in src its TypeScript,
// in dist what is made of it.
package web

import (
	"embed"
	"io/fs"
)

//go:generate go tool esbuild src/app.tsx src/index.html --bundle --minify --format=esm --target=es2022 --jsx=automatic --jsx-import-source=preact --alias:react=preact/compat --alias:@snapback/client=../browser/src/index.ts --alias:@snapback/client/react=../browser/src/react.ts --alias:@snapback/client/devtools=../browser/src/devtools.ts --loader:.html=copy --legal-comments=none --log-level=warning --outdir=dist

//go:embed dist
var dist embed.FS

// FS holds the page's files; index.html is the page itself.
var FS = sub()

func sub() fs.FS {
	files, err := fs.Sub(dist, "dist")
	if err != nil {
		panic(err) // the name above is well-formed
	}
	return files
}
