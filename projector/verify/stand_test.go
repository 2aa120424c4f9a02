package verify

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"slices"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/eventlog/proof"
	"github.com/snapback-io/snapback/projector/bundle"
)

// What an auditor has kept of a board is held against what its log is now.
func TestWhatWasKeptOfABoardIsHeldAgainstItsLog(t *testing.T) {
	t.Parallel()
	s, n := wrote(20), newNotary(t)
	list := records(s)
	_, hashes, at := shardOf(t, list)
	size := int(list[len(list)-1].Seq)
	r, err := bundle.NewReader(bytes.NewReader(streamed(t, n, s, hashes, at(size), "")))
	if err != nil {
		t.Fatal(err)
	}
	stand, err := Stood(t.Context(), r)
	if err != nil || stand.Records != uint64(len(list)) || stand.Seq != uint64(size) || stand.Board != "b" || stand.Epoch != "e" {
		t.Fatalf("%+v, %v", stand, err)
	}
	head, err := proof.OpenHead(stand.Head, n.keys...)
	if err != nil || stand.Checkpoint == nil {
		t.Fatal(err)
	}
	s.Commit(false, s.Ask("ann", domain.Change{EntityID: "k1", Patch: domain.Patch{"title": "later"}}))
	now := records(s)
	moved, dropped, cut := slices.Clone(now), slices.Clone(now), now[:len(list)-1]
	moved[4].Time = moved[4].Time.Add(time.Nanosecond)
	dropped = slices.Delete(dropped, len(list)-1, len(list))
	other := head
	other.Epoch = "f"
	elsewhere := stand
	elsewhere.Epoch = "f"
	last := fmt.Sprintf("@%d", size)
	for name, c := range map[string]struct {
		list  []Record
		head  *proof.Head
		stand *Stand
		want  string
	}{
		"nothing":                       {list: now},
		"a head":                        {list: now, head: &head},
		"an earlier bundle":             {list: now, stand: &stand},
		"a head of another epoch":       {list: now, head: &other, want: "signature" + last},
		"an earlier one of another":     {list: now, stand: &elsewhere, want: "signature" + last},
		"a time, and a head":            {list: moved, head: &head}, // it says nothing of times
		"a time, and an earlier bundle": {list: moved, stand: &stand, want: "count" + last},
		"cut off, and a head":           {list: cut, head: &head, want: fmt.Sprintf("head@%d", cut[len(cut)-1].Seq)},
		"cut off, and an earlier one":   {list: cut, stand: &stand, want: fmt.Sprintf("head@%d", cut[len(cut)-1].Seq)},
		"its last is gone":              {list: dropped, stand: &stand, want: "gap" + last + " count" + last},
	} {
		cfg := Config{Board: "b", Epoch: "e"}
		if c.head != nil {
			cfg.Heads = []proof.Head{*c.head, {Board: "another", Seq: 3}}
		}
		if c.stand != nil {
			cfg.Before = []Stand{*c.stand}
		}
		if _, found := run(cfg, c.list); kindsAt(found) != c.want {
			t.Errorf("%s: %q, want %q", name, kindsAt(found), c.want)
		}
	}
}

// A hostile bundle has no more hashes kept than its records need.
func TestMoreHashesThanProveAnythingAreNotKept(t *testing.T) {
	t.Parallel()
	var found []Finding
	v := New(Config{Board: "b", Proofs: true, Report: func(f Finding) { found = append(found, f) }})
	v.Record(Record{Seq: 1, Hash: fmt.Sprintf("%x", sha256.Sum256(nil))})
	found = nil
	for i := range int64(1000) {
		some := proof.Hashes{}
		for k := range int64(1000) {
			some[1000*i+k] = tlog.Hash{}
		}
		v.Hashes(some)
	}
	if len(v.hashes) > hashesEach*(1+otherProofs) || len(found) != 1 || found[0].Kind != KindInclusion {
		t.Errorf("%d hashes, %v", len(v.hashes), found)
	}
}

// A board that is lost is a finding, even if nothing else is.
func TestABoardIsNotLostInSilence(t *testing.T) {
	t.Parallel()
	v := New(Config{Board: "b"})
	v.lose()
	if v.Finish().Findings != 1 {
		t.Error("it has no finding")
	}
}

// A cut off stream is not held against what did not come.
func TestStream_WhatDidNotComeIsNoFinding(t *testing.T) {
	t.Parallel()
	s, n := wrote(20), newNotary(t)
	list := records(s)
	_, hashes, at := shardOf(t, list)
	c := at(int(list[len(list)-1].Seq))
	stream := streamed(t, n, s, hashes, c, "")
	r, err := bundle.NewReader(bytes.NewReader(stream[:len(stream)/2]))
	if err != nil {
		t.Fatal(err)
	}
	seq, hash, _ := s.Board.Head()
	cfg := Config{Keys: n.keys, Pinned: []proof.Checkpoint{c}, Heads: []proof.Head{{Board: "b", Epoch: "e", Seq: seq, Hash: hash}},
		Before: []Stand{{Board: "b", Epoch: "e", Seq: seq}}, Report: func(f Finding) { t.Error(f) }}
	if done, err := Stream(r, cfg, StreamOptions{}); err == nil || len(done.Unheld) != 1 || done.Records == 0 {
		t.Errorf("%+v, %v", done, err)
	}
	if r, err = bundle.NewReader(bytes.NewReader(empty(t))); err != nil {
		t.Fatal(err)
	}
	if done, err := Stream(r, Config{}, StreamOptions{}); err != nil || done.Findings != 1 {
		t.Errorf("a bundle of nothing: %+v, %v", done, err)
	}
}

func empty(t *testing.T) []byte {
	var out bytes.Buffer
	if err := bundle.NewWriter(&out, bundle.Header{Board: "b", Epoch: "e", Shards: 1, At: time.Unix(1, 0)}).End(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}
