// Package web is the page at /, as files in the binary.
package web

import "embed"

// FS holds the page's files; index.html is the page itself.
//
//go:embed index.html style.css *.js
var FS embed.FS
