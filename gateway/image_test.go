package gateway

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"reflect"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/projector"
)

// sinkConn is a connection that remembers what was written to it.
type sinkConn struct {
	net.Conn
	bytes.Buffer
}

func (c *sinkConn) Write(p []byte) (int, error) { return c.Buffer.Write(p) }
func (c *sinkConn) Read([]byte) (int, error)    { return 0, io.EOF }

// shown is what user is sent of the pages.
func (x *bench) shown(pages []*page, user string) []byte {
	x.Helper()
	s, to := &session{hs: x.hubs}, &sinkConn{}
	s.conn.of, s.conn.Conn = s, to
	out := newOutlet(&s.conn)
	if err := (&bulk{pages: slices.Clone(pages), user: user}).write(out); err != nil {
		x.Fatal(err)
	}
	if err := out.flush(); err != nil {
		x.Fatal(err)
	}
	return to.Bytes()
}

// wholeBoard is what a join would be sent, checked: each entity as it is now,
// once, after its parent.
func (x *bench) wholeBoard(user string) []*page {
	x.Helper()
	x.hub.mu.Lock()
	pages := x.hub.pages(false)
	board := x.hub.view.Board()
	x.hub.mu.Unlock()
	return x.checkPages(pages, user, board.Len(), board.Get)
}

// openPart is wholeBoard of the open part.
func (x *bench) openPart(user string) []*page {
	x.Helper()
	x.hub.mu.Lock()
	defer x.hub.mu.Unlock()
	board := x.hub.view.Board()
	want := map[string]*domain.Entity{}
	for e := range board.All() {
		if e.Kind != domain.KindComment && board.InSight(e) {
			want[e.ID] = e
		}
	}
	pages := x.hub.pages(true)
	for _, p := range pages {
		for _, e := range p.entities {
			now := want[e.ID]
			if now == nil {
				x.Fatalf("%s %s is not in the open part", e.Kind, e.ID)
			}
			if !reflect.DeepEqual(e, board.Counted(now)) {
				x.Fatalf("%s %s is %v", e.Kind, e.ID, e.Fields)
			}
			want[e.ID] = e // checked
		}
	}
	return x.checkPages(pages, user, len(want), func(id string) *domain.Entity { return want[id] })
}

func (x *bench) checkPages(pages []*page, user string, count int, get func(string) *domain.Entity) []*page {
	x.Helper()
	seen := map[string]bool{}
	var enc syncEncoder
	var want []byte
	for _, p := range pages {
		for _, e := range p.entities {
			if get(e.ID) != e || seen[e.ID] {
				x.Fatalf("%s %s is not as it is, or there twice", e.Kind, e.ID)
			}
			if parent := e.Parent(); parent != "" && !seen[parent] {
				x.Fatalf("%s %s comes before its parent %s", e.Kind, e.ID, parent)
			}
			seen[e.ID] = true
			want, _ = enc.append(want, &projector.Sync{Rev: e.Rev, Entity: e}, e.LikedBy(user))
		}
	}
	if len(seen) != count {
		x.Fatalf("%d of %d entities", len(seen), count)
	}
	if got := x.shown(pages, user); !bytes.Equal(got, want) {
		x.Fatalf("%s is sent %d bytes, not these %d", user, len(got), len(want))
	}
	return pages
}

// change is a random change of a board that has columns todo and doing.
func (x *bench) change(rng *rand.Rand) domain.Change {
	x.n++
	ids := map[domain.Kind][]string{}
	for e := range x.ahead.All() {
		ids[e.Kind] = append(ids[e.Kind], e.ID)
	}
	any := func(kind domain.Kind) string { return ids[kind][rng.IntN(len(ids[kind]))] }
	card := any(domain.KindCard)
	switch rng.IntN(12) {
	case 9:
		return put(card, "", "archived", rng.IntN(3) == 0)
	case 10:
		return put(any(domain.KindColumn), "", "archived", rng.IntN(3) == 0)
	case 11:
		if len(ids[domain.KindComment]) > 0 {
			gone := put(any(domain.KindComment), "")
			gone.Patch = nil
			return gone
		}
	case 0:
		return put(fmt.Sprint("col", x.n), "column", "title", "New")
	case 1:
		return put(fmt.Sprint("new", x.n), "card", "title", "New", "columnId", any(domain.KindColumn))
	case 2:
		return put(card, "", "columnId", any(domain.KindColumn))
	case 3:
		return put(card, "", "liked", rng.IntN(3) > 0)
	case 4:
		return put(fmt.Sprint("list", x.n), "checklist", "title", "New", "cardId", card)
	case 5:
		if len(ids[domain.KindChecklist]) > 0 {
			return put(fmt.Sprint("item", x.n), "item", "text", "New", "checklistId", any(domain.KindChecklist))
		}
	case 6:
		return put(fmt.Sprint("say", x.n), "comment", "text", "New", "cardId", card)
	case 7:
		if len(ids[domain.KindCard]) > benchCards/2 {
			gone := put(card, "")
			gone.Patch = nil
			return gone
		}
	}
	return put(card, "", "title", fmt.Sprint("Card ", x.n))
}

// TestImage_IsTheBoard, and the other one its open part, whatever happens
// between joins, who likes what, and whether there is room for its frames.
func TestImage_IsTheBoard(t *testing.T) {
	t.Parallel()
	for seed := range uint64(6) {
		rng := rand.New(rand.NewPCG(seed, 3))
		x := newBench(t, 0)
		x.apply(x.record(1, func(int) []domain.Change { return []domain.Change{put("doing", "column", "title", "Doing")} }))
		kept := 0
		before := x.wholeBoard("u0")
		for range 60 {
			for range rng.IntN(4) {
				x.apply(x.record(1+rng.IntN(3), func(int) []domain.Change { return []domain.Change{x.change(rng)} }))
			}
			if seed == 5 {
				x.hubs.imaged.Store(maxImages)
			}
			pages := x.wholeBoard(fmt.Sprint("u", rng.IntN(4)))
			for _, p := range pages {
				if slices.Contains(before, p) {
					kept++
				}
			}
			before = pages
			x.openPart(fmt.Sprint("u", rng.IntN(4)))
		}
		if kept < 60 {
			t.Errorf("%d pages were used again", kept)
		}
	}
}

// TestImage_FramesAreSharedAndLetGo: nothing is encoded twice, what changed
// makes one page anew, and all is dropped when nobody joins.
func TestImage_FramesAreSharedAndLetGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := newBench(t, 0)
		first := x.wholeBoard("ann")
		f, _ := first[2].frames()
		if again, _ := x.wholeBoard("bob")[2].frames(); again != f || x.hubs.imaged.Load() == 0 {
			t.Error("encoded twice")
		}
		held := x.hubs.imaged.Load()
		x.apply(x.moves(1))
		second := x.wholeBoard("ann")
		fresh := 0
		for i, p := range second {
			if p != first[i] {
				fresh++
			}
		}
		if now := x.hubs.imaged.Load(); fresh != 1 || now < held-100 || now > held+100 {
			t.Errorf("%d pages of %d are new, %d bytes held, then %d", fresh, len(second), held, now)
		}
		time.Sleep(imageKeep - time.Second)
		x.wholeBoard("ann")
		time.Sleep(imageKeep - time.Second)
		if x.hubs.imaged.Load() == 0 {
			t.Error("dropped too soon")
		}
		time.Sleep(2 * time.Second)
		x.hub.mu.Lock()
		defer x.hub.mu.Unlock()
		if x.hub.images[0] != nil || x.hubs.imaged.Load() != 0 {
			t.Errorf("still held: %d bytes", x.hubs.imaged.Load())
		}
	})
}

// TestImage_PageOfALaterWriter: what is no room's any more is not kept.
func TestImage_PageOfALaterWriter(t *testing.T) {
	t.Parallel()
	x := newBench(t, 0)
	x.hub.mu.Lock()
	old := x.hub.pages(false)
	x.hub.mu.Unlock()
	x.apply(x.moves(1))
	x.wholeBoard("ann")
	held := x.hubs.imaged.Load()
	x.shown(old, "bob")
	if now := x.hubs.imaged.Load(); now != held {
		t.Errorf("%d bytes held, then %d", held, now)
	}
	x.hub.mu.Lock()
	x.hub.dropImages()
	x.hub.mu.Unlock()
	if now := x.hubs.imaged.Load(); now != 0 {
		t.Errorf("%d bytes held of nothing", now)
	}
}

// TestImage_WhatGoesWithItsParent goes, and the other pages stay.
func TestImage_WhatGoesWithItsParent(t *testing.T) {
	t.Parallel()
	x := newBench(t, 0)
	x.apply(x.record(1, func(int) []domain.Change {
		return []domain.Change{put("say", "comment", "text", "Well", "cardId", "c3"), put("list", "checklist", "title", "Do", "cardId", "c3"),
			put("item", "item", "text", "This", "checklistId", "list")}
	}))
	before := x.wholeBoard("ann")
	gone := put("c3", "")
	gone.Patch = nil
	x.apply(x.record(1, func(int) []domain.Change { return []domain.Change{gone} }))
	kept := 0
	for i, p := range x.wholeBoard("ann") {
		if p == before[i] {
			kept++
		}
	}
	if kept != len(before)-4 {
		t.Errorf("%d of %d pages were used again", kept, len(before))
	}
}
