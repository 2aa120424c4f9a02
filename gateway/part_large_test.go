package gateway

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/snapback-io/snapback/domain"
)

// TestPartOpen_WhatIsTooLargeToBeToldIsCaughtUpWith: 5,000 cards may come into
// sight with their column, and lie in no queue; the ack waits for them (law 2).
func TestPartOpen_WhatIsTooLargeToBeToldIsCaughtUpWith(t *testing.T) {
	inBubble(t, options{}, func(t *testing.T, w *world) {
		w.demo()
		const cards, bytes = 300, 60_000
		for i := range cards {
			w.do(put(fmt.Sprint("big", i), "card", "title", "Big", "columnId", "doing", "description", strings.Repeat("x", bytes)))
		}
		for _, beside := range []bool{false, true} {
			w.do(put("doing", "", "archived", true))
			open := w.connect("bob", "part=open")
			at := open.skip("ready").Rev
			var whole *socket
			if beside {
				whole = w.connect("bob")
				whole.skip("ready")
			}
			id := open.mutate("doing", `{"archived":false}`)
			list := open.until("ack")
			n := len(list)
			if n != cards+4 || list[0].Type != "lag" || list[0].Rev != at || list[n-2].Type != "ready" || list[n-2].Rev != at+1 ||
				list[n-1].ID != id || list[n-1].Rev != at+1 {
				t.Errorf("%d frames, %.100s to %.100s, %s", n, list[0], list[max(0, n-2)], list[n-1])
			}
			if got := told(list); !strings.HasPrefix(got, "doing, big0:0, big1:0, ") {
				t.Errorf("told %.100s", got)
			}
			w.do(put("c1", "", "title", fmt.Sprint(beside)))
			if f := open.next(); f.Type != "sync" || f.Rev != at+2 {
				t.Errorf("%.200s", f)
			}
			open.ws.Close()
			if synctest.Wait(); beside {
				if f := whole.next(); f.Event != "column.restored" || f.More || f.Rev != at+1 {
					t.Errorf("who watches the whole board is told %.200s", f)
				}
				if f := whole.next(); f.Rev != at+2 {
					t.Errorf("and then %.200s", f)
				}
			}
		}
	})
}

// TestPartOpen_OneMutationRestoresOverAndOver: what that tells is bounded too.
func TestPartOpen_OneMutationRestoresOverAndOver(t *testing.T) {
	inBubble(t, options{}, func(t *testing.T, w *world) {
		w.demo()
		const cards, times = 1400, 50
		for i := range cards / 100 {
			var list []domain.Change
			for j := range 100 {
				list = append(list, put(fmt.Sprint("c-", i, "-", j), "card", "title", "x", "columnId", "doing"))
			}
			w.do(list...)
		}
		open := w.connect("bob", "part=open")
		open.skip("ready")
		var list []domain.Change
		for range times {
			list = append(list, put("doing", "", "archived", true), put("doing", "", "archived", false))
		}
		v := w.do(list...)
		got := open.until("ready")
		if n := len(got); n != cards+3 || got[0].Type != "lag" || got[n-1].Rev != v.Rev {
			t.Errorf("%d frames, %.200s to %s", n, got[0], got[n-1])
		}
		open.ws.Close()
	})
}
