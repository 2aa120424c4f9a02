package eventlog

import (
	"fmt"
	"testing"

	"github.com/snapback-io/snapback/domain"
	"golang.org/x/sync/errgroup"
)

// BenchmarkListings lists boards of a directory that has many: the ten that a
// user is a member of, and a page of all.
func BenchmarkListings(b *testing.B) {
	for _, boards := range []int{1000, 100_000} {
		b.Run(fmt.Sprintf("boards=%d", boards), func(b *testing.B) {
			l := unsynced(b, 1)
			var group errgroup.Group
			group.SetLimit(32)
			for i := range boards {
				group.Go(func() error {
					return l.PutListing(b.Context(), Listing{Board: fmt.Sprintf("board-%06d", i), Title: "The title of a board", Seq: 1,
						Members: map[string]domain.Role{fmt.Sprintf("user-%d@example.org", i%(boards/10)): domain.Admin}})
				})
			}
			if err := group.Wait(); err != nil {
				b.Fatal(err)
			}
			for _, kind := range []struct {
				name  string
				match func(string) bool
				want  int
			}{{"mine", nil, 10}, {"all", func(string) bool { return true }, 100}} {
				b.Run(kind.name, func(b *testing.B) {
					for b.Loop() {
						list, err := l.Listings(b.Context(), "user-7@example.org", kind.match, "", 100)
						if err != nil || len(list) != kind.want {
							b.Fatalf("%d boards, %v", len(list), err)
						}
					}
				})
			}
		})
	}
}
