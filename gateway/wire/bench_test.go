package wire

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/snapback-io/snapback/domain"
)

// benchFrames are the frames that move a card, make one of about 200 bytes,
// and make one of about 2.6 KiB.
func benchFrames(b *testing.B, bench func(b *testing.B, frame []byte)) {
	text := strings.Repeat("All work and no play makes \"Jack\" a dull boy.\n", 45)
	for _, p := range []struct{ name, patch string }{
		{"move", `{"columnId":"01J8ZC5N3V9Q4W2X6Y7T8R1S0A","position":{"after":"01J8ZC5N3V9Q4W2X6Y7T8R1S0B"}}`},
		{"small", `{"kind":"card","title":"A card","columnId":"01J8ZC5N3V9Q4W2X6Y7T8R1S0A"}`},
		{"large", fmt.Sprintf(`{"kind":"card","title":"A card","columnId":"01J8ZC5N3V9Q4W2X6Y7T8R1S0A","description":%q,"labels":["l0","l1","l2"],"assignees":["ann","bob"],"due":"2026-05-05"}`, text)},
	} {
		frame := fmt.Appendf(nil, `{"type":"mutate","clientMutationId":"01J8ZC5N3V9Q4W2X6Y7T8R1S0P","entityId":"01J8ZC5N3V9Q4W2X6Y7T8R1S0Q","patch":%s,"expiresAt":"2026-03-01T10:04:16.02Z"}`, p.patch)
		b.Run(p.name, func(b *testing.B) {
			b.ReportAllocs()
			bench(b, frame)
		})
	}
}

func BenchmarkParseClient(b *testing.B) {
	benchFrames(b, func(b *testing.B, frame []byte) {
		for b.Loop() {
			if _, bad := ParseClient(frame); bad != nil {
				b.Fatal(bad)
			}
		}
	})
}

// BenchmarkAppendSync writes the sync of the card that the frame asks for.
func BenchmarkAppendSync(b *testing.B) {
	benchFrames(b, func(b *testing.B, frame []byte) {
		f, bad := ParseClient(frame)
		if bad != nil {
			b.Fatal(bad)
		}
		e := &domain.Entity{ID: f.Changes[0].EntityID, Kind: domain.KindCard, Rev: 1234, CreatedRev: 1200, CreatedAt: time.UnixMilli(1772359451012).UTC(),
			CreatedBy: "ann", UpdatedAt: time.UnixMilli(1772359451012).UTC(), UpdatedBy: "ann", Fields: domain.Merge(nil, f.Changes[0].Patch, "ann")}
		var entity, buf []byte
		var err error
		for b.Loop() {
			if entity, err = e.AppendJSONFor(entity[:0], false); err != nil {
				b.Fatal(err)
			}
			buf = AppendSync(buf[:0], 1234, entity, "ann", "card.moved", false)
		}
	})
}

func BenchmarkAppendAck(b *testing.B) {
	b.ReportAllocs()
	var buf []byte
	for b.Loop() {
		buf = AppendAck(buf[:0], "01J8ZC5N3V9Q4W2X6Y7T8R1S0P", 1234, 1)
	}
	if !json.Valid(buf) {
		b.Fatal("no JSON")
	}
}
