package check

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/snapback-io/snapback/test/cutter"
	"github.com/snapback-io/snapback/test/naive"
)

// record is a log in which ann made column k (m1) and card c (m2), liked it
// (m3), was refused (m4) and renamed the card (m5).
func record(t *testing.T) []naive.Record {
	t.Helper()
	decision := func(id string, rev int, rest string) string {
		return fmt.Sprintf(`{"id":%q,"op":"mutate","user":"ann","at":"2026-05-01T12:00:00Z","deadline":"2026-05-01T12:00:09Z","rev":%d%s}`, id, rev, rest)
	}
	data := fmt.Sprintf(`{"v":1,"board":"b","prev":%q,"at":"2026-05-01T12:00:00Z","decisions":[%s]}`, strings.Repeat("0", 64), strings.Join([]string{
		decision("m1", 1, `,"events":[{"type":"column.created","rev":1,"entityId":"k","after":{"title":"K"}}]`),
		decision("m2", 2, `,"events":[{"type":"card.created","rev":2,"entityId":"c","after":{"title":"C","columnId":"k"}}]`),
		decision("m3", 3, `,"events":[{"type":"card.liked","rev":3,"entityId":"c","added":{"likedBy":["ann"]}}]`),
		decision("m4", 3, `,"rejection":{"code":"forbidden"}`),
		decision("m5", 4, `,"events":[{"type":"card.renamed","rev":4,"entityId":"c","after":{"title":"D"}}]`),
	}, ","))
	r, err := naive.Decode(1, time.Date(2026, 5, 1, 12, 0, 1, 0, time.UTC), []byte(data))
	if err != nil {
		t.Fatal(err)
	}
	return []naive.Record{r}
}

const (
	column = `{"id":"k","kind":"column","rev":1,"createdRev":1,"createdAt":"2026-05-01T12:00:00Z","createdBy":"ann","updatedAt":"2026-05-01T12:00:00Z","updatedBy":"ann","title":"K"}`
	cardAt = `{"id":"c","kind":"card","rev":%d,"createdRev":2,"createdAt":"2026-05-01T12:00:00Z","createdBy":"ann","updatedAt":"2026-05-01T12:00:00Z","updatedBy":"ann","title":"C","columnId":"k"%s}`
)

var (
	card2 = fmt.Sprintf(cardAt, 2, `,"liked":false,"likes":0`)
	card3 = fmt.Sprintf(cardAt, 3, `,"liked":true,"likes":1,"likedBy":["ann"]`)
	card4 = strings.Replace(fmt.Sprintf(cardAt, 4, `,"liked":true,"likes":1,"likedBy":["ann"]`), `"title":"C"`, `"title":"D"`, 1)
)

// play makes a living connection of ann from a script: one frame a line, "> "
// to the server, "< " from it; @c3 stands for the card at rev 3.
func play(query, script string) cutter.Conn {
	script = strings.NewReplacer("@k", column, "@c2", card2, "@c3", card3, "@c4", card4).Replace(script)
	c := cutter.Conn{URL: &url.URL{Path: "/v1/boards/b/ws", RawQuery: "user=ann" + query}}
	for i, line := range strings.Split(strings.TrimSpace(script), "\n") {
		way, body, _ := strings.Cut(strings.TrimSpace(line), " ")
		f := cutter.Frame{Way: cutter.Up, At: time.Unix(int64(i), 0), Data: []byte(body)}
		if way == "<" {
			f.Way = cutter.Down
		}
		c.Frames = append(c.Frames, f)
	}
	return c
}

const joined = `< {"type":"hello","resumed":false,"epoch":"e","rev":2}
< {"type":"sync","rev":2,"entity":@k}
< {"type":"sync","rev":2,"entity":@c2}
< {"type":"ready","rev":2}
`

const orderly = joined + `> {"type":"mutate","clientMutationId":"m3","entityId":"c","patch":{"liked":true}}
> {"type":"mutate","clientMutationId":"m4","entityId":"c","patch":{"title":"x"}}
> {"type":"mutate","clientMutationId":"m5","entityId":"c","patch":{"title":"D"},"expiresAt":"2026-05-01T12:00:09Z"}
< {"type":"sync","rev":3,"entity":@c3,"by":"ann","event":"card.liked"}
< {"type":"ack","clientMutationId":"m3","rev":3,"events":1}
< {"type":"nack","clientMutationId":"m4","code":"forbidden"}
< {"type":"sync","rev":4,"entity":@c4,"by":"ann","event":"card.renamed"}
< {"type":"ack","clientMutationId":"m5","rev":4,"events":1}
> {"type":
< {"type":"error","code":"invalid"}`

func TestJudgePassesWhatIsInOrder(t *testing.T) {
	resumed := `< {"type":"hello","resumed":true,"epoch":"e","rev":4}
< {"type":"sync","rev":4,"entity":@c4}
< {"type":"ready","rev":4}
> {"type":"mutate","clientMutationId":"m3","entityId":"c","patch":{"liked":true}}
< {"type":"ack","clientMutationId":"m3","rev":3,"events":1}
> {"type":"cancel","clientMutationId":"m4"}
< {"type":"nack","clientMutationId":"m4","code":"forbidden"}`
	j := NewJudge(record(t), []cutter.Conn{play("", orderly), play("&since=2&epoch=e", resumed)})
	j.Laws()
	if len(j.Faults) > 0 {
		t.Errorf("faults %v", j.Faults)
	}
}

func TestJudgeFindsEveryBreach(t *testing.T) {
	swap := func(old, new string) string {
		if !strings.Contains(orderly, old) {
			t.Fatalf("no %q", old)
		}
		return strings.Replace(orderly, old, new, 1)
	}
	sync3 := `< {"type":"sync","rev":3,"entity":@c3,"by":"ann","event":"card.liked"}` + "\n"
	ack3 := `< {"type":"ack","clientMutationId":"m3","rev":3,"events":1}` + "\n"
	refusal := joined + `> {"type":"mutate","clientMutationId":"m9","entityId":"c","patch":{"title":"x"}}
> {"type":"mutate","clientMutationId":"m3","entityId":"c","patch":{"liked":true}}
< {"type":"nack","clientMutationId":"m9","code":"rate_limited","retryable":true}
` + sync3 + ack3
	for _, c := range []struct{ law, query, script string }{
		{"law 1", "", swap(sync3, "")},
		{"law 1", "", swap(`"event":"card.liked"`, `"event":"card.renamed"`)},
		{"law 1", "", swap("@c3", strings.Replace(card3, `"likes":1`, `"likes":2`, 1))},
		{"law 1", "", swap(sync3, sync3+`< {"type":"ready","rev":3}`+"\n")},
		{"law 2", "", swap(sync3+ack3, ack3+sync3)},
		{"law 2", "", swap(`"event":"card.liked"`, `"event":"card.liked","more":true`)},
		{"law 3", "", swap(ack3, "")},
		{"law 3", "", swap(ack3, ack3+ack3)},
		{"law 3", "", swap(`"m5","rev":4`, `"m5","rev":3`)},
		{"law 3", "", swap(`"code":"forbidden"`, `"code":"id_reused"`)},
		{"law 4", "", swap(`"code":"forbidden"`, `"code":"expired"`)},
		{"law 4", "", swap(`< {"type":"nack","clientMutationId":"m4"`, `< {"type":"nack","clientMutationId":"m5"`)},
		{"law 4", "", orderly + "\n" + `> {"type":"mutate","clientMutationId":"m8","patch":{}}` + "\n" + `< {"type":"ack","clientMutationId":"m8","rev":4,"events":0}`},
		{"law 4", "", orderly + "\n" + `> {"type":"mutate","clientMutationId":"m8","patch":{}}` + "\n" + `< {"type":"nack","clientMutationId":"m8","code":"expired"}`},
		{"law 5", "", swap("12:00:09Z", "12:00:00Z")},
		{"law 6", "", joined + `> {"type":"mutate","clientMutationId":"m5"}` + "\n" + `> {"type":"mutate","clientMutationId":"m3"}`},
		{"law 7", "", refusal},
		{"law 7", "", swap(ack3, `< {"type":"nack","clientMutationId":"m3","code":"unavailable","retryable":true}`+"\n")},
		{"law 8", "", swap(`< {"type":"error","code":"invalid"}`, "")},
		{"law 9", "", strings.Replace(orderly, `< {"type":"sync","rev":2,"entity":@c2}`+"\n", "", 1)},
		{"law 9", "&since=2", `< {"type":"hello","resumed":true}` + "\n" + `< {"type":"ready","rev":3}`},
		{"law 9", "&since=2", strings.Replace(orderly, `"resumed":false`, `"resumed":true`, 1)},
		{"law 9", "", `< {"type":"hello","resumed":true}`},
	} {
		j := NewJudge(record(t), []cutter.Conn{play(c.query, c.script)})
		j.Laws()
		if all := strings.Join(j.Faults, "\n"); !strings.Contains(all, c.law+":") {
			t.Errorf("%s is not missed in\n%s\nfaults: %s", c.law, c.script, all)
		}
	}
}
