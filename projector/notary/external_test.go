package notary

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/snapback-io/snapback/eventlog/proof"
)

// The log is compared with the checkpoint that lies elsewhere: whoever changes
// the log, its tiles and its checkpoints together is found all the same.
func TestCheck_FindsEveryChange(t *testing.T) {
	t.Parallel()
	const size = 700
	for what, tt := range map[string]struct {
		change func(l *fakeLog)
		says   string
	}{
		"nothing":              {func(*fakeLog) {}, ""},
		"it has grown":         {func(l *fakeLog) { l.write(1000) }, ""},
		"a hash is changed":    {func(l *fakeLog) { l.entries[0].Hash[5]++ }, "do not have the root"},
		"a board is changed":   {func(l *fakeLog) { l.entries[99].Board = "x" }, "do not have the root"},
		"a time is changed":    {func(l *fakeLog) { l.entries[size-1].Time = l.entries[size-1].Time.Add(1) }, "do not have the root"},
		"one is dropped":       {func(l *fakeLog) { l.entries = slices.Delete(l.entries, 9, 10) }, "sequences are missing"},
		"dropped and moved up": {func(l *fakeLog) { l.entries = slices.Delete(l.entries, 9, 10); l.renumber(); l.write(9) }, "do not have the root"},
		"one is inserted":      {func(l *fakeLog) { l.entries = slices.Insert(l.entries, 9, l.entries[3]); l.renumber() }, "do not have the root"},
		"two are swapped": {func(l *fakeLog) {
			l.entries[9], l.entries[10] = l.entries[10], l.entries[9]
			l.renumber()
		}, "do not have the root"},
		"the tail is cut off": {func(l *fakeLog) { l.entries = l.entries[:size-1] }, "there are 699 records, there were 700"},
		"another epoch":       {func(l *fakeLog) { l.epoch = "e2" }, "the checkpoint is of snapback/e1/0, the log is snapback/e2/0"},
	} {
		l, signer, dir := newFakeLog(size), newSigner(t), t.TempDir()
		n := newNotary(t, Config{Log: l, Signer: signer, Dir: dir})
		if err := n.Check(t.Context()); err != nil {
			t.Fatalf("nothing to compare with: %v", err)
		}
		checkpointOf(t, n)
		tt.change(l)
		l.notes = nil // and signed again, by somebody who has the key, too
		clear(l.tiles)
		_, _ = newNotary(t, Config{Log: l, Signer: signer}).Checkpoint(t.Context(), 0) // not when one is missing
		n = newNotary(t, Config{Log: l, Signer: signer, Dir: dir})
		err := n.Check(t.Context())
		if tt.says == "" {
			if err != nil {
				t.Errorf("%s: %v", what, err)
			}
			if c := checkpointOf(t, n); c.Root != l.naive(c.Size).Root() || c.Size != int64(len(l.entries)) {
				t.Errorf("%s: then %+v", what, c)
			}
			continue
		}
		if !errors.Is(err, proof.ErrContradiction) || !strings.Contains(err.Error(), tt.says) || !strings.Contains(err.Error(), filepath.Join(dir, "0.checkpoint")) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// Where tiles were left as they were, they tell which record was changed.
func TestCheck_SaysWhichRecord(t *testing.T) {
	t.Parallel()
	for want, change := range map[string]func(l *fakeLog){
		"the first record that is another one is 1, now record 1 of board x":           func(l *fakeLog) { l.entries[0].Board = "x" },
		"the first record that is another one is 300, now record 300 of board board-0": func(l *fakeLog) { l.entries[299].Hash[0]++ },
		"the first record that is another one is 700, now record 700 of board board-1": func(l *fakeLog) { l.entries[699].Hash[0]++ },
		"the first record that is another one is 10, now record 11 of board board-2":   func(l *fakeLog) { l.entries = slices.Delete(l.entries, 9, 10) },
	} {
		l, signer, dir := newFakeLog(700), newSigner(t), t.TempDir()
		checkpointOf(t, newNotary(t, Config{Log: l, Signer: signer, Dir: dir}))
		change(l)
		l.write(1)
		l.entries[len(l.entries)-1].Seq = l.entries[len(l.entries)-2].Seq + 1
		if err := newNotary(t, Config{Log: l, Signer: signer, Dir: dir}).Check(t.Context()); !errors.Is(err, proof.ErrContradiction) || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

func TestCheck_FilesThatAreNoCheckpoint(t *testing.T) {
	t.Parallel()
	l, signer, dir := newFakeLog(10), newSigner(t), t.TempDir()
	checkpointOf(t, newNotary(t, Config{Log: l, Signer: signer, Dir: dir}))
	if err := newNotary(t, Config{Log: l, Signer: newSigner(t), Dir: dir}).Check(t.Context()); !errors.Is(err, proof.ErrStranger) {
		t.Errorf("another key: %v", err)
	}
	file := filepath.Join(dir, "0.checkpoint")
	signed, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for want, text := range map[error]string{
		proof.ErrNote: "hello", proof.ErrSignature: strings.Replace(string(signed), "\n10\n", "\n9\n", 1),
	} {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := newNotary(t, Config{Log: l, Signer: signer, Dir: dir}).Check(t.Context()); !errors.Is(err, want) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// The file is the newest checkpoint, also after a restart without anything new,
// and never an older one.
func TestFile_IsTheNewest(t *testing.T) {
	t.Parallel()
	l, signer, dir := newFakeLog(10), newSigner(t), t.TempDir()
	file := filepath.Join(dir, "0.checkpoint")
	same := func(what string, want []byte) {
		t.Helper()
		got, err := os.ReadFile(file)
		if err != nil || string(got) != string(want) {
			t.Errorf("%s: %q, %v", what, got, err)
		}
	}
	checkpointOf(t, newNotary(t, Config{Log: l, Signer: signer})) // before there was a directory
	n := newNotary(t, Config{Log: l, Signer: signer, Dir: dir})
	first := checkpointOf(t, n)
	same("nothing new", first.Note)
	l.write(1)
	second := checkpointOf(t, newNotary(t, Config{Log: l, Signer: signer, Dir: dir}))
	same("another node's", second.Note)
	checkpointOf(t, n)
	same("the first node again", second.Note)
	other, err := signer.Sign((&proof.Checkpoint{Epoch: "e0", Size: 1, Time: first.Time}).Text())
	if err != nil {
		t.Fatal(err)
	}
	for what, text := range map[string][]byte{"of another epoch": other, "none at all": []byte("hello")} {
		if err := os.WriteFile(file, text, 0o644); err != nil {
			t.Fatal(err)
		}
		l.write(1)
		checkpointOf(t, n)
		same(what, text)
	}
	newer, err := signer.Sign((&proof.Checkpoint{Epoch: l.epoch, Size: 9999, Time: first.Time}).Text())
	if err == nil {
		err = os.WriteFile(file, newer, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	l.write(1)
	checkpointOf(t, n)
	same("a newer one", newer)
	if left, err := filepath.Glob(filepath.Join(dir, ".*")); err != nil || len(left) > 0 {
		t.Errorf("left over: %v, %v", left, err)
	}
}

// What is written beside a real log is what it is compared with after a restart.
func TestCheck_OnARealLog(t *testing.T) {
	t.Parallel()
	data, dir, signer := t.TempDir(), t.TempDir(), newSigner(t)
	l, stop := realLog(t, data, 2)
	last := write(t, l, "demo", 300, 0)
	n := newNotary(t, Config{Log: l, Signer: signer, Dir: dir})
	n.All(t.Context())
	stop()
	l, _ = realLog(t, data, 2)
	write(t, l, "demo", 3, last)
	n = newNotary(t, Config{Log: l, Signer: signer, Dir: dir})
	if err := n.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	c, err := n.Checkpoint(t.Context(), l.Shard("demo"))
	if err != nil || c.Size != int64(last)+3 {
		t.Errorf("%+v, %v", c, err)
	}
	checkProofs(t, n, l, "demo", &c.Checkpoint)
}

// BenchmarkCheck is the start-up of a server with external checkpoints.
func BenchmarkCheck(b *testing.B) {
	const records = 50_000
	l, _ := realLog(b, b.TempDir(), 1)
	for i := range 50 {
		write(b, l, fmt.Sprint("board-", i), records/50, 0)
	}
	dir, signer := b.TempDir(), newSigner(b)
	checkpointOf(b, newNotary(b, Config{Log: l, Signer: signer, Dir: dir}))
	for b.Loop() {
		if err := newNotary(b, Config{Log: l, Signer: signer, Dir: dir}).Check(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(records*b.N)/b.Elapsed().Seconds(), "entries/s")
}

// BenchmarkHashes gathers what proves 100,000 records of a board in a shard of
// 300,000, as a bundle has it.
func BenchmarkHashes(b *testing.B) {
	const size, records = 300_000, 100_000
	l := newFakeLog(size)
	n := newNotary(b, Config{Log: l, Signer: newSigner(b)})
	c := checkpointOf(b, n)
	var leaves []int64
	for i := range int64(records) {
		leaves = append(leaves, 3*i)
	}
	for b.Loop() {
		if _, err := n.Hashes(b.Context(), &c.Checkpoint, leaves); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(records*b.N)/b.Elapsed().Seconds(), "records/s")
}
