package gateway

import (
	"errors"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
)

// pagePolicy lets the page load its own scripts and styles, show pictures (a
// member's is at any https address, an upload not yet sent is a blob) and talk
// to this server only; 'self' is its WebSocket too.
const pagePolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob: https:; " +
	"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// pageRoutes are the addresses of the page's own places: each is index.html,
// which looks for what is named there and says so if it is not.
var pageRoutes = []string{"/{$}", "/boards", "/boards/{board}", "/boards/{board}/cards/{card}"}

// newPage serves the files of fsys and, at pageRoutes, its index.html.
func newPage(fsys fs.FS) (http.Handler, error) {
	files := make(map[string]http.HandlerFunc)
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := fs.ReadFile(fsys, name)
		files["/"+name] = pageFile(name, data)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("gateway: the page: %w", err)
	}
	index := files["/index.html"]
	if index == nil {
		return nil, errors.New("gateway: the page has no index.html")
	}
	mux := http.NewServeMux()
	for _, route := range pageRoutes {
		mux.Handle(route, methods{"GET": index})
	}
	mux.Handle("/", methods{"GET": func(w http.ResponseWriter, r *http.Request) {
		if serve := files[r.URL.Path]; serve != nil {
			serve(w, r)
			return
		}
		writeProblem(w, notFound())
	}})
	return mux, nil
}

func pageFile(name string, data []byte) http.HandlerFunc {
	file := newHeld(data)
	contentType := mime.TypeByExtension(path.Ext(name))
	if contentType == "" {
		contentType = anyContentType
	}
	return func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Type", contentType)
		h.Set("Content-Security-Policy", pagePolicy)
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		file.serve(w, r)
	}
}
