package gateway

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/eventlog"
	"github.com/snapback-io/snapback/eventlog/logtest"
)

// drainsEnv makes the test binary a process of clients that read and throw
// away: "ADDRESS COUNT BOARD...". So a benchmark's CPU time is the server's alone.
const drainsEnv = "SNAPBACK_BENCH_DRAINS"

func TestMain(m *testing.M) {
	if args := os.Getenv(drainsEnv); args != "" {
		words := strings.Fields(args)
		n, _ := strconv.Atoi(words[1])
		drainMany(words[0], n, words[2:])
		return
	}
	os.Exit(m.Run())
}

// drainMany opens n sockets on the boards by turns, says so, and answers pings
// until its input ends.
func drainMany(addr string, n int, boards []string) {
	for i := range n {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			panic(err)
		}
		fmt.Fprintf(conn, "GET /%s?user=u%d HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
			"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n", boards[i%len(boards)], i)
		size := 64 << 10
		if n > 1000 {
			size = 4 << 10
		}
		buf := make([]byte, size)
		if _, err := conn.Read(buf); err != nil {
			panic(err)
		}
		go func() {
			for {
				n, err := conn.Read(buf)
				if err != nil {
					return
				}
				if bytes.Contains(buf[:n], pingFrame) { // no JSON has these bytes
					conn.Write([]byte{0x8a, 0x80, 0, 0, 0, 0}) // a pong, masked
				}
			}
		}()
	}
	fmt.Println("open")
	_, _ = io.Copy(io.Discard, os.Stdin)
}

// bench is a room whose log is made up here: its feed hears nothing.
type bench struct {
	testing.TB
	hubs  *hubs
	hub   *hub
	ahead *domain.Board // what the log will say
	n     int           // ids given
}

const benchCards = 200

// newBench opens a board of benchCards small cards and watches it n times on
// real sockets.
func newBench(b testing.TB, n int) *bench {
	log := logtest.New(logtest.Config{})
	x := &bench{TB: b, ahead: domain.NewBoard(board)}
	x.hubs = newHubsOn(log, Config{QueueBytes: 64 << 20})
	b.Cleanup(x.hubs.close)
	changes := []domain.Change{put(board, "board", "title", "Bench"), put("todo", "column", "title", "To do")}
	for i := range benchCards {
		changes = append(changes, put(fmt.Sprintf("c%d", i), "card", "title", "A card", "columnId", "todo",
			"description", strings.Repeat("small ", 12)))
	}
	for len(changes) > 0 {
		k := min(len(changes), 100)
		r := x.record(1, func(int) []domain.Change { return changes[:k] })
		if _, err := log.Append(b.Context(), board, r.Data, r.Hash, r.Prev); err != nil {
			b.Fatal(err)
		}
		changes = changes[k:]
	}
	var err error
	if x.hub, err = x.hubs.open(b.Context(), board); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(x.hub.release)
	if n > 0 {
		x.watch(n, board)
	}
	return x
}

// record decides k commands, one of each of users 0 to k-1, into the next record.
func (x *bench) record(k int, changes func(i int) []domain.Change) eventlog.Record {
	x.Helper()
	seq, prev, last := x.ahead.Head()
	at := time.Now().UTC().Truncate(time.Millisecond)
	if at.Before(last) {
		at = last
	}
	c := &domain.Commit{V: domain.CommitVersion, Board: x.ahead.ID(), Prev: prev, At: at}
	for i := range k {
		x.n++
		cmd := domain.Command{ID: fmt.Sprintf("bench-%d", x.n), Op: domain.OpMutate, User: fmt.Sprint("u", i), Grant: domain.GrantOpen,
			ReceivedAt: at, Deadline: at.Add(4 * time.Second), Changes: changes(i)}
		d := domain.Decide(x.ahead, &cmd, at)
		if d.Rejection != nil && d.Rejection.Code != domain.Archived && d.Rejection.Code != domain.Forbidden {
			x.Fatal(d.Rejection)
		}
		if err := x.ahead.Fold(&d); err != nil {
			x.Fatal(err)
		}
		c.Decisions = append(c.Decisions, d)
	}
	data, hash, err := c.Encode()
	if err != nil {
		x.Fatal(err)
	}
	if c, _, err = domain.DecodeCommit(data); err != nil {
		x.Fatal(err)
	}
	if err := x.ahead.Settle(c, hash, seq+1); err != nil {
		x.Fatal(err)
	}
	return eventlog.Record{Board: c.Board, Seq: seq + 1, Prev: seq, Time: at, Data: data, Hash: hash, Commit: c}
}

// moves is a record of k small changes.
func (x *bench) moves(k int) eventlog.Record {
	return x.record(k, func(int) []domain.Change {
		return []domain.Change{put(fmt.Sprintf("c%d", x.n%benchCards), "", "title", fmt.Sprint("Card ", x.n))}
	})
}

// listen serves sockets and gives the address.
func (x *bench) listen() string {
	x.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		x.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x.hubs.serve(w, r, r.URL.Path[1:], identity{user: r.URL.Query().Get("user"), open: true}, nil)
	})}
	go server.Serve(l)
	x.Cleanup(func() { server.Close() })
	return l.Addr().String()
}

// watch has n sessions of another process watch the boards by turns.
func (x *bench) watch(n int, boards ...string) {
	x.Helper()
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), fmt.Sprintf("%s=%s %d %s", drainsEnv, x.listen(), n, strings.Join(boards, " ")))
	child.Stderr = os.Stderr
	in, _ := child.StdinPipe()
	out, _ := child.StdoutPipe()
	if err := child.Start(); err != nil {
		x.Fatal(err)
	}
	x.Cleanup(func() { in.Close(); child.Wait() })
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		x.Fatal(err)
	}
	for len(x.sessions()) < n {
		time.Sleep(time.Millisecond)
	}
}

func (x *bench) sessions() []*session {
	x.hubs.mu.Lock()
	defer x.hubs.mu.Unlock()
	var list []*session
	for s := range x.hubs.sessions {
		list = append(list, s)
	}
	return list
}

// room waits until less than limit bytes wait for s.
func (x *bench) room(s *session, limit int) {
	for {
		s.q.mu.Lock()
		waits := s.q.bytes
		s.q.mu.Unlock()
		if waits <= limit {
			return
		}
		time.Sleep(100 * time.Microsecond)
	}
}

func cpuTime() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkFanout: records of so many changes go to so many sessions, as fast
// as the sockets take them or at a pace. Told "with verdicts", each change is
// some session's.
func BenchmarkFanout(b *testing.B) {
	for _, test := range []struct {
		name              string
		sessions, changes int
		verdicts          bool
		pace              time.Duration
	}{
		{"hot-50x100", 50, 100, true, 0},
		{"hot-50x20", 50, 20, true, 0},
		{"viewers-1000x1", 1000, 1, false, 0},
		{"viewers-1000x1-paced", 1000, 1, false, time.Millisecond},
		{"small-4x4", 4, 4, true, 0},
	} {
		b.Run(test.name, func(b *testing.B) {
			x := newBench(b, test.sessions)
			sessions := x.sessions()
			by := map[string]*session{}
			for _, s := range sessions {
				by[s.id.user] = s
			}
			var records []eventlog.Record
			var cpu time.Duration
			b.ReportAllocs()
			b.ResetTimer()
			writes := x.hubs.counters().Writes
			next := time.Now()
			before := cpuTime()
			for i := range b.N {
				if len(records) == 0 {
					b.StopTimer()
					cpu += cpuTime() - before
					for range min(500, b.N-i) {
						records = append(records, x.moves(test.changes))
					}
					next, before = time.Now(), cpuTime()
					b.StartTimer()
				}
				if test.pace > 0 {
					next = next.Add(test.pace)
					time.Sleep(time.Until(next))
				}
				r := records[0]
				records = records[1:]
				if test.verdicts {
					x.hub.mu.Lock()
					for j := range r.Commit.Decisions {
						d := &r.Commit.Decisions[j]
						x.hub.register(&sending{key: mutationKey{d.User, d.ID}, cmd: &d.Command, session: by[fmt.Sprint("u", j%test.sessions)]})
					}
					x.hub.mu.Unlock()
				}
				if err := x.hub.Apply(r); err != nil {
					b.Fatal(err)
				}
				x.room(sessions[i%len(sessions)], 256<<10)
			}
			for _, s := range sessions {
				x.room(s, 0)
			}
			cpu += cpuTime() - before
			b.StopTimer()
			frames := float64(b.N * test.sessions * test.changes)
			b.ReportMetric(b.Elapsed().Seconds()*1e9/frames, "ns/frame")
			b.ReportMetric(float64(cpu)/frames, "cpu-ns/frame")
			b.ReportMetric(float64(x.hubs.counters().Writes-writes)/frames, "writes/frame")
			if n := x.hubs.counters().Lags; n > 0 {
				b.Errorf("%d sessions lagged", n)
			}
		})
	}
}
