package cluster

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/test/naive"
	"github.com/snapback-io/snapback/test/node"
)

// judge holds what the users were told, and what they and every node show,
// against the log. Call it after settle, with all nodes up.
func (l *load) judge() {
	l.tb.Helper()
	logs := map[string]naive.Log{}
	for i := range l.plan.boards {
		board := fmt.Sprint("board", i)
		records, err := records(l.nodes[i%len(l.nodes)], board)
		if err != nil {
			l.tb.Fatal(err)
		}
		log, faults := naive.Check(records)
		for _, fault := range faults {
			l.tb.Errorf("%s: %v", board, fault)
		}
		logs[board] = log
		for _, n := range l.nodes {
			l.judgeNode(n, board, log)
		}
	}
	made := map[string]int{}
	for _, u := range l.users {
		made[u.board] += l.judgeVerdicts(u, logs[u.board])
		l.judgeView(u, logs[u.board])
	}
	for board, log := range logs {
		count := -1 - len(columns) // not made under watch: the board and its columns
		for _, d := range log.Order {
			if d.Accepted() {
				count++
			}
		}
		if count != made[board] {
			l.tb.Errorf("%s: %d mutations in the log, %d were acked", board, count, made[board])
		}
	}
}

// judgeVerdicts: each mutation has the verdict that the log has, and none is
// refused that the rules allow. It gives how many were acked.
func (l *load) judgeVerdicts(u *user, log naive.Log) (acked int) {
	refused := map[domain.Code]int{}
	for _, m := range u.made {
		d, logged := log.By[[2]string{u.name, m.m.ID()}]
		switch {
		case m.err != nil:
			l.tb.Errorf("%s: %s has no verdict: %v", u.name, m.m.ID(), m.err)
		case !m.result.OK:
			refused[m.result.Code]++
			if !logged || d.Accepted() || d.Rejection.Code != string(m.result.Code) {
				l.tb.Errorf("%s: %s was refused (%s), the log has %+v", u.name, m.m.ID(), m.result.Code, d.Decision)
			}
		case !logged || !d.Accepted() || d.Rev != m.result.Rev || len(d.Events) != m.result.Events:
			l.tb.Errorf("%s: %s was acked at rev %d, the log has %+v", u.name, m.m.ID(), m.result.Rev, d.Decision)
		default:
			acked++
		}
	}
	for _, code := range l.may {
		l.refused[code] += refused[code]
		delete(refused, code)
	}
	if len(refused) > 0 {
		l.tb.Errorf("%s: refused what the rules allow: %v", u.name, refused)
	}
	return acked
}

// judgeView: a user has come to the end of the log and shows what it gives.
func (l *load) judgeView(u *user, log naive.Log) {
	for end := time.Now().Add(settleTime); u.c.Rev() < log.Rev && time.Now().Before(end); {
		time.Sleep(10 * time.Millisecond)
	}
	if rev := u.c.Rev(); rev != log.Rev {
		l.tb.Errorf("%s is at rev %d of %d", u.name, rev, log.Rev)
		return
	}
	got := map[string]naive.Object{}
	for _, e := range u.c.All() {
		raw, err := json.Marshal(u.c.Confirmed(e.ID))
		if err != nil {
			l.tb.Fatal(err)
		}
		if got[e.ID], err = naive.ToObject(raw); err != nil {
			l.tb.Fatal(err)
		}
	}
	for _, d := range naive.Differences(got, naive.Fold(log.Records, 0).View(u.name)) {
		l.tb.Errorf("%s shows %s", u.name, d)
	}
}

// judgeNode: a node shows what the log gives.
func (l *load) judgeNode(n *node.Server, board string, log naive.Log) {
	l.tb.Helper()
	body, err := get(n, fmt.Sprintf("/v1/boards/%s?user=owner&minRev=%d", board, log.Rev))
	if err != nil {
		l.tb.Error(err)
		return
	}
	defer body.Close()
	raw, err := io.ReadAll(body)
	if err != nil {
		l.tb.Error(err)
		return
	}
	o, err := naive.ToObject(raw)
	if err != nil {
		l.tb.Error(err)
		return
	}
	got := map[string]naive.Object{}
	list, _ := o["entities"].([]any)
	for _, e := range list {
		entity, _ := e.(naive.Object)
		got[fmt.Sprint(entity["id"])] = entity
	}
	for _, d := range naive.Differences(got, naive.Fold(log.Records, 0).View("owner")) {
		l.tb.Errorf("%s of %s: %s", n.Name(), board, d)
	}
}

// records reads a board's log from a node.
func records(n *node.Server, board string) ([]naive.Record, error) {
	body, err := get(n, "/v1/boards/"+board+"/bundle?user=owner")
	if err != nil {
		return nil, err
	}
	defer body.Close()
	var out []naive.Record
	lines := bufio.NewScanner(body)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var line struct {
			Type   string
			Seq    uint64
			Time   time.Time
			Commit json.RawMessage
		}
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			return nil, err
		}
		switch line.Type {
		case "record":
			r, err := naive.Decode(line.Seq, line.Time, line.Commit)
			if err != nil {
				return nil, err
			}
			out = append(out, r)
		case "end":
			return out, nil
		}
	}
	return nil, fmt.Errorf("bundle of %s is cut off: %v", board, lines.Err())
}

func get(n *node.Server, path string) (io.ReadCloser, error) {
	ctx, cancel := context.WithTimeout(context.Background(), settleTime)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+n.Addr+path, nil)
	if err != nil {
		cancel()
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		cancel()
		return nil, err
	}
	body := &answer{resp.Body, cancel}
	if resp.StatusCode != http.StatusOK {
		defer body.Close()
		raw, _ := io.ReadAll(body)
		return nil, fmt.Errorf("%s %s: %s %s", n.Name(), path, resp.Status, strings.TrimSpace(string(raw)))
	}
	return body, nil
}

type answer struct {
	io.ReadCloser
	cancel context.CancelFunc
}

func (a *answer) Close() error {
	defer a.cancel()
	return a.ReadCloser.Close()
}
