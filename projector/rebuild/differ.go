package rebuild

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/eventlog"
)

// listingDiffers says in what an entry of the directory is not what the board
// gives at the record it is of, "" if it is.
func listingDiffers(entry eventlog.Listing, b *domain.Board) string {
	want := eventlog.ListingOf(b)
	var what []string
	if entry.Board != want.Board {
		what = append(what, fmt.Sprintf("board %q", entry.Board))
	}
	if !b.Exists() {
		what = append(what, "the board did not exist then")
	} else if entry.Seq != want.Seq {
		what = append(what, fmt.Sprintf("record %d does not change the entry, %d did", entry.Seq, want.Seq))
	}
	if entry.Title != want.Title {
		what = append(what, fmt.Sprintf("title %.60q, the log gives %.60q", entry.Title, want.Title))
	}
	if entry.Archived != want.Archived {
		what = append(what, fmt.Sprintf("archived %v", entry.Archived))
	}
	if !maps.Equal(entry.Members, want.Members) {
		what = append(what, fmt.Sprintf("%d members, the log gives %d", len(entry.Members), len(want.Members)))
		for _, user := range slices.Sorted(maps.Keys(want.Members)) {
			if entry.Members[user] != want.Members[user] {
				what = append(what, fmt.Sprintf("%s is %q, not %q", user, entry.Members[user], want.Members[user]))
				break
			}
		}
	}
	return strings.Join(what, "; ")
}

// boardDiffers says in what an encoded board is not the one the log gives.
func boardDiffers(data []byte, want *domain.Board) string {
	got, err := domain.LoadSnapshot(data)
	if err != nil {
		return err.Error()
	}
	_, hash, _ := got.Head()
	_, wantHash, _ := want.Head()
	switch {
	case hash != wantHash:
		return fmt.Sprintf("the record there has the hash %v, not %v", wantHash, hash)
	case got.Rev() != want.Rev():
		return fmt.Sprintf("rev %d, the log gives %d", got.Rev(), want.Rev())
	case got.StateHash() == want.StateHash():
		return "what is on the board is right; counts, deletions or ids decided lately that go with it are not"
	}
	n, first := 0, ""
	differ := func(a, b *domain.Board) {
		for e := range a.All() {
			if other := b.Get(e.ID); other == nil || a == got && !same(e, other) {
				if n++; n == 1 {
					first = e.ID
				}
			}
		}
	}
	differ(got, want)
	differ(want, got)
	return fmt.Sprintf("%d entities are not what the log gives, as %s", n, first)
}

func same(a, b *domain.Entity) bool {
	x, err := a.MarshalJSON()
	if err != nil {
		return false
	}
	y, err := b.MarshalJSON()
	return err == nil && string(x) == string(y)
}
