package natsd

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/snapback-io/snapback/test/certs"
	"github.com/snapback-io/snapback/test/node"
)

// words are what the servers of a test say.
type words struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (w *words) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.buf.Write(p)
}

func (w *words) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.buf.String()
}

// places are n nodes of one cluster that are not started.
func places(t *testing.T, n int) (cfgs []Config, said *words) {
	t.Helper()
	said = &words{}
	log := slog.New(slog.NewTextHandler(said, &slog.HandlerOptions{Level: slog.LevelDebug}))
	var routes []string
	for range n {
		routes = append(routes, "nats://"+node.FreeAddr(t))
	}
	for i, route := range routes {
		cfgs = append(cfgs, Config{StoreDir: t.TempDir(), Logger: log,
			Cluster: &Cluster{Name: "test", Node: fmt.Sprint("n", i+1), Listen: strings.TrimPrefix(route, "nats://"), Routes: routes}})
	}
	return cfgs, said
}

func start(t *testing.T, cfg Config) *Server {
	t.Helper()
	s, err := Start(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Shutdown)
	return s
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(60 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not so after 60 s: %s", what)
		}
	}
}

func TestCluster_NodesFindEachOtherBySecretAndCertificate(t *testing.T) {
	t.Parallel()
	const secret = "a secret: with / signs @ that URLs and $2a$ know"
	one, other := certs.New(t, t.TempDir()), certs.New(t, t.TempDir())
	for name, change := range map[string]func(c *Cluster, stranger bool){
		"open": func(c *Cluster, stranger bool) {
			if stranger {
				c.Name = "another"
			}
		},
		"secret": func(c *Cluster, stranger bool) {
			c.Secret = secret
			if stranger {
				c.Secret = "another"
			}
		},
		"no secret": func(c *Cluster, stranger bool) {
			if !stranger {
				c.Secret = secret
			}
		},
		"certificate": func(c *Cluster, stranger bool) {
			c.Secret, c.TLS = secret, one.Config(t)
			if stranger {
				c.TLS = other.Config(t)
			}
		},
		"no certificate": func(c *Cluster, stranger bool) {
			c.Secret = secret
			if !stranger {
				c.TLS = one.Config(t)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfgs, said := places(t, 4)
			var nodes []*Server
			for i, cfg := range cfgs {
				if i < 3 { // they do not know the fourth, which knows them
					cfg.Cluster.Routes = cfg.Cluster.Routes[:3]
				}
				change(cfg.Cluster, i == 3)
				nodes = append(nodes, start(t, cfg))
			}
			three := func(i int) bool {
				want := []string{"n1", "n2", "n3"}
				return slices.Equal(nodes[i].Peers(), slices.Delete(want, i, i+1))
			}
			for i := range 3 {
				eventually(t, "three hear of each other", func() bool { return three(i) })
				eventually(t, "they have a leader", nodes[i].Quorum)
			}
			eventually(t, "the fourth was turned away", func() bool {
				refused := 0
				for _, words := range []string{"Authentication Failure", "TLS route handshake error", "Cluster Name Conflict"} {
					refused += strings.Count(said.String(), words)
				}
				return refused >= 3
			})
			for i := range 3 {
				if !three(i) {
					t.Errorf("n%d has heard of %v", i+1, nodes[i].Peers())
				}
			}
			if peers := nodes[3].Peers(); len(peers) > 0 || nodes[3].Quorum() {
				t.Errorf("the stranger has heard of %v, quorum %v", peers, nodes[3].Quorum())
			}
			if hash := cfgs[0].Cluster.hash(); strings.Contains(said.String(), secret) || strings.Contains(said.String(), hash) {
				t.Error("the secret was said")
			}
			if t.Failed() {
				t.Log(said)
			}
		})
	}
}

// Two nodes with one name could both vote as it: the second does not start.
func TestCluster_ANameIsOneNodes(t *testing.T) {
	t.Parallel()
	for name, config := range map[string]*tls.Config{"plain": nil, "TLS": certs.New(t, t.TempDir()).Config(t)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfgs, _ := places(t, 3)
			cfgs[0].Cluster.TLS, cfgs[1].Cluster.TLS = config, config
			start(t, cfgs[0])
			cfgs[1].Cluster.Node = "n1"
			var taken *NameError
			if s, err := Start(cfgs[1]); !errors.As(err, &taken) || taken.Addr != cfgs[0].Cluster.Listen || taken.Name != "n1" {
				if err == nil {
					s.Shutdown()
				}
				t.Errorf("the second n1: %v", err)
			}
			cfgs[1].Cluster.Node = "n2"
			start(t, cfgs[1])
		})
	}
}

// The listener of a clustered server admits nobody but the process itself.
func TestCluster_NobodyElseGetsIn(t *testing.T) {
	t.Parallel()
	cfgs, _ := places(t, 3)
	s := start(t, cfgs[0])
	if s.URL() != "" {
		t.Errorf("it says that others may connect to %s", s.URL())
	}
	for _, opts := range [][]nats.Option{nil, {nats.UserInfo(routeUser, "")}, {nats.UserInfo("", "")}, {nats.Token("x")}} {
		if nc, err := nats.Connect(s.nats.Load().ClientURL(), opts...); !errors.Is(err, nats.ErrAuthorization) {
			nc.Close()
			t.Errorf("somebody else is admitted: %v", err)
		}
	}
	nc, err := nats.Connect("", nats.InProcessServer(s))
	if err != nil {
		t.Fatal(err)
	}
	nc.Close()
}

// A reader may ask any node for what any node leads.
func TestCluster_Reader(t *testing.T) {
	t.Parallel()
	cfgs, _ := places(t, 3)
	var nodes []*Server
	for _, cfg := range cfgs {
		cfg.Listen, cfg.Reader = "127.0.0.1:0", &Reader{User: "auditor", Password: "secret", Streams: []string{"EVT_0"}}
		nodes = append(nodes, start(t, cfg))
	}
	inside, err := nats.Connect("", nats.InProcessServer(nodes[0]))
	if err != nil {
		t.Fatal(err)
	}
	defer inside.Close()
	js, err := jetstream.New(inside)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"EVT_0", "EVT_1"} {
		eventually(t, "a stream", func() bool {
			_, err := js.CreateStream(t.Context(), jetstream.StreamConfig{Name: name, Subjects: []string{strings.ToLower(name)}, Replicas: 3, AllowDirect: true})
			return err == nil
		})
	}
	if _, err := js.Publish(t.Context(), "evt_0", []byte("record")); err != nil {
		t.Fatal(err)
	}
	for i, n := range nodes {
		nc, err := nats.Connect(n.URL(), nats.UserInfo("auditor", "secret"), nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {}))
		if err != nil {
			t.Fatal(err)
		}
		defer nc.Close()
		js, err := jetstream.New(nc)
		if err != nil {
			t.Fatal(err)
		}
		stream, err := js.Stream(t.Context(), "EVT_0")
		if err != nil {
			t.Fatalf("n%d: %v", i+1, err)
		}
		if msg, err := stream.GetMsg(t.Context(), 1); err != nil || string(msg.Data) != "record" {
			t.Errorf("n%d: %v %v", i+1, msg, err)
		}
		inbox, err := nc.SubscribeSync(nats.NewInbox())
		if err != nil {
			t.Fatal(err)
		}
		eventually(t, "a direct answer of each replica", func() bool {
			if err := nc.PublishRequest("$JS.API.DIRECT.GET.EVT_0", inbox.Subject, []byte(`{"seq":1,"batch":10}`)); err != nil {
				t.Fatal(err)
			}
			msg, err := inbox.NextMsg(time.Second)
			return err == nil && string(msg.Data) == "record"
		})
		if _, err := nc.Request("$JS.API.STREAM.INFO.EVT_1", nil, 100*time.Millisecond); err == nil {
			t.Errorf("n%d tells a reader of another stream", i+1)
		}
	}
}

// A store directory serves the node that it was made for, and nobody else.
func TestCluster_DirectoryIsOneNodes(t *testing.T) {
	t.Parallel()
	cfgs, _ := places(t, 3)
	start(t, cfgs[0]).Shutdown()
	start(t, cfgs[0]).Shutdown()
	var elsewhere *PlaceError
	for name, change := range map[string]func(c *Config){
		"another node":    func(c *Config) { c.Cluster.Node = "n2" },
		"another cluster": func(c *Config) { c.Cluster.Name = "other" },
		"alone":           func(c *Config) { c.Cluster = nil },
	} {
		cfg := cfgs[0]
		place := *cfg.Cluster
		cfg.Cluster = &place
		change(&cfg)
		if s, err := Start(cfg); !errors.As(err, &elsewhere) || elsewhere.Node != "n1" || elsewhere.Cluster != "test" {
			if err == nil {
				s.Shutdown()
			}
			t.Errorf("%s: %v", name, err)
		}
	}
	start(t, cfgs[0])
}

// A cluster deletes the streams of a server that was alone: it does not get them.
func TestCluster_DoesNotTakeOverALogThatWasAlone(t *testing.T) {
	t.Parallel()
	cfgs, _ := places(t, 3)
	alone := cfgs[0]
	alone.Cluster = nil
	s := start(t, alone)
	nc, err := nats.Connect("", nats.InProcessServer(s))
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "EVT_0", Subjects: []string{"evt.0.*"}}); err != nil {
		t.Fatal(err)
	}
	s.Shutdown()
	if s, err := Start(cfgs[0]); !errors.Is(err, ErrAlone) {
		if err == nil {
			s.Shutdown()
		}
		t.Errorf("started: %v", err)
	}
	start(t, alone)
	if matches, _ := filepath.Glob(filepath.Join(alone.StoreDir, placeFile)); len(matches) > 0 {
		t.Error("the directory was given to a cluster")
	}
}
