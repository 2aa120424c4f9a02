package system

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/snapback-io/snapback/test/node"
	"github.com/snapback-io/snapback/test/tamper"
)

// TestBinary_AnUnreadableLastRecordIsAFinding: a record that the server knows of
// and cannot read is named by an audit, which goes on with the rest.
func TestBinary_AnUnreadableLastRecordIsAFinding(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	s := node.Start(t, "node", data, "", "--shards=1")
	eventually(t, "the demo board is written to", func() bool {
		acked, err := mutate(s.Addr, "demo", "demo", object{"title": "Another"})
		return acked && err == nil
	})
	s.Stop()

	store := filepath.Join(data, "nats")
	list, err := tamper.Read(store, "EVT_0")
	if err != nil || len(list) == 0 {
		t.Fatalf("%d records, %v", len(list), err)
	}
	last := list[len(list)-1]
	last.Data[20] ^= 1
	if err := tamper.Write(store, "EVT_0", list, true); err != nil {
		t.Fatal(err)
	}
	code, stdout, stderr := command(t, "audit", "verify", "--all", "--data="+data)
	for _, words := range []string{
		fmt.Sprintf("FINDING: shard 0, record %d, gap: ", last.Seq), "1 board, ", "the server counts it and does not give it",
	} {
		if code != 1 || !strings.Contains(stdout, words) {
			t.Errorf("exit code %d without %q:\n%s%s", code, words, stdout, stderr)
		}
	}
}
