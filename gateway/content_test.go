package gateway

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/gateway/wire"
)

// TestSameContent_IsNeverWiderThanTheHash, and knows again what a client sent
// when it has been through the log.
func TestSameContent_IsNeverWiderThanTheHash(t *testing.T) {
	t.Parallel()
	var cmds []*domain.Command
	for _, asked := range []string{
		`"entityId":"c1","patch":{"title":"x"}`,
		`"entityId":"c2","patch":{"title":"x"}`,
		`"entityId":"c1","patch":{"title":"y"}`,
		`"entityId":"c1","patch":{"title":null}`,
		`"entityId":"c1","patch":{"title":"x","color":"red"}`,
		`"entityId":"c1","patch":{}`,
		`"entityId":"c1","patch":null`,
		`"entityId":"c1","patch":{"wipLimit":1}`,
		`"entityId":"c1","patch":{"wipLimit":1.0}`,
		`"entityId":"c1","patch":{"wipLimit":1e0}`,
		`"entityId":"c1","patch":{"archived":true}`,
		`"entityId":"c1","patch":{"archived":false}`,
		`"entityId":"c1","patch":{"labels":["a","b"]}`,
		`"entityId":"c1","patch":{"labels":["b","a"]}`,
		`"entityId":"c1","patch":{"labels":[]}`,
		`"entityId":"c1","patch":{"labels":{"add":"a"}}`,
		`"entityId":"c1","patch":{"labels":{"add":["a"]}}`,
		`"entityId":"c1","patch":{"position":{"after":null},"columnId":"doing"}`,
		`"entityId":"c1","patch":{"position":{"after":"c2"},"columnId":"doing"}`,
		`"entityId":"c1","patch":{"x-a":{"b":[1,2,{"c":null}]}}`,
		`"entityId":"c1","patch":{"x-a":{"b":[1,2,{"c":3}]}}`,
		`"entityId":"c1","patch":{"title":"x"},"if":{"title":"w"}`,
		`"entityId":"c1","patch":{"title":"x"},"if":{"title":null}`,
		`"entityId":"c1","patch":{"title":"x"},"ifRev":3`,
		`"entityId":"c1","patch":{"title":"x"},"ifRev":4`,
		`"changes":[{"entityId":"c1","patch":{"title":"x"}},{"entityId":"c2","patch":{"title":"x"}}]`,
		`"changes":[{"entityId":"c2","patch":{"title":"x"}},{"entityId":"c1","patch":{"title":"x"}}]`,
	} {
		f, bad := wire.ParseClient(fmt.Appendf(nil, `{"type":"mutate","clientMutationId":"m",%s}`, asked))
		if bad != nil {
			t.Fatalf("%s: %v", asked, bad)
		}
		cmd := &domain.Command{ID: "m", Op: domain.OpMutate, User: "bob", Changes: f.Changes}
		raw, err := json.Marshal(cmd)
		if err != nil {
			t.Fatal(err)
		}
		stored, err := domain.DecodeCommand(raw)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(asked, "ifRev") && !sameContent(cmd, &stored) {
			t.Errorf("%s is not known again", asked)
		}
		cmds = append(cmds, cmd, &stored)
	}
	toggle := domain.Command{Op: domain.OpMutate, Changes: []domain.Change{{EntityID: "c1", Patch: domain.Patch{}, Toggle: true}}}
	file := domain.Command{Op: domain.OpMutate, Changes: []domain.Change{{EntityID: "c1", Patch: domain.Patch{}, Content: &domain.Content{Object: "o"}}}}
	cancel := domain.Command{Op: domain.OpCancel}
	cmds = append(cmds, &toggle, &file, &cancel)
	same := 0
	for _, a := range cmds {
		for _, b := range cmds {
			if sameContent(a, b) {
				same++
				if a.ContentHash() != b.ContentHash() {
					t.Errorf("%+v and %+v", a.Changes, b.Changes)
				}
			}
		}
	}
	if same < len(cmds) {
		t.Errorf("%d of %d are the same", same, len(cmds))
	}
}
