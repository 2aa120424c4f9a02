package gateway

import (
	"encoding/json"
	"testing"

	"github.com/snapback-io/snapback/eventlog/schema"
)

func TestSchema_IsServedToEverybody(t *testing.T) {
	t.Parallel()
	_, auth := newTokens(t)
	s := newSite(t, Config{Auth: auth})
	r := s.must(200, "GET", "/v1/schema/"+schema.File(), "")
	var doc map[string]any
	if err := json.Unmarshal([]byte(r.body), &doc); err != nil || doc["$id"] != schema.ID() || r.header.Get("Content-Type") != "application/schema+json" {
		t.Errorf("%v %v %v", err, doc["$id"], r.header)
	}
	for _, file := range []string{"commit.v0.json", "schema.go", "..%2fschema.go"} {
		s.must(404, "GET", "/v1/schema/"+file, "")
	}
}
