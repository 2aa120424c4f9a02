package eventlog

import (
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"

	"github.com/snapback-io/snapback/domain"
)

// batchOf gives messages as a direct get does, each with so many bytes of text.
func batchOf(t testing.TB, records, text int) (batch []*nats.Msg) {
	t.Helper()
	for i := range records {
		c := domain.Commit{V: domain.CommitVersion, Board: "demo", Decisions: []domain.Decision{
			{Command: domain.Command{ID: fmt.Sprint(i), Op: domain.OpMutate, User: strings.Repeat("u", text)}},
		}}
		data, hash, err := c.Encode()
		if err != nil {
			t.Fatal(err)
		}
		batch = append(batch, &nats.Msg{Data: data, Header: nats.Header{
			headerMsgID: {hash.String()}, headerExpected: {strconv.Itoa(i)},
			"Nats-Sequence": {strconv.Itoa(i + 1)}, "Nats-Time-Stamp": {"2026-03-01T10:04:12Z"},
		}})
	}
	return batch
}

// Whatever the size of a batch, its records come in order, up to the first that
// is none or that its reader has enough with, and nobody works on.
func TestDecodeBatch_InOrder(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4))
	before := runtime.NumGoroutine()
	for _, size := range []struct{ records, text int }{{0, 0}, {1, 0}, {5, 0}, {50, 2000}, {700, 2000}, {80, pieceBytes}, {1000, 10}, {3, 1 << 20}} {
		for _, bad := range []int{-1, 0, size.records / 2, size.records - 1} {
			for _, stop := range []int{-1, 1, size.records / 3} {
				batch := batchOf(t, size.records, size.text)
				want := size.records
				if bad >= 0 && bad < size.records {
					batch[bad].Data = []byte("none")
					want = bad
				}
				if stop > 0 {
					want = min(want, stop)
				}
				n := 0
				var failed error
				for r, err := range decodeBatch("demo", batch) {
					if failed = err; err != nil {
						continue // it ends by itself
					}
					if n++; r.Seq != uint64(n) || r.Commit.Decisions[0].ID != strconv.Itoa(n-1) {
						t.Fatalf("%+v: record %d has sequence %d", size, n, r.Seq)
					}
					if n == stop {
						break
					}
				}
				if n != want || (failed != nil) != (bad >= 0 && bad == want && (stop <= 0 || n != stop) && size.records > 0) {
					t.Errorf("%+v, bad %d, stop %d: %d records, %v", size, bad, stop, n, failed)
				}
			}
		}
	}
	if after := runtime.NumGoroutine(); after > before {
		t.Errorf("%d goroutines are left", after-before)
	}
}
