package main

import (
	"encoding/csv"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/snapback-io/snapback/cmd/snapback/trello"
	"github.com/snapback-io/snapback/domain"
)

// TestExport_ImportedExportedAndImportedAgain by real commands and a real
// server, which then ends: the log itself gives the same.
func TestExport_ImportedExportedAndImportedAgain(t *testing.T) {
	t.Parallel()
	data, dir := t.TempDir(), t.TempDir()
	s := serve(t, "--data="+data, "--demo=false")
	asked := map[string]string{}
	for file, board := range map[string]string{sample: simpleID, fields: fieldsID} {
		if out, err := snapback(t, "import", "trello", file, "--server="+s.url); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		exported := filepath.Join(dir, board+".json")
		out, err := snapback(t, "export", board, "--format=trello", "-o", exported, "--server="+s.url)
		if err != nil || !strings.Contains(out, "Exported:") || !strings.Contains(out, "is in "+exported) {
			t.Fatalf("%v\n%s", err, out)
		}
		out, err = snapback(t, "import", "trello", exported, "--server="+s.url, "--board=again-"+board)
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		again := mapped(t, file, trello.Options{})
		again.Entities[0].ID = "again-" + board
		sameBoard(t, s.board("again-"+board), again)

		if asked[board], err = snapback(t, "export", board, "--format=json", "--server="+s.url); err != nil {
			t.Fatal(err)
		}
		var got boardState
		if err := json.Unmarshal([]byte(asked[board]), &got); err != nil || len(got.Entities) != len(s.board(board).Entities) || got.Rev == 0 {
			t.Errorf("%v: %.200s", err, asked[board])
		}
	}
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	for board, want := range asked {
		if got, err := snapback(t, "export", board, "--format=json", "--data="+data); err != nil || got != want {
			t.Errorf("%v: the log gives another board than the server:\n%.300s\n%.300s", err, got, want)
		}
	}
	if _, err := snapback(t, "export", "nothing", "--format=csv", "--data="+data); err == nil || !strings.Contains(err.Error(), "no board nothing") {
		t.Errorf("error: %v", err)
	}
}

func TestExport_SaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	s := serve(t, "--data="+t.TempDir(), "--demo=false")
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"b", "--format=xml"}, "--format=xml: it is one of"},
		{[]string{"nothing", "--format=csv", "--server=" + s.url}, "not_found"},
		{[]string{"b", "--format=csv", "--data=/nowhere"}, "--data=/nowhere: there is no log"},
	} {
		if _, err := snapback(t, append([]string{"export"}, test.args...)...); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%v: %v, want %s", test.args, err, test.want)
		}
	}
	if err := writeFile(filepath.Join(t.TempDir(), "no", "dir"), func(io.Writer) error { return nil }); err == nil {
		t.Error("a file in no directory was written")
	}
	file := filepath.Join(t.TempDir(), "kept")
	if err := os.WriteFile(file, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := writeFile(file, func(io.Writer) error { return io.ErrUnexpectedEOF }); err == nil {
		t.Error("half a file is no error")
	}
	if data, _ := os.ReadFile(file); string(data) != "old" {
		t.Errorf("half a file took the place of the old one: %q", data)
	}
}

func TestWriteCSV(t *testing.T) {
	t.Parallel()
	card := func(id string, n int64, f domain.Fields) *domain.Entity {
		f["columnId"], f["number"] = "todo", n
		return &domain.Entity{ID: id, Kind: domain.KindCard, CreatedBy: "ann", UpdatedBy: "+ben", Fields: f}
	}
	entities := []*domain.Entity{
		{ID: "b", Kind: domain.KindBoard, Fields: domain.Fields{"title": "B"}},
		{ID: "l1", Kind: domain.KindLabel, Fields: domain.Fields{"name": "urgent"}},
		{ID: "l2", Kind: domain.KindLabel, Fields: domain.Fields{"color": "red"}},
		{ID: "todo", Kind: domain.KindColumn, Fields: domain.Fields{"title": "-1 day", "archived": true}},
		card("c1", 1, domain.Fields{"title": `=HYPERLINK("http://x")`, "description": "two\nlines, \"quoted\"", "labels": []string{"l1", "l2", "gone"}, "assignees": []string{"@ann", "ben"},
			"likedBy": []string{"ann"}, "due": "2026-03-01", "x-n": int64(-4), "x-f": json.RawMessage("-1.5"), "x-t": "=1", "x-o": json.RawMessage(`{"a":1}`)}),
		{ID: "cl", Kind: domain.KindChecklist, Fields: domain.Fields{"cardId": "c1"}},
		{ID: "i1", Kind: domain.KindItem, Fields: domain.Fields{"checklistId": "cl", "done": true}},
		{ID: "i2", Kind: domain.KindItem, Fields: domain.Fields{"checklistId": "cl", "done": false}},
		{ID: "m1", Kind: domain.KindComment, Fields: domain.Fields{"cardId": "c1"}},
		{ID: "f1", Kind: domain.KindFile, Fields: domain.Fields{"cardId": "c1"}},
		{ID: "f2", Kind: domain.KindFile, Fields: domain.Fields{}},
		card("c2", 2, domain.Fields{"title": "'quote", "archived": true}),
	}
	var out strings.Builder
	if err := writeCSV(&out, entities); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "\r\n") {
		t.Error("lines do not end as RFC 4180 has it")
	}
	rows, err := csv.NewReader(strings.NewReader(out.String())).ReadAll()
	if err != nil || len(rows) != 3 {
		t.Fatalf("%v, %d rows", err, len(rows))
	}
	at := map[string]string{}
	for i, name := range rows[0] {
		at[name] = rows[1][i] + "|" + rows[2][i]
	}
	for name, want := range map[string]string{
		"number": "1|2", "title": `'=HYPERLINK("http://x")|''quote`, "column": "'-1 day|'-1 day", "archived": "no|yes", "column archived": "yes|yes",
		"labels": "urgent; red|", "assignees": "'@ann; ben|", "likes": "1|0", "due": "2026-03-01|", "items done": "1|0", "items": "2|0", "comments": "1|0", "files": "1|0",
		"description": "two\nlines, \"quoted\"|", "updated by": "'+ben|'+ben", "x-n": "-4|", "x-f": "-1.5|", "x-t": "'=1|", "x-o": `{"a":1}|`, "id": "c1|c2",
	} {
		if at[name] != want {
			t.Errorf("%s: %q, want %q", name, at[name], want)
		}
	}
}
