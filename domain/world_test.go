package domain

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"
)

var start = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)

// tester is what *testing.T and *rapid.T have in common here.
type tester interface {
	Helper()
	Fatalf(format string, args ...any)
	Errorf(format string, args ...any)
}

// world is a board with a log. Every command goes the whole way: decided
// twice, stored as JSON, read back, folded.
type world struct {
	t       tester
	board   *Board
	log     [][]byte
	stored  []time.Time
	now     time.Time
	n       int
	seq     uint64
	steps   []Step // of the last commit
	visited int
}

func newWorld(t tester) *world {
	t.Helper()
	w := &world{t: t, board: NewBoard("b"), now: start}
	w.must("ann", `{"entityId":"b","patch":{"kind":"board","title":"Board"}}`)
	return w
}

// withUsers adds a member for each role, named after it.
func (w *world) withUsers() *world {
	w.t.Helper()
	for _, r := range []Role{Viewer, Commenter, Editor, Admin} {
		w.must("ann", fmt.Sprintf(`{"entityId":"member:%s","patch":{"kind":"member","role":%q}}`, r, r))
	}
	return w
}

// columns makes unarchived columns with these ids.
func (w *world) columns(ids ...string) *world {
	w.t.Helper()
	for _, id := range ids {
		w.must("ann", fmt.Sprintf(`{"entityId":%q,"patch":{"kind":"column","title":%q}}`, id, id))
	}
	return w
}

func (w *world) cards(column string, ids ...string) *world {
	w.t.Helper()
	for _, id := range ids {
		w.must("ann", fmt.Sprintf(`{"entityId":%q,"patch":{"kind":"card","title":%q,"columnId":%q}}`, id, id, column))
	}
	return w
}

func (w *world) command(user string, changes ...string) *Command {
	w.t.Helper()
	w.n++
	w.now = w.now.Add(time.Second)
	cmd := &Command{ID: fmt.Sprintf("m%d", w.n), Board: "b", Op: OpMutate, User: user,
		ReceivedAt: w.now.Add(-time.Millisecond), Deadline: w.now.Add(4 * time.Second)}
	if err := json.Unmarshal([]byte("["+strings.Join(changes, ",")+"]"), &cmd.Changes); err != nil {
		w.t.Fatalf("changes %s: %v", changes, err)
	}
	return cmd
}

// do sends changes and gives the decision as the log has it.
func (w *world) do(user string, changes ...string) *Decision {
	w.t.Helper()
	return w.run(w.command(user, changes...))
}

func (w *world) run(cmd *Command) *Decision {
	w.t.Helper()
	before := w.snapshot()
	d := Decide(w.board, cmd, w.now)
	again := Decide(w.board, cmd, w.now)
	if a, b := encoded(w.t, d), encoded(w.t, again); !bytes.Equal(a, b) {
		w.t.Fatalf("Decide gave two answers:\n%s\n%s", a, b)
	}
	if !bytes.Equal(before, w.snapshot()) {
		w.t.Fatalf("Decide changed the board")
	}
	return w.store(d)
}

// store appends a commit of the decisions and folds it.
func (w *world) store(ds ...Decision) *Decision {
	w.t.Helper()
	_, prev, _ := w.board.Head()
	c := &Commit{V: CommitVersion, Board: w.board.ID(), Prev: prev, At: ds[len(ds)-1].At, Decisions: ds}
	data, hash, err := c.Encode()
	if err != nil {
		w.t.Fatalf("encode: %v", err)
	}
	read, _, err := DecodeCommit(data)
	if err != nil {
		w.t.Fatalf("decode: %v", err)
	}
	w.seq += 3
	w.steps = nil
	if err := w.board.Apply(read, hash, w.seq, c.At, func(s Step) { w.steps = append(w.steps, s) }); err != nil {
		w.t.Fatalf("apply: %v", err)
	}
	w.log, w.stored = append(w.log, data), append(w.stored, c.At)
	return &read.Decisions[len(read.Decisions)-1]
}

// must is do for what is accepted.
func (w *world) must(user string, changes ...string) *Decision {
	w.t.Helper()
	d := w.do(user, changes...)
	if d.Rejection != nil {
		w.t.Fatalf("%s %s: %v %v", user, changes, d.Rejection, d.Rejection.Details)
	}
	return d
}

// refused is do for what is refused with this code and these details; it gives
// the rest of the details.
func (w *world) refused(code Code, details string, user string, changes ...string) Details {
	w.t.Helper()
	d := w.do(user, changes...)
	return w.check(d, code, details)
}

func (w *world) check(d *Decision, code Code, details string) Details {
	w.t.Helper()
	if d.Rejection == nil {
		w.t.Fatalf("accepted with %v, want %s", types(d), code)
	}
	if d.Rejection.Code != code {
		w.t.Fatalf("refused with %v %v, want %s", d.Rejection, d.Rejection.Details, code)
	}
	var want Details
	if err := json.Unmarshal([]byte("{"+details+"}"), &want); err != nil {
		w.t.Fatalf("%s: %v", details, err)
	}
	got := maps.Clone(d.Rejection.Details)
	for name, v := range want {
		if a, b := encoded(w.t, got[name]), encoded(w.t, v); !bytes.Equal(a, b) {
			w.t.Fatalf("detail %s of %s is %s, want %s", name, d.Rejection, a, b)
		}
		delete(got, name)
	}
	return got
}

// get gives an entity that must be there.
func (w *world) get(id string) *Entity {
	w.t.Helper()
	e := w.board.Get(id)
	if e == nil {
		w.t.Fatalf("no entity %q", id)
	}
	return e
}

// order gives the ids of the unarchived siblings in order.
func (w *world) order(parent string, kind Kind) string {
	var ids []string
	for e := range w.board.All() {
		if e.Kind == kind && e.Parent() == parent && !e.Fields.Bool("archived") {
			ids = append(ids, e.ID)
		}
	}
	return strings.Join(ids, " ")
}

func (w *world) snapshot() []byte {
	w.t.Helper()
	data, err := w.board.Snapshot()
	if err != nil {
		w.t.Fatalf("snapshot: %v", err)
	}
	return data
}

func encoded(t tester, v any) []byte {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatalf("encode: %v", err)
	}
	return data
}

// types gives the types of a decision's events.
func types(d *Decision) string {
	var list []string
	for _, ev := range d.Events {
		list = append(list, ev.Type)
	}
	return strings.Join(list, " ")
}

func wantEqual[T comparable](t tester, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func TestNewBoardHasItsMakerAsAdmin(t *testing.T) {
	w := &world{t: t, board: NewBoard("b"), now: start}
	w.refused(NotFound, `"entityId":"b"`, "ann", `{"entityId":"c","patch":{"kind":"column","title":"c"}}`)
	cmd := w.command("ann", `{"entityId":"b","patch":{"kind":"board","title":"  Plans "}}`)
	cmd.Name, cmd.Picture = "Ann\u202e", "https://example.org/a.png"
	d := w.run(cmd)
	wantEqual(t, "events", types(d), "board.created member.added")
	wantEqual(t, "title", w.get("b").Fields.String("title"), "Plans")
	m := w.get("member:ann")
	wantEqual(t, "member", string(encoded(t, m.Fields)), `{"avatar":"https://example.org/a.png","name":"Ann","role":"admin","user":"ann"}`)
	wantEqual(t, "role", w.board.RoleOf("ann", ""), Admin)
	wantEqual(t, "exists", w.board.Exists(), true)
}

func TestBoardWalksParentsBeforeChildren(t *testing.T) {
	w := newWorld(t).columns("c1", "c2").cards("c1", "k1", "k2").cards("c2", "k3")
	w.must("ann", `{"entityId":"l","patch":{"kind":"checklist","cardId":"k1"}}`)
	w.must("ann", `{"entityId":"i","patch":{"kind":"item","checklistId":"l","text":"x"}}`)
	w.must("ann", `{"entityId":"k2","patch":{"position":{"after":null}}}`)
	var ids []string
	for e := range w.board.All() {
		ids = append(ids, e.ID)
	}
	wantEqual(t, "order", strings.Join(ids, " "), "b member:ann c1 k2 k1 l i c2 k3")
	wantEqual(t, "count", w.board.Len(), len(ids))
}
