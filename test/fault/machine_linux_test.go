package fault

import (
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestDisk_FillsFreezesAndLosesPower(t *testing.T) {
	d := NeedDisk(t, 48<<20)
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	file := filepath.Join(d.Dir, "file")
	check(os.WriteFile(file, []byte("kept"), 0o600))
	f, err := os.Open(file)
	check(err)
	check(f.Sync())
	f.Close()

	check(d.Fill(0))
	if err := os.WriteFile(file+"2", make([]byte, 1<<20), 0o600); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("full: %v", err)
	}
	check(d.Empty())
	check(os.WriteFile(file+"2", make([]byte, 1<<20), 0o600))

	check(d.Freeze())
	written := make(chan error)
	go func() { written <- os.WriteFile(file+"3", []byte("late"), 0o600) }()
	select {
	case err := <-written:
		t.Errorf("frozen, written: %v", err)
	case <-time.After(100 * time.Millisecond):
	}
	check(d.Thaw())
	check(<-written)

	check(d.CutPower())
	if err := os.WriteFile(file+"4", []byte("never"), 0o600); err == nil {
		t.Error("written without power")
	}
	check(d.Unmount())
	check(d.Mount())
	if data, err := os.ReadFile(file); string(data) != "kept" {
		t.Errorf("%q %v", data, err)
	}
	if _, err := os.Stat(file + "3"); err == nil {
		t.Error("what was not synced is there")
	}
}

func TestNet_CutsAndHeals(t *testing.T) {
	w := NeedNet(t, 3)
	for i := range 3 {
		inside(t, w, i, func() error {
			l, err := net.Listen("tcp", w.Host(i)+":7")
			if err == nil {
				t.Cleanup(func() { l.Close() })
			}
			return err
		})
	}
	hears := func(from, to int) (heard bool) {
		inside(t, w, from, func() error {
			c, err := net.DialTimeout("tcp", w.Host(to)+":7", 300*time.Millisecond)
			if heard = err == nil; heard {
				c.Close()
			}
			return nil
		})
		return heard
	}
	want := func(what string, from, to int, heard bool) {
		t.Helper()
		if hears(from, to) != heard {
			t.Errorf("%s: %d reaches %d: %t", what, from, to, !heard)
		}
	}
	want("whole", 0, 1, true)
	cut := w.Cut(0, 1, 2)
	for range 2 {
		if err := cut.Begin(); err != nil {
			t.Fatal(err)
		}
		want("cut", 0, 1, false)
		want("cut", 2, 0, false)
		want("cut", 1, 2, true)
		if err := cut.End(); err != nil {
			t.Fatal(err)
		}
		want("healed", 0, 1, true)
		want("healed", 2, 0, true)
	}
}

// inside calls fn on a thread in a namespace; its sockets stay there.
func inside(t *testing.T, w *Net, i int, fn func() error) {
	t.Helper()
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // for good: the thread ends with the goroutine
		f, err := os.Open("/run/netns/" + w.namespace(i))
		if err == nil {
			err = unix.Setns(int(f.Fd()), unix.CLONE_NEWNET)
			f.Close()
		}
		if err == nil {
			err = fn()
		}
		done <- err
	}()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

// TestSweep_RemovesWhatTheDeadHaveLeft, and nothing else.
func TestSweep_RemovesWhatTheDeadHaveLeft(t *testing.T) {
	d := NeedDisk(t, 48<<20)
	dead := exec.Command("true")
	if err := dead.Run(); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{
		filepath.Base(d.home): false, "other": false, named: false,
		named + "999999999-0": true, named + "999999999v0": true,
	} {
		if left(name) != want {
			t.Errorf("%s: %t", name, !want)
		}
	}
	Sweep()
	if err := os.WriteFile(filepath.Join(d.Dir, "file"), nil, 0o600); err != nil {
		t.Error(err)
	}
}
