package gateway

import (
	"bytes"
	"encoding/json"
	"slices"

	"github.com/snapback-io/snapback/domain"
)

// sameContent says that two commands have the same content, at a fraction of
// what their hashes cost. A no means nothing: then the hashes tell.
func sameContent(a, b *domain.Command) bool {
	return a.Op == b.Op && a.Import == nil && b.Import == nil && slices.EqualFunc(a.Changes, b.Changes, sameChange)
}

func sameChange(a, b domain.Change) bool {
	return a.EntityID == b.EntityID && a.Toggle == b.Toggle && a.IfRev == nil && b.IfRev == nil && a.Content == nil && b.Content == nil &&
		(a.Patch == nil) == (b.Patch == nil) && sameValues(a.Patch, b.Patch) && sameValues(a.If, b.If)
}

func sameValues(a, b map[string]any) bool {
	if len(a) != len(b) {
		return false
	}
	for name, x := range a {
		if y, has := b[name]; !has || !sameValue(x, y) {
			return false
		}
	}
	return true
}

func sameValue(a, b any) bool {
	switch x := a.(type) {
	case nil:
		return b == nil
	case string:
		y, ok := b.(string)
		return ok && x == y
	case bool:
		y, ok := b.(bool)
		return ok && x == y
	case int64:
		y, ok := b.(int64)
		return ok && x == y
	case domain.Place:
		y, ok := b.(domain.Place)
		return ok && x == y
	case []string:
		y, ok := b.([]string)
		return ok && sameList(x, y)
	case domain.SetChange:
		y, ok := b.(domain.SetChange)
		return ok && sameList(x.Add, y.Add) && sameList(x.Remove, y.Remove)
	case json.RawMessage:
		y, ok := b.(json.RawMessage)
		return ok && bytes.Equal(x, y)
	}
	return false
}

func sameList(a, b []string) bool { return (a == nil) == (b == nil) && slices.Equal(a, b) }
