package eventlog

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/snapback-io/snapback/domain"
)

func TestBoards_AreThoseOfTheStreams(t *testing.T) {
	l := single(t)
	want := []BoardRecords{}
	for i := range 5 {
		board := newBoard()
		fill(t, l, board, i+1)
		want = append(want, BoardRecords{board, uint64(i + 1)})
	}
	slices.SortFunc(want, func(a, b BoardRecords) int { return bytes.Compare([]byte(a.Board), []byte(b.Board)) })
	if got, err := l.Boards(t.Context()); err != nil || !slices.Equal(got, want) {
		t.Errorf("%v %v, want %v", got, err, want)
	}
}

// TestReplaceSnapshot_OnlyWhatWasRead, in one message or in parts.
func TestReplaceSnapshot_OnlyWhatWasRead(t *testing.T) {
	onBoth(t, func(t *testing.T, l *Log) {
		for _, size := range []int{10, l.MaxRecord() + 1} {
			board := newBoard()
			snap := func(i byte) Snapshot {
				return Snapshot{Seq: uint64(i), Hash: sha256.Sum256([]byte{i}), Data: bytes.Repeat([]byte{i}, size)}
			}
			is := func(i byte) uint64 {
				t.Helper()
				onEveryReplica(t, l, board, snap(i))
				s, revision, err := l.StoredSnapshot(t.Context(), board)
				if err != nil || s.Seq != uint64(i) || revision == 0 {
					t.Fatal(s.Seq, revision, err)
				}
				return revision
			}
			if _, revision, err := l.StoredSnapshot(t.Context(), board); !errors.Is(err, ErrNotFound) || revision != 0 {
				t.Fatal(revision, err)
			}
			if err := l.ReplaceSnapshot(t.Context(), board, snap(1), 0); err != nil {
				t.Fatal(err)
			}
			old := is(1)
			if err := l.PutSnapshot(t.Context(), board, snap(2)); err != nil { // a worker was quicker
				t.Fatal(err)
			}
			for _, revision := range []uint64{0, old} {
				if err := l.ReplaceSnapshot(t.Context(), board, snap(3), revision); !errors.Is(err, ErrConflict) {
					t.Fatal(err)
				}
			}
			if err := l.ReplaceSnapshot(t.Context(), board, snap(3), is(2)); err != nil {
				t.Fatal(err)
			}
			if err := l.ReplaceSnapshot(t.Context(), board, snap(4), is(3)); err != nil {
				t.Fatal(err)
			}
			is(4)
		}
	})
}

func TestStoredSnapshot_Damaged(t *testing.T) {
	l, board := single(t), newBoard()
	for _, header := range []nats.Header{
		{headerEpoch: {l.epoch}, headerSeq: {"x"}},
		{headerEpoch: {l.epoch}, headerSeq: {"1"}, headerHash: {"x"}},
		{headerEpoch: {l.epoch}, headerSeq: {"1"}, headerHash: {domain.Hash{}.String()}, headerSlot: {"a"}, headerParts: {"1"}},
	} {
		if err := l.publishDisposable(t.Context(), &nats.Msg{Subject: snapshotPrefix + board, Header: header}); err != nil {
			t.Fatal(err)
		}
		_, revision, err := l.StoredSnapshot(t.Context(), board)
		if !errors.Is(err, ErrDamaged) || revision == 0 {
			t.Fatalf("%v: %d %v", header, revision, err)
		}
		if err := l.ReplaceSnapshot(t.Context(), board, Snapshot{Seq: 7, Data: []byte("good")}, revision); err != nil {
			t.Fatal(err)
		}
		if s, err := l.GetSnapshot(t.Context(), board); err != nil || s.Seq != 7 {
			t.Fatal(s, err)
		}
	}
}

// TestReplaceListing_WhateverItSays: a wrong one may have any sequence.
func TestReplaceListing_WhateverItSays(t *testing.T) {
	onBoth(t, func(t *testing.T, l *Log) {
		board, user := newBoard(), "u:"+newBoard()
		entry := Listing{Board: board, Title: "right", Seq: 5, Members: map[string]domain.Role{user: domain.Admin}}
		if err := l.PutListing(t.Context(), Listing{Board: board, Title: "wrong", Seq: 1 << 40}); err != nil {
			t.Fatal(err)
		}
		_, revision, err := l.StoredListing(t.Context(), board)
		if err != nil {
			t.Fatal(err)
		}
		for _, wrong := range []uint64{0, revision + 1} {
			if err := l.ReplaceListing(t.Context(), entry, wrong); !errors.Is(err, ErrConflict) {
				t.Fatal(err)
			}
		}
		if err := l.ReplaceListing(t.Context(), entry, revision); err != nil {
			t.Fatal(err)
		}
		if list, err := l.Listings(t.Context(), user, nil, "", 10); err != nil || len(list) != 1 || list[0].Title != "right" {
			t.Fatal(list, err)
		}
		boards, index, err := l.Listed(t.Context())
		if err != nil || !slices.Contains(boards, board) || !slices.Contains(index, Indexed{board, user}) {
			t.Fatal(boards, index, err)
		}
		if missing, err := l.Unindexed(t.Context(), entry); err != nil || len(missing) != 0 {
			t.Fatal(missing, err)
		}
		if _, stale, err := l.StaleIndexed(t.Context(), Indexed{board, user}, time.Now().Add(-time.Minute)); err != nil || stale {
			t.Fatal(stale, err)
		}
		at, stale, err := l.StaleIndexed(t.Context(), Indexed{board, user}, time.Now().Add(time.Minute))
		if err != nil || !stale {
			t.Fatal(stale, err)
		}
		if err := l.DropIndexed(t.Context(), Indexed{board, user}, at-1); err != nil { // another one by now
			t.Fatal(err)
		}
		if missing, err := l.Unindexed(t.Context(), entry); err != nil || len(missing) != 0 {
			t.Fatal(missing, err)
		}
		if err := l.DropIndexed(t.Context(), Indexed{board, user}, at); err != nil {
			t.Fatal(err)
		}
		if missing, err := l.Unindexed(t.Context(), entry); err != nil || !slices.Equal(missing, []string{user}) {
			t.Fatal(missing, err)
		}
		if err := l.DropListing(t.Context(), board, revision); err != nil { // it is newer
			t.Fatal(err)
		}
		if _, revision, err = l.StoredListing(t.Context(), board); err != nil {
			t.Fatal(err)
		}
		if err := l.DropListing(t.Context(), board, revision); err != nil {
			t.Fatal(err)
		}
		if _, revision, err = l.StoredListing(t.Context(), board); !errors.Is(err, ErrNotFound) || revision != 0 {
			t.Fatal(revision, err)
		}
		if _, err := l.publishOnce(t.Context(), &nats.Msg{Subject: boardEntry(board), Data: []byte("{")}); err != nil {
			t.Fatal(err)
		}
		if _, revision, err = l.StoredListing(t.Context(), board); !errors.Is(err, ErrDamaged) || revision == 0 {
			t.Fatal(revision, err)
		}
		if err := l.ReplaceListing(t.Context(), entry, revision); err != nil {
			t.Fatal(err)
		}
	})
}
