package bundle

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"golang.org/x/mod/sumdb/tlog"
)

// Nothing can be read in a stream but what its writer wrote: whoever reads it by
// other means reads the same.
func TestStream_IsTakenOnlyAsItIsWritten(t *testing.T) {
	lines := strings.SplitAfter(string(write(t, few()...)), "\n")
	replace := func(n int, was, is string) string {
		l := append([]string(nil), lines...)
		if l[n] = strings.Replace(l[n], was, is, 1); l[n] == lines[n] {
			t.Fatalf("no %s in %s", was, lines[n])
		}
		return strings.Join(l, "")
	}
	moved := func(from, to int) string {
		l := append([]string(nil), lines...)
		l[from], l[to] = l[to], l[from]
		return strings.Join(l, "")
	}
	twice := func(n int) string { return strings.Join(lines[:n+1], "") + strings.Join(lines[n:], "") }
	many := map[int64]tlog.Hash{}
	for i := range hashesALine + 1 {
		many[int64(i)] = tlog.Hash{1}
	}
	joined, err := json.Marshal(line{Type: typeHashes, Of: many})
	if err != nil {
		t.Fatal(err)
	}
	for name, stream := range map[string]string{
		"a commit twice":                replace(1, `"commit":{`, `"commit":{"v":1,"board":"other"},"commit":{`),
		"a commit in other letters":     replace(1, `"commit":{`, `"Commit":{"v":1,"board":"other"},"commit":{`),
		"commit and bytes":              replace(1, `"commit":{`, `"bytes":"e30=","commit":{`),
		"a commit that is null":         replace(1, `{"v":1,"board":"de:mo"}`, `null`),
		"a hash twice":                  replace(1, `"hash":`, `"hash":"00","hash":`),
		"something unknown":             replace(1, `"seq":`, `"note":"x","seq":`),
		"a space":                       replace(1, `"seq":`, ` "seq":`),
		"a carriage return":             replace(1, "}\n", "}\r\n"),
		"a time in another zone":        replace(1, `.031000002Z`, `.031000002+00:00`),
		"a number in another way":       replace(1, `"prev":0`, `"prev":-0`),
		"bytes that could be a commit":  replace(1, `"commit":{"v":1,"board":"de:mo"}`, `"bytes":"eyJ2IjoxLCJib2FyZCI6ImRlOm1vIn0="`),
		"base64 in another way":         replace(2, `/w==`, `/x==`),
		"a board in other letters":      replace(0, `"board":`, `"Board":"other","board":`),
		"a board that is none":          replace(0, `de:mo`, `de\nmo`),
		"an index in another way":       replace(5, `"3":`, `"03":`),
		"an index twice":                replace(5, `"3":`, `"3":"CQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=","3":`),
		"too many hashes in a line":     strings.Join(lines[:5], "") + string(joined) + "\n" + strings.Join(lines[6:], ""),
		"two heads":                     twice(3),
		"two checkpoints":               twice(4),
		"a head before the last record": moved(2, 3),
		"a checkpoint before the head":  moved(3, 4),
		"hashes before the checkpoint":  moved(4, 5),
		"an end with something unknown": replace(8, `"records":2`, `"records":2,"at":"2026-03-01T10:04:12Z"`),
	} {
		if _, err := read([]byte(stream)); !errors.Is(err, ErrForm) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := read([]byte(strings.Join(lines, ""))); err != nil {
		t.Error(err)
	}
}

func TestDir_BoardsThatAreThereTwice(t *testing.T) {
	dir := store(t, withContents(t))
	name := filepath.Join(dir, manifestFile)
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var m Manifest
	if err := json.Unmarshal(data, &m); err != nil {
		t.Fatal(err)
	}
	for _, board := range []string{m.Boards[0].Board, "", "../x", "a\x1b[2J"} {
		other := m
		other.Boards = append(m.Boards[:1:1], BoardFile{Board: board, File: m.Boards[0].File})
		if data, err = json.Marshal(other); err == nil {
			err = os.WriteFile(name, data, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
		if _, err := OpenDir(dir); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("board %q", board)) {
			t.Errorf("%q: %v", board, err)
		}
	}
}

// What a directory wants in memory is bounded, whatever its files are.
func TestDir_NothingIsTooLargeForMemory(t *testing.T) {
	dir := store(t, withContents(t))
	var out bytes.Buffer
	z, err := zstd.NewWriter(&out, zstd.WithWindowSize(2*maxWindow))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := z.Write(withContents(t)); err != nil {
		t.Fatal(err)
	}
	for range 3 * maxWindow >> 20 {
		if _, err := z.Write(make([]byte, 1<<20)); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "boards", "de=mo.ndjson.zst"), out.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	d, err := OpenDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if _, _, err := d.Board(d.Manifest.Boards[0]); !errors.Is(err, zstd.ErrWindowSizeExceeded) {
		t.Error(err)
	}
	if _, err := d.ReadKey(File{Name: manifestFile, Size: maxKey + 1}); err == nil {
		t.Error("a large key was read")
	}
	if _, err := d.small(boardsDir, 10); err == nil || !strings.Contains(err.Error(), "no file") {
		t.Error("a directory was read", err)
	}
	if _, err := d.small(manifestFile, 10); err == nil {
		t.Error("a large file was read")
	}
}
