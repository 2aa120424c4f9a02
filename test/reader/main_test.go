package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/snapback-io/snapback/test/node"
)

func TestMain(m *testing.M) { node.Main(m) }

// post sends a request to the server and wants a status.
func post(t *testing.T, s *node.Server, path, body string, want int) {
	t.Helper()
	resp, err := http.Post("http://"+s.Addr+path, "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if answer, _ := io.ReadAll(resp.Body); resp.StatusCode != want {
		t.Fatalf("%s: %s %s", path, resp.Status, answer)
	}
}

// TestReader_ReadsTheLogOfAServer: the program as it is described, against a
// server as it is started, and what it reads is as the schema says that the
// same server gives.
func TestReader_ReadsTheLogOfAServer(t *testing.T) {
	addr := node.FreeAddr(t)
	s := node.Start(t, "server", t.TempDir(), "", "--demo=false", "--nats-addr", addr, "--nats-reader", "auditor:secret", "--shards=3")
	want := 0
	for _, board := range []string{"a", "b", "c", "d"} {
		post(t, s, "/v1/boards?user=ann", fmt.Sprintf(`{"id":%q,"title":"Board"}`, board), http.StatusCreated)
		mutations := "/v1/boards/" + board + "/mutations?user=ann"
		post(t, s, mutations, `{"clientMutationId":"m1","changes":[{"entityId":"k","patch":{"kind":"column","title":"K"}},{"entityId":"x","patch":{"kind":"card","title":"X","columnId":"k"}}]}`, http.StatusOK)
		post(t, s, mutations, `{"clientMutationId":"m2","entityId":"nothing","patch":null}`, http.StatusNotFound)
		want += 3
	}
	url := "nats://auditor:secret@" + addr
	nc, err := nats.Connect(url)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	sch := published(t, s)
	decisions, events := 0, map[string]int{}
	err = read(t.Context(), nc, "", func(r record) error {
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(r.data))
		if err == nil {
			err = sch.Validate(doc)
		}
		decisions += len(r.Decisions)
		for _, d := range r.Decisions {
			for _, ev := range d.Events {
				events[ev.Type]++
			}
		}
		return err
	})
	if err != nil || decisions != want || events["card.created"] != 4 {
		t.Fatalf("%d decisions, want %d; %v; %v", decisions, want, events, err)
	}
	program := filepath.Join(t.TempDir(), "reader")
	if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	out, err := exec.Command(program, url, "b").CombinedOutput()
	if err != nil || strings.Count(string(out), "\n") != 5 || !strings.Contains(string(out), " b: ann card.created x, rev 4\n") || !strings.Contains(string(out), "b: ann was refused: not_found\n") {
		t.Errorf("%v\n%s", err, out)
	}
	if out, err := exec.Command(program, "nats://auditor:wrong@"+addr).CombinedOutput(); err == nil {
		t.Errorf("admitted with another password:\n%s", out)
	}
	s.Stop()
}

// published is the schema that the server gives.
func published(t *testing.T, s *node.Server) *jsonschema.Schema {
	t.Helper()
	resp, err := http.Get("http://" + s.Addr + "/v1/schema/commit.v2.json")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	doc, err := jsonschema.UnmarshalJSON(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("schema", doc); err != nil {
		t.Fatal(err)
	}
	return c.MustCompile("schema")
}

// TestReader_UsesNothingOfOurs: it is an example for those who have no code of
// this module.
func TestReader_UsesNothingOfOurs(t *testing.T) {
	source, err := os.ReadFile("main.go")
	if err != nil || strings.Contains(string(source), `"github.com/snapback-io`) {
		t.Errorf("it imports this module (%v)", err)
	}
}

func TestCheck_FindsABrokenChain(t *testing.T) {
	first := record{V: 1, Board: "b", Prev: strings.Repeat("0", 64), data: []byte("1")}
	second := record{V: 1, Board: "b", Prev: hashOf([]byte("1")), data: []byte("2")}
	heads := map[string]string{}
	if err := check(&first, heads); err != nil {
		t.Error(err)
	}
	if err := check(&second, heads); err != nil {
		t.Error(err)
	}
	if err := check(&second, heads); err == nil {
		t.Error("a record twice")
	}
	if err := check(&second, map[string]string{}); err == nil {
		t.Error("without the one before it")
	}
	first.V = 3
	if err := check(&first, map[string]string{}); err == nil {
		t.Error("of another version")
	}
}
