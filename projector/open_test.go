package projector

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/snapback-io/snapback/domain"
)

// TestOpenSince_MoreCameIntoSightThanIsRemembered: nobody lacks anything.
func TestOpenSince_MoreCameIntoSightThanIsRemembered(t *testing.T) {
	s := &script{t: t, view: NewView(domain.NewBoard("b")), board: domain.NewBoard("b"), at: time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)}
	s.step(`ada m b {"kind":"board","title":"Demo"}`)
	s.step(`ada m1 k1 {"kind":"column","title":"K1"} ; k2 {"kind":"column","title":"K2"} ; c1 {"kind":"card","title":"C1","columnId":"k1"}`)
	s.step(`ada m2 k1 {"archived":true}`)
	s.step("commit")
	since := s.view.Rev()
	s.step(`ada m3 k1 {"archived":false}`)
	const each = 100
	for i := range maxSightings/each + 1 {
		var made, shut, back []string
		for j := range each {
			id := fmt.Sprintf("n%d-%d", i, j)
			made = append(made, id+` {"kind":"card","title":"N","columnId":"k2"}`)
			shut = append(shut, id+` {"archived":true}`)
			back = append(back, id+` {"archived":false}`)
		}
		for j, changes := range [][]string{made, shut, back} {
			s.step(fmt.Sprintf("ada n%d-%d ", i, j) + strings.Join(changes, " ; "))
		}
		s.step("commit")
	}
	told := func(rev uint64) (ids []string) {
		changed, ok := s.view.OpenSince(rev)
		if !ok {
			t.Fatal("too far behind")
		}
		for _, e := range changed {
			ids = append(ids, e.ID)
		}
		return ids
	}
	if got := told(since); !slices.Contains(got, "k1") || !slices.Contains(got, "c1") {
		t.Errorf("told %s", got)
	}
	if got := told(since + 1); slices.Contains(got, "k1") || slices.Contains(got, "c1") {
		t.Errorf("who has seen k1 come back is told %s", got)
	}
	if n := len(s.view.sightings); n > maxSightings || n < maxSightings/2 {
		t.Errorf("%d are remembered", n)
	}
}

// TestOpenSince_IsOneListForAllWhoAsk, until something happens: a thousand may
// ask, and be slow to take it.
func TestOpenSince_IsOneListForAllWhoAsk(t *testing.T) {
	a := newAuthor(t, 2000, "")
	v := a.view(t)
	since := v.Rev()
	told := func(since uint64) []*domain.Entity {
		t.Helper()
		changed, ok := v.OpenSince(since)
		newest := uint64(0)
		for _, e := range changed {
			newest = max(newest, e.Rev)
			if e.Rev <= since {
				t.Errorf("told what was so at %d", e.Rev)
			}
		}
		if !ok || newest != v.Rev() {
			t.Fatalf("told up to %d, %v", newest, ok)
		}
		return changed
	}
	apply := func() {
		if _, err := v.Apply(a.record(3)); err != nil {
			t.Fatal(err)
		}
	}
	apply()
	if list := told(since); &list[0] != &told(since)[0] {
		t.Error("not the same list")
	}
	told(since + 1)
	told(since)
	apply()
	told(since)
}
