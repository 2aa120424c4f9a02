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

// held is a file in memory, served with an ETag and compressed to who takes
// that. It may be served by many at a time.
type held struct {
	data []byte
	zip  []byte // nil: no smaller than data
	tag  string // of data, without quotes
}

func newHeld(data []byte) *held {
	var zip bytes.Buffer
	w, _ := gzip.NewWriterLevel(&zip, gzip.BestCompression) // a level that there is
	_, _ = w.Write(data)                                    // to memory
	_ = w.Close()
	sum := sha256.Sum256(data)
	f := &held{data: data, tag: hex.EncodeToString(sum[:16])}
	if zip.Len() < len(data) {
		f.zip = zip.Bytes()
	}
	return f
}

// serve answers a GET or HEAD. The caller has set what the file is and who may
// have it.
func (f *held) serve(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Cache-Control", "no-cache")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Add("Vary", "Accept-Encoding")
	body, tag := f.data, f.tag
	if f.zip != nil && takesGzip(r.Header.Values("Accept-Encoding")) {
		body, tag = f.zip, f.tag+"-gzip"
		h.Set("Content-Encoding", "gzip")
		if r.Header.Get("If-Match") == "" { // a 412 has no body
			h.Set("Content-Length", strconv.Itoa(len(body)))
		}
		r.Header.Del("Range") // of the other encoding
	}
	h.Set("ETag", `"`+tag+`"`)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
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
