package gateway

import (
	"fmt"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/snapback-io/snapback/domain"
)

// mute is a log that takes commands and says nothing.
type mute struct{ boardLog }

func (mute) PublishCommand(*domain.Command, time.Duration) error { return nil }

// BenchmarkMutate: the way of a mutate through its gateway, but for the
// socket, the log and the record: from the frame to the command, and from the
// verdict to the ack.
func BenchmarkMutate(b *testing.B) {
	for _, inFlight := range []int{1, 64} {
		b.Run(fmt.Sprintf("%d-in-flight", inFlight), func(b *testing.B) {
			x := newBench(b, 0)
			x.hubs.log = mute{x.hubs.log}
			s := x.seat("u0")
			s.hub = x.hub
			ids, frames := make([]string, inFlight), make([][]byte, inFlight)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				n := i % inFlight
				if n == 0 {
					b.StopTimer()
					for j := range ids {
						ids[j] = newID()
						frames[j] = fmt.Appendf(nil, `{"type":"mutate","clientMutationId":%q,"entityId":"c%d","patch":{"columnId":"doing","position":{"after":"c7"}},"expiresAt":%q}`,
							ids[j], j, time.Now().Add(4*time.Second).UTC().Format(time.RFC3339Nano))
					}
					b.StartTimer()
				}
				s.frame(websocket.TextMessage, frames[n])
				if n < inFlight-1 {
					continue
				}
				for _, id := range ids {
					x.hub.Repeat(domain.Verdict{User: "u0", ID: id, Rev: uint64(i), Events: 1})
				}
				s.taken()
			}
		})
	}
}
