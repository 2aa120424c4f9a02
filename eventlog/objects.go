package eventlog

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nuid"
)

// bucket is a JetStream object store, in the layout every NATS client reads
// (chunks on $O.<bucket>.C.<nuid>, the object's description on
// $O.<bucket>.M.<name>). It is read by direct gets instead of a consumer, from
// any offset, and written so that a failure leaves nothing.
type bucket struct {
	log  *Log
	name string
}

const (
	chunkSize   = 128 << 10 // bytes of every chunk but the last
	chunkWindow = 16        // chunks sent ahead of their answers

	headerChunk = "Chunk" // a chunk's number, from 0
)

// object describes a stored object.
type object struct {
	jetstream.ObjectInfo
	Stored time.Time `json:"-"`
}

func (b bucket) stream() string              { return "OBJ_" + b.name }
func (b bucket) chunks(nuid string) string   { return "$O." + b.name + ".C." + nuid }
func (b bucket) describe(name string) string { return "$O." + b.name + ".M." + encodeName(name) }
func encodeName(name string) string          { return base64.URLEncoding.EncodeToString([]byte(name)) }

// put stores what r gives under name, instead of what was there. On any error,
// the reader's and the end of ctx included, nothing of it is kept.
func (b bucket) put(ctx context.Context, name string, meta map[string]string, r io.Reader) (o object, err error) {
	old, err := b.info(ctx, name)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return o, err
	}
	o.ObjectInfo = jetstream.ObjectInfo{Bucket: b.name, NUID: nuid.Next(), ObjectMeta: jetstream.ObjectMeta{
		Name: name, Metadata: meta, Opts: &jetstream.ObjectMetaOptions{ChunkSize: chunkSize},
	}}
	sum := sha256.New()
	if err := b.putChunks(ctx, &o, sum, r); err != nil {
		b.purge(ctx, o.NUID)
		return o, err
	}
	o.Digest = "SHA-256=" + base64.URLEncoding.EncodeToString(sum.Sum(nil))
	if err := b.putInfo(ctx, &o); err != nil {
		b.purge(ctx, o.NUID)
		return o, err
	}
	if old.NUID != "" {
		b.purge(ctx, old.NUID)
	}
	return o, nil
}

// putChunks publishes the chunks in order, a window of them ahead of their
// answers. None is sent twice: one that fails fails the object. When it
// returns, none is under way any more.
func (b bucket) putChunks(ctx context.Context, o *object, sum hash.Hash, r io.Reader) (err error) {
	inbox := b.log.bulk.NewInbox()
	answers, err := b.log.bulk.SubscribeSync(inbox)
	if err != nil {
		return err
	}
	defer answers.Unsubscribe()
	pending := 0
	await := func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, appendTimeout)
		defer cancel()
		pending--
		msg, err := answers.NextMsgWithContext(ctx)
		if err != nil {
			return err
		}
		_, err = parseAck(msg)
		return classify(err)
	}
	defer func() {
		for pending > 0 && !errors.Is(await(context.WithoutCancel(ctx)), context.DeadlineExceeded) {
		}
	}()
	chunk := make([]byte, chunkSize) // may be reused: publishing copies it
	for more := true; more; {
		n, err := readChunk(r, chunk)
		if more = err == nil; err != nil && err != io.EOF {
			return err
		}
		if n == 0 {
			break
		}
		sum.Write(chunk[:n])
		o.Size += uint64(n)
		o.Chunks++
		msg := &nats.Msg{Subject: b.chunks(o.NUID), Reply: inbox, Data: chunk[:n],
			Header: nats.Header{headerChunk: {strconv.FormatUint(uint64(o.Chunks)-1, 10)}}}
		if err := b.log.bulk.PublishMsg(msg); err != nil {
			return err
		}
		if pending++; pending == chunkWindow {
			if err := await(ctx); err != nil {
				return err
			}
		}
	}
	for pending > 0 {
		if err := await(ctx); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// readChunk fills chunk as far as r goes and gives r's own error: unlike
// io.ReadFull it tells an r that ended from one that broke off, which is
// io.ErrUnexpectedEOF of a request's body.
func readChunk(r io.Reader, chunk []byte) (n int, err error) {
	for n < len(chunk) && err == nil {
		var m int
		m, err = r.Read(chunk[n:])
		n += m
	}
	return n, err
}

func (b bucket) putInfo(ctx context.Context, o *object) error {
	data, err := json.Marshal(o.ObjectInfo)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, appendTimeout)
	defer cancel()
	answer, err := b.log.bulk.RequestMsgWithContext(ctx, &nats.Msg{
		Subject: b.describe(o.Name), Data: data, Header: nats.Header{"Nats-Rollup": {"sub"}},
	})
	if err != nil {
		return err
	}
	_, err = parseAck(answer)
	return classify(err)
}

// purge removes the chunks of one upload, also when ctx has ended. What it
// cannot remove now is left to the sweep.
func (b bucket) purge(ctx context.Context, nuid string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), appendTimeout)
	defer cancel()
	if err := b.purgeSubject(ctx, b.chunks(nuid)); err != nil {
		b.log.log.Warn("chunks are left behind", "bucket", b.name, "nuid", nuid, "error", err)
	}
}

func (b bucket) purgeSubject(ctx context.Context, subject string) error {
	return b.log.api(ctx, "STREAM.PURGE."+b.stream(), map[string]string{"filter": subject}, new(answer))
}

// info is the object's description by the leader, ErrNotFound if there is none.
func (b bucket) info(ctx context.Context, name string) (o object, err error) {
	msg, err := b.log.leaderGet(ctx, b.stream(), messageGet{LastFor: b.describe(name)})
	if err != nil {
		return o, err
	}
	if err := json.Unmarshal(msg.Data, &o.ObjectInfo); err != nil {
		return o, err
	}
	o.Stored = msg.Time
	if o.Deleted {
		return object{}, ErrNotFound
	}
	return o, nil
}

// remove takes the object away, description first.
func (b bucket) remove(ctx context.Context, name string) error {
	o, err := b.info(ctx, name)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := b.purgeSubject(ctx, b.describe(name)); err != nil {
		return err
	}
	return b.purgeSubject(ctx, b.chunks(o.NUID))
}

// sha256Hex is the object's digest as lower-case hex.
func (o *object) sha256Hex() (string, error) {
	coded, ok := strings.CutPrefix(o.Digest, "SHA-256=")
	raw, err := base64.URLEncoding.DecodeString(coded)
	if !ok || err != nil {
		return "", fmt.Errorf("eventlog: object %s: digest %q", o.Name, o.Digest)
	}
	return hex.EncodeToString(raw), nil
}
