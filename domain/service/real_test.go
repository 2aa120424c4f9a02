package service

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/eventlog"
	"github.com/snapback-io/snapback/eventlog/natsd"
)

// realLogs gives connections to one embedded server that syncs every append.
func realLogs(t testing.TB, n int) []*eventlog.Log {
	t.Helper()
	if procs := runtime.GOMAXPROCS(0); procs < 4 { // fsync blocks threads
		runtime.GOMAXPROCS(4)
		t.Cleanup(func() { runtime.GOMAXPROCS(procs) })
	}
	server, err := natsd.Start(natsd.Config{StoreDir: t.TempDir(), SyncAlways: true, Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Shutdown)
	var logs []*eventlog.Log
	for range n {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		log, err := eventlog.Open(ctx, eventlog.Config{InProcess: server, Logger: quiet})
		cancel()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(log.Close)
		logs = append(logs, log)
	}
	return logs
}

func runOn(t testing.TB, log Log) (stop func()) {
	t.Helper()
	s, err := New(Config{Log: log, Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); s.Run(ctx) }()
	return func() { cancel(); <-done }
}

// TestReal_TwoServicesOneLog has two nodes decide, one of which stops half way:
// every command is decided once, in a chain that folds.
func TestReal_TwoServicesOneLog(t *testing.T) {
	logs := realLogs(t, 3)
	client := logs[2]
	stop1, stop2 := runOn(t, logs[0]), runOn(t, logs[1])
	defer stop2()
	var mu sync.Mutex
	open := make(map[string]*domain.Command)
	verdict := make(chan struct{}, 1)
	heard := func(v domain.Verdict) {
		mu.Lock()
		delete(open, v.ID)
		mu.Unlock()
		select {
		case verdict <- struct{}{}:
		default:
		}
	}
	const boards, each = 6, 100
	for i := range boards {
		stop, err := client.Subscribe(fmt.Sprint("board", i), func(a eventlog.Announcement) {
			if a.Verdict != nil {
				heard(*a.Verdict)
			}
			if a.Record != nil {
				for j := range a.Record.Commit.Decisions {
					heard(a.Record.Commit.Decisions[j].Verdict())
				}
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		defer stop()
	}
	publish := func(cmd *domain.Command) {
		if err := client.PublishCommand(cmd, time.Minute); err != nil {
			t.Fatal(err)
		}
	}
	for i := range boards * each {
		board := fmt.Sprint("board", i%boards)
		id := fmt.Sprint("mutation-", i)
		now := time.Now().UTC()
		cmd := &domain.Command{ID: id, Board: board, Op: domain.OpMutate, User: "ann", Grant: domain.GrantOpen,
			ReceivedAt: now, Deadline: now.Add(time.Minute), Changes: []domain.Change{columnChange(id, 0)}}
		if i < boards {
			cmd.Changes = []domain.Change{boardChange(board)}
		} else {
			cmd.After = fmt.Sprint("mutation-", i-boards)
		}
		mu.Lock()
		open[id] = cmd
		mu.Unlock()
		publish(cmd)
		if i%3 == 0 {
			publish(cmd)
		}
		if i == boards*each/2 {
			stop1()
		}
	}
	again := time.NewTicker(time.Second)
	defer again.Stop()
	timeout := time.After(time.Minute)
	for left := 1; left > 0; {
		select {
		case <-verdict:
		case <-again.C:
			mu.Lock()
			for _, cmd := range open {
				publish(cmd)
			}
			mu.Unlock()
		case <-timeout:
			t.Fatalf("%d commands have no verdict", left)
		}
		mu.Lock()
		left = len(open)
		mu.Unlock()
	}
	for i := range boards {
		checkReal(t, client, fmt.Sprint("board", i), each)
	}
}

// checkReal checks that a board's log folds and decides n commands, in order,
// each once, and refuses none but for these reasons.
func checkReal(t *testing.T, log *eventlog.Log, board string, n int, reasons ...domain.Code) {
	state := domain.NewBoard(board)
	decided := make(map[string]bool)
	last := ""
	for rec, err := range log.Read(context.Background(), board, 1, 0) {
		if err != nil {
			t.Fatal(err)
		}
		if err := state.Apply(rec.Commit, rec.Hash, rec.Seq, rec.Time, nil); err != nil {
			t.Fatal(err)
		}
		for _, d := range rec.Commit.Decisions {
			refused := d.Rejection != nil && !slices.Contains(reasons, d.Rejection.Code)
			if decided[d.ID] || refused || d.After != last {
				t.Errorf("%s: %s after %q, decided before: %v, %v", board, d.ID, d.After, decided[d.ID], d.Rejection)
			}
			decided[d.ID], last = true, d.ID
		}
	}
	if len(decided) != n {
		t.Errorf("%s: %d of %d commands are decided", board, len(decided), n)
	}
}

func BenchmarkRealHotBoard(b *testing.B) { benchmarkReal(b, 1) }

func BenchmarkRealManyBoards(b *testing.B) { benchmarkReal(b, 1000) }

func benchmarkReal(b *testing.B, boards int) {
	logs := realLogs(b, 2)
	stop := runOn(b, logs[0])
	defer stop()
	drive(b, logs[1], boards, 1000)
}
