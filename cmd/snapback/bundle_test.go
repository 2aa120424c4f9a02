package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/oklog/ulid/v2"
)

// busy is a server with a board b of some history, a refusal and a file among
// it; ids are of ann's mutations.
func busy(t *testing.T, data string) (s *server, ids []string) {
	t.Helper()
	s = serve(t, "--data="+data, "--demo=false")
	var made map[string]any
	if status := s.call("POST", "/v1/boards?user=ann", "", `{"id":"b","title":"Board"}`, &made); status != 201 {
		t.Fatal(status, made)
	}
	send := func(entity, patch string) {
		id := ulid.Make().String()
		ids = append(ids, id)
		s.call("POST", "/v1/boards/b/mutations?user=ann", "", fmt.Sprintf(`{"clientMutationId":%q,"entityId":%q,"patch":%s}`, id, entity, patch), nil)
	}
	send("todo", `{"kind":"column","title":"To do","wipLimit":1}`)
	send("c1", `{"kind":"card","title":"One","columnId":"todo"}`)
	send("c2", `{"kind":"card","title":"Two","columnId":"todo"}`) // is refused
	for i := range 20 {
		send("c1", fmt.Sprintf(`{"title":"One %d"}`, i))
	}
	if status := s.call("PUT", "/v1/boards/b/files/f1/content?name=a.txt&user=ann", "", "hello", nil); status != 200 {
		t.Fatal(status)
	}
	return s, ids
}

// told is all that a server says of board b.
func (s *server) told(ids []string) string {
	s.t.Helper()
	var all strings.Builder
	for _, id := range ids {
		var verdict string
		status := s.call("GET", "/v1/boards/b/mutations/"+id+"?user=ann", "", "", &verdict)
		fmt.Fprintln(&all, id, status, verdict)
	}
	var content string
	s.call("GET", "/v1/boards/b/files/f1/content", "", "", &content)
	state, err := json.Marshal(s.board("b"))
	if err != nil {
		s.t.Fatal(err)
	}
	fmt.Fprintf(&all, "%s\n%s\n", content, state)
	return all.String()
}

// said runs a command that must succeed, and say certain things.
func said(t *testing.T, args []string, want ...string) {
	t.Helper()
	out, err := snapback(t, args...)
	if err != nil {
		t.Fatalf("%v: %v\n%s", args, err, out)
	}
	for _, w := range want {
		if !strings.Contains(out, w) {
			t.Errorf("%v: no %q in\n%s", args, w, out)
		}
	}
}

// failed runs a command that must fail with exit status 1, and say certain things.
func failed(t *testing.T, args []string, want ...string) {
	t.Helper()
	ended(t, 1, args, want...)
}

// ended runs a command that must fail with an exit status, and say certain things.
func ended(t *testing.T, status int, args []string, want ...string) {
	t.Helper()
	out, err := snapback(t, args...)
	if exitCode(err) != status {
		t.Fatalf("%v: %v\n%s", args, err, out)
	}
	for _, w := range want {
		if !strings.Contains(out+err.Error(), w) {
			t.Errorf("%v: no %q in %v\n%s", args, w, err, out)
		}
	}
}

// TestBundle_ExportedVerifiedAndRestored by real commands and real servers:
// from a server and from its log, into a server and into a log.
func TestBundle_ExportedVerifiedAndRestored(t *testing.T) {
	t.Parallel()
	data, dir := t.TempDir(), t.TempDir()
	s, ids := busy(t, data)
	want := s.told(ids)
	key := "--key=" + filepath.Join(data, checkpointKey+".pub")
	asked, read := filepath.Join(dir, "asked"), filepath.Join(dir, "read")
	said(t, []string{"export", "b", "-o", asked, "--contents", "--server=" + s.url}, "1 board, ", "1 content ")
	failed(t, []string{"export", "nothing", "-o", filepath.Join(dir, "none"), "--server=" + s.url}, "not_found")

	// A checkpoint kept elsewhere, and more history behind it.
	kept := filepath.Join(dir, "kept")
	for shard := range 8 {
		var note string
		if s.call("GET", fmt.Sprintf("/v1/checkpoints/%d?fresh=1", shard), "", "", &note) == 200 {
			if err := os.WriteFile(kept, []byte(note), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	s.change("ann", "later", "c1", `{"title":"Later"}`)
	said(t, []string{"audit", "verify", "b", "--server=" + s.url}, "No findings", "comes from the same server", "Not checked: the contents")
	said(t, []string{"audit", "verify", "--all", key, "--checkpoint=" + kept, "--server=" + s.url}, "No findings", "was given", "held against 1 checkpoint")
	ended(t, 3, []string{"audit", "verify", "nothing", "--server=" + s.url}, "could not be checked", "nothing")
	want = s.told(ids)
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	said(t, []string{"audit", "verify", "--all", "--data=" + data, "--checkpoint=" + kept}, "No findings", "lies beside the log", "shard")
	said(t, []string{"export", "--all", "-o", read, "--contents", "--data=" + data}, "1 board, ", "1 content ")
	said(t, []string{"audit", "verify", "--bundle=" + asked, key}, "No findings", "its head was signed")
	said(t, []string{"audit", "verify", "--bundle=" + read}, "No findings", "comes with the bundle")
	out, err := snapback(t, "audit", "verify", "b", "--bundle="+read, "--json")
	var report struct {
		Boards []struct{ Records, Proven, Refused int }
		Count  int
		Keys   []struct{ Given bool }
	}
	if bad := json.Unmarshal([]byte(out), &report); err != nil || bad != nil || len(report.Boards) != 1 || report.Boards[0].Refused != 1 || report.Boards[0].Proven != report.Boards[0].Records || report.Keys[0].Given {
		t.Errorf("%v, %v: %s", err, bad, out)
	}

	// Into a server.
	other := serve(t, "--data="+t.TempDir(), "--demo=false")
	admin := "--admin-server=" + strings.TrimSuffix(other.admin, "/")
	said(t, []string{"import", "bundle", asked, admin, key}, "board b is restored", "1 content")
	said(t, []string{"import", "bundle", read, "b", admin, key}, "board b is restored", "1 stored now")
	said(t, []string{"import", "bundle", asked, admin, key}, "there already") // it has gone on since
	if got := other.told(ids); got != want {
		t.Errorf("the restored board is another one:\n%s\nwas\n%s", got, want)
	}
	said(t, []string{"audit", "verify", "--all", "--server=" + other.url}, "No findings")
	failed(t, []string{"audit", "verify", "b", "--checkpoint=" + kept, key, "--server=" + other.url}, "not signed by a known key")

	// Into a log.
	log := filepath.Join(t.TempDir(), "log")
	said(t, []string{"import", "bundle", read, "--data=" + log, "--shards=2"}, "board b is restored")
	said(t, []string{"audit", "verify", "b", "--data=" + log}, "No findings", "there is no key")
	third := serve(t, "--data="+log, "--demo=false", "--shards=2")
	if got := third.told(ids); got != want {
		t.Errorf("the restored log has another board:\n%s\nwas\n%s", got, want)
	}
	third.change("ann", "on", "c1", `{"title":"It goes on"}`)
	if err := third.stop(); err != nil {
		t.Fatal(err)
	}
	said(t, []string{"audit", "verify", "b", "--data=" + log}, "No findings")
}

// TestBundle_TamperedIsFoundAndRefused.
func TestBundle_TamperedIsFoundAndRefused(t *testing.T) {
	t.Parallel()
	s, _ := busy(t, t.TempDir())
	dir := filepath.Join(t.TempDir(), "bundle")
	said(t, []string{"export", "--all", "-o", dir, "--contents", "--server=" + s.url})
	other := serve(t, "--data="+t.TempDir(), "--demo=false")
	admin := "--admin-server=" + strings.TrimSuffix(other.admin, "/")
	for _, name := range []string{"boards/b.ndjson.zst", "contents", "keys/snapback.pub", "manifest.json"} {
		file := filepath.Join(dir, name)
		if name == "contents" {
			list, err := os.ReadDir(file)
			if err != nil || len(list) != 1 {
				t.Fatal(list, err)
			}
			file = filepath.Join(file, list[0].Name())
		}
		was, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		is := []byte(strings.Replace(string(was), `"records": `, `"records": 1`, 1)) // which nobody believes
		if name != "manifest.json" {
			is[len(is)/2] ^= 4
		} else {
			is = is[:len(is)/2]
		}
		if err := os.WriteFile(file, is, 0o600); err != nil {
			t.Fatal(err)
		}
		failed(t, []string{"audit", "verify", "--bundle=" + dir}, filepath.Base(name)[:4])
		failed(t, []string{"import", "bundle", dir, admin})
		if status := other.call("GET", "/v1/boards/b", "", "", nil); status != 404 {
			t.Errorf("%s: the board is there: %d", name, status)
		}
		if err := os.WriteFile(file, was, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	said(t, []string{"audit", "verify", "--bundle=" + dir}, "No findings")
	said(t, []string{"import", "bundle", dir, admin}, "board b is restored")
}

func TestBundle_WhatIsTypedWrongIsNamed(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		args string
		want string
	}{
		{"export b", "-o: it names the directory"},
		{"export -o x", "which board?"},
		{"export b --all -o x", "which board?"},
		{"export b --format=csv --contents", "not with --format"},
		{"audit verify", "which board?"},
		{"audit verify b --all", "which board?"},
		{"audit verify --bundle=/nowhere", "--bundle=/nowhere: no such"},
		{"audit verify b --key=/nowhere", "--key=/nowhere: neither a public key"},
		{"audit verify b --bundle=x --data=y", "--bundle: not with"},
		{"import bundle /nowhere", "/nowhere: no such"},
	} {
		if _, err := snapback(t, strings.Fields(test.args)...); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %s", test.args, err, test.want)
		}
	}
}
