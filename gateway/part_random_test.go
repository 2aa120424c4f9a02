package gateway

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/gorilla/websocket"
	"github.com/oklog/ulid/v2"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/projector"
)

// entities are what somebody holds of a board, by id, as they came.
type entities map[string]map[string]any

// naive is a client that takes frames as PROTOCOL.md says and does nothing else.
type naive struct {
	*socket
	gate    chan struct{} // holds a token while it reads
	out     chan string   // what it sends; the server may let it wait
	held    entities
	waiting []frame // syncs with more
	at      uint64  // where it resumes
	settled bool    // it holds what it should as of at
	loads   int
}

func (w *world) naive(user string, query ...string) *naive {
	w.t.Helper()
	n := &naive{socket: w.connectRaw("/"+board+"?user="+user+"&"+strings.Join(query, "&"), nil), gate: make(chan struct{}, 1), out: make(chan string, 1000), held: entities{}}
	n.part = slices.Contains(query, "part=open")
	n.frames = make(chan frame, 5000) // most of them are never as full as most sockets may be
	n.gate <- struct{}{}
	go n.readGated()
	go func() {
		for text := range n.out {
			_ = n.ws.WriteMessage(websocket.TextMessage, []byte(text))
		}
	}()
	w.t.Cleanup(func() { close(n.out) })
	return n
}

// readGated reads while it is let.
func (n *naive) readGated() {
	defer close(n.frames)
	for {
		<-n.gate
		n.gate <- struct{}{}
		_, data, err := n.ws.ReadMessage()
		if err != nil {
			return
		}
		f := frame{raw: string(data)}
		if err := json.Unmarshal(data, &f); err != nil {
			n.t.Errorf("not JSON: %s", data)
		}
		n.frames <- f
	}
}

func (n *naive) take(f frame) {
	n.t.Helper()
	n.law1(f)
	switch f.Type {
	case "hello":
		if n.settled = false; !f.Resumed {
			clear(n.held)
		}
	case "lag":
		n.settled = false
	case "ready":
		n.at, n.settled = f.Rev, true
	case "sync":
		n.waiting = append(n.waiting, f)
		if f.More {
			n.settled = n.settled && len(n.waiting) == 0
			return
		}
		for _, f := range n.waiting {
			n.confirm(f.Entity)
		}
		n.waiting = nil
		if n.live {
			n.at, n.settled = f.Rev, true
		}
	case "loaded":
		for _, e := range f.Entities {
			n.confirm(e)
		}
	case "error":
		n.t.Errorf("%s", f)
	}
}

func (n *naive) confirm(e map[string]any) {
	id := e["id"].(string)
	if e["deleted"] == true {
		n.held.drop(id)
		return
	}
	if old := n.held[id]; old == nil || old["rev"].(float64) <= e["rev"].(float64) {
		n.held[id] = e
	}
}

// drop takes away an entity that is held, and what hangs on it.
func (h entities) drop(id string) {
	if h[id] == nil {
		return
	}
	delete(h, id)
	for other, e := range h {
		if e["cardId"] == id || e["checklistId"] == id {
			h.drop(other)
		}
	}
}

func (h entities) archived(id any) bool {
	e, ok := h[fmt.Sprint(id)]
	return ok && e["archived"] == true
}

// shown says whether an entity is of the open part.
func (h entities) shown(e map[string]any) bool {
	switch e["kind"] {
	case "comment":
		return false
	case "column":
		return e["archived"] != true
	case "card":
		return e["archived"] != true && !h.archived(e["columnId"])
	case "checklist", "file":
		card := h[fmt.Sprint(e["cardId"])]
		return card == nil || h.shown(card)
	case "item":
		return h.shown(h[e["checklistId"].(string)])
	}
	return true
}

// check wants held to be what one must hold of the open part of whole, and
// nothing else that is not as it is there.
func (h entities) check(whole entities) error {
	for id, e := range whole {
		if whole.shown(e) && h[id] == nil {
			return fmt.Errorf("%s %s is not held", e["kind"], id)
		}
	}
	comments := map[any]float64{}
	for _, e := range whole {
		if e["kind"] == "comment" {
			comments[e["cardId"]]++
		}
	}
	for id, e := range h {
		now := whole[id]
		if now == nil {
			return fmt.Errorf("%s %s is held and gone", e["kind"], id)
		}
		if e["kind"] == "card" {
			now = maps.Clone(now)
			now["comments"] = comments[id]
		}
		if !reflect.DeepEqual(e, now) {
			return fmt.Errorf("held is %v\nand should be %v", e, now)
		}
	}
	return nil
}

// page is what a load should give of whole: the entities' ids and the rest.
func (h entities) page(card string, last map[string]any) (ids []string, more bool) {
	key, most := "createdRev", 50
	var list []map[string]any
	switch {
	case card == "":
		key, most = "rev", 100
		for id, e := range h {
			if e["kind"] == "column" && e["archived"] == true && last == nil {
				ids = append(ids, id)
			}
			if e["kind"] == "card" && !h.shown(e) {
				list = append(list, e)
			}
		}
	case h[card] == nil || h[card]["kind"] != "card":
		return nil, false
	default:
		ids = append(ids, card)
		for id, e := range h {
			under := e["cardId"] == card || e["kind"] == "item" && h[e["checklistId"].(string)]["cardId"] == card
			switch {
			case under && e["kind"] == "comment":
				list = append(list, e)
			case under && last == nil && !h.shown(h[card]):
				ids = append(ids, id)
			}
		}
	}
	newer := func(a, b map[string]any) int {
		if a[key] != b[key] {
			return int(b[key].(float64) - a[key].(float64))
		}
		return strings.Compare(b["id"].(string), a["id"].(string))
	}
	slices.SortFunc(list, newer)
	slices.Sort(ids)
	for _, e := range list {
		if last != nil && newer(last, e) >= 0 {
			continue
		}
		if most--; most < 0 {
			return ids, true
		}
		ids = append(ids, e["id"].(string))
	}
	return ids, false
}

// parts drives a board at random and holds one who watches the open part
// against one who watches all of it.
type parts struct {
	*testing.T
	w     *world
	rng   *rand.Rand
	whole *naive
	open  *naive
	query string
	asked map[int]asked       // by id of a load
	was   map[uint64]entities // the board as of each rev
	n     int
	lags, resumes, pages, checks,
	extras int
}

type asked struct {
	card string
	last map[string]any // of the page before
}

// settle takes what has come and checks every state on the way.
func (x *parts) settle() {
	x.Helper()
	x.settleWhole()
	for len(x.open.frames) > 0 {
		f := <-x.open.frames
		x.open.take(f)
		switch {
		case f.Type == "lag":
			x.lags++
		case f.Type == "hello" && f.Resumed:
			x.resumes++
		case f.Type == "sync" && x.open.live && f.Event == "":
			x.extras++
		case f.Type == "loaded":
			x.loaded(f)
		}
		if x.open.settled {
			x.checks++
			if err := x.open.held.check(x.was[x.open.at]); err != nil {
				x.Fatalf("at rev %d after %s:\n%v", x.open.at, f, err)
			}
		}
	}
}

// loaded checks a page, and asks for the next one.
func (x *parts) loaded(f frame) {
	x.Helper()
	x.pages++
	if f.Rev != x.open.at || !x.open.settled {
		x.Fatalf("a page as of rev %d, what came before it goes to %d", f.Rev, x.open.at)
	}
	ask := x.asked[f.LoadID]
	var got []string
	for _, e := range f.Entities {
		got = append(got, e["id"].(string))
	}
	want, more := x.was[f.Rev].page(ask.card, ask.last)
	first := len(got)
	for i, e := range f.Entities { // columns, or the card and what else hangs on it, in any order
		if ask.card == "" && e["kind"] == "card" || ask.card != "" && e["kind"] == "comment" {
			first = i
			break
		}
	}
	slices.Sort(got[:first])
	if !slices.Equal(got, want) || more != (f.Before != "") {
		x.Fatalf("page of %q is %v, more %q, should be %v, more %v", ask.card, got, f.Before, want, more)
	}
	if more {
		x.load(asked{ask.card, f.Entities[len(f.Entities)-1]}, f.Before)
	}
}

func (x *parts) load(ask asked, before string) {
	x.open.loads++
	x.asked[x.open.loads] = ask
	what := `"archive":true`
	if ask.card != "" {
		what = fmt.Sprintf(`"card":%q`, ask.card)
	}
	if before != "" {
		what += fmt.Sprintf(`,"before":%q`, before)
	}
	x.open.out <- fmt.Sprintf(`{"type":"load","id":%d,%s}`, x.open.loads, what)
}

// any is the id of some entity of the kind, or of none.
func (x *parts) any(kind string) string {
	var ids []string
	for id, e := range x.whole.held {
		if e["kind"] == kind {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 || x.rng.IntN(30) == 0 {
		return "nothing"
	}
	slices.Sort(ids)
	return ids[x.rng.IntN(len(ids))]
}

func (x *parts) change() domain.Change {
	x.n++
	fresh := fmt.Sprint("e", x.n)
	gone := func(id string) domain.Change { return domain.Change{EntityID: id} }
	switch x.rng.IntN(22) {
	case 0:
		return put(fresh, "column", "title", "Column")
	case 1, 2:
		return put(fresh, "card", "title", "Card", "columnId", x.any("column"))
	case 3, 4, 5:
		return put(x.any("card"), "", "columnId", x.any("column"))
	case 6, 7:
		return put(x.any("card"), "", "archived", x.rng.IntN(3) == 0)
	case 8, 9:
		return put(x.any("column"), "", "archived", x.rng.IntN(3) == 0)
	case 10, 11, 12:
		return put(fresh, "comment", "text", strings.Repeat("Text ", x.rng.IntN(200)+1), "cardId", x.any("card"))
	case 13:
		return put(x.any("comment"), "", "text", fmt.Sprint("Text ", x.n))
	case 14:
		return gone(x.any([]string{"comment", "comment", "item", "checklist", "file", "card", "column"}[x.rng.IntN(7)]))
	case 15:
		return put(fresh, "checklist", "title", "List", "cardId", x.any("card"))
	case 16:
		return put(fresh, "item", "text", "Item", "checklistId", x.any("checklist"))
	case 17:
		return put(x.any("checklist"), "", "cardId", x.any("card"))
	case 18:
		return put(x.any("item"), "", "checklistId", x.any("checklist"))
	case 19:
		return put(fresh, "file", "name", fresh, "url", "https://example.com/"+fresh, "cardId", x.any("card"))
	case 20:
		return put(x.any("column"), "", "title", fmt.Sprint("Column ", x.n))
	}
	return put(x.any("card"), "", "liked", x.rng.IntN(2) == 0)
}

func (x *parts) try(changes ...domain.Change) {
	x.Helper()
	x.w.try(ulid.Make().String(), []string{"ada", "ada", "bob"}[x.rng.IntN(3)], changes...)
}

func (x *parts) step() {
	x.Helper()
	switch r := x.rng.IntN(40); {
	case r == 0: // come again, from where it was or afresh
		x.open.ws.Close()
		synctest.Wait()
		query := "part=open"
		x.busy(x.rng.IntN(8))
		old := x.open
		if x.rng.IntN(4) > 0 {
			query = fmt.Sprintf("part=open&since=%d&epoch=%s", old.at, old.epoch)
		}
		x.open = x.w.naive("bob", query)
		x.open.part, x.open.epoch = true, old.epoch
		x.open.held, x.open.at = old.held, old.at
	case r == 1: // stop reading for a while
		<-x.open.gate
		for range x.rng.IntN(4) {
			x.busy(x.rng.IntN(12))
			x.load(asked{card: x.any("card")}, "")
		}
		x.open.gate <- struct{}{}
	case r == 2: // the room loads its board again
		x.reload()
	case r < 6:
		x.load(asked{card: x.any("card")}, "")
	case r < 8:
		x.load(asked{}, "")
	default:
		var changes []domain.Change
		for range 1 + x.rng.IntN(3)/2 {
			changes = append(changes, x.change())
		}
		x.try(changes...)
	}
	x.settle()
}

// busy makes some changes of which only who watches the whole board is told
// at once.
func (x *parts) busy(changes int) {
	x.Helper()
	for range changes {
		if x.rng.IntN(15) == 0 {
			x.reload()
		}
		x.try(x.change())
		x.settleWhole()
	}
}

// reload has the room load its board again.
func (x *parts) reload() {
	x.Helper()
	h, err := x.w.hubs.open(x.Context(), board)
	if err != nil {
		x.Fatal(err)
	}
	defer h.release()
	var b *domain.Board
	h.read(func(v *projector.View) { b = v.Board() })
	h.Load(projector.NewView(b))
}

func (x *parts) settleWhole() {
	x.Helper()
	synctest.Wait()
	for len(x.whole.frames) > 0 {
		f := <-x.whole.frames
		if x.whole.take(f); x.whole.settled {
			x.was[x.whole.at] = maps.Clone(x.whole.held)
		}
	}
}

// TestPartOpen_HoldsTheOpenPart: whatever happens, at every rev who watches the
// open part holds it, and what else he holds is as it is; over loads,
// reconnects and lags. What a load gives is what is left out.
func TestPartOpen_HoldsTheOpenPart(t *testing.T) {
	for seed := range uint64(8) {
		t.Run(fmt.Sprint("seed", seed), func(t *testing.T) {
			t.Parallel()
			inBubble(t, options{cfg: Config{QueueBytes: 4 << 10}}, func(t *testing.T, w *world) {
				x := &parts{T: t, w: w, rng: rand.New(rand.NewPCG(seed, 7)), asked: map[int]asked{}, was: map[uint64]entities{}}
				w.demo()
				x.whole, x.open = w.naive("bob"), w.naive("bob", "part=open")
				x.settle()
				for range 500 {
					x.step()
				}
				t.Logf("%d revs, %d checks, %d resumes, %d lags, %d pages, %d syncs beside events", x.whole.at, x.checks, x.resumes, x.lags, x.pages, x.extras)
				if x.checks < 250 || x.resumes < 2 || x.lags < 2 || x.pages < 20 || x.extras < 20 {
					t.Error("too little has happened")
				}
			})
		})
	}
}
