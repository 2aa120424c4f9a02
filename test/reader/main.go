// Command reader reads the log of a Snapback server with nats.go and nothing
// of Snapback's: an example of what eventlog/schema/README.md describes. The
// server was started with --nats-addr and --nats-reader, the address of which
// is the first argument; a board's id may follow.
//
//	go run ./test/reader nats://auditor:secret@localhost:4222 demo
package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: reader nats://USER:PASSWORD@HOST:PORT [BOARD]")
		os.Exit(2)
	}
	nc, err := nats.Connect(os.Args[1])
	if err == nil {
		board := ""
		if len(os.Args) > 2 {
			board = os.Args[2]
		}
		err = read(ctx, nc, board, func(r record) error {
			if r.void {
				return nil // it never took effect, and was decided again
			}
			for _, d := range r.Decisions {
				if d.Rejection != nil {
					fmt.Printf("%s %s: %s was refused: %s\n", d.At, r.Board, d.User, d.Rejection.Code)
				}
				for _, ev := range d.Events {
					fmt.Printf("%s %s: %s %s %s, rev %d\n", d.At, r.Board, d.User, ev.Type, ev.EntityID, ev.Rev)
				}
			}
			return nil
		})
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "reader:", err)
		os.Exit(1)
	}
}

// record is as much of a commit as this program needs; the schema has it whole.
type record struct {
	V         int        `json:"v"`
	Board     string     `json:"board"`
	Prev      string     `json:"prev"`
	NotAfter  *time.Time `json:"notAfter"`
	Decisions []struct {
		ID     string `json:"id"`
		User   string `json:"user"`
		At     string `json:"at"`
		Rev    uint64 `json:"rev"`
		Events []struct {
			Type     string `json:"type"`
			EntityID string `json:"entityId"`
			Rev      uint64 `json:"rev"`
		} `json:"events"`
		Rejection *struct {
			Code string `json:"code"`
		} `json:"rejection"`
	} `json:"decisions"`

	stream string
	seq    uint64
	copied bool // it stands in the shard that the board came from, too
	stored time.Time
	data   []byte
	void   bool
}

// batch is how many records are asked for at once.
const batch = 256

// read calls fn for each record that the log has now, stream by stream; of one
// board, or of all if board is "". It fails at one that is not what it should be.
func read(ctx context.Context, nc *nats.Conn, board string, fn func(record) error) error {
	js, err := jetstream.New(nc)
	if err != nil {
		return err
	}
	first, err := js.Stream(ctx, "EVT_0")
	if err != nil {
		return err
	}
	shards, err := strconv.Atoi(first.CachedInfo().Config.Metadata["snapback-shards"])
	if err != nil {
		return fmt.Errorf("how many shards there are: %w", err)
	}
	// Shards that were added later are behind those; so many each time.
	for more := range strings.FieldsFuncSeq(first.CachedInfo().Config.Metadata["snapback-added"], func(r rune) bool { return r == ',' }) {
		n, err := strconv.Atoi(more)
		if err != nil {
			return fmt.Errorf("how many shards were added: %w", err)
		}
		shards += n
	}
	for shard := range shards {
		stream, err := js.Stream(ctx, fmt.Sprint("EVT_", shard))
		if err != nil {
			return err
		}
		token := board
		if token == "" {
			token = "*"
		}
		subject := fmt.Sprintf("evt.%d.%s", shard, token)
		if err := readStream(ctx, nc, fmt.Sprint("EVT_", shard), subject, stream.CachedInfo().State.LastSeq, fn); err != nil {
			return err
		}
	}
	return nil
}

// readStream reads a stream from its beginning to the record at last.
func readStream(ctx context.Context, nc *nats.Conn, stream, subject string, last uint64, fn func(record) error) error {
	heads := map[string]string{} // by board, the hash of its record before
	for next := uint64(1); next <= last; {
		records, err := get(ctx, nc, stream, subject, next)
		if err != nil {
			return err
		}
		if len(records) == 0 {
			return nil // no more of this subject
		}
		for _, r := range records {
			if r.seq > last {
				return nil
			}
			if err := check(&r, heads); err != nil {
				return fmt.Errorf("%s at %d: %w", stream, r.seq, err)
			}
			if next = r.seq + 1; r.copied {
				continue // it was given where the board was before
			}
			if err := fn(r); err != nil {
				return err
			}
		}
	}
	return nil
}

// get asks for a batch of messages on a subject from a sequence on.
func get(ctx context.Context, nc *nats.Conn, stream, subject string, from uint64) (records []record, err error) {
	inbox, err := nc.SubscribeSync(nats.NewInbox())
	if err != nil {
		return nil, err
	}
	defer inbox.Unsubscribe()
	request := fmt.Sprintf(`{"seq":%d,"next_by_subj":%q,"batch":%d}`, from, subject, batch)
	if err := nc.PublishRequest("$JS.API.DIRECT.GET."+stream, inbox.Subject, []byte(request)); err != nil {
		return nil, err
	}
	for {
		msg, err := inbox.NextMsgWithContext(ctx)
		if err != nil {
			return nil, err
		}
		switch status := msg.Header.Get("Status"); status {
		case "":
		case "204", "404": // the end of the batch; there is none
			return records, nil
		default:
			return nil, fmt.Errorf("the server says %s %s", status, msg.Header.Get("Description"))
		}
		r := record{stream: stream, data: msg.Data, copied: msg.Header.Get("Snapback-Copied") != ""}
		if r.seq, err = strconv.ParseUint(msg.Header.Get("Nats-Sequence"), 10, 64); err != nil {
			return nil, err
		}
		stored := msg.Header.Get("Snapback-Stored-At") // of a restored record: when it was stored first
		if stored == "" {
			stored = msg.Header.Get("Nats-Time-Stamp")
		}
		if r.stored, err = time.Parse(time.RFC3339Nano, stored); err != nil {
			return nil, err
		}
		if err := json.Unmarshal(msg.Data, &r); err != nil {
			return nil, err
		}
		if subject := msg.Header.Get("Nats-Subject"); !strings.HasSuffix(subject, "."+r.Board) {
			return nil, fmt.Errorf("a record of board %s on %s", r.Board, subject)
		}
		if hash := msg.Header.Get("Nats-Msg-Id"); hash != hashOf(msg.Data) {
			return nil, fmt.Errorf("record %d does not have its hash", r.seq)
		}
		records = append(records, r)
	}
}

func hashOf(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// check holds a record against the one before it on its board.
func check(r *record, heads map[string]string) error {
	prev := heads[r.Board]
	if prev == "" {
		prev = strings.Repeat("0", 2*sha256.Size)
	}
	if r.V != 1 && r.V != 2 {
		return fmt.Errorf("version %d is not known to this program", r.V)
	}
	if r.Prev != prev {
		return errors.New("it does not follow the record before it")
	}
	heads[r.Board] = hashOf(r.data)
	r.void = r.NotAfter != nil && r.stored.After(*r.NotAfter)
	return nil
}
