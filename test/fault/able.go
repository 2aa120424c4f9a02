package fault

import (
	"os"
	"os/exec"
	"testing"

	"github.com/snapback-io/snapback/test/tool"
)

// NeedDisk is a new disk that is removed with the test. Where there can be
// none, the test is skipped, or fails where CI is set.
func NeedDisk(tb testing.TB, size int64) *Disk {
	tb.Helper()
	need(tb, "what a bad disk does", "mkfs.ext4", "mount", "fsfreeze")
	d, err := NewDisk(size)
	if err != nil {
		tool.Missing(tb, "what a bad disk does", "loop device that can be mounted ("+err.Error()+")")
	}
	tb.Cleanup(d.Close)
	return d
}

// NeedNet is a new network that is removed with the test, like NeedDisk.
func NeedNet(tb testing.TB, n int) *Net {
	tb.Helper()
	need(tb, "what a bad network does", "ip", "tc", "nsenter")
	w, err := NewNet(n)
	if err != nil {
		tool.Missing(tb, "what a bad network does", "network namespace ("+err.Error()+")")
	}
	tb.Cleanup(w.Close)
	return w
}

func need(tb testing.TB, untested string, programs ...string) {
	tb.Helper()
	if os.Geteuid() != 0 {
		tool.Missing(tb, untested, "right to do it (it takes root)")
	}
	for _, name := range programs {
		if _, err := exec.LookPath(name); err != nil {
			tool.Missing(tb, untested, name)
		}
	}
}
