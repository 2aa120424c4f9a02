package gateway

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/snapback-io/snapback/domain"
)

// pagePolicy lets the page load its own files, show pictures from anywhere
// safe and talk to this server only.
const pagePolicy = "default-src 'self'; img-src 'self' data: blob: https:; " +
	"object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

// asset is a file of the page, held in memory.
type asset struct {
	data        []byte
	contentType string
	etag        string
}

// newPage serves the files of fsys; / is index.html.
func newPage(fsys fs.FS) (http.Handler, error) {
	assets := make(map[string]asset)
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := fs.ReadFile(fsys, name)
		if err != nil {
			return err
		}
		contentType := mime.TypeByExtension(path.Ext(name))
		if contentType == "" {
			contentType = anyContentType
		}
		sum := sha256.Sum256(data)
		assets["/"+name] = asset{data, contentType, `"` + hex.EncodeToString(sum[:16]) + `"`}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("gateway: the page: %w", err)
	}
	if index, ok := assets["/index.html"]; ok {
		assets["/"] = index
	}
	serve := func(w http.ResponseWriter, r *http.Request) {
		a, ok := assets[r.URL.Path]
		if !ok || strings.HasSuffix(r.URL.Path, ".go") {
			writeProblem(w, problem{code: domain.NotFound, reason: "not found"})
			return
		}
		h := w.Header()
		h.Set("Content-Type", a.contentType)
		h.Set("ETag", a.etag)
		h.Set("Cache-Control", "no-cache")
		h.Set("Content-Security-Policy", pagePolicy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(a.data))
	}
	return methods{"GET": serve}, nil
}
