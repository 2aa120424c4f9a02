package gateway

import (
	"bytes"
	"fmt"
	"net"
	"testing"

	"github.com/snapback-io/snapback/domain"
)

// joined connects to the board and reads until ready.
func joined(b *testing.B, addr string, buf []byte) (bytesRead int) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "GET /%s?user=eve HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n", board)
	for {
		n, err := conn.Read(buf)
		if err != nil {
			b.Fatal(err)
		}
		bytesRead += n
		if bytes.Contains(buf[max(0, n-100):n], []byte(`"ready"`)) {
			return bytesRead
		}
	}
}

// BenchmarkJoin: a client that gets a board of 2,000 small cards in memory,
// where nothing changes, or so many cards between two joins.
func BenchmarkJoin(b *testing.B) {
	for _, changes := range []int{0, 1, 100} {
		b.Run(fmt.Sprintf("2000-cards-%d-changed", changes), func(b *testing.B) {
			x := newBench(b, 0)
			for i := range 18 {
				x.apply(x.record(1, func(int) []domain.Change {
					var list []domain.Change
					for j := range 100 {
						list = append(list, put(fmt.Sprintf("more%d-%d", i, j), "card", "title", "A card", "columnId", "todo"))
					}
					return list
				}))
			}
			addr := x.listen()
			buf := make([]byte, 256<<10)
			b.SetBytes(int64(joined(b, addr, buf)))
			b.ReportAllocs()
			before := cpuTime()
			for b.Loop() {
				if changes > 0 {
					x.apply(x.moves(changes))
				}
				joined(b, addr, buf)
			}
			b.ReportMetric(float64(cpuTime()-before)/float64(b.N)/1e6, "cpu-ms/join")
		})
	}
}
