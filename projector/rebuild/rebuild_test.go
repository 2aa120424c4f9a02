package rebuild

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oklog/ulid/v2"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/eventlog"
	"github.com/snapback-io/snapback/eventlog/natsd"
	"github.com/snapback-io/snapback/eventlog/proof"
	"github.com/snapback-io/snapback/projector/notary"
)

var quiet = slog.New(slog.DiscardHandler)

func openLog(t testing.TB) *eventlog.Log {
	t.Helper()
	if procs := runtime.GOMAXPROCS(0); procs < 4 { // fsync blocks threads
		runtime.GOMAXPROCS(4)
		t.Cleanup(func() { runtime.GOMAXPROCS(procs) })
	}
	server, err := natsd.Start(natsd.Config{StoreDir: t.TempDir(), Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Shutdown)
	log, err := eventlog.Open(t.Context(), eventlog.Config{InProcess: server, Shards: 2, Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(log.Close)
	return log
}

// author stores records of a board by itself: no service, so no snapshots and
// no listings.
type author struct {
	t     testing.TB
	log   *eventlog.Log
	board *domain.Board
	n     int
}

func newAuthor(t testing.TB, log *eventlog.Log, id string) *author {
	a := &author{t: t, log: log, board: domain.NewBoard(id)}
	a.store(domain.Change{EntityID: id, Patch: domain.Patch{"kind": "board", "title": "Title " + id}})
	a.store(domain.Change{EntityID: "col", Patch: domain.Patch{"kind": "column", "title": "Todo"}})
	for i := range 20 {
		a.store(domain.Change{EntityID: fmt.Sprint("card-", i), Patch: domain.Patch{"kind": "card", "columnId": "col", "title": "A card"}})
	}
	return a
}

func (a *author) store(changes ...domain.Change) {
	a.t.Helper()
	a.n++
	now := time.Now().UTC()
	if _, _, at := a.board.Head(); at.After(now) {
		now = at
	}
	d := domain.Decide(a.board, &domain.Command{ID: fmt.Sprint("a", a.n), Op: domain.OpMutate, User: "ann", Grant: domain.GrantOpen, ReceivedAt: now, Deadline: now.Add(4 * time.Second), Changes: changes}, now)
	if d.Rejection != nil {
		a.t.Fatal(d.Rejection)
	}
	seq, prev, _ := a.board.Head()
	c := domain.Commit{V: domain.CommitVersion, Board: a.board.ID(), Prev: prev, At: d.At, Decisions: []domain.Decision{d}}
	data, hash, err := c.Encode()
	if err != nil {
		a.t.Fatal(err)
	}
	at, err := a.log.Append(a.t.Context(), a.board.ID(), data, hash, seq)
	if err != nil {
		a.t.Fatal(err)
	}
	if err := a.board.Apply(&c, hash, at, d.At, nil); err != nil {
		a.t.Fatal(err)
	}
}

// tampered is a snapshot that reads well and says something else.
func tampered(t testing.TB, log *eventlog.Log, board, from, to string) eventlog.Snapshot {
	t.Helper()
	b, err := eventlog.LoadBoard(t.Context(), log, board)
	if err != nil {
		t.Fatal(err)
	}
	data, err := b.Snapshot()
	if err != nil || len(from) != len(to) || !bytes.Contains(data, []byte(from)) {
		t.Fatalf("nothing to change: %v", err)
	}
	data = bytes.ReplaceAll(data, []byte(from), []byte(to))
	binary.BigEndian.PutUint32(data[len(data)-4:], crc32.ChecksumIEEE(data[:len(data)-4]))
	if _, err := domain.LoadSnapshot(data); err != nil {
		t.Fatal(err)
	}
	seq, hash, _ := b.Head()
	return eventlog.Snapshot{Seq: seq, Hash: hash, Data: data}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// stored gives the entry of a board and its revision.
func stored(t testing.TB, log *eventlog.Log, board string) (eventlog.Listing, uint64) {
	t.Helper()
	entry, revision, err := log.StoredListing(t.Context(), board)
	must(t, err)
	return entry, revision
}

// checked runs a check, which must find what is wanted, by board, and nothing else.
func checked(t testing.TB, log Log, opt Options, want map[string]string) (found []Difference) {
	t.Helper()
	opt.Found = func(d Difference) { found = append(found, d) }
	p, err := Run(t.Context(), log, opt)
	if err != nil || p.Boards != p.OfBoards || p.Differences != len(found) {
		t.Fatalf("%+v %v", p, err)
	}
	seen := map[string]bool{}
	for _, d := range found {
		text := d.In + ": " + d.What
		if d.Fixed == opt.Check || want[d.Board] == "" || !strings.Contains(text, want[d.Board]) {
			t.Errorf("found %+v, want %q", d, want[d.Board])
		}
		seen[d.Board] = true
	}
	for board, what := range want {
		if !seen[board] {
			t.Errorf("board %s: not found: %s", board, what)
		}
	}
	return found
}

// aheadOf is a snapshot with a record that was never stored.
func aheadOf(a *author) eventlog.Snapshot {
	a.t.Helper()
	seq, prev, at := a.board.Head()
	c := domain.Commit{V: domain.CommitVersion, Board: a.board.ID(), Prev: prev, At: at}
	_, hash, err := c.Encode()
	must(a.t, err)
	must(a.t, a.board.Apply(&c, hash, seq+1, at, nil))
	data, err := a.board.Snapshot()
	must(a.t, err)
	return eventlog.Snapshot{Seq: seq + 1, Hash: hash, Data: data}
}

// TestRun_FindsAndPutsRight what is wrong in a log that nobody works on.
func TestRun_FindsAndPutsRight(t *testing.T) {
	t.Parallel()
	log, ctx := openLog(t), t.Context()
	want := map[string]string{
		"damaged": "snapshot: domain: not a snapshot", "changed": "snapshot: 20 entities are not what the log gives, as card-", "elsewhere": "snapshot: it stands at a record that the board does not have",
		"mislabelled": "snapshot: it holds the board at record",
		"title":       `directory: title "Other", the log gives "Title title"`, "role": `directory: 1 members, the log gives 1; ann is "viewer", not "admin"`,
		"unlisted": "directory: there is no entry", "ahead": "directory: it stands at a record that the board does not have",
		"unindexed": "index: 1 members are not in it, as ann", "ghost": "directory: there is an entry of a board that the log has no record of",
		"overindexed": "index: eve is in it and no member", "past": "past snapshot: it is not what the log gives", "otherpast": "past snapshot: it is not what the log gives",
	}
	boards, first := map[string]*author{}, map[string]string{}
	for board := range want {
		if board == "ghost" {
			continue
		}
		a := newAuthor(t, log, board)
		a.store(domain.Change{EntityID: "member:ann", Patch: domain.Patch{"kind": "member", "role": "admin"}})
		for range snapshotWorth - a.n {
			a.store(domain.Change{EntityID: "col", Patch: domain.Patch{"title": ulid.Make().String()}})
		}
		boards[board], first[board] = a, "directory: there is no entry"
	}
	bare := newAuthor(t, log, "bare")
	for range snapshotDue {
		bare.store(domain.Change{EntityID: "card-1", Patch: domain.Patch{"title": ulid.Make().String()}})
	}
	first["bare"] = "there is n" // no snapshot, and no entry
	opt := Options{settle: time.Nanosecond}
	checked(t, log, opt, first)
	opt.Check = true
	checked(t, log, opt, nil)

	seqOf := func(board string) uint64 { seq, _, _ := boards[board].board.Head(); return seq }
	must(t, log.PutSnapshot(ctx, "damaged", eventlog.Snapshot{Seq: seqOf("damaged"), Data: []byte("nonsense")}))
	must(t, log.PutSnapshot(ctx, "changed", tampered(t, log, "changed", "A card", "B card")))
	must(t, log.PutSnapshot(ctx, "elsewhere", aheadOf(boards["elsewhere"])))
	must(t, log.PutSnapshot(ctx, "mislabelled", eventlog.Snapshot{Seq: seqOf("mislabelled") - 1, Data: tampered(t, log, "mislabelled", "A card", "A card").Data}))
	for board, change := range map[string]func(*eventlog.Listing){
		"title": func(l *eventlog.Listing) { l.Title = "Other" }, "role": func(l *eventlog.Listing) { l.Members["ann"] = domain.Viewer }, "ahead": func(l *eventlog.Listing) { l.Seq = 1 << 40 },
	} {
		entry, revision := stored(t, log, board)
		change(&entry)
		must(t, log.ReplaceListing(ctx, entry, revision))
	}
	_, revision := stored(t, log, "unlisted")
	must(t, log.DropListing(ctx, "unlisted", revision))
	revision, _, err := log.StaleIndexed(ctx, eventlog.Indexed{Board: "unindexed", User: "ann"}, time.Now())
	must(t, err)
	must(t, log.DropIndexed(ctx, eventlog.Indexed{Board: "unindexed", User: "ann"}, revision))
	must(t, log.ReplaceListing(ctx, eventlog.Listing{Board: "ghost", Title: "No board"}, 0))
	must(t, log.IndexMembers(ctx, eventlog.Listing{Board: "overindexed", Members: map[string]domain.Role{"eve": domain.Admin}}))
	must(t, log.PutPast(ctx, "past", eventlog.Snapshot{Seq: seqOf("past")}))
	must(t, log.PutPast(ctx, "otherpast", tampered(t, log, "otherpast", "A card", "B card")))

	checked(t, log, opt, want)
	opt.Check = false
	checked(t, log, opt, want)
	opt.Check = true
	checked(t, log, opt, nil)
	if list, err := log.Listings(ctx, "ann", nil, "", 100); err != nil || len(list) != len(boards)+1 {
		t.Errorf("%d boards of ann, not %d, %v", len(list), len(boards)+1, err)
	}
	if list, err := log.Listings(ctx, "eve", func(b string) bool { return b == "ghost" }, "", 100); err != nil || len(list) != 0 {
		t.Errorf("%v of eve, %v", list, err)
	}
}

// TestRun_Tiles: stored hashes that are wrong or gone are made again, but not
// over a log that has another root than was signed.
func TestRun_Tiles(t *testing.T) {
	t.Parallel()
	log, ctx := openLog(t), t.Context()
	a := newAuthor(t, log, "b")
	for range 600 {
		a.store(domain.Change{EntityID: "card-1", Patch: domain.Patch{"title": ulid.Make().String()}})
	}
	private, _, err := proof.NewKey(rand.Reader, "test")
	must(t, err)
	signer, err := proof.ParseSigner(private)
	must(t, err)
	n, err := notary.New(notary.Config{Log: log, Signer: signer, Logger: quiet})
	must(t, err)
	shard := log.Shard("b")
	signed, err := n.Checkpoint(ctx, shard)
	must(t, err)
	opt := Options{settle: time.Nanosecond}
	checked(t, log, opt, map[string]string{"b": "directory: there is no entry"})
	opt.Check = true
	checked(t, log, opt, nil)
	whole, err := log.GetTile(ctx, shard, 0, 0)
	must(t, err)
	edge, err := log.GetTile(ctx, shard, 0, 2)
	must(t, err)
	for _, wrong := range []proof.Tile{
		{Tile: tlog.Tile{H: proof.TileHeight, L: 0, N: 0, W: 256}, Data: append(slices.Clone(whole[:len(whole)-1]), 1)},
		{Tile: tlog.Tile{H: proof.TileHeight, L: 0, N: 2, W: 1}, Data: edge[:32]},
	} {
		must(t, log.PutTile(ctx, shard, wrong))
	}
	for _, check := range []bool{true, false} {
		found := []Difference{}
		opt.Check, opt.Found = check, func(d Difference) { found = append(found, d) }
		if _, err := Run(ctx, log, opt); err != nil || len(found) != 1 || found[0].Fixed == check ||
			!strings.HasPrefix(found[0].What, fmt.Sprintf("2 of the checkpoint of %d records", signed.Size)) {
			t.Errorf("%v, found %+v", err, found)
		}
	}
	for i, want := range [][]byte{whole, edge} {
		if is, err := log.GetTile(ctx, shard, 0, int64(2*i)); err != nil || !bytes.Equal(is, want) {
			t.Errorf("tile %d is not as it was: %v", 2*i, err)
		}
	}
	signed.Root[0]++
	_, seq, err := log.LastCheckpoint(ctx, shard)
	must(t, err)
	text, err := signer.Sign(signed.Text())
	must(t, err)
	_, err = log.AppendCheckpoint(ctx, shard, text, seq)
	must(t, err)
	opt.Check, opt.Found = false, nil
	p, err := Run(ctx, log, opt)
	if err != nil || p.Unfixed != 1 {
		t.Errorf("%+v %v", p, err)
	}
}
