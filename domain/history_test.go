package domain

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"
)

func changedIDs(t *testing.T, b *Board, since uint64) string {
	t.Helper()
	list, ok := b.ChangedSince(since)
	if !ok {
		return "afresh"
	}
	var ids []string
	for _, e := range list {
		id := e.ID
		if e.Deleted {
			id = "-" + id
		}
		ids = append(ids, id)
	}
	return strings.Join(ids, " ")
}

func TestChangedSinceGivesWhatChangedAndNothingElse(t *testing.T) {
	t.Parallel()
	w := newWorld(t).columns("c", "d").cards("c", "k1", "k2")
	w.must("ann", `{"entityId":"l","patch":{"kind":"checklist","cardId":"k1"}}`)
	at := w.board.Rev()
	wantEqual(t, "nothing", changedIDs(t, w.board, at), "")
	wantEqual(t, "beyond", changedIDs(t, w.board, at+1), "afresh")
	wantEqual(t, "all", changedIDs(t, w.board, 0), "b member:ann c d k1 k2 l")
	w.must("ann", `{"entityId":"l","patch":{"cardId":"k2"}}`)
	w.must("ann", `{"entityId":"k1","patch":null}`)
	w.must("ann", `{"entityId":"i","patch":{"kind":"item","checklistId":"l","text":"x"}}`)
	w.must("ann", `{"entityId":"l","patch":{"title":"x"}}`)
	w.must("ann", `{"entityId":"e","patch":{"kind":"column","title":"x"}}`)
	wantEqual(t, "what moved away before the parent it left", changedIDs(t, w.board, at), "e l i -k1")
}

func TestChangedSinceBuriesWhatMovedBeforeItWent(t *testing.T) {
	t.Parallel()
	w := newWorld(t).columns("c").cards("c", "k1", "k2")
	w.must("ann", `{"entityId":"l","patch":{"kind":"checklist","cardId":"k1"}}`, `{"entityId":"i","patch":{"kind":"item","checklistId":"l","text":"x"}}`,
		`{"entityId":"stays","patch":{"kind":"checklist","cardId":"k2"}}`)
	at := w.board.Rev()
	w.must("ann", `{"entityId":"l","patch":{"cardId":"k2"}}`)
	w.must("ann", `{"entityId":"k2","patch":null}`)
	wantEqual(t, "a reader who has it on k1", changedIDs(t, w.board, at), "-k2 -l")
	wantEqual(t, "live only the parent", len(w.steps[0].Entities), 1)
}

// TestWhatWentWithItsParentIsGoneForGood: were its id used again, a reader who
// missed the deletion would keep what hung on the first that had it.
func TestWhatWentWithItsParentIsGoneForGood(t *testing.T) {
	t.Parallel()
	w := newWorld(t).columns("c").cards("c", "k1", "k2")
	w.must("ann", `{"entityId":"l","patch":{"kind":"checklist","cardId":"k1"}}`, `{"entityId":"i","patch":{"kind":"item","checklistId":"l","text":"x"}}`,
		`{"entityId":"m","patch":{"kind":"comment","cardId":"k1","text":"x"}}`)
	at := w.board.Rev()
	w.must("ann", `{"entityId":"k1","patch":null}`)
	for _, again := range []string{`{"entityId":"l","patch":{"kind":"checklist","cardId":"k2"}}`, `{"entityId":"i","patch":{"kind":"label"}}`, `{"entityId":"m","patch":{"kind":"label"}}`} {
		w.refused(NotFound, "", "ann", again)
	}
	wantEqual(t, "told", changedIDs(t, w.board, at), "-k1")
	b, err := LoadSnapshot(w.snapshot())
	if err != nil {
		t.Fatal(err)
	}
	wantEqual(t, "told after a snapshot", changedIDs(t, b, at), "-k1")
	d := Decide(b, w.command("ann", `{"entityId":"l","patch":{"kind":"checklist","cardId":"k2"}}`), w.now)
	wantEqual(t, "after a snapshot", d.Rejection != nil && d.Rejection.Code == NotFound, true)
}

func TestMemberWhoComesBackHasNoTombstone(t *testing.T) {
	t.Parallel()
	w := newWorld(t).withUsers()
	at := w.board.Rev()
	w.must("ann", `{"entityId":"member:viewer","patch":null}`)
	wantEqual(t, "gone", changedIDs(t, w.board, at), "-member:viewer")
	w.must("ann", `{"entityId":"member:viewer","patch":{"kind":"member","role":"editor"}}`)
	wantEqual(t, "back", changedIDs(t, w.board, at), "member:viewer")
	wantEqual(t, "tombstones", len(w.board.recent.tombs), 0)
	wantEqual(t, "made anew", w.get("member:viewer").CreatedRev, w.board.Rev())
}

func TestTombstonesAndTheirFloor(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.must("ann", `{"entityId":"x","patch":{"kind":"label"}}`)
	w.must("ann", `{"entityId":"x","patch":null}`)
	gone := w.board.Rev()
	label := func(i int) string { return fmt.Sprintf(`{"entityId":"b","patch":{"description":"%d"}}`, i) }
	for w.board.Rev() < gone+TombstoneRevs-1 {
		var changes []string
		for i := range min(100, int(gone+TombstoneRevs-1-w.board.Rev())) {
			changes = append(changes, label(i))
		}
		w.log = nil
		w.must("ann", changes...)
	}
	wantEqual(t, "still known", changedIDs(t, w.board, gone-1), "b -x")
	w.refused(NotFound, `"entityId":"x"`, "ann", `{"entityId":"x","patch":{"kind":"label"}}`)
	w.must("ann", label(-1))
	wantEqual(t, "below the floor", changedIDs(t, w.board, gone-1), "afresh")
	wantEqual(t, "at the floor", changedIDs(t, w.board, gone), "b")
	wantEqual(t, "forgotten", len(w.board.recent.tombs), 0)
	if n := len(w.board.recent.revs); n > 2*TombstoneRevs+2048 {
		t.Errorf("%d revisions are kept", n)
	}
	again, err := LoadSnapshot(w.snapshot())
	if err != nil {
		t.Fatal(err)
	}
	wantEqual(t, "after a snapshot", changedIDs(t, again, gone-1)+changedIDs(t, again, gone), "afreshb")
}

func TestDecidedForTenMinutes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first := w.must("ann", `{"entityId":"x","patch":{"kind":"label"}}`)
	seq := w.seq
	refused := w.do("ann", `{"entityId":"nope","patch":null}`)
	known := func(id string) uint64 {
		n, ok := w.board.Decided("ann", id)
		if !ok {
			return 0
		}
		return n
	}
	wantEqual(t, "accepted", known(first.ID), seq)
	wantEqual(t, "refused", known(refused.ID), w.seq)
	if _, ok := w.board.Decided("bob", first.ID); ok {
		t.Error("another user's id is known")
	}
	wantEqual(t, "since", w.board.DecidedSince().IsZero(), true)
	w.now = first.At.Add(DecidedFor - time.Second)
	next := w.must("ann", `{"entityId":"b","patch":{}}`)
	wantEqual(t, "ten minutes later", known(first.ID), seq)
	w.now = refused.At.Add(DecidedFor - time.Second)
	w.must("ann", `{"entityId":"b","patch":{}}`)
	wantEqual(t, "ten minutes after the last of a span", known(first.ID), seq)
	w.must("ann", `{"entityId":"b","patch":{}}`)
	wantEqual(t, "later still", known(first.ID)+known(refused.ID), uint64(0))
	if since := w.board.DecidedSince(); !since.After(refused.At) || since.After(next.At) {
		t.Errorf("since %v, decided at %v and %v", since, refused.At, next.At)
	}
	wantEqual(t, "the next", known(next.ID) > 0, true)
}

func TestDecidedIsBoundedInMemory(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		pace time.Duration
		most int // ids that are remembered
	}{
		{time.Second / 100, 200 + 100/4},                                       // busyFor is too long
		{time.Second * 6 / 10, 150 + 100/4},                                    // busyFor, which has more than many
		{2 * time.Second, 100 + 100/4},                                         // many
		{10 * time.Second, int((DecidedFor+spanFor)/(10*time.Second)) + 100/4}, // DecidedFor
	} {
		d := decidedIDs{many: 100, max: 200}
		for i := range 3000 {
			at := start.Add(time.Duration(i) * tt.pace)
			d.add("ann", fmt.Sprint(i), uint64(i+1), at)
			d.forget(at)
			if d.size > tt.most {
				t.Fatalf("%v apart: %d ids in %d spans after %d", tt.pace, d.size, len(d.spans), i)
			}
			for k := max(0, i-250); k <= i; k++ {
				_, known := d.find(hashID("ann", fmt.Sprint(k)))
				decided := start.Add(time.Duration(k) * tt.pace)
				if !known && !decided.Before(d.since) {
					t.Fatalf("%d, decided at %v, is not known since %v", k, decided, d.since)
				}
				if i > 1000 && !known && at.Sub(decided) < min(busyFor, 200*tt.pace) {
					t.Fatalf("%d, decided at %v, is forgotten at %v", k, decided, at)
				}
			}
		}
	}
}

func TestApplyRefusesWhatDoesNotFollow(t *testing.T) {
	t.Parallel()
	commit := func(w *world, change func(*Commit)) error {
		_, prev, _ := w.board.Head()
		d := Decide(w.board, w.command("ann", `{"entityId":"x","patch":{"kind":"label"}}`, `{"entityId":"x","patch":{"name":"y"}}`), w.now)
		c := &Commit{V: 1, Board: "b", Prev: prev, At: d.At, Decisions: []Decision{d}}
		change(c)
		return w.board.Apply(c, Hash{1}, w.seq+1, w.now, nil)
	}
	for name, change := range map[string]func(*Commit){
		"another board":       func(c *Commit) { c.Board = "b2" },
		"another prev":        func(c *Commit) { c.Prev = Hash{9} },
		"a gap in rev":        func(c *Commit) { c.Decisions[0].Events[1].Rev++ },
		"a wrong rev":         func(c *Commit) { c.Decisions[0].Rev++ },
		"a rev twice":         func(c *Commit) { c.Decisions = append(c.Decisions, c.Decisions[0]) },
		"time backwards":      func(c *Commit) { c.Decisions[0].At = start.Add(-time.Second) },
		"there already":       func(c *Commit) { c.Decisions[0].Events[1] = c.Decisions[0].Events[0]; c.Decisions[0].Events[1].Rev++ },
		"what is not there":   func(c *Commit) { c.Decisions[0].Events[0].Type = "label.changed" },
		"another kind":        func(c *Commit) { c.Decisions[0].Events[1].Type = "card.changed" },
		"events of a refusal": func(c *Commit) { c.Decisions[0].Rejection = &Rejection{Code: Invalid} },
	} {
		w := newWorld(t)
		if err := commit(w, change); err == nil {
			t.Errorf("%s: folded", name)
		}
	}
	w := newWorld(t)
	if err := commit(w, func(*Commit) {}); err != nil {
		t.Errorf("unchanged: %v", err)
	}
	if err := w.board.Apply(&Commit{V: 1, Board: "b", Prev: Hash{1}}, Hash{2}, w.seq+1, w.now, nil); err == nil {
		t.Error("the same sequence twice: folded")
	}
}

func TestVoidCommitMovesOnlyTheHead(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	seq, prev, at := w.board.Head()
	rev := w.board.Rev()
	d := Decide(w.board, w.command("ann", `{"entityId":"x","patch":{"kind":"label"}}`), w.now)
	c := &Commit{V: 1, Board: "b", Prev: prev, At: d.At, NotAfter: d.Deadline, Decisions: []Decision{d}}
	if err := w.board.Apply(c, Hash{1}, seq+5, d.Deadline.Add(time.Millisecond), func(Step) { t.Error("visited") }); err != nil {
		t.Fatal(err)
	}
	seq2, hash, at2 := w.board.Head()
	if seq2 != seq+5 || hash != (Hash{1}) || at2 != at || w.board.Rev() != rev || w.board.Get("x") != nil {
		t.Errorf("head %d %v %v, rev %d", seq2, hash, at2, w.board.Rev())
	}
	if _, known := w.board.Decided("ann", d.ID); known {
		t.Error("it decided")
	}
	w.seq = seq2
	w.must("ann", `{"entityId":"x","patch":{"kind":"label"}}`)
}

func TestFoldAheadAndSettleEqualApply(t *testing.T) {
	t.Parallel()
	w := newWorld(t).columns("c")
	ahead, err := LoadSnapshot(w.snapshot())
	if err != nil {
		t.Fatal(err)
	}
	_, prev, _ := ahead.Head()
	c := &Commit{V: 1, Board: "b", Prev: prev}
	for _, change := range []string{`{"entityId":"k","patch":{"kind":"card","title":"x","columnId":"c"}}`, `{"entityId":"nope","patch":null}`, `{"entityId":"k","patch":{"title":"y"}}`} {
		d := Decide(ahead, w.command("ann", change), w.now)
		if err := ahead.Fold(&d); err != nil {
			t.Fatal(err)
		}
		if _, known := ahead.Decided("ann", d.ID); known {
			t.Error("decided before it is stored")
		}
		c.Decisions, c.At = append(c.Decisions, d), d.At
	}
	if _, err := ahead.Snapshot(); err == nil {
		t.Error("a snapshot of what is not stored")
	}
	if err := ahead.Apply(c, Hash{1}, w.seq+1, c.At, nil); err == nil {
		t.Error("applied to a board that is ahead")
	}
	less := *c
	less.Decisions = c.Decisions[:2]
	if err := ahead.Settle(&less, Hash{1}, w.seq+1); err == nil {
		t.Error("settled with another commit")
	}
	less.Decisions = c.Decisions[1:]
	if err := ahead.Settle(&less, Hash{1}, w.seq+1); err == nil {
		t.Error("settled with a commit that lacks the first decision")
	}
	if err := ahead.Settle(c, Hash{1}, w.seq+1); err != nil {
		t.Fatal(err)
	}
	if err := w.board.Apply(c, Hash{1}, w.seq+1, c.At, nil); err != nil {
		t.Fatal(err)
	}
	got, _ := ahead.Snapshot()
	if !bytes.Equal(got, w.snapshot()) {
		t.Error("the two boards differ")
	}
}

func TestSnapshotRefusesDamage(t *testing.T) {
	t.Parallel()
	data := newWorld(t).columns("c").snapshot()
	for i := range data {
		bad := bytes.Clone(data)
		bad[i] ^= 0x55
		if _, err := LoadSnapshot(bad); err == nil {
			t.Fatalf("byte %d changed and read all the same", i)
		}
	}
	for n := range data {
		if _, err := LoadSnapshot(data[:n]); err == nil {
			t.Fatalf("cut at %d and read all the same", n)
		}
	}
}

// Within a board `at` never runs backwards, and a clock that does makes nothing
// late: the deadline is judged by the clock, and so it is when decided again.
func TestRule_AtNeverRunsBackwards(t *testing.T) {
	w := newWorld(t)
	w.must("ann", `{"entityId":"c","patch":{"kind":"column","title":"c"}}`)
	_, _, last := w.board.Head()
	w.now = w.now.Add(-time.Hour)
	cmd := w.command("ann", `{"entityId":"c","patch":{"title":"d"}}`)
	d := w.run(cmd)
	if d.Rejection != nil || !d.At.Equal(last) || !d.Now().Equal(w.now) {
		t.Errorf("decided %v at %v by %v, want at %v by %v", d.Rejection, d.At, d.Now(), last, w.now)
	}
	cmd = w.command("ann", `{"entityId":"c","patch":{"title":"e"}}`)
	w.now = cmd.Deadline.Add(time.Millisecond)
	if d := w.run(cmd); d.Rejection == nil || d.Rejection.Code != Expired || !d.At.Equal(last) {
		t.Errorf("past its deadline by the clock: %v at %v", d.Rejection, d.At)
	}
}

// Nor is it more than MaxIDLead earlier than the time in a ULID that its gateway
// took, so that whoever searches the log for it finds it (DecidedWindow).
func TestRule_AtIsWhereAnIDIsLookedFor(t *testing.T) {
	w := newWorld(t)
	w.must("ann", `{"entityId":"c","patch":{"kind":"column","title":"c"}}`)
	_, _, last := w.board.Head()
	w.now = w.now.Add(3 * time.Hour)
	cmd := w.command("ann", `{"entityId":"c","patch":{"title":"d"}}`)
	received := cmd.ReceivedAt
	w.now = received.Add(-time.Hour) // before it is decided
	for lead, want := range map[time.Duration]time.Time{
		-365 * 24 * time.Hour:        w.now, // made long before
		-time.Hour:                   w.now,
		-time.Hour + 2*time.Minute:   w.now.Add(time.Minute),
		0:                            received.Add(-MaxIDLead),
		MaxIDLead:                    received,
		MaxIDLead + time.Millisecond: w.now, // refused
		365 * 24 * time.Hour:         w.now,
	} {
		cmd.ID = ulidAt(received.Add(lead))
		d := Decide(w.board, cmd, w.now)
		if !d.At.Equal(want) || !d.Now().Equal(w.now) || d.At.Before(last) {
			t.Errorf("%v after its receipt: decided at %v by %v, want at %v", lead, d.At, d.Now(), want)
		}
		if from, since := DecidedWindow(cmd.ID, received); d.Rejection == nil && (d.At.Before(from) || d.At.Before(since)) {
			t.Errorf("%v after its receipt: decided at %v, looked for since %v", lead, d.At, since)
		}
		if again := Redecide(w.board, &d); !again.At.Equal(d.At) || !again.Now().Equal(d.Now()) {
			t.Errorf("decided again at %v by %v", again.At, again.Now())
		}
	}
}

// ulidAt is a ULID with that time.
func ulidAt(at time.Time) string {
	const crockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
	id := []byte("0000000000AAAAAAAAAAAAAAAA")
	for i, ms := 9, at.UnixMilli(); i >= 0; i, ms = i-1, ms>>5 {
		id[i] = crockford[ms&31]
	}
	return string(id)
}
