package audit

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/eventlog"
)

// history is the log of a board in memory: a Source.
type history struct {
	t       *testing.T
	records []eventlog.Record
	board   *domain.Board
	at      time.Time
	reads   int // records given out
}

var morning = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)

func newHistory(t *testing.T) *history {
	h := &history{t: t, board: domain.NewBoard("b"), at: morning}
	h.store(false, h.decide("ann", "board", map[string]domain.Patch{"b": {"kind": "board", "title": "Board"}}, "b"))
	return h
}

// decide is the decision on one mutation with the patches in this order.
func (h *history) decide(user, id string, patches map[string]domain.Patch, order ...string) domain.Decision {
	cmd := domain.Command{ID: id, Board: "b", Op: domain.OpMutate, User: user, Grant: domain.GrantOpen, ReceivedAt: h.at, Deadline: h.at.Add(time.Minute)}
	for _, entity := range order {
		cmd.Changes = append(cmd.Changes, domain.Change{EntityID: entity, Patch: patches[entity]})
	}
	return domain.Decide(h.board, &cmd, h.at)
}

// store appends a record of decisions that were folded ahead, but for the last one.
func (h *history) store(void bool, decisions ...domain.Decision) {
	h.t.Helper()
	seq, prev, _ := h.board.Head()
	c := &domain.Commit{V: 1, Board: "b", Prev: prev, At: h.at, Decisions: decisions}
	stored := h.at
	if void {
		c.NotAfter, stored = h.at, h.at.Add(time.Second)
	}
	data, hash, err := c.Encode()
	if err != nil {
		h.t.Fatal(err)
	}
	read, _, err := domain.DecodeCommit(data)
	if err != nil {
		h.t.Fatal(err)
	}
	next := seq + 1 + uint64(len(h.records)%3) // other boards have records between
	h.records = append(h.records, eventlog.Record{Board: "b", Seq: next, Prev: seq, Time: stored, Data: data, Hash: hash, Commit: read})
	if err := h.board.Apply(read, hash, next, stored, nil); err != nil {
		h.t.Fatal(err)
	}
}

func (h *history) Read(_ context.Context, _ string, from, to uint64) iter.Seq2[eventlog.Record, error] {
	return func(yield func(eventlog.Record, error) bool) {
		for _, r := range h.records {
			if r.Seq < from || to > 0 && r.Seq > to {
				continue
			}
			if h.reads++; !yield(r, nil) {
				return
			}
		}
	}
}

func (h *history) Get(_ context.Context, _ string, seq uint64) (eventlog.Record, error) {
	for _, r := range h.records {
		if r.Seq == seq {
			return r, nil
		}
	}
	return eventlog.Record{}, eventlog.ErrNotFound
}

// past is Config.Past.
func (h *history) past(_ context.Context, _ string, seq uint64) (*domain.Board, error) {
	b := domain.NewBoard("b")
	for _, r := range h.records {
		if r.Seq > seq {
			break
		}
		if err := b.Apply(r.Commit, r.Hash, r.Seq, r.Time, nil); err != nil {
			return nil, err
		}
	}
	if at, _, _ := b.Head(); at != seq {
		return nil, fmt.Errorf("no record at %d", seq)
	}
	return b, nil
}

func (h *history) head() uint64 {
	seq, _, _ := h.board.Head()
	return seq
}

// random makes so many records.
func (h *history) random(r *rand.Rand, records int) {
	pick := func(of ...string) string { return of[r.IntN(len(of))] }
	n := 0
	one := func() domain.Decision {
		n++
		id := fmt.Sprint("m", r.IntN(400))
		if r.IntN(2) == 0 {
			at := h.at.Add(time.Duration(r.IntN(90)-10) * time.Second) // some too far ahead
			id = ulid.MustNew(ulid.Timestamp(at), nil).String()
		}
		user := pick("ann", "bob", "eve")
		entity := pick("c1", "c2", "c3", "doing", "done", "k1", "k2", "b", "l1")
		patch := domain.Patch{"title": fmt.Sprint("T", n)}
		switch kind := strings.TrimRight(entity, "0123456789"); {
		case r.IntN(12) == 0 && entity != "b":
			patch = nil
		case h.board.Get(entity) == nil && kind == "c":
			patch["kind"], patch["columnId"] = "card", pick("doing", "done")
			entity = fmt.Sprint("c", r.IntN(30))
		case h.board.Get(entity) == nil && kind == "k":
			patch = domain.Patch{"kind": "comment", "cardId": pick("c1", "c2"), "text": "x"}
			entity = fmt.Sprint("k", r.IntN(30))
		case h.board.Get(entity) == nil && kind == "l":
			patch = domain.Patch{"kind": "label", "name": "L"}
		case h.board.Get(entity) == nil:
			patch["kind"] = "column"
		case kind == "c" && r.IntN(2) == 0:
			patch = domain.Patch{"columnId": pick("doing", "done", "nowhere")}
		case kind == "k":
			patch = domain.Patch{"text": fmt.Sprint("x", n)}
		case kind == "l":
			patch = domain.Patch{"name": fmt.Sprint("L", r.IntN(2))}
		}
		return h.decide(user, id, map[string]domain.Patch{entity: patch}, entity)
	}
	for range records {
		h.at = h.at.Add(time.Duration(r.IntN(3)) * time.Second)
		if r.IntN(8) == 0 {
			late := h.at
			h.at = h.at.Add(time.Duration(r.IntN(900)) * time.Millisecond) // by a clock that is ahead
			h.store(true, one())
			h.at = late
			continue
		}
		h.store(false, one())
	}
}

// lines reads by a query, a line "seq.index outcome words|asked" for each decision.
func (h *history) lines(q Query, past bool, heads ...uint64) []string {
	h.t.Helper()
	var out strings.Builder
	cfg := Config{Query: q, Board: "b", Source: h,
		Out: func(lines []byte) error { out.Write(lines); return nil },
		Line: func(dst []byte, e *Entry, _ *Query) ([]byte, error) {
			return fmt.Appendf(dst, "%d.%d %s %s|%s\n", e.Log.Seq, e.Index, e.Outcome(), strings.Join(e.Words, "; "), e.Asked), nil
		}}
	if past {
		cfg.Past = h.past
	}
	r := NewReader(cfg)
	for _, head := range append(heads, h.head()) {
		if err := r.Read(h.t.Context(), head); err != nil {
			h.t.Fatal(err)
		}
	}
	return slices.Collect(strings.Lines(out.String()))
}

// told is what a query should give, by looking at all there is.
func (h *history) told(q Query) (want []string) {
	names, board := NewNames("b"), domain.NewBoard("b")
	trail := domain.NewTrail(q.Entity)
	for _, r := range h.records {
		for i := range r.Commit.Decisions {
			d, void := &r.Commit.Decisions[i], r.Void()
			outcome, rev := Accepted, d.Rev
			switch {
			case void:
				outcome, rev = Void, d.Rev-uint64(len(d.Events))
			case d.Rejection != nil:
				outcome = Refused
			}
			concerns := q.Entity == "" || void && trail.Asked(&d.Command) || !void && trail.Touches(d)
			kind, has := false, false
			for _, ev := range d.Events {
				k, _, _ := strings.Cut(ev.Type, ".")
				has = has || !void
				kind = kind || !void && (k == q.Kind || ev.Type == q.Kind)
			}
			for _, c := range d.Changes {
				k, _ := c.Patch["kind"].(string)
				if e := board.Get(c.EntityID); e != nil {
					k = string(e.Kind)
				}
				kind = kind || !has && k == q.Kind
			}
			words, asked := "", names.Asked(d)
			if void {
				words = strings.Join(names.VoidWords(d), "; ")
			} else {
				words = strings.Join(names.Words(d), "; ")
			}
			wanted := q.Outcome == "" && !void || q.Outcome == outcome || !void && d.Rejection != nil && string(d.Rejection.Code) == q.Outcome
			if !concerns || !wanted || q.Since > 0 && rev <= q.Since || q.Until > 0 && rev > q.Until || d.At.Before(q.From) || !q.To.IsZero() && !d.At.Before(q.To) ||
				q.Actor != "" && q.Actor != d.User || q.ID != "" && q.ID != d.ID || q.Kind != "" && !kind {
				continue
			}
			if !q.Words && !q.Asked {
				words = ""
			}
			if !q.Asked {
				asked = ""
			}
			want = append(want, fmt.Sprintf("%d.%d %s %s|%s\n", r.Seq, i, outcome, words, asked))
		}
		if err := board.Apply(r.Commit, r.Hash, r.Seq, r.Time, nil); err != nil { // records here have one decision
			h.t.Fatal(err)
		}
	}
	if q.Last > 0 && len(want) > q.Last {
		want = want[len(want)-q.Last:]
	}
	return want
}

// TestReader_LikeTheNaive: whatever is asked for, and however it is read, is
// what looking at every decision gives.
func TestReader_LikeTheNaive(t *testing.T) {
	t.Parallel()
	counts := map[string]int{}
	for seed := range uint64(4) {
		r := rand.New(rand.NewPCG(seed, 1))
		h := newHistory(t)
		h.random(r, 200)
		maybe := func(n int) bool { return r.IntN(n) == 0 }
		span := h.at.Sub(morning)
		for range 150 {
			q := Query{Words: maybe(2), Asked: maybe(3)}
			if maybe(3) {
				q.Since = r.Uint64N(h.board.Rev() + 2)
			}
			if maybe(3) {
				q.Until = q.Since + 1 + r.Uint64N(h.board.Rev())
			}
			if maybe(4) {
				q.From = morning.Add(time.Duration(r.Int64N(int64(span))))
			}
			if maybe(4) {
				q.To = q.From.Add(time.Second)
				if q.From.IsZero() {
					q.To = morning.Add(time.Duration(r.Int64N(int64(span))))
				}
			}
			if maybe(4) {
				q.Actor = []string{"ann", "bob", "nobody"}[r.IntN(3)]
			}
			if maybe(5) {
				q.Entity = []string{"c1", "c2", "doing", "k1", "nothing"}[r.IntN(5)]
			}
			if maybe(4) {
				q.Kind = []string{"card", "card.moved", "comment", "column", "label", "board.created"}[r.IntN(6)]
			}
			if maybe(3) {
				q.Outcome = []string{Accepted, Refused, Void, "not_found", "expired"}[r.IntN(5)]
			}
			if maybe(6) {
				d := h.records[r.IntN(len(h.records))].Commit.Decisions[0]
				if q.ID = d.ID; maybe(2) {
					q.Actor = d.User
				}
			}
			if maybe(3) {
				q.Last = 1 + r.IntN(12)
			}
			want := h.told(q)
			if minted, ok := domain.IDTime(q.ID); ok && q.Actor != "" && q.Outcome != Void && len(want) > 1 && !minted.IsZero() {
				continue // the histories of this test have one id twice, logs have not
			}
			for _, past := range []bool{false, true} {
				got := h.lines(q, past)
				if !slices.Equal(got, want) {
					t.Fatalf("seed %d, %+v, past %v:\n got %q\nwant %q", seed, q, past, got, want)
				}
			}
			if len(want) > 0 {
				counts["found"]++
			}
			q.Last, q.Follow = 0, true
			if got, want := h.lines(q, false, h.records[len(h.records)/2].Seq, h.records[len(h.records)-3].Seq), h.told(q); !slices.Equal(got, want) && !q.once() {
				t.Fatalf("seed %d, %+v, in parts:\n got %q\nwant %q", seed, q, got, want)
			}
			testLastAndFollow(t, h, q, 1+r.IntN(5))
		}
	}
	if counts["found"] < 150 {
		t.Errorf("only %v queries found anything", counts)
	}
}

// testLastAndFollow holds the last ones up to the middle of a history, and what
// follows, against all.
func testLastAndFollow(t *testing.T, h *history, q Query, last int) {
	t.Helper()
	middle := h.records[len(h.records)/2].Seq
	q.Follow = true
	all := h.told(q)
	first := slices.IndexFunc(all, func(line string) bool {
		seq, _, _ := strings.Cut(line, ".")
		n, _ := strconv.ParseUint(seq, 10, 64)
		return n > middle
	})
	if first < 0 {
		first = len(all)
	}
	want := all[max(0, first-last):]
	q.Last = last
	if got := h.lines(q, len(all)%2 == 0, middle, h.records[len(h.records)-3].Seq); !slices.Equal(got, want) && !q.once() {
		t.Fatalf("%+v up to %d and then on:\n got %q\nwant %q", q, middle, got, want)
	}
}

// TestReader_ReadsLittle: what a look costs does not grow with the history
// before it.
func TestReader_ReadsLittle(t *testing.T) {
	t.Parallel()
	h := newHistory(t)
	h.random(rand.New(rand.NewPCG(1, 1)), 2000)
	last := h.records[len(h.records)-50].Commit.Decisions[0]
	for _, tt := range []struct {
		query string
		most  int
	}{
		{"since=" + strconv.FormatUint(last.Rev, 10) + "&with=words", 200},
		{"from=" + last.At.Format(time.RFC3339), 200}, {"last=20&with=words", 200}, {"last=5&until=30", 300},
		{"until=30", 150}, {"to=" + morning.Add(time.Minute).Format(time.RFC3339), 200}, {"last=20", 120},
	} {
		v, _ := url.ParseQuery(tt.query)
		q, err := ParseQuery(v)
		if err != nil {
			t.Fatal(err)
		}
		h.reads = 0
		if got := h.lines(q, true); len(got) == 0 || h.reads > tt.most {
			t.Errorf("%s: %d lines, %d records read, want %d at most", tt.query, len(got), h.reads, tt.most)
		}
	}
}

func TestReader_EndsWithItsErrors(t *testing.T) {
	t.Parallel()
	h := newHistory(t)
	h.random(rand.New(rand.NewPCG(1, 1)), 20)
	broken := errors.New("broken")
	r := NewReader(Config{Query: Query{Format: Text}, Board: "b", Source: h, Out: func([]byte) error { return broken }})
	if err := r.Read(t.Context(), h.head()); !errors.Is(err, broken) {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r = NewReader(Config{Query: Query{Format: Text}, Board: "b", Source: h, Out: func([]byte) error { return nil }})
	if err := r.Read(ctx, h.head()); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
