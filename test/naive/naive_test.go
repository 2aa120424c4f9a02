package naive

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

var noon = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

// chain makes records of the given decisions, one record each.
func chain(t *testing.T, notAfter map[int]time.Time, decisions ...string) []Record {
	t.Helper()
	prev := strings.Repeat("0", 64)
	var list []Record
	for i, d := range decisions {
		void := ""
		if at, ok := notAfter[i]; ok {
			void = fmt.Sprintf(`"notAfter":%q,`, at.Format(time.RFC3339Nano))
		}
		data := fmt.Sprintf(`{"v":1,"board":"b","prev":%q,"at":"2026-05-01T12:00:00Z",%s"decisions":[%s]}`, prev, void, d)
		r, err := Decode(uint64(i+1), noon, []byte(data))
		if err != nil {
			t.Fatal(err)
		}
		prev = r.Hash()
		list = append(list, r)
	}
	return list
}

func decision(id string, rev int, rest string) string {
	return fmt.Sprintf(`{"id":%q,"op":"mutate","user":"ann","at":"2026-05-01T12:00:00Z","deadline":"2026-05-01T12:00:01Z","rev":%d%s}`, id, rev, rest)
}

func TestFold(t *testing.T) {
	records := chain(t, map[int]time.Time{2: noon.Add(-time.Second)},
		decision("m1", 2, `,"events":[{"type":"column.created","rev":1,"entityId":"k","after":{"title":"K"}},{"type":"card.created","rev":2,"entityId":"c","after":{"title":"C","columnId":"k","due":"2026-05-02"}}]`),
		decision("m2", 4, `,"events":[{"type":"card.liked","rev":3,"entityId":"c","added":{"likedBy":["ann"]}},{"type":"comment.added","rev":4,"entityId":"x","after":{"cardId":"c","text":"hi"}}]`),
		decision("m3", 5, `,"events":[{"type":"card.renamed","rev":5,"entityId":"c","after":{"title":"never"}}]`),
		decision("m3", 5, `,"events":[{"type":"card.changed","rev":5,"entityId":"c","after":{"due":null}}]`),
		decision("m4", 5, `,"rejection":{"code":"forbidden"}`),
	)
	log, faults := Check(records)
	if len(faults) > 0 || log.Rev != 5 || log.Voids != 1 || len(log.Order) != 4 {
		t.Fatalf("rev %d, %d voids, %d decisions, faults %v", log.Rev, log.Voids, len(log.Order), faults)
	}
	c := Fold(records, 0).View("ann")["c"]
	if c["title"] != "C" || c["due"] != nil || c["liked"] != true || fmt.Sprint(c["likes"]) != "1" || fmt.Sprint(c["rev"]) != "5" {
		t.Errorf("card is %v", c)
	}
	if other := Fold(records, 3).View("bob"); other["c"]["liked"] != false || other["x"] != nil {
		t.Errorf("at rev 3 bob sees %v", other)
	}
	gone := append(records, chain(t, nil, decision("m5", 6, `,"events":[{"type":"card.deleted","rev":6,"entityId":"c"}]`))...)
	if left := Fold(gone, 0).Entities; len(left) != 1 {
		t.Errorf("left after the card is deleted: %v", left)
	}
}

func TestCheckFindsEveryBreach(t *testing.T) {
	event := func(rev int) string {
		return fmt.Sprintf(`,"events":[{"type":"column.created","rev":%d,"entityId":"k%d","after":{}}]`, rev, rev)
	}
	for want, records := range map[string][]Record{
		"prev is":     append(chain(t, nil, decision("a", 1, event(1))), chain(t, nil, decision("b", 2, event(2)))...),
		"has rev 3":   chain(t, nil, decision("a", 1, event(1)), decision("b", 3, event(3))),
		"again":       chain(t, nil, decision("a", 1, event(1)), decision("a", 2, event(2))),
		"says rev 9":  chain(t, nil, decision("a", 9, event(1))),
		"took effect": chain(t, nil, strings.Replace(decision("a", 1, event(1)), "12:00:01Z", "11:59:59Z", 1)),
		"before":      chain(t, nil, decision("a", 1, event(1)), strings.Replace(decision("b", 2, event(2)), `"at":"2026-05-01T12:00:00Z"`, `"at":"2026-05-01T11:00:00Z"`, 1)),
		"has events":  chain(t, nil, decision("a", 1, event(1)+`,"rejection":{"code":"invalid"}`)),
	} {
		_, faults := Check(records)
		if len(faults) == 0 || !strings.Contains(fmt.Sprint(faults), want) {
			t.Errorf("%s: faults %v", want, faults)
		}
	}
}
