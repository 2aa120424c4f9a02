package main

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/snapback-io/snapback/eventlog/proof"
	"github.com/snapback-io/snapback/projector/bundle"
	"github.com/snapback-io/snapback/projector/verify"
)

// altered is a copy of a bundle with another manifest.
func altered(t *testing.T, dir string, do func(m *bundle.Manifest)) string {
	t.Helper()
	other := filepath.Join(t.TempDir(), "altered")
	if err := os.CopyFS(other, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(other, "manifest.json")
	var m bundle.Manifest
	err := json.Unmarshal(read(t, name), &m)
	if err == nil {
		do(&m)
		var data []byte
		if data, err = json.Marshal(m); err == nil {
			err = os.WriteFile(name, data, 0o600)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return other
}

// keepFile keeps what a server answers.
func (s *server) keepFile(dir, path string) (file string) {
	s.t.Helper()
	var note string
	if status := s.call("GET", path, "", "", &note); status != 200 {
		s.t.Fatal(path, status)
	}
	f, err := os.CreateTemp(dir, "kept")
	if err == nil {
		_, err = f.WriteString(note)
		f.Close()
	}
	if err != nil {
		s.t.Fatal(err)
	}
	return f.Name()
}

// An auditor who kept something finds what somebody with the key did, online and
// off, and is told what could not be held against it; the exit status says which.
func TestAuditVerify_WhatWasKept(t *testing.T) {
	t.Parallel()
	data, dir := t.TempDir(), t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	s, _ := busy(t, data)
	for i := range 6 { // some in the shard of b, some not
		s.call("POST", "/v1/boards?user=ann", "", fmt.Sprintf(`{"id":"x%d","title":"Other"}`, i), nil)
	}
	server, key := "--server="+s.url, "--key="+filepath.Join(data, checkpointKey+".pub")
	said(t, []string{"export", "b", "-o", in("early"), server})
	s.change("ann", "between", "c1", `{"title":"Between"}`)
	early, err := bundle.OpenDir(in("early"))
	if err != nil {
		t.Fatal(err)
	}
	defer early.Close()
	r, closer, err := early.Board(early.Manifest.Boards[0])
	if err != nil {
		t.Fatal(err)
	}
	closer.Close()
	shard := r.Header().Shard
	other := (shard + 1) % r.Header().Shards
	for i := 0; ; i++ { // a board of the other shard
		s.call("POST", "/v1/boards?user=ann", "", fmt.Sprintf(`{"id":"y%d","title":"Other"}`, i), nil)
		if s.call("GET", fmt.Sprintf("/v1/checkpoints/%d?fresh=1", other), "", "", nil) == 200 {
			break
		}
	}
	kept := "--checkpoint=" + s.keepFile(dir, fmt.Sprintf("/v1/checkpoints/%d?fresh=1", shard))
	elsewhere := "--checkpoint=" + s.keepFile(dir, fmt.Sprintf("/v1/checkpoints/%d", other))
	head := "--head=" + s.keepFile(dir, "/v1/boards/b/head?user=ann")
	for i := range 5 {
		s.change("ann", fmt.Sprint("later", i), "c1", fmt.Sprintf(`{"title":"Later %d"}`, i))
		s.call("POST", "/v1/boards?user=ann", "", fmt.Sprintf(`{"id":"z%d","title":"Other"}`, i), nil)
	}
	later := "--head=" + s.keepFile(dir, "/v1/boards/b/head?user=ann")
	said(t, []string{"export", "b", "-o", in("later"), kept, server})
	said(t, []string{"export", "--all", "-o", in("all"), kept, elsewhere, server})
	failed(t, []string{"export", "b", "-o", in("wrong"), elsewhere, server}, "of which no board was exported")
	checking := func(more ...string) []string { return append([]string{"audit", "verify", key}, more...) }

	// Nothing was changed.
	said(t, checking("--bundle="+in("later"), kept, head, later, "--earlier="+in("early")), "No findings", "held against 2 checkpoints")
	said(t, checking("--bundle="+in("all"), kept, elsewhere, head), "No findings")
	said(t, checking("b", server, kept, head, "--earlier="+in("early")), "No findings")

	// What cannot be held is said, and why.
	ended(t, 3, checking("--bundle="+in("later"), elsewhere), fmt.Sprintf("it is of another shard: what was verified is of shard %d", shard), "1 thing could not be checked")
	ended(t, 3, checking("--bundle="+in("early"), kept), "the bundle of board b is older")
	ended(t, 3, checking("x1", server, head), "board b, of which", "it was not verified")
	ended(t, 3, checking("b", "--server=http://127.0.0.1:1"), "no answer")
	none := altered(t, in("later"), func(m *bundle.Manifest) { m.Boards = nil })
	ended(t, 3, checking("--bundle="+none), "there is no board")
	bare := altered(t, in("later"), func(m *bundle.Manifest) { m.Keys = nil })
	ended(t, 3, []string{"audit", "verify", "--bundle=" + bare}, "there is no key to check them with")
	twice := altered(t, in("later"), func(m *bundle.Manifest) { m.Keys = append(m.Keys, m.Keys...) })
	said(t, []string{"audit", "verify", "--bundle=" + twice}, "No findings")

	// A key that was replaced.
	private, public, err := proof.NewKey(rand.Reader, "snapback")
	if err != nil {
		t.Fatal(err)
	}
	signer, err := proof.ParseSigner(private)
	if err != nil {
		t.Fatal(err)
	}
	forged, err := signer.Sign((&proof.Checkpoint{Epoch: r.Header().Epoch, Shard: shard, Size: 3}).Text())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(in("forged"), forged, 0o600); err != nil {
		t.Fatal(err)
	}
	failed(t, []string{"audit", "verify", "--bundle=" + in("later"), "--checkpoint=" + in("forged")}, "comes with another key now")
	ended(t, 2, checking("--bundle="+in("later"), "--checkpoint="+in("forged")), "not signed by a known key")
	failed(t, []string{"audit", "verify", "--bundle=" + in("later"), "--key=" + public}, "not signed by a known key")

	// An old bundle that is shown for the newest one.
	failed(t, checking("--bundle="+in("early"), later), "it is cut off")
	failed(t, checking("--bundle="+in("early"), "--earlier="+in("later")), "it is cut off")
	ended(t, 2, checking("--bundle="+in("later"), "--earlier="+in("nowhere")), "--earlier=")

	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	said(t, checking("--all", "--data="+data, kept, elsewhere, head, later, "--earlier="+in("later")), "No findings")
	if err := os.Remove(filepath.Join(data, checkpointKey+".pub")); err != nil {
		t.Fatal(err)
	}
	ended(t, 3, []string{"audit", "verify", "--all", "--data=" + data}, "there is no key to check them with")

	// A log in which the board is not, or that is another one.
	fresh := t.TempDir()
	if err := serve(t, "--data="+fresh).stop(); err != nil {
		t.Fatal(err)
	}
	failed(t, []string{"audit", "verify", "--all", "--data=" + fresh, "--key=" + string(read(t, filepath.Join(in("later"), "keys", "snapback.pub"))), head}, "the log has no record of it")
}

// A checkpoint is held against each board of its shard, and two boards do not
// come with two histories.
func TestAuditVerify_EveryBoardOfABundleIsHeld(t *testing.T) {
	t.Parallel()
	kept := proof.Checkpoint{Epoch: "e", Shard: 3, Size: 5, Root: tlog.Hash{1}}
	tree := proof.Checkpoint{Epoch: "e", Shard: 3, Size: 9, Root: tlog.Hash{2}}
	fork := tree
	fork.Root = tlog.Hash{3}
	for name, test := range map[string]struct {
		of      []verify.Verified
		lacking int
		found   int
	}{
		"both":             {of: []verify.Verified{{Held: 1, Covered: &tree}, {Held: 1, Covered: &tree}}},
		"one of them":      {of: []verify.Verified{{Held: 1, Covered: &tree}, {Unheld: []proof.Checkpoint{kept}, Covered: &tree}}, lacking: 1},
		"one has no proof": {of: []verify.Verified{{Unheld: []proof.Checkpoint{kept}}, {Held: 1, Covered: &tree}}, lacking: 1},
		"none":             {lacking: 1},
		"two histories":    {of: []verify.Verified{{Held: 1, Covered: &tree}, {Held: 1, Covered: &fork}}, found: 1},
	} {
		v := &verification{streams: streams{io.Discard, io.Discard}, from: stored{}}
		v.kept.shards, v.kept.checkpoints = map[int]bool{}, []keptCheckpoint{{Checkpoint: kept, file: "f"}}
		for i := range test.of {
			v.held(&bundle.Header{Board: fmt.Sprint("b", i), Epoch: "e", Shard: 3}, &test.of[i])
		}
		if v.unheld(); len(v.Lacking) != test.lacking || v.Count != test.found {
			t.Errorf("%s: %v, %v", name, v.Lacking, v.Findings)
		}
	}
}
