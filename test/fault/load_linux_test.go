package fault

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/gateway/client"
	"github.com/snapback-io/snapback/gateway/wire"
	"github.com/snapback-io/snapback/test/naive"
	"github.com/snapback-io/snapback/test/node"
)

var boards = []string{"north", "east", "south", "west"}

// flags of the servers of these tests.
var flags = []string{"--demo=false", "--shards=4", "--log-level=warn", "--insecure-open", "--checkpoint-every=1h"}

// crowd is people at work on all boards, one per board and server, until it is
// checked, and what they were told.
type crowd struct {
	t       *testing.T
	servers []*node.Server
	people  []*person
	stop    context.CancelFunc
	work    sync.WaitGroup
}

type person struct {
	name, board string
	server      *node.Server
	client      *client.Client

	mu   sync.Mutex
	made []*client.Mutation
	acks int
	last time.Time // of the last ack
	// early are mutations that were refused as expired within their time.
	early []string
}

// life is how long a mutation has at least, less what clocks may differ by.
const life = wire.DefaultTTLMs*time.Millisecond - time.Second

// most is how many mutations of a person may wait.
const most = 8

// newCrowd makes the boards and sets people to work, each at every pause.
func newCrowd(t *testing.T, servers []*node.Server, pause time.Duration) *crowd {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	c := &crowd{t: t, servers: servers, stop: stop}
	t.Cleanup(c.leave)
	for _, board := range boards {
		eventually(t, board+" is made", func() error { return c.make(board) })
		for i, s := range servers {
			p := &person{name: fmt.Sprintf("%s%d", board, i), board: board, server: s, last: time.Now()}
			eventually(t, p.name+" is in", func() (err error) {
				within, cancel := context.WithTimeout(ctx, 5*time.Second)
				defer cancel()
				p.client, err = client.Connect(within, client.Options{
					URL: "http://" + s.Addr, Board: board, User: p.name,
					MinBackoff: 50 * time.Millisecond, MaxBackoff: 500 * time.Millisecond, Quiet: time.Second, PongTimeout: time.Second,
				})
				return err
			})
			c.people = append(c.people, p)
		}
	}
	for _, p := range c.people {
		c.work.Go(func() { p.act(ctx, pause) })
	}
	return c
}

func (c *crowd) leave() {
	c.stop()
	c.work.Wait()
	for _, p := range c.people {
		p.client.Close()
	}
}

func (c *crowd) make(board string) error {
	body, _ := json.Marshal(map[string]string{"id": board, "title": board})
	answer, err := patient.Post("http://"+c.servers[0].Addr+"/v1/boards?user=owner", "application/json", bytes.NewReader(body))
	if err != nil {
		return err
	}
	answer.Body.Close()
	if answer.StatusCode/100 != 2 {
		return errors.New(answer.Status)
	}
	return nil
}

var patient = &http.Client{Timeout: 10 * time.Second}

func (p *person) act(ctx context.Context, pause time.Duration) {
	tick := time.NewTicker(pause)
	defer tick.Stop()
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if len(p.client.Pending()) >= most {
			continue
		}
		m := p.client.Mutate("label-"+p.name, domain.Patch{"kind": "label", "name": fmt.Sprint(n)})
		p.mu.Lock()
		p.made = append(p.made, m)
		p.mu.Unlock()
		sent := time.Now()
		go func() {
			r, err := m.Wait(ctx)
			p.mu.Lock()
			defer p.mu.Unlock()
			switch took := time.Since(sent); {
			case err == nil && r.OK:
				p.acks, p.last = p.acks+1, time.Now()
			case err == nil && r.Code == domain.Expired && took < life:
				p.early = append(p.early, fmt.Sprintf("%s after %v", m.ID(), took))
			}
		}()
	}
}

// acks is how many acks the people at some servers have; none: at all.
func (c *crowd) acks(at ...*node.Server) int {
	n := 0
	c.each(at, func(p *person) { n += p.acks })
	return n
}

func (c *crowd) each(at []*node.Server, fn func(*person)) {
	for _, p := range c.people {
		for _, s := range c.servers {
			if p.server == s && (len(at) == 0 || contains(at, s)) {
				p.mu.Lock()
				fn(p)
				p.mu.Unlock()
			}
		}
	}
}

func contains(list []*node.Server, s *node.Server) bool {
	for _, other := range list {
		if other == s {
			return true
		}
	}
	return false
}

// alive waits until everybody at some servers (none: at all) has been acked
// something that was sent from now on.
func (c *crowd) alive(what string, at ...*node.Server) {
	c.t.Helper()
	start := time.Now()
	eventually(c.t, what, func() error {
		var silent []string
		c.each(at, func(p *person) {
			if !p.last.After(start) {
				silent = append(silent, p.name)
			}
		})
		if len(silent) > 0 {
			return fmt.Errorf("no ack for %v", silent)
		}
		return nil
	})
	c.t.Logf("%s: everybody acked after %v", what, time.Since(start).Round(10*time.Millisecond))
}

// check ends the work, waits for every verdict, and holds all that was said
// against the log as each of the servers tells it.
func (c *crowd) check() {
	c.t.Helper()
	c.stop()
	c.work.Wait()
	within, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	codes := map[domain.Code]int{}
	logs := map[string]*naive.Log{}
	for _, board := range boards {
		logs[board] = c.agree(board)
	}
	for _, p := range c.people {
		for _, m := range p.made {
			r, err := m.Wait(within)
			if err != nil {
				c.t.Errorf("%s: %s has no verdict: %v; %s", p.name, m.ID(), err, p.client.State())
				break
			}
			codes[r.Code]++
		}
	}
	for board := range logs { // verdicts that came meanwhile are in it
		logs[board] = c.agree(board)
	}
	for _, p := range c.people {
		p.verify(c.t, logs[p.board])
		p.mu.Lock()
		if len(p.early) > 0 {
			c.t.Errorf("%s: refused as expired within their time: %v", p.name, p.early)
		}
		p.mu.Unlock()
	}
	c.t.Logf("verdicts: %v", codes)
	if codes[""] == 0 {
		c.t.Error("nothing was acked")
	}
}

// verify holds what p was told against the log.
func (p *person) verify(t *testing.T, log *naive.Log) {
	t.Helper()
	done, cancel := context.WithCancel(context.Background())
	cancel()
	wrong := 0
	for _, m := range p.made {
		r, err := m.Wait(done)
		d, logged := log.By[[2]string{p.name, m.ID()}]
		switch {
		case err != nil:
		case r.OK && (!logged || !d.Accepted() || d.Rev != r.Rev):
			t.Errorf("%s: %s was acked with rev %d; in the log: %t", p.name, m.ID(), r.Rev, logged)
			wrong++
		case !r.OK && logged && d.Accepted():
			t.Errorf("%s: %s was refused (%s) and is in the log", p.name, m.ID(), r.Code)
			wrong++
		}
		if wrong > 5 {
			return
		}
	}
}

// agree reads a board's log from every server, until all tell the same, and
// checks it.
func (c *crowd) agree(board string) *naive.Log {
	c.t.Helper()
	var records []naive.Record
	eventually(c.t, "the servers agree on "+board, func() error {
		var first, view string
		for _, s := range c.servers {
			list, raw, err := bundleOf(s, board)
			if err != nil {
				return fmt.Errorf("%s: %w", s.Name(), err)
			}
			seen, err := get("http://" + s.Addr + "/v1/boards/" + board + "?user=owner")
			if err != nil {
				return fmt.Errorf("%s: %w", s.Name(), err)
			}
			if records == nil || first == "" {
				records, first, view = list, raw, string(seen)
			} else if raw != first || string(seen) != view {
				return fmt.Errorf("%s tells another log or view (%d records of %d)", s.Name(), len(list), len(records))
			}
		}
		return nil
	})
	log, faults := naive.Check(records)
	for n, err := range faults {
		if c.t.Errorf("%s: %v", board, err); n > 5 {
			break
		}
	}
	return &log
}

// bundleOf reads the records of a board, which raw has as they came.
func bundleOf(s *node.Server, board string) (records []naive.Record, raw string, err error) {
	data, err := get("http://" + s.Addr + "/v1/boards/" + board + "/bundle?user=owner")
	if err != nil {
		return nil, "", err
	}
	var all strings.Builder
	whole := false
	lines := bufio.NewScanner(bytes.NewReader(data))
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		var line struct {
			Type   string
			Seq    uint64
			Time   time.Time
			Commit json.RawMessage
		}
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			return nil, "", err
		}
		whole = line.Type == "end"
		if line.Type != "record" {
			continue
		}
		record, err := naive.Decode(line.Seq, line.Time, line.Commit)
		if err != nil {
			return nil, "", err
		}
		records = append(records, record)
		all.Write(lines.Bytes())
	}
	if !whole {
		return nil, "", errors.New("the bundle is cut off")
	}
	return records, all.String(), nil
}

func get(url string) ([]byte, error) {
	answer, err := patient.Get(url)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	data, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %.200s", answer.Status, data)
	}
	return data, err
}

// readyz is what a server says of itself, whether it is ready or not.
func readyz(s *node.Server) (told struct {
	Ready       bool
	Log, Writes string
	Reasons     []string
}, err error) {
	answer, err := patient.Get("http://" + s.AdminAddr + "/readyz")
	if err != nil {
		return told, err
	}
	defer answer.Body.Close()
	return told, json.NewDecoder(answer.Body).Decode(&told)
}

// patience is for what takes seconds on a machine that has time: one that is shared may have a third of it for minutes.
const patience = 3 * time.Minute

func eventually(t *testing.T, what string, ok func() error) {
	t.Helper()
	var err error
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if err = ok(); err == nil {
			return
		}
	}
	t.Fatalf("not in time: %s: %v", what, err)
}
