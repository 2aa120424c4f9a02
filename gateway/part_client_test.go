package gateway

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/gateway/client"
)

// TestPartOpen_GoClient: the client does nothing for it but ask, and holds the
// open part and what it has loaded.
func TestPartOpen_GoClient(t *testing.T) {
	t.Parallel()
	s := newRealSite(t, Config{})
	s.demo()
	connect := func(part string) (*client.Client, chan struct{}) {
		c, err := client.Connect(t.Context(), client.Options{URL: s.url, Board: "demo", User: "ann", Part: part})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(c.Close)
		told := make(chan struct{}, 1)
		c.Subscribe(func([]client.Change) { token(told) })
		return c, told
	}
	whole, _ := connect("")
	part, told := connect(client.PartOpen)
	do := func(changes ...domain.Change) {
		t.Helper()
		r, err := whole.Transact(changes...).Wait(t.Context())
		if err != nil || !r.OK {
			t.Fatal(r, err)
		}
		for part.Rev() < r.Rev {
			<-told
		}
	}
	want := func(want string) {
		t.Helper()
		var ids []string
		for _, e := range part.All() {
			text := e.ID
			if n, ok := e.Fields["comments"]; ok {
				text += fmt.Sprint(":", n)
			}
			ids = append(ids, text)
		}
		if slices.Sort(ids); strings.Join(ids, " ") != want {
			t.Errorf("held are %v, should be %s", ids, want)
		}
	}
	do(put("list", "checklist", "title", "L", "cardId", "c2"), put("say", "comment", "text", "Well", "cardId", "c2"))
	want("c1:0 c2:1 demo full list member:ann say todo")
	do(put("full", "", "archived", true))
	part, told = connect(client.PartOpen) // what was archived is left out of its join
	want("c1:0 demo member:ann todo")
	if p, err := part.LoadArchive(t.Context(), ""); err != nil || len(p.Entities) != 2 || p.Before != "" {
		t.Error(p, err)
	}
	want("c1:0 c2:1 demo full member:ann todo")
	if p, err := part.LoadCard(t.Context(), "c2", ""); err != nil || len(p.Entities) != 3 || p.Before != "" {
		t.Error(p, err)
	}
	want("c1:0 c2:1 demo full list member:ann say todo")
	do(domain.Change{EntityID: "c2"})
	want("c1:0 demo full member:ann todo")
	do(put("c3", "card", "title", "3", "columnId", "todo"), put("list3", "checklist", "title", "L", "cardId", "c3"))
	do(put("c3", "", "archived", true))
	part, told = connect(client.PartOpen)
	want("c1:0 demo member:ann todo")
	do(put("c3", "", "archived", false))
	want("c1:0 c3:0 demo list3 member:ann todo")
	do(put("say3", "comment", "text", "Well", "cardId", "c3"))
	want("c1:0 c3:1 demo list3 member:ann say3 todo")
}
