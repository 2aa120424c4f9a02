package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/snapback-io/snapback/eventlog/natsd"
	"github.com/snapback-io/snapback/gateway"
)

// serveCmd is the flags of `snapback serve`.
type serveCmd struct {
	Addr       string   `default:"localhost:8080" env:"SNAPBACK_ADDR" placeholder:"HOST:PORT" help:"Where clients connect (${default})."`
	AdminAddr  string   `default:"localhost:8081" env:"SNAPBACK_ADMIN_ADDR" placeholder:"HOST:PORT" help:"Where /healthz, /readyz, /metrics and what an operator may ask for are, as POST /rebuild (${default}); empty: nowhere."`
	Data       string   `default:"./snapback-data" env:"SNAPBACK_DATA" placeholder:"DIR" help:"Directory of the log (./snapback-data)."`
	Roles      []string `default:"gateway,domain" env:"SNAPBACK_ROLES" placeholder:"ROLE,..." help:"What this node does: gateway, which serves clients, domain, which decides, signs and sweeps up, or both (${default})."`
	Shards     int      `default:"8" env:"SNAPBACK_SHARDS" help:"Number of streams the boards are spread over, 1 to 1024; fixed when the log is made (${default})."`
	Replicas   int      `default:"0" env:"SNAPBACK_REPLICAS" placeholder:"1|3" help:"Copies of each stream, 1 or 3; a log that has one gets three, never fewer (3 in a cluster, else 1)."`
	Sync       string   `default:"always" env:"SNAPBACK_SYNC" placeholder:"always|interval" help:"When the embedded log is on disk: before each ack (always), or every two minutes, which a power cut may lose (interval)."`
	NATSURL    string   `name:"nats-url" env:"SNAPBACK_NATS_URL" placeholder:"URL,..." help:"Use this NATS server, or cluster, with JetStream instead of the embedded one, as in nats://user:password@host:4222; with a password better in the environment."`
	natsAccess `envprefix:"SNAPBACK_"`
	NATSAddr   string `name:"nats-addr" env:"SNAPBACK_NATS_ADDR" placeholder:"HOST:PORT" help:"Where a NATS client may read the log, with --nats-reader; unencrypted, so for this machine or a private network."`
	Reader     string `name:"nats-reader" env:"SNAPBACK_NATS_READER" placeholder:"USER:PASSWORD|NKEY" help:"Who may read the log there, and do nothing else: a name and a password, or the public NKey of a user; better in the environment."`
	Demo       bool   `default:"true" negatable:"" env:"SNAPBACK_DEMO" help:"Make a board called demo if there is none (on)."`

	Node          string   `env:"SNAPBACK_NODE" placeholder:"NAME" help:"Name of this node: different on every node, and the same after every restart."`
	ClusterName   string   `default:"snapback" env:"SNAPBACK_CLUSTER_NAME" placeholder:"NAME" help:"Name of the cluster, the same on every node (${default})."`
	ClusterAddr   string   `env:"SNAPBACK_CLUSTER_ADDR" placeholder:"HOST:PORT" help:"Make the embedded log one of a cluster; where the other nodes connect. Needs --node and --cluster-peers."`
	ClusterPeers  []string `env:"SNAPBACK_CLUSTER_PEERS" placeholder:"HOST:PORT,..." help:"The --cluster-addr of all nodes, three or more."`
	ClusterSecret string   `env:"SNAPBACK_CLUSTER_SECRET" placeholder:"FILE" help:"What nodes know each other by, the same on every node: 16 bytes or more, as snapback keygen FILE makes them."`
	ClusterCert   string   `env:"SNAPBACK_CLUSTER_CERT" placeholder:"FILE" help:"Encrypt what nodes say to each other: this node's certificate, PEM, with --cluster-key and --cluster-ca."`
	ClusterKey    string   `env:"SNAPBACK_CLUSTER_KEY" placeholder:"FILE" help:"Its private key, PEM."`
	ClusterCA     string   `env:"SNAPBACK_CLUSTER_CA" placeholder:"FILE" help:"Who signs the certificates of the nodes, PEM; every node must show one."`

	CheckpointKey   string        `env:"SNAPBACK_CHECKPOINT_KEY" placeholder:"FILE" help:"Sign checkpoints of the log with this key (DIR/checkpoint.key of --data, made when it is not there; with --cluster-addr or --nats-url none: it must be the same on every node)."`
	CheckpointEvery time.Duration `default:"1m" env:"SNAPBACK_CHECKPOINT_EVERY" placeholder:"TIME" help:"How often a checkpoint is signed if there is something new (${default})."`
	CheckpointDir   string        `env:"SNAPBACK_CHECKPOINT_DIR" placeholder:"DIR" help:"Keep a copy of the newest checkpoints in this directory, best on another machine; a log that contradicts them is not served."`

	AuthKey      []string `env:"SNAPBACK_AUTH_KEY" placeholder:"FILE" help:"Accept tokens signed with this key: an HS256 secret or an Ed25519 public key in PEM; repeatable. Without one the server is open: whoever connects is who he says."`
	Origin       []string `env:"SNAPBACK_ORIGIN" placeholder:"ORIGIN" help:"Let pages of this origin connect besides the server's own, as in https://app.example; repeatable, '*' for all."`
	InsecureOpen bool     `env:"SNAPBACK_INSECURE_OPEN" help:"Allow a server without --auth-key, or a --cluster-addr without --cluster-secret, on an address that others can reach."`
	BoardIDs     bool     `name:"board-ids" env:"SNAPBACK_BOARD_IDS" help:"With --auth-key: let clients choose the ids of new boards."`
	MaxFile      byteSize `default:"100MiB" env:"SNAPBACK_MAX_FILE" placeholder:"SIZE" help:"How large an uploaded file may be (${default})."`
	Lab          bool     `env:"SNAPBACK_LAB" help:"For demonstrations, never for real work: sessions may ask the gateway to delay, refuse or lose their mutations."`
	Trace        string   `env:"SNAPBACK_TRACE" placeholder:"SHARE" help:"Trace this share of mutations, 0 to 1, and those that a client traces, with OpenTelemetry; where to is in OTEL_EXPORTER_OTLP_ENDPOINT (off)."`
	Pprof        bool     `env:"SNAPBACK_PPROF" help:"Serve profiles of this process at /debug/pprof/ of the admin listener."`
	LogLevel     string   `default:"info" env:"SNAPBACK_LOG_LEVEL" placeholder:"LEVEL" help:"debug, info, warn or error (${default})."`
}

func (c *serveCmd) run(ctx context.Context, s streams) error {
	level, err := c.check()
	if err != nil {
		return usageError{err}
	}
	auth, err := c.auth()
	if err != nil {
		return usageError{err}
	}
	raiseGOMAXPROCS()
	logger := slog.New(slog.NewTextHandler(s.Err, &slog.HandlerOptions{Level: level}))
	n := &node{serveCmd: *c, auth: auth, log: logger}
	stopTracing, err := n.trace(ctx)
	if err != nil {
		return usageError{err}
	}
	defer stopTracing()
	return n.run(ctx)
}

// check says what is wrong with the flags, naming the flag and its value.
func (c *serveCmd) check() (level slog.Level, err error) {
	if level.UnmarshalText([]byte(c.LogLevel)) != nil {
		return level, fmt.Errorf("--log-level=%s: it is debug, info, warn or error", c.LogLevel)
	}
	switch {
	case c.Shards < 1 || c.Shards > 1024:
		err = fmt.Errorf("--shards=%d: it is 1 to 1024", c.Shards)
	case c.Replicas != 0 && c.Replicas != 1 && c.Replicas != 3:
		err = fmt.Errorf("--replicas=%d: it is 1 or 3", c.Replicas)
	case c.Replicas == 3 && c.NATSURL == "" && c.ClusterAddr == "":
		err = errors.New("--replicas=3: the embedded server is alone; three copies need a cluster, --cluster-addr or --nats-url")
	case c.Sync != "always" && c.Sync != "interval":
		err = fmt.Errorf("--sync=%s: it is always or interval", c.Sync)
	case c.MaxFile < 1:
		err = fmt.Errorf("--max-file=%d: it is 1 byte or more", c.MaxFile)
	case c.Data == "" && c.NATSURL == "":
		err = errors.New("--data: it names the directory of the log")
	case (c.NATSAddr == "") != (c.Reader == ""):
		err = errors.New("--nats-addr and --nats-reader: one needs the other")
	case c.NATSAddr != "" && c.NATSURL != "":
		err = errors.New("--nats-addr: beside --nats-url there is no embedded server to connect to")
	case c.openMode() && !c.InsecureOpen && c.does(roleGateway):
		err = loopbackOnly("--addr", c.Addr, "who could then pass for anybody: give a key (--auth-key FILE, `snapback keygen FILE` makes one)")
	}
	err = cmp.Or(err, c.checkRoles(), c.natsAccess.check(c.NATSURL), c.checkCluster(), c.checkCheckpoints())
	if _, bad := natsd.ParseReader(c.Reader); c.Reader != "" && bad != nil { // not shown: it may hold a password
		err = cmp.Or(err, errors.New("--nats-reader: it is USER:PASSWORD, or the public NKey of a user"))
	}
	if _, _, bad := net.SplitHostPort(c.NATSAddr); c.NATSAddr != "" && bad != nil {
		err = cmp.Or(err, fmt.Errorf("--nats-addr=%s: it is HOST:PORT", c.NATSAddr))
	}
	for _, o := range c.Origin {
		if u, bad := url.Parse(o); o != "*" && (bad != nil || u.Host == "" || o != u.Scheme+"://"+u.Host) {
			err = cmp.Or(err, fmt.Errorf("--origin=%s: it is like https://app.example, or * for all", o))
		}
	}
	return level, err
}

// openMode says whether the server takes everybody's word for who he is.
func (c *serveCmd) openMode() bool { return len(c.AuthKey) == 0 }

func (c *serveCmd) auth() (*gateway.Auth, error) {
	if c.openMode() {
		return nil, nil
	}
	var keys []gateway.Key
	for _, file := range c.AuthKey {
		key, err := gateway.ReadKey(file)
		if err != nil {
			return nil, fmt.Errorf("--auth-key=%s: %w", file, fileFault(err))
		}
		keys = append(keys, key)
	}
	auth, err := gateway.NewAuth(keys...)
	if err != nil {
		return nil, fmt.Errorf("--auth-key=%s: %w", strings.Join(c.AuthKey, ","), err)
	}
	return auth, nil
}

// loopbackOnly refuses an address, of a flag, that others than this machine can
// reach; unsafe says what they could do, and what to give.
func loopbackOnly(flag, addr, unsafe string) error {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("%s=%s: it is HOST:PORT", flag, addr)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	var ips []net.IP
	if host != "" {
		if ips, err = net.DefaultResolver.LookupIP(ctx, "ip", host); err != nil {
			return fmt.Errorf("%s=%s: %w", flag, addr, err)
		}
	}
	for _, ip := range ips {
		if !ip.IsLoopback() {
			ips = nil
		}
	}
	if len(ips) == 0 {
		return fmt.Errorf("%s=%s can be reached by others, %s, or --insecure-open if that is what you want", flag, addr, unsafe)
	}
	return nil
}

// raiseGOMAXPROCS sees to it that the process has at least 4 threads for Go
// code. With sync always each append blocks its thread in fsync; with one such
// thread nothing else runs meanwhile (measured: 1,250 appends/s with 1, 11,000
// with 4 on the same core). Who sets GOMAXPROCS himself is obeyed.
func raiseGOMAXPROCS() {
	if os.Getenv("GOMAXPROCS") == "" && runtime.GOMAXPROCS(0) < 4 {
		runtime.GOMAXPROCS(4)
	}
}
