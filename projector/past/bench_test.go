package past

import (
	"context"
	"fmt"
	"io/fs"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/eventlog"
	"github.com/snapback-io/snapback/eventlog/natsd"
)

// lengths are those of the histories measured, in records; 300,000 take a
// minute to write. With -short the first two are.
var lengths = []int{1000, 10_000, 100_000, 300_000}

const benchCards = 500

// BenchmarkLook is one look at the middle of a history, on a server of its own,
// with past snapshots and without: the median of b.N. In texts every card has a
// description of 2 KB of its own.
//
//	go test -run '^$' -bench Look -benchtime 20x ./projector/past
func BenchmarkLook(b *testing.B) {
	for i, records := range lengths {
		if testing.Short() && i > 1 {
			break
		}
		b.Run(fmt.Sprint(records), func(b *testing.B) { benchLook(b, records, 0) })
	}
	b.Run("texts", func(b *testing.B) { benchLook(b, lengths[1], 2000) })
}

func benchLook(b *testing.B, records, text int) {
	dir := b.TempDir()
	log := benchLog(b, dir)
	w := newWorld(b, b.Context(), log, 1)
	w.make(benchCards)
	if text > 0 {
		for i := range benchCards {
			w.do("ann", fmt.Sprint("c", i), domain.Patch{"description": w.prose(text)})
		}
	}
	w.moves(records)
	look := func(b *testing.B, src Source) {
		var times []time.Duration
		for b.Loop() {
			start := time.Now()
			if _, err := AtRev(b.Context(), src, board, w.b.Rev()/2); err != nil {
				b.Fatal(err)
			}
			times = append(times, time.Since(start))
		}
		slices.Sort(times)
		b.ReportMetric(float64(times[len(times)/2].Microseconds())/1000, "ms/look")
		b.ReportMetric(0, "ns/op")
	}
	b.Run("without", func(b *testing.B) { look(b, &blind{log}) })
	if _, err := Fill(b.Context(), log, board); err != nil {
		b.Fatal(err)
	}
	b.Run("with", func(b *testing.B) {
		look(b, log)
		pasts, err := log.Pasts(b.Context(), board)
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(len(pasts)), "pasts")
		b.ReportMetric(float64(onDisk(b, dir, "EVT_0"))/1e6, "MB-log")
		b.ReportMetric(float64(onDisk(b, dir, "PAST"))/1e6, "MB-pasts")
	})
}

// prose is a text of so many bytes that compresses about as a real one.
func (w *world) prose(bytes int) string {
	var b strings.Builder
	for b.Len() < bytes {
		fmt.Fprintf(&b, "%x ", w.dice.IntN(1<<20))
	}
	return b.String()
}

// moves writes records of one mutation each, most of them moves, as a board in
// use has them.
func (w *world) moves(records int) {
	w.Helper()
	columns := []string{"todo", "doing", "done"}
	for i := range records {
		card := fmt.Sprint("c", w.dice.IntN(benchCards))
		patch := domain.Patch{"columnId": columns[w.dice.IntN(3)]}
		if w.dice.IntN(2) == 0 {
			patch["position"] = domain.Place{HasAfter: true}
		}
		switch i % 10 {
		case 0:
			patch = domain.Patch{"title": fmt.Sprint("Card, renamed for the ", i, "th time")}
		case 1:
			patch = domain.Patch{"liked": w.dice.IntN(2) == 0}
		}
		w.decide("ann", domain.OpMutate, nil, domain.Change{EntityID: card, Patch: patch})
		w.store()
	}
}

func benchLog(b *testing.B, dir string) *eventlog.Log {
	b.Helper()
	quiet := slog.New(slog.DiscardHandler)
	server, err := natsd.Start(natsd.Config{StoreDir: dir, Logger: quiet})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(server.Shutdown)
	log, err := eventlog.Open(b.Context(), eventlog.Config{InProcess: server, Shards: 1, Logger: quiet})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(log.Close)
	return log
}

// onDisk is how large a stream is on disk, bytes.
func onDisk(b *testing.B, dir, stream string) (size int64) {
	b.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() && strings.HasSuffix(path, ".blk") && strings.Contains(path, string(filepath.Separator)+stream+string(filepath.Separator)) {
			var info fs.FileInfo
			if info, err = d.Info(); err == nil {
				size += info.Size()
			}
		}
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	return size
}

// blind sees no snapshot.
type blind struct{ *eventlog.Log }

func (*blind) Pasts(context.Context, string) ([]uint64, error) { return nil, nil }
func (*blind) Kept(string) *domain.Still                       { return nil }
