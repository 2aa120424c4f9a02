// Package browser has the browser client, @snapback/client: in src its
// TypeScript, in dist what is made of it. client.js is all of index.ts in one
// small file, which the gateway serves; the other files are module by module
// what npm packs, so that who takes part of them loads part of them, once.
package browser

import _ "embed"

//go:generate go tool esbuild src/index.ts --bundle --minify --format=esm --target=es2022 --legal-comments=none --log-level=warning --outfile=dist/client.js
//go:generate go tool esbuild src/*.ts --format=esm --target=es2022 --log-level=warning --outdir=dist
//go:generate npx tsc -p tsconfig.build.json

// Client is the browser client as one ES module.
//
//go:embed dist/client.js
var Client []byte
