package gateway

import "net/http"

// newModule serves a script that pages of any origin may import.
func newModule(script []byte) http.Handler {
	file := newHeld(script)
	serve := func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Type", "text/javascript; charset=utf-8")
		h.Set("Access-Control-Allow-Origin", "*")
		h.Set("Cross-Origin-Resource-Policy", "cross-origin")
		file.serve(w, r)
	}
	return methods{"GET": serve}
}
