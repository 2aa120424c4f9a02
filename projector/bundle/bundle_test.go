package bundle

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"

	"github.com/snapback-io/snapback/domain"
)

var at = time.Date(2026, 3, 1, 10, 4, 12, 31_000_001, time.UTC)

var header = Header{Board: "de:mo", Epoch: "01JQ", Shard: 3, Shards: 8, At: at}

func sum(data []byte) string {
	h := sha256.Sum256(data)
	return hex.EncodeToString(h[:])
}

func record(seq, prev uint64, data string) *Record {
	return &Record{Seq: seq, Prev: prev, Time: at.Add(time.Duration(seq)), Hash: sum([]byte(data)), Data: []byte(data)}
}

// write makes a stream.
func write(t testing.TB, items ...Item) []byte {
	t.Helper()
	var out bytes.Buffer
	w := NewWriter(&out, header)
	for _, i := range items {
		if err := w.Item(i); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.End(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// read reads a stream to its end or its error.
func read(stream []byte) (items []Item, err error) {
	r, err := NewReader(bytes.NewReader(stream))
	if err != nil {
		return nil, err
	}
	if got := r.Header(); !reflect.DeepEqual(got, header) {
		return nil, fmt.Errorf("header %+v", got)
	}
	for {
		i, err := r.Next()
		if errors.Is(err, io.EOF) {
			return items, nil
		}
		if err != nil {
			return items, err
		}
		items = append(items, i)
	}
}

// few are an item of each kind.
func few() []Item {
	return []Item{
		{Record: record(1, 0, `{"v":1,"board":"de:mo"}`)},
		{Record: record(7, 1, "not JSON\n\xff")},
		{Head: []byte("snapback head v1\n…\n\n— snapback AAAA\n")},
		{Checkpoint: []byte("snapback/01JQ/3\n7\n")},
		{Hashes: map[int64]tlog.Hash{3: {1, 2}, 1 << 40: {9}}},
		{Content: &Content{Object: "de:mo.01JQ", SHA256: sum([]byte("hello")), Size: 5, Data: []byte("hello")}},
		{Content: &Content{Object: "de:mo.none", SHA256: sum(nil), Missing: true}},
	}
}

func TestStream_Text(t *testing.T) {
	got := string(write(t, few()...))
	want := `{"type":"bundle","v":1,"board":"de:mo","epoch":"01JQ","shard":3,"shards":8,"at":"2026-03-01T10:04:12.031000001Z"}
{"type":"record","seq":1,"prev":0,"time":"2026-03-01T10:04:12.031000002Z","hash":"` + sum([]byte(`{"v":1,"board":"de:mo"}`)) + `","commit":{"v":1,"board":"de:mo"}}
{"type":"record","seq":7,"prev":1,"time":"2026-03-01T10:04:12.031000008Z","hash":"` + sum([]byte("not JSON\n\xff")) + `","bytes":"bm90IEpTT04K/w=="}
`
	if !strings.HasPrefix(got, want) {
		t.Errorf("got\n%s", got)
	}
	if !strings.HasSuffix(got, "{\"type\":\"end\",\"records\":2}\n") {
		t.Errorf("ends\n%s", got)
	}
}

// place is that of an item in a stream.
func place(i Item) int {
	switch {
	case i.Record != nil:
		return 0
	case i.Hashes != nil:
		return 1
	}
	return 2
}

func TestStream_RoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var items []Item
		data := rapid.OneOf(
			rapid.SliceOf(rapid.Byte()),
			rapid.Custom(func(t *rapid.T) []byte {
				return fmt.Appendf(nil, `{ "a":%q,"b":[1.50, "\u2028<&>" ] }`, rapid.String().Draw(t, "s"))
			}))
		n := rapid.IntRange(0, 20).Draw(t, "items")
		for i := range n {
			raw := data.Draw(t, "data")
			switch rapid.IntRange(0, 4).Draw(t, "kind") {
			case 0:
				items = append(items, Item{Hashes: map[int64]tlog.Hash{int64(i): sha256.Sum256(raw)}})
			case 1:
				items = append(items, Item{Content: &Content{Object: "o", SHA256: sum(raw), Size: int64(len(raw)), Data: append([]byte{}, raw...)}})
			default:
				r := &Record{Seq: uint64(i + 1), Prev: rapid.Uint64().Draw(t, "prev"), Time: at, Hash: rapid.String().Draw(t, "hash"), Data: append([]byte{}, raw...)}
				items = append(items, Item{Record: r})
			}
		}
		slices.SortStableFunc(items, func(a, b Item) int { return cmp.Compare(place(a), place(b)) })
		var out bytes.Buffer
		w := NewWriter(&out, header)
		for _, i := range items {
			if err := w.Item(i); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.End(); err != nil {
			t.Fatal(err)
		}
		got, err := read(out.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		if len(got) != len(items) {
			t.Fatalf("%d items of %d", len(got), len(items))
		}
		for i := range items {
			if !reflect.DeepEqual(got[i], items[i]) {
				t.Fatalf("item %d\n%+v\nwas\n%+v", i, got[i], items[i])
			}
		}
	})
}

func TestStream_CutOffAnywhere(t *testing.T) {
	whole := write(t, few()...)
	for n := range whole {
		if _, err := read(whole[:n]); !errors.Is(err, ErrCutOff) {
			t.Fatalf("cut at %d: %v", n, err)
		}
	}
	lines := bytes.SplitAfter(whole, []byte("\n"))
	_, err := read(bytes.Join(lines[:3], nil))
	if err == nil || !strings.Contains(err.Error(), "line 4, after 2 records") {
		t.Error(err)
	}
}

func TestStream_Refused(t *testing.T) {
	lines := strings.SplitAfter(strings.TrimSuffix(string(write(t, few()...)), "\n"), "\n")
	for name, c := range map[string]struct {
		change func([]string) []string
		want   string
	}{
		"no header":     {func(l []string) []string { return l[1:] }, "line 1, after 0 records"},
		"newer":         {func(l []string) []string { l[0] = strings.Replace(l[0], `"v":1`, `"v":2`, 1); return l }, "v is 2"},
		"no board":      {func(l []string) []string { l[0] = strings.Replace(l[0], `de:mo`, ``, 1); return l }, "not all there"},
		"a record less": {func(l []string) []string { return append(l[:1:1], l[2:]...) }, "another number of records than the 1"},
		"a record more": {func(l []string) []string { return append(l[:2:2], l[1:]...) }, "another number of records than the 3"},
		"unknown type":  {func(l []string) []string { l[3] = `{"type":"heart"}` + "\n"; return l }, `line 4, after 2 records: not a line of a bundle: type "heart"`},
		"no JSON":       {func(l []string) []string { l[2] = "{\n"; return l }, "line 3, after 1 records"},
		"an empty line": {func(l []string) []string { l[2] = "\n"; return l }, "line 3, after 1 records"},
		"record of nothing": {func(l []string) []string {
			l[2] = `{"type":"record","seq":2,"time":"2026-03-01T10:04:12Z","hash":"00"}` + "\n"
			return l
		}, "commit or bytes"},
		"more behind":    {func(l []string) []string { return append(l, "\n{}") }, "more follows"},
		"piece too long": {func(l []string) []string { l[6] = strings.Replace(l[6], `"size":5`, `"size":4`, 1); return l }, "do not fit"},
	} {
		stream := strings.Join(c.change(append([]string(nil), lines...)), "")
		if !strings.HasSuffix(stream, "\n") {
			stream += "\n"
		}
		if _, err := read([]byte(stream)); !errors.Is(err, ErrForm) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

func TestStream_LongLines(t *testing.T) {
	long := `{"a":"` + strings.Repeat("x", MaxLine-300) + `"}`
	items, err := read(write(t, Item{Record: record(1, 0, long)}))
	if err != nil || string(items[0].Record.Data) != long {
		t.Fatal(err)
	}
	w := NewWriter(io.Discard, header)
	if err := w.Record(record(1, 0, long+strings.Repeat(" ", 300))); err == nil {
		t.Error("a line that no reader takes was written")
	}
	stream := string(write(t)) // header and end
	first, rest, _ := strings.Cut(stream, "\n")
	if _, err := read([]byte(first + "\n" + strings.Repeat("y", MaxLine+readBuffer+1) + "\n" + rest)); !errors.Is(err, ErrForm) {
		t.Error(err)
	}
}

// commit is a record whose event names an object.
func commit(t testing.TB, seq uint64, object string, content []byte, void bool) *Record {
	t.Helper()
	c := domain.Commit{V: 1, Board: header.Board, At: at, Decisions: []domain.Decision{{
		Command: domain.Command{ID: "m", User: "ann", Op: domain.OpMutate}, At: at, Rev: 1,
		Events: []domain.Event{{Type: "file.added", V: 1, Rev: 1, EntityID: "f",
			After: domain.Fields{"object": object, "sha256": sum(content), "size": int64(len(content))}}},
	}}}
	if void {
		c.NotAfter = at.Add(-time.Second)
	}
	data, hash, err := c.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return &Record{Seq: seq, Time: at, Hash: hash.String(), Data: data}
}

// withContents is a stream with two objects of one content, an empty one, one
// that is missing and one of a void record.
func withContents(t testing.TB) []byte {
	large := bytes.Repeat([]byte("0123456789"), contentPiece/9)
	var out bytes.Buffer
	w := NewWriter(&out, header)
	for i, r := range []*Record{commit(t, 1, "a", large, false), commit(t, 2, "b", large, false), commit(t, 3, "none", nil, false),
		commit(t, 4, "lost", []byte("lost"), false), commit(t, 5, "void", []byte("void"), true)} {
		if err := w.Record(r); err != nil {
			t.Fatal(i, err)
		}
	}
	for _, name := range []string{"a", "b"} {
		if err := w.Content(name, sum(large), int64(len(large)), bytes.NewReader(large)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Content("none", sum(nil), 0, strings.NewReader("")); err != nil {
		t.Fatal(err)
	}
	if err := w.Missing("lost", sum([]byte("lost")), 4); err != nil {
		t.Fatal(err)
	}
	if err := w.End(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// store makes a directory of a stream.
func store(t testing.TB, stream []byte) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "b")
	d, err := CreateDir(dir, at)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	r, err := NewReader(bytes.NewReader(stream))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Board(r); err != nil {
		t.Fatal(err)
	}
	if err := d.Key("snapback", "snapback+1234+AAAA"); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenDir(dir); err == nil {
		t.Fatal("half a directory is a bundle")
	}
	if err := d.Finish(); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestDir_RoundTrip(t *testing.T) {
	stream := withContents(t)
	dir := store(t, stream)
	d, err := OpenDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	m := d.Manifest
	if len(m.Boards) != 1 || m.Boards[0].Records != 5 || m.Boards[0].Name != "boards/de=mo.ndjson.zst" || len(m.Contents) != 2 || len(m.Missing) != 1 || m.Missing[0].Object != "lost" {
		t.Errorf("%+v", m)
	}
	if key, err := d.ReadKey(m.Keys[0]); err != nil || key != "snapback+1234+AAAA\n" {
		t.Error(key, err)
	}
	var out bytes.Buffer
	if err := d.Whole(m.Boards[0], &out); err != nil {
		t.Fatal(err)
	}
	want, err := read(stream)
	if err != nil {
		t.Fatal(err)
	}
	got, err := read(out.Bytes())
	if err != nil || !reflect.DeepEqual(got, want[:len(want)-1]) { // but for the word that one is missing
		t.Errorf("%d items, was %d; %v", len(got), len(want), err)
	}
	if _, err := CreateDir(dir, at); err == nil {
		t.Error("a directory is written over")
	}
}

func TestDir_DamageIsFound(t *testing.T) {
	stream := withContents(t)
	for _, file := range []string{"boards/de=mo.ndjson.zst", "keys/snapback.pub", "contents/" + sum(nil), "contents/" + sum(bytes.Repeat([]byte("0123456789"), contentPiece/9))} {
		for _, cut := range []bool{false, true} {
			dir := store(t, stream)
			name := filepath.Join(dir, file)
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			switch {
			case cut && len(data) == 0:
				continue
			case cut:
				data = data[:len(data)-1]
			case len(data) > 0:
				data[len(data)-1] ^= 1
			default:
				data = []byte("x")
			}
			if err := os.WriteFile(name, data, 0o644); err != nil {
				t.Fatal(err)
			}
			d, err := OpenDir(dir)
			if err != nil {
				t.Fatal(err)
			}
			err = d.Whole(d.Manifest.Boards[0], io.Discard)
			if _, keyErr := d.ReadKey(d.Manifest.Keys[0]); keyErr != nil {
				err = keyErr
			}
			if err == nil || !errors.Is(err, ErrDamaged) && !strings.Contains(err.Error(), file) {
				t.Errorf("%s, cut %v: %v", file, cut, err)
			}
			d.Close()
		}
	}
}

func TestDir_StaysInside(t *testing.T) {
	dir := store(t, withContents(t))
	outside := filepath.Join(filepath.Dir(dir), "secret")
	if err := os.WriteFile(outside, []byte("s"), 0o644); err != nil {
		t.Fatal(err)
	}
	d, err := OpenDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if text, err := d.ReadKey(File{"keys/../../secret", 1, sum([]byte("s"))}); err == nil {
		t.Error("read", text)
	}
	if _, err := d.Content("../../secret", 1); err == nil {
		t.Error("read a content outside")
	}
}

func TestDir_WrongContentIsNotKept(t *testing.T) {
	c := &Content{Object: "o", SHA256: sum([]byte("right")), Size: 5, Data: []byte("wrong")}
	half := &Content{Object: "p", SHA256: sum([]byte("whole")), Size: 5, Data: []byte("who")}
	d, err := OpenDir(store(t, write(t, Item{Content: c}, Item{Content: half})))
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if m := d.Manifest; len(m.Contents) != 0 || len(m.Missing) != 2 {
		t.Errorf("%+v", m)
	}
}

func FuzzReader(f *testing.F) {
	f.Add(write(f, few()...))
	f.Add([]byte("{}\n"))
	f.Fuzz(func(t *testing.T, stream []byte) {
		r, err := NewReader(bytes.NewReader(stream))
		if err != nil {
			return
		}
		var out bytes.Buffer
		w := NewWriter(&out, r.Header())
		for {
			i, err := r.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return
			}
			if err := w.Item(i); err != nil {
				return // a time that has no text
			}
		}
		if err := w.End(); err != nil {
			return
		}
		again, err := NewReader(&out)
		for err == nil {
			_, err = again.Next()
		}
		if !errors.Is(err, io.EOF) || again.Records() != r.Records() {
			t.Fatalf("%d records, was %d: %v", again.Records(), r.Records(), err)
		}
	})
}

func BenchmarkStream(b *testing.B) {
	r := commit(b, 1, "a", nil, false)
	var stream bytes.Buffer
	w := NewWriter(&stream, header)
	const n = 10_000
	b.Run("write", func(b *testing.B) {
		for b.Loop() {
			w := NewWriter(io.Discard, header)
			for range n {
				_ = w.Record(r)
			}
		}
		b.ReportMetric(float64(n*b.N)/b.Elapsed().Seconds(), "records/s")
	})
	for range n {
		_ = w.Record(r)
	}
	_ = w.End()
	b.Run("read", func(b *testing.B) {
		for b.Loop() {
			in, _ := NewReader(bytes.NewReader(stream.Bytes()))
			for {
				if _, err := in.Next(); err != nil {
					break
				}
			}
		}
		b.ReportMetric(float64(n*b.N)/b.Elapsed().Seconds(), "records/s")
	})
}
