package rebuild

import (
	"fmt"
	"testing"

	"github.com/oklog/ulid/v2"

	"github.com/snapback-io/snapback/domain"
)

// BenchmarkRun compares ten boards of 2,000 records each with the log.
func BenchmarkRun(b *testing.B) {
	log := openLog(b)
	for i := range 10 {
		a := newAuthor(b, log, fmt.Sprint("board", i))
		for n := range 2000 {
			a.store(domain.Change{EntityID: fmt.Sprint("card-", n%20), Patch: domain.Patch{"title": ulid.Make().String()}})
		}
	}
	if _, err := Run(b.Context(), log, Options{settle: 1}); err != nil {
		b.Fatal(err)
	}
	records := uint64(0)
	b.ReportAllocs()
	for b.Loop() {
		p, err := Run(b.Context(), log, Options{Check: true})
		if err != nil || p.Differences > 0 {
			b.Fatal(p, err)
		}
		records += p.Records
	}
	b.ReportMetric(float64(records)/b.Elapsed().Seconds(), "records/s")
}
