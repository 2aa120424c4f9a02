package eventlog

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/eventlog/natsd"
)

// BenchmarkBoards is what so many boards cost a server that has their streams,
// whether anybody works on them or not: bytes of memory and of disk for each,
// with one record, a snapshot, a directory entry and three members in its
// index; and how long the server takes to start with them.
func BenchmarkBoards(b *testing.B) {
	for _, boards := range []int{20_000, 100_000} {
		b.Run(fmt.Sprint(boards), func(b *testing.B) {
			for b.Loop() {
				costOfBoards(b, boards)
			}
		})
	}
}

func costOfBoards(b *testing.B, boards int) {
	dir := b.TempDir()
	s, err := natsd.Start(natsd.Config{StoreDir: dir, Logger: quiet()})
	if err != nil {
		b.Fatal(err)
	}
	l := openLog(b, Config{InProcess: s})
	before := heap()
	var evt uint64
	each(b, boards, func(i int) error {
		data, hash := commitOf(b, boardName(i), domain.Hash{}, "m")
		_, err := l.Append(b.Context(), boardName(i), data, hash, 0)
		return err
	})
	evt = heap()
	each(b, boards, func(i int) error {
		return l.PutSnapshot(b.Context(), boardName(i), Snapshot{Seq: 1, Data: make([]byte, 200)})
	})
	each(b, boards, func(i int) error {
		return l.PutListing(b.Context(), Listing{Board: boardName(i), Title: "T", Seq: 1, Members: map[string]domain.Role{
			fmt.Sprint("u", i%1000): domain.Admin, fmt.Sprint("v", i%1000): domain.Editor, fmt.Sprint("w", i%1000): domain.Editor}})
	})
	all := heap()
	l.Close()
	s.Shutdown()
	began := time.Now()
	if s, err = natsd.Start(natsd.Config{StoreDir: dir, Logger: quiet()}); err != nil {
		b.Fatal(err)
	}
	openLog(b, Config{InProcess: s}).Close()
	started := time.Since(began)
	s.Shutdown()
	n := float64(boards)
	b.ReportMetric(float64(evt-before)/n, "B-log/board")
	b.ReportMetric(float64(all-before)/n, "B-all/board")
	b.ReportMetric(float64(sizeOf(b, dir))/n, "B-disk/board")
	b.ReportMetric(started.Seconds()*1e6/n, "us-start/board")
}

func boardName(i int) string { return fmt.Sprintf("01JBOARD%018d", i) }

// each calls do for so many numbers, some at a time.
func each(b *testing.B, n int, do func(i int) error) {
	b.Helper()
	next := make(chan int)
	done := make(chan error)
	const lanes = 32
	for range lanes {
		go func() {
			var failed error
			for i := range next {
				if err := do(i); err != nil {
					failed = err
				}
			}
			done <- failed
		}()
	}
	for i := range n {
		next <- i
	}
	close(next)
	for range lanes {
		if err := <-done; err != nil {
			b.Fatal(err)
		}
	}
}

func heap() uint64 {
	var m runtime.MemStats
	for range 3 {
		runtime.GC()
	}
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func sizeOf(b *testing.B, dir string) (size int64) {
	err := filepath.WalkDir(dir, func(_ string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		size += info.Size()
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	return size
}
