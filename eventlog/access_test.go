package eventlog

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/eventlog/proof"
	"github.com/snapback-io/snapback/test/certs"
)

// startNATS starts a nats-server of somebody else's, as opts have it.
func startNATS(t *testing.T, opts *server.Options) (url string) {
	t.Helper()
	opts.Host, opts.Port, opts.NoSigs, opts.NoLog = "127.0.0.1", server.RANDOM_PORT, true, true
	opts.JetStream, opts.StoreDir, opts.MaxPayload = true, t.TempDir(), natsPayload
	s, err := server.NewServer(opts)
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	if !s.ReadyForConnections(30 * time.Second) {
		t.Fatal("the server does not start")
	}
	return s.ClientURL()
}

const natsPayload = 8 << 20

// newUser makes a user key: its public half, and a file with the seed.
func newUser(t *testing.T) (public, seedFile string, seed []byte) {
	t.Helper()
	pair, err := nkeys.CreateUser()
	if err != nil {
		t.Fatal(err)
	}
	public, err = pair.PublicKey()
	if err != nil {
		t.Fatal(err)
	}
	if seed, err = pair.Seed(); err != nil {
		t.Fatal(err)
	}
	seedFile = filepath.Join(t.TempDir(), "user.nk")
	if err := os.WriteFile(seedFile, append(seed, '\n'), 0o600); err != nil {
		t.Fatal(err)
	}
	return public, seedFile, seed
}

// tries opens a log as somebody who is let in, and fails as the others.
func tries(t *testing.T, url string, let Access, others map[string]Access) {
	t.Helper()
	l := openLog(t, Config{URL: url, Access: let, Shards: 1})
	fill(t, l, newBoard(), 3)
	for who, a := range others {
		patience := 60 * time.Second
		if who == "another authority" {
			patience = 2 * time.Second // it tries on for as long as it may
		}
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		other, err := Open(ctx, Config{URL: url, Access: a, Shards: 1, Logger: quiet()})
		cancel()
		if err == nil {
			other.Close()
			t.Errorf("%s is let in", who)
		} else if who != "another authority" && !errors.Is(err, ErrRefused) {
			t.Errorf("%s: %v", who, err)
		}
	}
}

func TestAccess_Password(t *testing.T) {
	t.Parallel()
	url := startNATS(t, &server.Options{Username: "snapback", Password: "p:a ss"})
	host := strings.TrimPrefix(url, "nats://")
	tries(t, "nats://snapback:p%3Aa%20ss@"+host, Access{}, nil)
	_, err := Open(t.Context(), Config{URL: "nats://snapback:other@" + host, Logger: quiet()})
	if !errors.Is(err, ErrRefused) || strings.Contains(err.Error(), "other") {
		t.Errorf("another password: %v", err)
	}
}

func TestAccess_NKey(t *testing.T) {
	t.Parallel()
	public, file, _ := newUser(t)
	_, other, _ := newUser(t)
	url := startNATS(t, &server.Options{Nkeys: []*server.NkeyUser{{Nkey: public}}})
	tries(t, url, Access{NKey: file}, map[string]Access{"nobody": {}, "another": {NKey: other}})
}

func TestAccess_Credentials(t *testing.T) {
	t.Parallel()
	operator, err := nkeys.CreateOperator()
	if err != nil {
		t.Fatal(err)
	}
	account, err := nkeys.CreateAccount()
	if err != nil {
		t.Fatal(err)
	}
	system, err := nkeys.CreateAccount()
	if err != nil {
		t.Fatal(err)
	}
	resolver := &server.MemAccResolver{}
	opts := &server.Options{AccountResolver: resolver}
	for _, a := range []nkeys.KeyPair{account, system} {
		public, err := a.PublicKey()
		if err != nil {
			t.Fatal(err)
		}
		c := jwt.NewAccountClaims(public)
		if a == account {
			c.Limits.JetStreamLimits = jwt.JetStreamLimits{MemoryStorage: -1, DiskStorage: -1, Streams: -1, Consumer: -1}
		} else {
			opts.SystemAccount = public
		}
		token, err := c.Encode(operator)
		if err != nil {
			t.Fatal(err)
		}
		if err := resolver.Store(public, token); err != nil {
			t.Fatal(err)
		}
	}
	key, err := operator.PublicKey()
	if err != nil {
		t.Fatal(err)
	}
	opts.TrustedKeys = []string{key}
	credentials := func(signer nkeys.KeyPair) string {
		public, _, seed := newUser(t)
		token, err := jwt.NewUserClaims(public).Encode(signer)
		if err != nil {
			t.Fatal(err)
		}
		text, err := jwt.FormatUserConfig(token, seed)
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(t.TempDir(), "user.creds")
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	stranger, err := nkeys.CreateAccount()
	if err != nil {
		t.Fatal(err)
	}
	good := Access{Creds: credentials(account)}
	if err := good.Check(); err != nil {
		t.Error(err)
	}
	tries(t, startNATS(t, opts), good, map[string]Access{"nobody": {}, "another": {Creds: credentials(stranger)}})
}

func TestAccess_Certificates(t *testing.T) {
	t.Parallel()
	ours, theirs := certs.New(t, t.TempDir()), certs.New(t, t.TempDir())
	both := ours.Config(t)
	both.ClientAuth = tls.RequireAndVerifyClientCert
	url := startNATS(t, &server.Options{TLSConfig: both, TLS: true, TLSVerify: true, TLSTimeout: 10})
	let := Access{CA: ours.CA, Cert: ours.Cert, Key: ours.Key}
	if err := let.Check(); err != nil {
		t.Error(err)
	}
	tries(t, strings.Replace(url, "nats://", "tls://", 1), let, map[string]Access{"another authority": {CA: theirs.CA, Cert: theirs.Cert, Key: theirs.Key}})
}

// allowed reads the permissions of a node's user from LOG.md: what an operator
// copies is what is tested.
func allowed(t *testing.T) (p server.Permissions) {
	t.Helper()
	text, err := os.ReadFile("LOG.md")
	if err != nil {
		t.Fatal(err)
	}
	p.Publish, p.Subscribe = &server.SubjectPermission{}, &server.SubjectPermission{}
	var list *[]string
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		switch line := strings.TrimSpace(lines.Text()); {
		case line == "publish: [":
			list = &p.Publish.Allow
		case line == "subscribe: [":
			list = &p.Subscribe.Allow
		case strings.HasPrefix(line, "]"):
			list = nil
		case list != nil:
			for subject := range strings.SplitSeq(line, ",") {
				if subject = strings.Trim(strings.TrimSpace(subject), `"`); subject != "" {
					*list = append(*list, subject)
				}
			}
		}
	}
	if len(p.Publish.Allow) < 10 || len(p.Subscribe.Allow) < 2 {
		t.Fatalf("LOG.md names %d subjects to publish on and %d to subscribe to", len(p.Publish.Allow), len(p.Subscribe.Allow))
	}
	return p
}

// refusals collects what the server refused a connection.
type refusals struct {
	mu   sync.Mutex
	said []string
}

func (r *refusals) Write(line []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if strings.Contains(strings.ToLower(string(line)), "permissions violation") {
		r.said = append(r.said, strings.TrimSpace(string(line)))
	}
	return len(line), nil
}

func (r *refusals) list() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.said
}

// A user who may do what LOG.md says can run a node, and nothing needs more.
func TestAccess_PermissionsOfANode(t *testing.T) {
	t.Parallel()
	may := allowed(t)
	host := strings.TrimPrefix(startNATS(t, &server.Options{Users: []*server.User{
		{Username: "snapback", Password: "secret", Permissions: &may}, {Username: "all", Password: "secret"},
	}}), "nats://")
	subjects := watchSubjects(t, "nats://all:secret@"+host, may.Publish.Allow)
	refused := &refusals{}
	open := func() *Log {
		l, err := Open(t.Context(), Config{URL: "nats://snapback:secret@" + host, Shards: 2, Logger: slog.New(slog.NewTextHandler(refused, nil))})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(l.Close)
		return l
	}
	usesAll(t, open(), open())
	if said := refused.list(); len(said) > 0 {
		t.Errorf("refused:\n%s", strings.Join(said, "\n"))
	}
	seen := subjects()
	for _, pattern := range may.Publish.Allow {
		if ofClusters.MatchString(pattern) {
			continue
		}
		if !slices.ContainsFunc(seen, func(subject string) bool { return matches(pattern, subject) }) {
			t.Errorf("%s is never published on", pattern)
		}
	}
}

// ofClusters are the requests that one server is not sent: for more copies, and about leaders.
var ofClusters = regexp.MustCompile(`\.STREAM\.UPDATE\.|\.STREAM\.DELETE\.|\.LEADER\.STEPDOWN\.|\.CONSUMER\.INFO\.|\.API\.INFO$`)

// watchSubjects hears what anybody publishes on subjects of the patterns, until seen is asked for.
func watchSubjects(t *testing.T, url string, patterns []string) (seen func() []string) {
	t.Helper()
	nc, err := nats.Connect(url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	heard := make(chan *nats.Msg, 1<<16) // filled in the order of the wire: what came before a Flush is there after it
	for _, pattern := range patterns {
		if pattern == "node.>" {
			pattern = beatSubject // else a probe would find somebody
		}
		if _, err := nc.ChanSubscribe(pattern, heard); err != nil {
			t.Fatal(err)
		}
	}
	if err := nc.Flush(); err != nil {
		t.Fatal(err)
	}
	return func() []string {
		if err := nc.Flush(); err != nil {
			t.Fatal(err)
		}
		subjects := map[string]bool{}
		for range len(heard) {
			subjects[(<-heard).Subject] = true
		}
		return slices.Sorted(maps.Keys(subjects))
	}
}

// matches says whether a subject is one of a pattern.
func matches(pattern, subject string) bool {
	p, s := strings.Split(pattern, "."), strings.Split(subject, ".")
	for i, token := range p {
		switch {
		case token == ">":
			return len(s) > i
		case i >= len(s) || token != "*" && token != s[i]:
			return false
		}
	}
	return len(p) == len(s)
}

// usesAll does what nodes do with a log.
func usesAll(t *testing.T, l, other *Log) {
	t.Helper()
	ctx := t.Context()
	must := func(what string, err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
	}
	board := newBoard()
	seqs := fill(t, l, board, 5)
	must("healthy", l.Healthy(ctx))
	must("full", l.live.Publish(fullSubject, nil))

	heard := make(chan Announcement, 100)
	stop, err := other.Subscribe(board, func(a Announcement) { heard <- a })
	must("subscribe", err)
	defer stop()
	eventually(t, "another node hears", func() bool {
		must("announce", l.Announce(board, Announcement{Head: seqs[4]}))
		return len(heard) > 0
	})
	beats := make(chan struct{}, 100)
	away := make(chan string, 1)
	bus := other.Bus()
	leave, err := bus.Listen("b", func([]byte) { beats <- struct{}{} }, func(node string) { away <- node })
	must("listen", err)
	defer leave()
	eventually(t, "another node's beat", func() bool {
		must("beat", l.Bus().Beat([]byte("{}")))
		return len(beats) > 0
	})
	must("probe", bus.Probe("nobody"))
	select {
	case <-away:
	case <-time.After(30 * time.Second):
		t.Fatal("a probe is not answered")
	}

	shard := l.Shard(board)
	working, cancel := context.WithCancel(ctx)
	got := make(chan struct{}, 10)
	ended := make(chan error, 1)
	go func() {
		ended <- other.Commands(working, shard, func(d Delivery) { d.Done(); got <- struct{}{} }, func() {})
	}()
	eventually(t, "a command", func() bool {
		must("command", l.PublishCommand(&domain.Command{ID: "m", Op: domain.OpMutate, User: "u", Board: board}, time.Minute))
		return len(got) > 0
	})
	must("unpin", other.Unpin(ctx, shard))
	cancel()
	must("commands", <-ended)

	for _, err := range l.Read(ctx, board, 1, 0) {
		must("read", err)
	}
	for _, err := range l.ReadSince(ctx, board, time.Now().Add(-time.Hour), 0) {
		must("read since", err)
	}
	for _, err := range l.Entries(ctx, shard, 1, seqs[4]) {
		must("entries", err)
	}
	_, err = l.Boards(ctx)
	must("boards", err)
	snapshot := Snapshot{Seq: seqs[4], Data: []byte("{}")}
	must("snapshot", l.PutSnapshot(ctx, board, snapshot))
	_, err = l.Pasts(ctx, board)
	must("pasts", err)
	must("past", l.PutPast(ctx, board, snapshot))
	must("listing", l.PutListing(ctx, Listing{Board: board, Title: "t", Members: map[string]domain.Role{"u": "editor"}, Seq: seqs[0]}))
	must("listing", l.PutListing(ctx, Listing{Board: board, Title: "t", Seq: seqs[1]}))
	_, err = l.Listings(ctx, "u", nil, "", 10)
	must("listings", err)
	_, _, err = l.Listed(ctx)
	must("listed", err)
	object := ObjectName(board)
	_, _, err = l.PutContent(ctx, object, strings.NewReader(strings.Repeat("x", 300_000)), 1<<20)
	must("content", err)
	r, err := l.OpenContent(ctx, object, 10)
	must("open content", err)
	_, err = io.Copy(io.Discard, r)
	must("read content", err)
	r.Close()
	must("delete content", l.DeleteContent(ctx, object))
	_, err = l.SweepUploads(ctx, time.Now().Add(-48*time.Hour), time.Now().Add(-24*time.Hour))
	must("sweep", err)
	_, err = l.SweepChunks(ctx, time.Now().Add(-24*time.Hour))
	must("sweep", err)
	_, err = l.AppendCheckpoint(ctx, shard, []byte("note"), 0)
	must("checkpoint", err)
	for _, err := range l.Checkpoints(ctx, shard, 1, 0) {
		must("checkpoints", err)
	}
	must("tile", l.PutTile(ctx, shard, proof.Tile{Data: []byte("hash")}))
}
