package hub

import (
	"os"
	"path/filepath"
	"testing"
)

// A line that a crash cut off was never acked: it is dropped, and the next one
// does not continue it.
func TestTornLine(t *testing.T) {
	name := filepath.Join(t.TempDir(), "changes")
	const whole = `{"room":"/b","entity":{"id":"1"}}` + "\n"
	if err := os.WriteFile(name, []byte(whole+`{"room":"/b","entity":{"id":"2","title":"a long one`), 0o600); err != nil {
		t.Fatal(err)
	}
	h := newHub(true)
	w, err := openWAL(name, h.apply)
	if err != nil {
		t.Fatal(err)
	}
	if r := h.room("/b"); r.rev != 1 || len(r.cards) != 1 {
		t.Errorf("rev %d, %d cards, should be 1 and 1", r.rev, len(r.cards))
	}
	if _, err := w.file.WriteString(whole); err != nil {
		t.Fatal(err)
	}
	if data, _ := os.ReadFile(name); string(data) != whole+whole {
		t.Errorf("the file holds\n%s", data)
	}
}
