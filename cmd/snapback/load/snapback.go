package load

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/snapback-io/snapback/gateway/wire"
)

// Snapback is a server of this project, or several nodes of one.
type Snapback struct {
	URL   string   // http://host:port
	More  []string // the same of further nodes; clients connect to all in turns
	Token string   // bearer token; "" for a server in open mode
	Small bool     // cards of about 200 bytes of JSON instead of 2.6 KiB

	turn   atomic.Uint64
	once   sync.Once
	client *http.Client
}

// batch is how many cards one mutation makes: the most that a frame may carry.
const batch = wire.MaxChanges

// Make is of [Target].
func (t *Snapback) Make(ctx context.Context, board string, cards int) error {
	body, _ := json.Marshal(map[string]string{"id": board, "title": "Bench " + board})
	if err := t.post(ctx, "/v1/boards", body); err != nil {
		return err
	}
	changes := []change{
		{"c0", map[string]any{"kind": "column", "title": "To do"}},
		{"c1", map[string]any{"kind": "column", "title": "Done"}},
	}
	if !t.Small {
		for i := range 3 {
			changes = append(changes, change{fmt.Sprintf("l%d", i), map[string]any{"kind": "label", "name": fmt.Sprintf("Label %d", i)}})
		}
	}
	for i := range cards {
		if len(changes) == batch {
			if err := t.mutate(ctx, board, changes); err != nil {
				return err
			}
			changes = changes[:0]
		}
		changes = append(changes, change{cardID(i), t.card(i)})
	}
	return t.mutate(ctx, board, changes)
}

type change struct {
	EntityID string         `json:"entityId"`
	Patch    map[string]any `json:"patch"`
}

func cardID(i int) string { return "k" + strconv.Itoa(i) }

func (t *Snapback) card(i int) map[string]any {
	card := map[string]any{"kind": "card", "columnId": "c0", "position": string(position(nil, i)), "title": fmt.Sprintf("Card %d", i)}
	if !t.Small {
		card["title"] = fmt.Sprintf("Card %d: ", i) + strings.Repeat("what it is about, ", 14)
		card["description"] = strings.Repeat("What is to be done, and why, in some detail. ", 2048/45+1)[:2048]
		card["labels"] = []string{"l0", "l1", "l2"}
		if t.Token == "" {
			card["assignees"] = []string{"u0", "u1"}
		}
	}
	return card
}

const (
	digits    = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	crockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
)

// position is a fractional index of its own for each card: an integer part of
// four digits, and a last digit that is not 0.
func position(dst []byte, card int) []byte {
	dst = append(dst, 'd')
	for div := 62 * 62 * 62; div > 0; div /= 62 {
		dst = append(dst, digits[card/div%62])
	}
	return append(dst, 'V')
}

func (t *Snapback) mutate(ctx context.Context, board string, changes []change) error {
	body, err := json.Marshal(map[string]any{"clientMutationId": string(new(mint).next(nil, 1)), "ttlMs": wire.MaxTTLMs, "changes": changes})
	if err != nil {
		return err
	}
	return t.post(ctx, "/v1/boards/"+board+"/mutations", body)
}

func (t *Snapback) connect() {
	t.once.Do(func() {
		t.client = &http.Client{Timeout: time.Minute, Transport: &http.Transport{MaxIdleConnsPerHost: 256}}
	})
}

func (t *Snapback) post(ctx context.Context, path string, body []byte) error {
	t.connect()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, t.URL+path+"?user=u0", bytes.NewReader(body))
	if err != nil {
		return err
	}
	if t.Token != "" {
		req.Header.Set("Authorization", "Bearer "+t.Token)
	}
	resp, err := t.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode >= 300 {
		err = fmt.Errorf("load: POST %s: %s: %s", path, resp.Status, bytes.TrimSpace(answer))
	}
	return err
}

// Open is of [Target].
func (t *Snapback) Open(ctx context.Context, board string, user int) (*Client, error) {
	c, _, err := t.Join(ctx, board, user, "")
	return c, err
}

// node is the next one to connect to.
func (t *Snapback) node() string {
	if n := t.turn.Add(1) % uint64(1+len(t.More)); n > 0 {
		return t.More[n-1]
	}
	return t.URL
}

// Joined is what a client was given before it was live.
type Joined struct {
	Rev      uint64
	Epoch    string
	Resumed  bool
	Entities int
	Bytes    int
}

// Resume is the query that has the next join resume from here.
func (j Joined) Resume() string {
	return "since=" + strconv.FormatUint(j.Rev, 10) + "&epoch=" + url.QueryEscape(j.Epoch)
}

// Join is Open with a further query (see [Joined.Resume]) that tells what came.
func (t *Snapback) Join(ctx context.Context, board string, user int, query string) (*Client, Joined, error) {
	header := http.Header{"Sec-Websocket-Protocol": {wire.Subprotocol}}
	if t.Token != "" {
		header.Set("Authorization", "Bearer "+t.Token)
	}
	s, err := Dial(ctx, fmt.Sprintf("%s/v1/boards/%s/ws?user=u%d&%s", t.node(), board, user, query), header)
	if err != nil {
		return nil, Joined{}, err
	}
	stop := context.AfterFunc(ctx, s.Close)
	j, err := join(s)
	if !stop() && err == nil {
		err = ctx.Err()
	}
	if err != nil {
		s.Close()
		return nil, j, fmt.Errorf("load: join %s: %w", board, err)
	}
	return NewClient(s, newSnapbackDialect()), j, nil
}

func join(s *Socket) (j Joined, err error) {
	for ready := false; !ready; {
		err = s.Frames(func(payload []byte) error {
			j.Bytes += len(payload)
			switch typ := frameType(payload); string(typ) {
			case wire.TypeSync:
				j.Entities++
			case wire.TypeHello:
				var hello wire.Hello
				err := json.Unmarshal(payload, &hello)
				j.Epoch, j.Resumed = hello.Epoch, hello.Resumed
				return err
			case wire.TypeReady:
				ready = true
				j.Rev = number(payload, []byte(`"rev":`))
			case wire.TypeError:
				return fmt.Errorf("%s", payload)
			}
			return nil
		})
		if err != nil {
			return j, err
		}
	}
	return j, nil
}

// snapbackDialect speaks gateway/wire without decoding what need not be known.
type snapbackDialect struct {
	mint mint
	pos  []byte
}

func newSnapbackDialect() *snapbackDialect { return &snapbackDialect{} }

func (d *snapbackDialect) Move(dst []byte, n uint64, card, column int) []byte {
	dst = append(dst, `{"type":"mutate","clientMutationId":"`...)
	dst = d.mint.next(dst, n)
	dst = append(dst, `","entityId":"k`...)
	dst = strconv.AppendInt(dst, int64(card), 10)
	dst = append(dst, `","patch":{"columnId":"c`...)
	dst = strconv.AppendInt(dst, int64(column), 10)
	d.pos = position(d.pos[:0], card)
	dst = append(dst, `","position":"`...)
	dst = append(dst, d.pos...)
	return append(dst, `"}}`...)
}

func (d *snapbackDialect) Read(message, reply []byte) (Event, []byte) {
	switch string(frameType(message)) {
	case wire.TypeSync:
		return Event{Kind: Sync, Rev: number(message, []byte(`"rev":`))}, reply
	case wire.TypeAck:
		return Event{Kind: Ack, N: minted(message), Rev: number(message, []byte(`"rev":`))}, reply
	case wire.TypeNack:
		return Event{Kind: Nack, N: minted(message)}, reply
	}
	return Event{}, reply
}

// frameType is the type of a frame that begins as this server writes them.
func frameType(frame []byte) []byte {
	rest, ok := bytes.CutPrefix(frame, []byte(`{"type":"`))
	if !ok {
		return nil
	}
	if end := bytes.IndexByte(rest[:min(len(rest), 16)], '"'); end > 0 {
		return rest[:end]
	}
	return nil
}

// number is the first number after name.
func number(frame, name []byte) (n uint64) {
	at := bytes.Index(frame, name)
	if at < 0 {
		return 0
	}
	for _, c := range frame[at+len(name):] {
		if c < '0' || c > '9' {
			break
		}
		n = 10*n + uint64(c-'0')
	}
	return n
}

// mint makes ULIDs whose last eight characters count, so that a verdict tells
// its mutation without a table.
type mint struct{ random [8]byte }

const (
	ulidTime  = 10 // characters of a ULID that are its time
	ulidCount = 8  // ... that count here
)

func (m *mint) next(dst []byte, n uint64) []byte {
	if m.random[0] == 0 {
		_, _ = rand.Read(m.random[:])
		for i, b := range m.random {
			m.random[i] = crockford[b%32]
		}
	}
	dst = base32(dst, uint64(time.Now().UnixMilli()), ulidTime)
	dst = append(dst, m.random[:]...)
	return base32(dst, n, ulidCount)
}

func base32(dst []byte, n uint64, chars int) []byte {
	for i := chars - 1; i >= 0; i-- {
		dst = append(dst, crockford[n>>(5*i)&31])
	}
	return dst
}

// minted is the count in the mutation id of a verdict.
func minted(frame []byte) (n uint64) {
	name := []byte(`"clientMutationId":"`)
	at := bytes.Index(frame, name)
	if at < 0 || len(frame) < at+len(name)+26 {
		return 0
	}
	for _, c := range frame[at+len(name)+26-ulidCount : at+len(name)+26] {
		n = n<<5 | uint64(strings.IndexByte(crockford, c))
	}
	return n
}
