package client

import (
	"encoding/json"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/snapback-io/snapback/gateway/wire"
)

const sayJSON = `{"id":"say","kind":"comment","rev":2,"createdRev":2,"cardId":"c1","text":"said"}`

func TestLoad_JoinsTheViewUnlessOlder(t *testing.T) {
	play(t, Options{Part: PartOpen}, func(t *testing.T, s *fakeServer, c *Client, conn *fakeConn) {
		if got := conn.query.Get("part"); got != "open" {
			t.Errorf("part %q", got)
		}
		var told []Change
		c.Subscribe(func(list []Change) { told = append(told, list...) })
		conn.send(syncOf(2, `{"id":"c1","kind":"card","rev":2,"createdRev":1,"title":"new","columnId":"k1","position":"a0","liked":false,"likes":0,"comments":1}`))
		load := func(ask func() (Page, error)) (chan Page, map[string]any) {
			pages := make(chan Page)
			go func() {
				p, err := ask()
				if err != nil {
					t.Error(err)
				}
				pages <- p
			}()
			return pages, conn.next()
		}
		pages, asked := load(func() (Page, error) { return c.LoadCard(t.Context(), "c1", "") })
		if asked["type"] != "load" || asked["id"] != 1.0 || asked["card"] != "c1" || asked["archive"] != nil || asked["before"] != nil {
			t.Fatal(asked)
		}
		before := "2.say"
		conn.send(wire.Loaded{Type: "loaded", ID: 1, Rev: 2, Entities: []json.RawMessage{[]byte(cardJSON), []byte(sayJSON)}, Before: &before})
		if p := <-pages; len(p.Entities) != 2 || p.Before != before {
			t.Error(p)
		}
		wantTitle(t, c, "new") // the page's was older
		if e := c.Get("say"); e == nil || e.Fields.String("text") != "said" {
			t.Error(e)
		}
		if synctest.Wait(); len(told) != 2 || told[1].ID != "say" || c.Rev() != 2 {
			t.Error(told, c.Rev())
		}
		pages, asked = load(func() (Page, error) { return c.LoadArchive(t.Context(), before) })
		if asked["id"] != 2.0 || asked["archive"] != true || asked["before"] != before || asked["card"] != nil {
			t.Fatal(asked)
		}
		conn.send(wire.Loaded{Type: "loaded", ID: 2, Rev: 2, Entities: []json.RawMessage{}})
		if p := <-pages; len(p.Entities) != 0 || p.Before != "" {
			t.Error(p)
		}
	})
}

func TestLoad_FailsWhenRefusedOrNotLive(t *testing.T) {
	play(t, Options{Part: PartOpen}, func(t *testing.T, s *fakeServer, c *Client, conn *fakeConn) {
		failed := make(chan error)
		load := func() {
			go func() {
				_, err := c.LoadCard(t.Context(), "c1", "mine")
				failed <- err
			}()
			conn.next()
		}
		load()
		id := uint64(1)
		conn.send(wire.Error{Type: "error", Code: "invalid", Reason: "nobody's"}, wire.Error{Type: "error", Code: "invalid", Reason: "before: no", ID: &id})
		if err := <-failed; err == nil || errors.Is(err, ErrNotLive) {
			t.Error(err)
		}
		load()
		_ = conn.Close(1001, "")
		if err := <-failed; !errors.Is(err, ErrNotLive) {
			t.Error(err)
		}
		if _, err := c.LoadArchive(t.Context(), ""); !errors.Is(err, ErrNotLive) {
			t.Error(err)
		}
	})
	if _, err := Connect(t.Context(), Options{URL: "http://server", Board: "b", Part: "shut"}); err == nil {
		t.Error("a part that is not known")
	}
}
