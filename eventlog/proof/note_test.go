package proof

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/snapback-io/snapback/domain"
)

var update = flag.Bool("update", false, "rewrite testdata")

// golden compares text with a file of testdata.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is\n%s\nnot\n%s", name, got, want)
	}
}

// fixedKey is a key made of zeros: signatures of Ed25519 are the same each time.
func fixedKey(t testing.TB, name string) *Signer {
	t.Helper()
	private, public, err := NewKey(bytes.NewReader(make([]byte, 64)), name)
	if err != nil {
		t.Fatal(err)
	}
	s, err := ParseSigner(private + "\n")
	if err != nil {
		t.Fatal(err)
	}
	if s.Public() != public {
		t.Fatalf("public key %s, of the private one %s", public, s.Public())
	}
	return s
}

const epoch = "01JQ3ZC8V5K0W5T9M8YB6E2A7N"

// The texts that are hashed and signed, for whoever checks them with other
// means: they never change.
func TestGolden(t *testing.T) {
	t.Parallel()
	key := fixedKey(t, "snapback")
	golden(t, "key.pub", []byte(key.Public()+"\n"))

	leaf := someLeaf(0)
	golden(t, "leaf.txt", leaf.Bytes())
	var tree Tree
	for i := range int64(1742) {
		leaf := someLeaf(i)
		tree.Append(leaf.TreeHash(), nil)
	}
	c := Checkpoint{Epoch: epoch, Shard: 3, Size: tree.Size(), Root: tree.Root(), Time: start.Add(48 * time.Second)}
	h := Head{Board: "demo", Epoch: epoch, Seq: 1742, Rev: 4711, Hash: leaf.Hash, State: domain.Hash{1, 2, 3}, Time: start.Add(time.Minute)}
	for name, text := range map[string]string{"checkpoint.txt": c.Text(), "head.txt": h.Text()} {
		signed, err := key.Sign(text)
		if err != nil {
			t.Fatal(err)
		}
		golden(t, name, signed)
	}
	file := func(name string) []byte {
		data, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	if got, err := OpenCheckpoint(file("checkpoint.txt"), key.Verifier()); err != nil || got != c {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err := PeekCheckpoint(file("checkpoint.txt")); err != nil || got != c {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err := OpenHead(file("head.txt"), key.Verifier()); err != nil || got != h {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestNotes_AreRefused(t *testing.T) {
	t.Parallel()
	key, stranger := fixedKey(t, "snapback"), fixedKey(t, "stranger")
	c := Checkpoint{Epoch: epoch, Shard: 3, Size: 2, Root: tlog.Hash{1}, Time: start}
	signed, err := key.Sign(c.Text())
	if err != nil {
		t.Fatal(err)
	}
	change := func(old, with string) []byte { return bytes.Replace(signed, []byte(old), []byte(with), 1) }
	for what, tt := range map[string]struct {
		note []byte
		want error
		says string
	}{
		"no note":             {[]byte("hello"), ErrNote, ""},
		"no signature":        {[]byte(c.Text()), ErrNote, ""},
		"a changed text":      {change("\n2\n", "\n3\n"), ErrSignature, "snapback+"},
		"a changed signature": {change("— snapback ", "— snapback A"), ErrNote, ""},
	} {
		if _, err := OpenCheckpoint(tt.note, key.Verifier()); !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := OpenCheckpoint(signed, stranger.Verifier()); !errors.Is(err, ErrStranger) || !strings.Contains(err.Error(), "snapback+") {
		t.Errorf("another key: %v", err)
	}
	if _, err := OpenHead(signed, key.Verifier()); !errors.Is(err, ErrText) {
		t.Errorf("a checkpoint as a head: %v", err)
	}
	h := Head{Board: "demo", Epoch: epoch, Time: start}
	if signed, err = key.Sign(h.Text()); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenCheckpoint(signed, key.Verifier()); !errors.Is(err, ErrText) {
		t.Errorf("a head as a checkpoint: %v", err)
	}
	if _, err := OpenHead(signed, stranger.Verifier(), key.Verifier()); err != nil {
		t.Errorf("one of two keys: %v", err)
	}
}

func TestTexts_OneWayToWriteThem(t *testing.T) {
	t.Parallel()
	c := Checkpoint{Epoch: epoch, Shard: 3, Size: 20, Root: tlog.Hash{1}, Time: start}
	h := Head{Board: "demo", Epoch: epoch, Seq: 17, Rev: 46, Time: start}
	for _, tt := range []struct{ old, with string }{
		{"snapback/", "other/"}, {"/3\n", "/03\n"}, {"/3\n", "\n"}, {"/3\n", "/-3\n"}, {"\n20\n", "\n+20\n"}, {"\n20\n", "\n-20\n"},
		{"\n20\n", "\n020\n"}, {"\n20\n", "\n99999999999999999999\n"}, {"AQAA", "!"}, {"time ", ""}, {"Z\n", "+00:00\n"}, {"Z\n", "Z\nmore\n"}, {"Z\n", "Z"},
	} {
		text := strings.Replace(c.Text(), tt.old, tt.with, 1)
		if got, err := ParseCheckpoint(text); !errors.Is(err, ErrText) || text == c.Text() {
			t.Errorf("%q for %q: %+v, %v", tt.with, tt.old, got, err)
		}
	}
	for _, tt := range []struct{ old, with string }{
		{"head v1", "head v2"}, {"\n17\n", "\n017\n"}, {"\n46\n", "\n-46\n"}, {"0000\n", "000\n"}, {"00\n", "zz\n"}, {"0Z\n", "Z\n"}, {"demo\n", ""}, {"demo\n", "demo\n\n"},
	} {
		text := strings.Replace(h.Text(), tt.old, tt.with, 1)
		if got, err := ParseHead(text); !errors.Is(err, ErrText) || text == h.Text() {
			t.Errorf("%q for %q: %+v, %v", tt.with, tt.old, got, err)
		}
	}
}

func TestKeys_AreRefused(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"", "a b", "a+b", "a\n", "ä"} {
		if _, _, err := NewKey(bytes.NewReader(make([]byte, 64)), name); err == nil {
			t.Errorf("%q is a name", name)
		}
	}
	key := fixedKey(t, "snapback")
	for _, text := range []string{"", "x", key.Public(), "PRIVATE+KEY+snapback"} {
		if _, err := ParseSigner(text); err == nil {
			t.Errorf("%q is a private key", text)
		}
	}
	for _, text := range []string{"", "x", "PRIVATE+KEY+snapback+00000000+AAAA"} {
		if _, err := ParseVerifier(text); err == nil {
			t.Errorf("%q is a public key", text)
		}
	}
}
