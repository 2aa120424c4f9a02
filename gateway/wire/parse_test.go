package wire

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/snapback-io/snapback/domain"
)

func TestParse_Mutate(t *testing.T) {
	f, bad := ParseClient([]byte(`{"type":"mutate","clientMutationId":"m-1","changes":[
		{"entityId":"a","patch":{"labels":{"add":"x"}},"ifRev":0,"toggle":true},
		{"entityId":"b","patch":null,"if":{"title":null,"done":true}}],
		"expiresAt":"2026-01-01T12:00:00+02:00","ttlMs":1000,"later":"ignored"}`))
	if bad != nil {
		t.Fatal(bad)
	}
	if f.ID != "m-1" || len(f.Changes) != 2 || f.TTL != time.Second || !f.ExpiresAt.Equal(time.Date(2026, 1, 1, 10, 0, 0, 0, time.UTC)) {
		t.Errorf("%+v", f)
	}
	a, b := f.Changes[0], f.Changes[1]
	if _, isSet := a.Patch["labels"].(domain.SetChange); !isSet || a.IfRev == nil || *a.IfRev != 0 || a.Toggle {
		t.Errorf("%+v", a)
	}
	if v, named := b.If["title"]; b.Patch != nil || !named || v != nil || b.If["done"] != true {
		t.Errorf("%+v", b)
	}
}

func TestParseMutation_TypeMayBeMissing(t *testing.T) {
	if f, bad := ParseMutation([]byte(`{"clientMutationId":"m","entityId":"a","patch":{}}`)); bad != nil || f.ID != "m" || f.Changes[0].Patch == nil {
		t.Errorf("%+v %v", f, bad)
	}
	if _, bad := ParseMutation([]byte(`{"type":"cancel","clientMutationId":"m"}`)); bad == nil {
		t.Error("a cancel is no mutation")
	}
}

// FuzzParse: no input panics, and what is taken is in form, never sets what
// only the gateway may, and asks for the same when it is read again.
func FuzzParse(f *testing.F) {
	for _, s := range []string{
		`{"type":"mutate","clientMutationId":"m","entityId":"a","patch":{"title":"x","position":{"after":null}}}`,
		`{"type":"mutate","clientMutationId":"m","changes":[{"entityId":"a","patch":null,"toggle":true,"content":{"object":"o"}}]}`,
		`{"type":"cancel","clientMutationId":"m"}`, `{"type":"presence","data":{"a":[1,2]}}`, `{"type":"auth","token":"t"}`, `{"type":"ping"}`,
		`{"type":"load","id":1,"card":"a"}`, `{"type":"load","id":2,"archive":true,"before":"1z.a"}`, `[]`, `{"type":7}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if !utf8.Valid(data) {
			return
		}
		got, bad := ParseClient(data)
		typ, id := Peek(data)
		if bad != nil {
			return
		}
		if typ != got.Type || (got.ID != "" && id != got.ID) {
			t.Errorf("peeked %q %q of %+v", typ, id, got)
		}
		if got.Type == TypeMutate && (len(got.Changes) == 0 || len(got.Changes) > MaxChanges || !domain.ValidMutationID(got.ID)) {
			t.Errorf("%+v", got)
		}
		for _, c := range got.Changes {
			if c.Toggle || c.Content != nil || c.EntityID == "" {
				t.Errorf("%+v", c)
			}
		}
		one, two := domain.Command{Changes: got.Changes}, domain.Command{}
		raw, err := json.Marshal(one)
		if err != nil || json.Unmarshal(raw, &two) != nil || one.ContentHash() != two.ContentHash() {
			t.Errorf("content changes on its way: %s", raw)
		}
	})
}

func TestLaw8_NestedTooDeepIsInvalidWhereverItStands(t *testing.T) {
	deep := strings.Repeat("[", domain.MaxDepth) + strings.Repeat("]", domain.MaxDepth)
	for field, frame := range map[string]string{
		"patch":   `"entityId":"a","patch":{"x-a":` + deep + `}`,
		"if":      `"entityId":"a","patch":{},"if":{"x-a":` + deep + `}`,
		"changes": `"changes":[{"entityId":"a","patch":{"x-a":` + deep + `}}]`,
	} {
		f, bad := ParseClient([]byte(`{"type":"mutate","clientMutationId":"m",` + frame + `}`))
		if bad == nil || f.ID != "m" || bad.Code != domain.Invalid || bad.Details["field"] != field || bad.Details["limit"] != domain.MaxDepth {
			t.Errorf("%s: %+v", field, bad)
		}
	}
}

func TestLaw5_ADeadlineThatNoRecordCanHoldOrThatMeansNoneIsInvalid(t *testing.T) {
	for _, at := range []string{"0000-01-01T00:00:00+14:00", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-14:00", "", "soon"} {
		_, bad := ParseClient([]byte(`{"type":"mutate","clientMutationId":"m","entityId":"a","patch":{},"expiresAt":"` + at + `"}`))
		if bad == nil || bad.Code != domain.Invalid || bad.Details["field"] != "expiresAt" {
			t.Errorf("%q: %+v", at, bad)
		}
	}
}
