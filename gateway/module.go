package gateway

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// newModule serves a script that pages of any origin may import, compressed to
// who takes that.
func newModule(script []byte) http.Handler {
	var zip bytes.Buffer
	w, _ := gzip.NewWriterLevel(&zip, gzip.BestCompression) // a level that there is
	_, _ = w.Write(script)                                  // to memory
	_ = w.Close()
	sum := sha256.Sum256(script)
	tag := hex.EncodeToString(sum[:16])
	serve := func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Type", "text/javascript; charset=utf-8")
		h.Set("Cache-Control", "no-cache")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Access-Control-Allow-Origin", "*")
		h.Set("Cross-Origin-Resource-Policy", "cross-origin")
		h.Add("Vary", "Accept-Encoding")
		body := script
		if takesGzip(r.Header.Values("Accept-Encoding")) {
			body = zip.Bytes()
			h.Set("Content-Encoding", "gzip")
			h.Set("Content-Length", strconv.Itoa(len(body)))
			h.Set("ETag", `"`+tag+`-gzip"`)
			r.Header.Del("Range") // of the other encoding
		} else {
			h.Set("ETag", `"`+tag+`"`)
		}
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
	}
	return methods{"GET": serve}
}

// takesGzip reads Accept-Encoding.
func takesGzip(values []string) bool {
	for entry := range strings.SplitSeq(strings.Join(values, ","), ",") {
		name, weight, _ := strings.Cut(entry, ";")
		if strings.EqualFold(strings.TrimSpace(name), "gzip") {
			q, err := strconv.ParseFloat(strings.TrimPrefix(strings.TrimSpace(weight), "q="), 64)
			return err != nil || q > 0
		}
	}
	return false
}
