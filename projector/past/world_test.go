package past

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/eventlog"
	"github.com/snapback-io/snapback/eventlog/logtest"
)

const board = "b"

// tester is what *testing.T and *rapid.T have.
type tester interface {
	Helper()
	Fatalf(format string, args ...any)
}

// appender is what histories are written to.
type appender interface {
	Keeper
	Append(ctx context.Context, board string, data []byte, hash domain.Hash, expected uint64) (uint64, error)
	Get(ctx context.Context, board string, seq uint64) (eventlog.Record, error)
}

// world writes a history, as workers do.
type world struct {
	tester
	ctx  context.Context
	log  appender
	dice *rand.Rand
	b    *domain.Board
	now  time.Time
	n    int

	batch []domain.Decision // of the next record
}

func newWorld(t tester, ctx context.Context, log appender, seed uint64) *world {
	return &world{tester: t, ctx: ctx, log: log, dice: rand.New(rand.NewPCG(seed, 1)), b: domain.NewBoard(board),
		now: time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)}
}

// fakeWorld is one on a log in memory.
func fakeWorld(t tester, ctx context.Context, seed uint64) (*world, *logtest.Log) {
	log := logtest.New(logtest.Config{Seed: seed, Faults: logtest.Faults{NoClock: true}})
	return newWorld(t, ctx, log, seed), log
}

// decide takes one command into the next record.
func (w *world) decide(user string, op domain.Op, im *domain.Import, changes ...domain.Change) *domain.Decision {
	w.Helper()
	w.n++
	cmd := &domain.Command{ID: fmt.Sprint("m", w.n), Board: board, Op: op, User: user, Grant: domain.GrantOpen,
		ReceivedAt: w.now, Deadline: w.now.Add(time.Minute), Changes: changes, Import: im}
	d := domain.Decide(w.b, cmd, w.now)
	if err := w.b.Fold(&d); err != nil {
		w.Fatalf("fold: %v", err)
	}
	w.batch = append(w.batch, d)
	return &w.batch[len(w.batch)-1]
}

// do is decide and store, and must be accepted.
func (w *world) do(user, entity string, patch domain.Patch) *domain.Decision {
	w.Helper()
	d := *w.decide(user, domain.OpMutate, nil, domain.Change{EntityID: entity, Patch: patch})
	if d.Rejection != nil {
		w.Fatalf("%s of %s: %v", entity, user, d.Rejection)
	}
	w.store()
	w.now = w.now.Add(time.Second)
	return &d
}

func (w *world) commit() *domain.Commit {
	_, prev, _ := w.b.Head()
	return &domain.Commit{V: domain.CommitVersion, Board: board, Prev: prev, At: w.batch[len(w.batch)-1].At, Decisions: w.batch}
}

// store appends what was decided as one record.
func (w *world) store() {
	w.Helper()
	c := w.commit()
	seq, hash := w.append(c)
	if err := w.b.Settle(c, hash, seq); err != nil {
		w.Fatalf("settle: %v", err)
	}
	w.batch = nil
}

func (w *world) append(c *domain.Commit) (uint64, domain.Hash) {
	w.Helper()
	data, hash, err := c.Encode()
	if err != nil {
		w.Fatalf("encode: %v", err)
	}
	last, _, _ := w.b.Head()
	seq, err := w.log.Append(w.ctx, board, data, hash, last)
	if err != nil {
		w.Fatalf("append: %v", err)
	}
	return seq, hash
}

// storeVoid appends a void record of what was decided, and decides it anew,
// later, or nobody does.
func (w *world) storeVoid() {
	w.Helper()
	c := w.commit()
	for i := range c.Decisions { // by a clock that is ahead
		c.Decisions[i].At = c.Decisions[i].At.Add(3 * time.Millisecond)
	}
	c.NotAfter = c.At.Add(-time.Millisecond)
	seq, hash := w.append(c)
	w.b = mustLoad(w, w.log, seq-1)
	if err := w.b.Apply(c, hash, seq, c.At, nil); err != nil {
		w.Fatalf("void: %v", err)
	}
	again := w.batch
	w.batch = nil
	if w.dice.IntN(2) == 0 {
		return
	}
	w.now = w.now.Add(time.Millisecond)
	for i := range again {
		w.decide(again[i].User, again[i].Op, again[i].Import, again[i].Changes...)
	}
	w.store()
}

func mustLoad(w *world, log appender, to uint64) *domain.Board {
	w.Helper()
	b := domain.NewBoard(board)
	for r, err := range log.Read(w.ctx, board, 1, max(to, 1)) {
		if err != nil {
			w.Fatalf("read: %v", err)
		}
		if r.Seq > to {
			break
		}
		if err := b.Apply(r.Commit, r.Hash, r.Seq, r.Time, nil); err != nil {
			w.Fatalf("apply: %v", err)
		}
	}
	return b
}

// make writes the board with its admin, ann, three columns and some cards: 5
// revs and one for each card.
func (w *world) make(cards int) {
	w.Helper()
	w.do("ann", board, domain.Patch{"kind": "board", "title": "Board"})
	for _, id := range []string{"todo", "doing", "done"} {
		w.do("ann", id, domain.Patch{"kind": "column", "title": strings.ToUpper(id[:1]) + id[1:]})
	}
	for i := range cards {
		w.do("ann", fmt.Sprint("c", i), domain.Patch{"kind": "card", "title": fmt.Sprint("Card ", i), "columnId": "todo"})
	}
}

// random writes so many records of random decisions, several in one, some void.
func (w *world) random(records int) {
	w.Helper()
	for range records {
		for range 1 + w.dice.IntN(4) {
			changes := []domain.Change{w.aChange()}
			for w.dice.IntN(3) == 0 {
				changes = append(changes, w.aChange())
			}
			w.decide(w.pick("ann", "bob", "eve"), domain.OpMutate, nil, changes...)
			w.now = w.now.Add(time.Duration(w.dice.IntN(3)) * time.Millisecond)
		}
		if w.dice.IntN(8) == 0 {
			w.storeVoid()
		} else {
			w.store()
		}
	}
}

func (w *world) pick(of ...string) string { return of[w.dice.IntN(len(of))] }

// some gives the id of any entity of a kind, "" if there is none.
func (w *world) some(kind domain.Kind) string {
	var of []string
	for e := range w.b.All() {
		if e.Kind == kind {
			of = append(of, e.ID)
		}
	}
	if len(of) == 0 {
		return ""
	}
	return of[w.dice.IntN(len(of))]
}

var kinds = []domain.Kind{domain.KindCard, domain.KindCard, domain.KindCard, domain.KindColumn, domain.KindLabel, domain.KindChecklist,
	domain.KindItem, domain.KindComment, domain.KindMember, domain.KindFile, domain.KindBoard}

func (w *world) aChange() domain.Change {
	kind := kinds[w.dice.IntN(len(kinds))]
	patch := domain.Patch{}
	id := board
	switch kind {
	case domain.KindBoard:
	case domain.KindMember:
		if id = domain.MemberPrefix + w.pick("bob", "eve"); w.b.Get(id) == nil {
			patch["kind"] = string(kind)
		}
	default:
		if id = w.some(kind); id == "" || w.dice.IntN(4) == 0 {
			id = fmt.Sprint(kind, w.n)
			patch["kind"] = string(kind)
		}
	}
	if patch["kind"] == nil && kind != domain.KindBoard && w.dice.IntN(8) == 0 {
		return domain.Change{EntityID: id}
	}
	text := w.pick("x", "y", "z")
	switch kind {
	case domain.KindMember:
		patch["role"] = w.pick("editor", "viewer", "admin")
	case domain.KindLabel, domain.KindFile:
		patch["name"] = text
		if kind == domain.KindFile && patch["kind"] != nil {
			patch["url"] = "https://example.org/" + text
		}
	case domain.KindComment, domain.KindItem:
		patch["text"] = text
	default:
		patch["title"] = text
	}
	w.hang(kind, patch)
	return domain.Change{EntityID: id, Patch: patch}
}

// hang adds to a patch what is of its kind only.
func (w *world) hang(kind domain.Kind, patch domain.Patch) {
	made := patch["kind"] != nil
	if parent := domain.ParentField(kind); parent != "" && (made || w.dice.IntN(3) == 0 && kind != domain.KindComment) {
		patch[parent] = w.some(map[string]domain.Kind{"columnId": domain.KindColumn, "cardId": domain.KindCard, "checklistId": domain.KindChecklist}[parent])
	}
	switch kind {
	case domain.KindCard, domain.KindColumn, domain.KindItem, domain.KindChecklist:
		switch w.dice.IntN(4) {
		case 0: // so long that the next one respaces the list
			patch["position"] = "a0" + strings.Repeat("0", domain.MaxPosition-3) + w.pick("1", "2")
		case 1:
			patch["position"] = domain.Place{HasAfter: true}
		}
	}
	if kind != domain.KindCard {
		return
	}
	if w.dice.IntN(2) == 0 {
		patch["liked"] = w.dice.IntN(2) == 0
	}
	switch w.dice.IntN(4) {
	case 0:
		patch["assignees"] = domain.SetChange{Add: []string{w.pick("ann", "bob", "eve")}, Remove: []string{w.pick("ann", "bob", "eve")}}
	case 1:
		patch["assignees"] = []string{w.pick("ann", "bob")}
	case 2:
		patch["description"] = []any{nil, "d", "e"}[w.dice.IntN(3)]
	}
	if w.dice.IntN(6) == 0 {
		patch["assignees"] = nil
	}
	if !made && w.dice.IntN(5) == 0 {
		patch["archived"] = w.dice.IntN(3) == 0
	}
}

// state is a board as text, to be compared.
func state(b *domain.Board) string {
	sum := b.StateHash()
	return fmt.Sprintf("%d %x", b.Rev(), sum)
}

// every gives the board after each mutation, from scratch, by calling fn with
// it. It must not be kept.
func (w *world) every(fn func(b *domain.Board, d *domain.Decision)) {
	w.Helper()
	head, _ := w.log.Head(w.ctx, board)
	b := domain.NewBoard(board)
	for r, err := range w.log.Read(w.ctx, board, 1, head) {
		if err != nil {
			w.Fatalf("read: %v", err)
		}
		if r.Void() {
			if err := b.Apply(r.Commit, r.Hash, r.Seq, r.Time, nil); err != nil {
				w.Fatalf("void: %v", err)
			}
			continue
		}
		for i := range r.Commit.Decisions {
			if err := b.Fold(&r.Commit.Decisions[i]); err != nil {
				w.Fatalf("fold: %v", err)
			}
			fn(b, &r.Commit.Decisions[i])
		}
		if err := b.Settle(r.Commit, r.Hash, r.Seq); err != nil {
			w.Fatalf("settle: %v", err)
		}
	}
}

// snapshots puts past snapshots at random records; some are damaged or lie.
func (w *world) snapshots(n int) {
	w.Helper()
	head, _ := w.log.Head(w.ctx, board)
	for range n {
		b := mustLoad(w, w.log, 1+w.dice.Uint64N(head))
		still, err := b.Still()
		if err != nil {
			w.Fatalf("still: %v", err)
		}
		snap, err := eventlog.PastOf(still, nil)
		if err != nil {
			w.Fatalf("snapshot: %v", err)
		}
		switch w.dice.IntN(5) {
		case 0:
			snap.Data = snap.Data[:len(snap.Data)/2]
		case 1:
			snap.Hash[0]++
		case 2: // of another life of the log: the same sequence, another record
			other, _ := fakeWorld(w, w.ctx, w.dice.Uint64())
			other.make(1)
			for seq, _, _ := other.b.Head(); seq < snap.Seq; seq++ {
				other.do("ann", board, domain.Patch{"title": fmt.Sprint("Other ", seq)})
			}
			still, _ := mustLoad(other, other.log, max(snap.Seq, 1)).Still()
			snap, _ = eventlog.PastOf(still, nil)
		}
		if err := w.log.PutPast(w.ctx, board, snap); err != nil {
			w.Fatalf("put: %v", err)
		}
	}
}
