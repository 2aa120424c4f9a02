package system

import (
	"bytes"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/snapback-io/snapback/test/node"
	"github.com/snapback-io/snapback/test/tamper"
)

// TestBinary_AChangedLogIsNotServed: whoever changes a record in the files of a
// stopped server, its hash and the server's checksums with it, is found by the
// checkpoints that lie elsewhere.
func TestBinary_AChangedLogIsNotServed(t *testing.T) {
	t.Parallel()
	data, dir := t.TempDir(), t.TempDir()
	args := []string{"--shards=1", "--checkpoint-dir=" + dir}
	s := node.Start(t, "node", data, "", args...)
	eventually(t, "no demo board", func() bool {
		answer, err := http.Get("http://" + s.Addr + "/v1/boards/demo")
		if err != nil {
			return false
		}
		answer.Body.Close()
		return answer.StatusCode == http.StatusOK
	})
	s.Stop()
	s.Again() // as it was left
	s.Stop()

	store := filepath.Join(data, "nats")
	list, err := tamper.Read(store, "EVT_0")
	if err != nil || len(list) == 0 {
		t.Fatalf("%d records, %v", len(list), err)
	}
	m := &list[len(list)-1]
	m.Data = bytes.Replace(m.Data, []byte(`"user":`), []byte(`"uses":`), 1)
	m.Set("Nats-Msg-Id", strings.Repeat("ab", 32))
	if err := tamper.Write(store, "EVT_0", list, false); err != nil {
		t.Fatal(err)
	}
	code, _, stderr := command(t, append([]string{"serve", "--addr=127.0.0.1:0", "--admin-addr=", "--data=" + data}, args...)...)
	for _, words := range []string{"not served: " + filepath.Join(dir, "0.checkpoint"), "shard 0", "do not have the root that was signed", "snapback audit verify", "move the file away"} {
		if code != 1 || !strings.Contains(stderr, words) {
			t.Errorf("exit code %d without %q:\n%s", code, words, stderr)
		}
	}
}
