package gateway

import (
	"net/http"

	"github.com/snapback-io/snapback/eventlog/schema"
)

// getSchema is GET /v1/schema/{file}: a version of the JSON Schema of a record.
// It is no secret.
func (s *Server) getSchema(w http.ResponseWriter, r *http.Request) {
	file, err := schema.Read(r.PathValue("file"))
	if err != nil {
		writeProblem(w, notFound())
		return
	}
	w.Header().Set("Content-Type", "application/schema+json")
	_, _ = w.Write(file) // the reader is gone: nobody to tell
}
