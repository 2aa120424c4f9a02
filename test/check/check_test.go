package check

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/snapback-io/snapback/test/cutter"
	"github.com/snapback-io/snapback/test/naive"
)

var noon = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

// tale is a history in the making: every test doctors one thing of it.
type tale struct {
	History
	prev map[string]string
}

func at(ms int) time.Time { return noon.Add(time.Duration(ms) * time.Millisecond) }

// record appends a record of board b, stored at ms.
func (h *tale) record(t *testing.T, ms int, notAfter int, decisions ...string) {
	t.Helper()
	prev := strings.Repeat("0", 64)
	if n := len(h.Records); n > 0 {
		prev = h.Records[n-1].Hash()
	}
	data := fmt.Sprintf(`{"v":1,"board":"b","prev":%q,"at":"2026-05-01T12:00:00Z","notAfter":%q,"decisions":[%s]}`, prev, at(notAfter).Format(time.RFC3339Nano), strings.Join(decisions, ","))
	r, err := naive.Decode(uint64(len(h.Records)+1), at(ms), []byte(data))
	if err != nil {
		t.Fatal(err)
	}
	h.Records = append(h.Records, r)
}

// rename is the decision on a new title of card c, made rev n.
func rename(user, id string, n, deadline int) string {
	return fmt.Sprintf(`{"id":%q,"op":"mutate","user":%q,"at":"2026-05-01T12:00:00Z","deadline":%q,"rev":%d,"events":[{"type":"card.renamed","rev":%d,"entityId":"c","after":{"title":"T%d"}}]}`, id, user, at(deadline).Format(time.RFC3339Nano), n, n, n)
}

func refuse(user, id string, n int) string {
	return fmt.Sprintf(`{"id":%q,"op":"mutate","user":%q,"at":"2026-05-01T12:00:00Z","deadline":"2026-05-01T12:00:09Z","rev":%d,"rejection":{"code":"forbidden"}}`, id, user, n)
}

func (h *tale) connect(user, query string) *cutter.Conn {
	h.Conns = append(h.Conns, cutter.Conn{URL: &url.URL{Path: "/v1/boards/b/ws", RawQuery: "user=" + user + query}, Opened: at(1)})
	return &h.Conns[len(h.Conns)-1]
}

func frameOf(c *cutter.Conn, ms int, way cutter.Way, format string, args ...any) {
	c.Frames = append(c.Frames, cutter.Frame{Way: way, At: at(ms), Data: []byte(fmt.Sprintf(format, args...))})
}

const wsCard = `{"id":"c","kind":"card","rev":%d,"createdRev":1,"createdAt":"2026-05-01T12:00:00Z","createdBy":"owner","updatedAt":"2026-05-01T12:00:00Z","updatedBy":%q,"title":%q,"liked":false,"likes":0}`

func join(c *cutter.Conn, ms, rev int, by string) {
	title := "C"
	if rev > 1 {
		title = fmt.Sprint("T", rev)
	}
	frameOf(c, ms, cutter.Down, `{"type":"hello","resumed":false,"epoch":"e","rev":%d}`, rev)
	frameOf(c, ms, cutter.Down, `{"type":"sync","rev":%d,"entity":%s}`, rev, fmt.Sprintf(wsCard, rev, by, title))
	frameOf(c, ms, cutter.Down, `{"type":"ready","rev":%d}`, rev)
}

func mutate(c *cutter.Conn, ms int, id string, more string) {
	frameOf(c, ms, cutter.Up, `{"type":"mutate","clientMutationId":%q,"entityId":"c","patch":{"title":"x"}%s}`, id, more)
}

func sync(c *cutter.Conn, ms, rev int, by string) {
	frameOf(c, ms, cutter.Down, `{"type":"sync","rev":%d,"entity":%s,"by":%q,"event":"card.renamed"}`, rev, fmt.Sprintf(wsCard, rev, by, fmt.Sprint("T", rev)), by)
}

func ack(c *cutter.Conn, ms int, id string, rev int) {
	frameOf(c, ms, cutter.Down, `{"type":"ack","clientMutationId":%q,"rev":%d,"events":1}`, id, rev)
}

// orderlyTale has two people on two nodes who rename a card: ann's a2 and a3,
// bob's b4; bob is refused once; the owner posts o5, whose answer is lost; a
// record is void. In the end both nodes are asked.
func orderlyTale(t *testing.T) *tale {
	t.Helper()
	h := &tale{}
	h.Start, h.About = noon, "a test"
	h.record(t, 1, 9000, `{"id":"o1","op":"mutate","user":"owner","at":"2026-05-01T12:00:00Z","deadline":"2026-05-01T12:00:09Z","rev":1,"events":[{"type":"card.created","rev":1,"entityId":"c","after":{"title":"C"}}]}`)
	h.record(t, 20, 9000, rename("ann", "a2", 2, 9000), rename("ann", "a3", 3, 9000))
	h.record(t, 5000, 4000, rename("bob", "b4", 4, 4000))
	h.record(t, 5010, 9000, rename("bob", "b4", 4, 9000), refuse("bob", "b5", 4))
	h.record(t, 5100, 9000, rename("owner", "o5", 5, 9000))
	ann := h.connect("ann", "")
	join(ann, 2, 1, "owner")
	mutate(ann, 10, "a2", `,"expiresAt":"2026-05-01T12:00:09Z"`)
	mutate(ann, 11, "a3", "")
	sync(ann, 21, 2, "ann")
	ack(ann, 21, "a2", 2)
	sync(ann, 22, 3, "ann")
	ack(ann, 22, "a3", 3)
	bob := h.connect("bob", "&since=3&epoch=e")
	frameOf(bob, 30, cutter.Down, `{"type":"hello","resumed":true,"epoch":"e","rev":3}`)
	frameOf(bob, 30, cutter.Down, `{"type":"ready","rev":3}`)
	mutate(bob, 40, "b4", "")
	mutate(bob, 41, "b5", "")
	sync(bob, 5020, 4, "bob")
	ack(bob, 5020, "b4", 4)
	frameOf(bob, 5021, cutter.Down, `{"type":"nack","clientMutationId":"b5","code":"forbidden"}`)
	sync(bob, 5110, 5, "owner")
	h.post("o5", 5050)
	h.post("o1", 1)
	for _, node := range []string{"n1", "n2"} {
		h.ask(node, "ann", "a2", http.StatusOK, `{"type":"ack","clientMutationId":"a2","rev":2,"events":1}`)
		h.ask(node, "bob", "b5", http.StatusOK, `{"type":"nack","clientMutationId":"b5","code":"forbidden"}`)
		h.Requests = append(h.Requests, Request{Node: node, User: "ann", Board: "b", Method: http.MethodGet, Path: "?minRev=5", Sent: at(6000), Done: at(6001), Status: 200, Quiet: true,
			Answer: fmt.Sprintf(`{"board":"b","epoch":"e","rev":5,"entities":[%s]}`, fmt.Sprintf(wsCard, 5, "owner", "T5"))})
	}
	card, err := naive.ToObject([]byte(fmt.Sprintf(wsCard, 5, "owner", "T5")))
	if err != nil {
		t.Fatal(err)
	}
	h.Views = []View{{Who: "ann's window", User: "ann", Board: "b", Rev: 5, Entities: map[string]naive.Object{"c": card}}}
	h.Told = []Told{{User: "ann", Board: "b", ID: "a2", OK: true, Rev: 2}, {User: "bob", Board: "b", ID: "b5", Code: "forbidden"}}
	return h
}

func (h *tale) post(id string, ms int) {
	h.Requests = append(h.Requests, Request{Node: "n1", User: "owner", Board: "b", Method: http.MethodPost, Path: "mutations", Sent: at(ms),
		Body: fmt.Sprintf(`{"type":"mutate","clientMutationId":%q,"entityId":"c","patch":{"title":"x"}}`, id)})
}

func (h *tale) ask(node, user, id string, status int, answer string) {
	h.Requests = append(h.Requests, Request{Node: node, User: user, Board: "b", Method: http.MethodGet, Path: "mutations/" + id, Sent: at(6000), Done: at(6001), Status: status, Answer: answer, Quiet: true})
}

func TestCheckPassesWhatIsInOrder(t *testing.T) {
	r := Check(&orderlyTale(t).History, "")
	if len(r.Findings) > 0 {
		t.Errorf("findings:\n%s", strings.Join(r.Findings, "\n"))
	}
	want := map[string]int{"acked": 5, "nack forbidden": 3, "verdicts asked for": 4, "boards read": 2, "views": 3, "operations": 4, "unknown, took effect": 2, "void records": 1, "requests without answer": 2}
	for what, n := range want {
		if r.Counts[what] != n {
			t.Errorf("%s: %d, not %d", what, r.Counts[what], n)
		}
	}
}

func TestHistoryIsReadAsWritten(t *testing.T) {
	h := &orderlyTale(t).History
	var file bytes.Buffer
	if err := h.Write(&file); err != nil {
		t.Fatal(err)
	}
	again, err := Read(&file)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(h, again) {
		t.Error("another history")
	}
}

// doctored is one bad thing in a tale, and what the checker calls it.
type doctored struct {
	name, finding string
	spoil         func(t *testing.T, h *tale)
}

// replace changes one frame of a connection.
func (h *tale) replace(t *testing.T, conn int, old, with string) {
	t.Helper()
	for i, f := range h.Conns[conn].Frames {
		if text := string(f.Data); strings.Contains(text, old) {
			h.Conns[conn].Frames[i].Data = []byte(strings.Replace(text, old, with, 1))
			return
		}
	}
	t.Fatalf("no frame with %s", old)
}

// relog writes the log anew with one thing of one record changed.
func (h *tale) relog(t *testing.T, old, with string) {
	t.Helper()
	records, found := h.Records, false
	h.Records = nil
	prev := ""
	for i, r := range records {
		data := string(r.Data)
		if i > 0 {
			data = strings.Replace(data, r.Prev, prev, 1)
		}
		if !found && strings.Contains(data, old) {
			data, found = strings.Replace(data, old, with, 1), true
		}
		again, err := naive.Decode(r.Seq, r.Stored, []byte(data))
		if err != nil {
			t.Fatal(err)
		}
		prev = again.Hash()
		h.Records = append(h.Records, again)
	}
	if !found {
		t.Fatalf("no record with %s", old)
	}
}

var spoilt = []doctored{
	{"an acked mutation is not in the log", "law 4: n1 asked: ack of a9, which is not in the log", func(t *testing.T, h *tale) {
		h.ask("n1", "ann", "a9", 200, `{"type":"ack","clientMutationId":"a9","rev":2,"events":1}`)
	}},
	{"a mutation is in the log twice", "log: record 6 decides a2 of ann again", func(t *testing.T, h *tale) { h.record(t, 5200, 9000, rename("ann", "a2", 6, 9000)) }},
	{"an ack has another rev than the log", "law 3: connection 0 of ann: ack of a3 with rev 2", func(t *testing.T, h *tale) { h.replace(t, 0, `"a3","rev":3`, `"a3","rev":2`) }},
	{"a refused mutation is in the log", "law 4: connection 1 of bob: nack wip_limit of b4, the log has accepted", func(t *testing.T, h *tale) {
		h.replace(t, 1, `{"type":"ack","clientMutationId":"b4","rev":4,"events":1}`, `{"type":"nack","clientMutationId":"b4","code":"wip_limit"}`)
	}},
	{"a nack has another code than the log", "law 4: connection 1 of bob: nack wip_limit of b5", func(t *testing.T, h *tale) {
		h.replace(t, 1, `"b5","code":"forbidden"`, `"b5","code":"wip_limit"`)
	}},
	{"something took effect after its deadline", "log: record 5: o5 took effect at", func(t *testing.T, h *tale) {
		h.relog(t, `"deadline":"2026-05-01T12:00:09Z","rev":5`, `"deadline":"2026-05-01T12:00:05Z","rev":5`)
	}},
	{"something took effect after its client's deadline", "law 5: a2 of ann took effect at", func(t *testing.T, h *tale) { h.replace(t, 0, "12:00:09Z", "12:00:00Z") }},
	{"something was sent after its deadline and took effect, whatever the stream's clock says", "law 5: b4 of bob took effect, and was sent first at", func(t *testing.T, h *tale) {
		h.replace(t, 1, `"patch":{"title":"x"}}`, `"patch":{"title":"x"},"expiresAt":"2026-05-01T11:59:00Z"}`)
	}},
	{"a void record counts", "law 4: n1 asked: ack of v9, which is not in the log", func(t *testing.T, h *tale) {
		h.record(t, 5300, 5200, rename("ann", "v9", 6, 5200))
		h.ask("n1", "ann", "v9", 200, `{"type":"ack","clientMutationId":"v9","rev":6,"events":1}`)
	}},
	{"a rev is left out", "log: record 5: card.renamed of o5 has rev 6 after 4", func(t *testing.T, h *tale) {
		h.relog(t, `"rev":5,"events":[{"type":"card.renamed","rev":5`, `"rev":6,"events":[{"type":"card.renamed","rev":6`)
	}},
	{"two workers wrote after the same record", "log: record 5: prev is", func(t *testing.T, h *tale) {
		r := h.Records[4]
		again, err := naive.Decode(r.Seq, r.Stored, bytes.Replace(r.Data, []byte(r.Prev), []byte(h.Records[2].Hash()), 1))
		if err != nil {
			t.Fatal(err)
		}
		h.Records[4] = again
	}},
	{"the log has what nobody sent", "log: x9 of eve is in record 6 and nobody sent it", func(t *testing.T, h *tale) { h.record(t, 5200, 9000, rename("eve", "x9", 6, 9000)) }},
	{"a client holds what the log does not make", "convergence: ann's window at rev 5: c", func(t *testing.T, h *tale) { h.Views[0].Entities["c"]["title"] = "other" }},
	{"a client is behind when all is quiet", "convergence: ann's window is at rev 4, the log at 5", func(t *testing.T, h *tale) { h.Views[0].Rev = 4 }},
	{"a node shows another board", "convergence: n2 over HTTP at rev 5: c", func(t *testing.T, h *tale) {
		r := &h.Requests[len(h.Requests)-1]
		r.Answer = strings.Replace(r.Answer, "T5", "T4", 1)
	}},
	{"a node gives less than minRev", "reads: n2 was asked for rev 5 or later and gave 4", func(t *testing.T, h *tale) {
		r := &h.Requests[len(h.Requests)-1]
		r.Answer = strings.Replace(r.Answer, `"rev":5`, `"rev":4`, 1)
	}},
	{"a node refuses to show the board", "reads: n2: GET board: 503", func(t *testing.T, h *tale) { h.Requests[len(h.Requests)-1].Status = 503 }},
	{"a node has another verdict", "law 4: n2 asked: nack expired of a2, the log has accepted", func(t *testing.T, h *tale) {
		h.ask("n2", "ann", "a2", 200, `{"type":"nack","clientMutationId":"a2","code":"expired"}`)
	}},
	{"a node knows no verdict", "law 3: n2 knows no verdict of a2 of ann", func(t *testing.T, h *tale) { h.ask("n2", "ann", "a2", 404, `{"code":"undecided"}`) }},
	{"an HTTP answer is not what the log says", "law 3: n1 over HTTP: ack of o5 with rev 4", func(t *testing.T, h *tale) {
		for i := range h.Requests {
			if r := &h.Requests[i]; strings.Contains(r.Body, `"o5"`) {
				r.Done, r.Status, r.Answer = at(5105), 200, `{"clientMutationId":"o5","rev":4,"events":1,"entities":[]}`
			}
		}
	}},
	{"an application was told something else", "law 4: ann was told that a3 is refused", func(t *testing.T, h *tale) {
		h.Told = append(h.Told, Told{User: "ann", Board: "b", ID: "a3", Code: "expired"})
	}},
	{"an application was told of an ack that is none", "law 4: bob was told that b5 is in the log", func(t *testing.T, h *tale) { h.Told[1] = Told{User: "bob", Board: "b", ID: "b5", OK: true, Rev: 4} }},
	{"a client is taken back", "reads: connection 2 of ann was told rev 5 before and is taken back to 4", func(t *testing.T, h *tale) {
		join(h.connect("ann", "&since=5&epoch=e"), 7000, 4, "bob")
	}},
	{"a snapshot is newer than it says", "reads: connection 2 of ann: ready at rev 3 after an entity of rev 4", func(t *testing.T, h *tale) {
		c := h.connect("ann", "")
		join(c, 7000, 4, "bob")
		h.replace(t, 2, `"type":"ready","rev":4`, `"type":"ready","rev":3`)
	}},
	{"a resume leaves a change out", "law 9: connection 1 of bob: ready at 4 without c of rev 4", func(t *testing.T, h *tale) { h.replace(t, 1, `"ready","rev":3`, `"ready","rev":4`) }},
	{"a connection goes back", "law 1: connection 0 of ann: sync of rev 2 after 3", func(t *testing.T, h *tale) { sync(&h.Conns[0], 23, 2, "ann") }},
	{"a connection misses a rev", "law 1: connection 1 of bob: sync of rev 5 after 3", func(t *testing.T, h *tale) {
		c := &h.Conns[1]
		for i, f := range c.Frames {
			if strings.Contains(string(f.Data), `"sync","rev":4`) {
				c.Frames = append(c.Frames[:i:i], c.Frames[i+1:]...)
				return
			}
		}
	}},
	{"an ack overtakes its sync", "law 2: connection 0 of ann: ack of a3 at rev 3, sent was 2", func(t *testing.T, h *tale) {
		f := h.Conns[0].Frames
		n := len(f)
		f[n-1], f[n-2] = f[n-2], f[n-1]
	}},
	{"one connection's mutates change places", "law 6: connection 0 of ann: a2 took effect before a3", func(t *testing.T, h *tale) {
		f := h.Conns[0].Frames
		f[3].Data, f[4].Data = f[4].Data, f[3].Data
	}},
	{"a mutate on a living connection has no verdict", "law 3: connection 0 of ann: 0 verdicts of a4", func(t *testing.T, h *tale) { mutate(&h.Conns[0], 30, "a4", "") }},
	{"verdicts contradict the order of things", "linear: the verdicts are not linearizable", func(t *testing.T, h *tale) {
		h.Conns[0].Frames[4].At = at(5500)
		h.Conns[0].Frames[7].At, h.Conns[0].Frames[8].At = at(5501), at(5501)
	}},
	{"somebody was told a rev before another one asked for an earlier one", "linear: b5 of bob (forbidden, rev 4) was told, before a3 of ann (1 events, rev 3) was sent", func(t *testing.T, h *tale) {
		h.Conns[0].Frames[4].At = at(5500)
	}},
	{"the log contradicts the order of things", "linear: b5 of bob (forbidden, rev 4) comes after a3 of ann", func(t *testing.T, h *tale) {
		h.Conns[0].Frames[4].At = at(5500)
	}},
	{"the stream's clock is behind", "clock: o5 of owner was stored at", func(t *testing.T, h *tale) { h.Records[4].Stored = at(-5000) }},
	{"the stream's clock is ahead", "clock: a3 of ann was stored at", func(t *testing.T, h *tale) { h.Records[1].Stored = at(8000) }},
}

// TestCheckFindsEveryBreach: no check is one that cannot fail.
func TestCheckFindsEveryBreach(t *testing.T) {
	for _, c := range spoilt {
		t.Run(c.name, func(t *testing.T) {
			h := orderlyTale(t)
			c.spoil(t, h)
			dir := t.TempDir()
			r := Check(&h.History, dir)
			all := strings.Join(r.Findings, "\n")
			if !strings.Contains(all, "b: "+c.finding) {
				t.Errorf("not found: %s\nfindings: %s", c.finding, all)
			}
			for _, path := range r.Pictures {
				if page, err := os.ReadFile(path); err != nil || len(page) < 10_000 {
					t.Errorf("%s: %d bytes, %v", path, len(page), err)
				}
			}
			if strings.Contains(c.finding, "not linearizable") && len(r.Pictures) == 0 {
				t.Error("no picture of it")
			}
		})
	}
}

// TestClockThatWasSet: what a stream says of the time while a clock of its nodes
// is known to be wrong is no finding, and before and after it is.
func TestClockThatWasSet(t *testing.T) {
	for _, c := range []struct {
		from, to int // ms
		stored   int
		found    bool
	}{{0, 60_000, -5000, false}, {0, 60_000, 8000, false}, {60_000, 70_000, -5000, true}, {-60_000, -50_000, 8000, true}} {
		h := orderlyTale(t)
		h.Faults = []Fault{{Kind: "jump", Node: "n1", From: at(c.from), To: at(c.to)}}
		h.Records[1].Stored = at(c.stored)
		all := strings.Join(Check(&h.History, "").Findings, "\n")
		if found := strings.Contains(all, "clock: "); found != c.found {
			t.Errorf("%+v: %s", c, all)
		}
	}
}

// many are n mutations on a board by clients at the same time, a third of them
// refused, one in a hundred never answered.
func many(n, clients int) []op {
	r := rand.New(rand.NewPCG(1, 1))
	var list []op
	free := make([]int64, clients)
	now, rev := int64(0), uint64(0)
	for i := range n {
		now += int64(r.IntN(100))
		c := r.IntN(clients)
		o := op{id: fmt.Sprint(i), order: i, call: max(free[c]+1, now-int64(r.IntN(1000))), events: 1}
		now = max(now, o.call) + 1
		if r.IntN(3) == 0 {
			o.events, o.refused = 0, "wip_limit"
		}
		rev += uint64(o.events)
		o.rev, o.back = rev, now+int64(r.IntN(1000))
		if free[c] = o.back; o.events > 0 && r.IntN(100) == 0 {
			o.back = never
		}
		list = append(list, o)
	}
	return list
}

// TestLinearIsQuick: porcupine copes with a long run of one board, and agrees
// with what is checked by hand, also when two operations change places.
func TestLinearIsQuick(t *testing.T) {
	ops := many(30_000, 40)
	start := time.Now()
	if got := porcupine.CheckOperationsTimeout(register, operations(ops), patience); got != porcupine.Ok {
		t.Errorf("porcupine says %s", got)
	}
	t.Logf("%d operations in %v", len(ops), time.Since(start))
	if broken := overtaken(ops, op.place); broken != nil {
		t.Errorf("by hand: %v", broken)
	}
	ops = ops[:200]
	moved := slices.IndexFunc(ops[50:], func(o op) bool { return o.events > 0 && o.back != never }) + 50
	ops[moved].rev += 100
	if got := porcupine.CheckOperationsTimeout(register, operations(ops), patience); got != porcupine.Illegal {
		t.Errorf("porcupine says %s of a write that is told another rev", got)
	}
	if overtaken(ops, op.place) == nil {
		t.Error("by hand nothing is found")
	}
}
