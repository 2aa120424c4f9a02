package fault

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"testing"

	"github.com/snapback-io/snapback/test/tool"
)

// LacksError says what a machine lacks to break a disk or a network.
type LacksError struct{ What string }

func (e *LacksError) Error() string { return "this machine has no " + e.What }

// smallest is the size of the disk that a machine is tried with, bytes.
const smallest = 32 << 20

// CanDisk says why there can be no Disk here: a *LacksError, nil if there can.
func CanDisk() error { return canDisk() }

// CanNet says why there can be no Net here, like CanDisk.
func CanNet() error { return canNet() }

var canDisk = sync.OnceValue(func() error {
	err := lacks("mkfs.ext4", "mount", "umount", "fsfreeze")
	if err != nil {
		return err
	}
	d, err := NewDisk(smallest)
	if err != nil {
		return &LacksError{"loop device that can be mounted (" + err.Error() + ")"}
	}
	d.Close()
	return nil
})

var canNet = sync.OnceValue(func() error {
	err := lacks("ip", "tc", "nsenter")
	if err != nil {
		return err
	}
	w, err := NewNet(1)
	if err != nil {
		return &LacksError{"network namespace (" + err.Error() + ")"}
	}
	w.Close()
	return nil
})

// NeedDisk is a new disk that is removed with the test. Where there can be
// none, the test is skipped, or fails where CI is set.
func NeedDisk(tb testing.TB, size int64) *Disk {
	tb.Helper()
	need(tb, "what a bad disk does", CanDisk)
	d, err := NewDisk(size)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(d.Close)
	return d
}

// NeedNet is a new network that is removed with the test, like NeedDisk.
func NeedNet(tb testing.TB, n int) *Net {
	tb.Helper()
	need(tb, "what a bad network does", CanNet)
	w, err := NewNet(n)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(w.Close)
	return w
}

func need(tb testing.TB, untested string, can func() error) {
	tb.Helper()
	if err := can(); err != nil {
		tool.Missing(tb, untested, err.(*LacksError).What)
	}
}

func lacks(programs ...string) error {
	if runtime.GOOS != "linux" {
		return &LacksError{"Linux"}
	}
	if os.Geteuid() != 0 {
		return &LacksError{"right to do it (it takes root)"}
	}
	for _, name := range programs {
		if _, err := exec.LookPath(name); err != nil {
			return &LacksError{fmt.Sprintf("program %s", name)}
		}
	}
	return nil
}
