package fault

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unsafe"
)

// Disk is an ext4 of its own. Its methods are for one goroutine at a time.
type Disk struct {
	Dir  string // where it is mounted
	home string // with the image
	melt *exec.Cmd
}

// ballast is the file that fills a disk.
const ballast = "ballast"

// NewDisk makes and mounts a disk of so many bytes, 32 MiB at least.
func NewDisk(size int64) (*Disk, error) {
	home, err := os.MkdirTemp("", prefix()+"disk-")
	if err != nil {
		return nil, err
	}
	d := &Disk{Dir: filepath.Join(home, "mnt"), home: home}
	image, err := os.Create(d.image())
	if err == nil {
		err = errors.Join(image.Truncate(size), image.Close())
	}
	if err == nil {
		err = os.Mkdir(d.Dir, 0o700)
	}
	if err == nil {
		err = run("mkfs.ext4", "-q", "-F", "-m", "0", d.image())
	}
	if err == nil {
		err = d.Mount()
	}
	if err != nil {
		d.Close()
		return nil, err
	}
	return d, nil
}

func (d *Disk) image() string { return filepath.Join(d.home, "image") }

// Mount mounts it, after CutPower by what its journal has.
func (d *Disk) Mount() error { return run("mount", "-o", "loop", d.image(), d.Dir) }

// Unmount takes it away. Nobody may use it any more.
func (d *Disk) Unmount() error { return run("umount", d.Dir) }

// Close removes the disk, whatever state it is in.
func (d *Disk) Close() {
	_ = d.Thaw()
	_ = d.Unmount()
	_ = run("umount", "-l", d.Dir) // somebody is in it still
	_ = os.RemoveAll(d.home)
}

// Fill leaves so many bytes free.
func (d *Disk) Fill(leave int64) error {
	var fs syscall.Statfs_t
	if err := syscall.Statfs(d.Dir, &fs); err != nil {
		return err
	}
	f, err := os.OpenFile(filepath.Join(d.Dir, ballast), os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	take := int64(fs.Bavail)*int64(fs.Bsize) - leave
	if take <= 0 {
		return nil
	}
	// Right away: a file that only grows takes nothing.
	err = syscall.Fallocate(int(f.Fd()), 0, info.Size(), take)
	if errors.Is(err, syscall.ENOSPC) && leave == 0 {
		return nil // the server was faster
	}
	return err
}

// Empty takes away what Fill put there.
func (d *Disk) Empty() error { return os.Remove(filepath.Join(d.Dir, ballast)) }

const (
	ioFreeze   = 0xC0045877 // FIFREEZE
	ioThaw     = 0xC0045878 // FITHAW
	ioShutdown = 0x8004587D // EXT4_IOC_SHUTDOWN
	noLogFlush = 2          // EXT4_GOING_FLAGS_NOLOGFLUSH: what is not on disk yet is lost

	longestFreeze = 30 * time.Second
)

// Freeze has every write wait until Thaw, longestFreeze at most: another
// process sees to that, should this one be killed.
func (d *Disk) Freeze() error {
	d.melt = exec.Command("sh", "-c", fmt.Sprintf("sleep %d; exec fsfreeze -u %s", int(longestFreeze.Seconds()), d.Dir))
	d.melt.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := d.melt.Start(); err != nil {
		return err
	}
	return d.control(ioFreeze, 0)
}

// Thaw ends a Freeze.
func (d *Disk) Thaw() error {
	if d.melt == nil {
		return nil
	}
	err := d.control(ioThaw, 0)
	_ = syscall.Kill(-d.melt.Process.Pid, syscall.SIGKILL)
	_ = d.melt.Wait()
	d.melt = nil
	return err
}

// Stall is the fault that nothing is written, longestFreeze at most.
func (d *Disk) Stall() Fault {
	return Fault{Name: "stalled disk", Begin: d.Freeze, End: d.Thaw}
}

// Full is the fault that so many bytes are left.
func (d *Disk) Full(leave int64) Fault {
	return Fault{Name: "full disk", Begin: func() error { return d.Fill(leave) }, End: d.Empty}
}

// CutPower has every access fail from now on, and what is not on disk lost.
// After the end of all who use it, Unmount and Mount bring it back.
func (d *Disk) CutPower() error { return d.control(ioShutdown, noLogFlush) }

func (d *Disk) control(request uintptr, flags uint32) error {
	f, err := os.Open(d.Dir)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, f.Fd(), request, uintptr(unsafe.Pointer(&flags))); errno != 0 {
		return fmt.Errorf("ioctl %x on %s: %w", request, d.Dir, errno)
	}
	return nil
}

// run runs a command and gives what it said when it failed.
func run(name string, args ...string) error {
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, strings.TrimSpace(string(out)))
	}
	return nil
}

// prefix is how the names of all that this process makes begin.
func prefix() string { return named + strconv.Itoa(os.Getpid()) + "-" }

const named = "sbf"

// Sweep removes what processes that are no more have left: their disks, their
// networks, and whoever still runs in them.
func Sweep() {
	homes, _ := filepath.Glob(filepath.Join(os.TempDir(), named+"*-disk-*"))
	for _, home := range homes {
		if !left(filepath.Base(home)) {
			continue
		}
		d := &Disk{Dir: filepath.Join(home, "mnt"), home: home}
		_ = d.control(ioThaw, 0)
		killIn(d.Dir)
		d.Close()
	}
	out, _ := exec.Command("ip", "netns", "list").Output()
	for _, line := range strings.Split(string(out), "\n") {
		if name, _, _ := strings.Cut(line, " "); left(name) {
			removeNamespace(name)
		}
	}
	links, _ := filepath.Glob("/sys/class/net/" + named + "*")
	for _, link := range links {
		if left(filepath.Base(link)) {
			_ = run("ip", "link", "del", filepath.Base(link))
		}
	}
}

// left says whether a name is of a process that is no more.
func left(name string) bool {
	rest, ours := strings.CutPrefix(name, named)
	digits := len(rest) - len(strings.TrimLeft(rest, "0123456789"))
	pid, err := strconv.Atoi(rest[:digits])
	return ours && err == nil && errors.Is(syscall.Kill(pid, 0), syscall.ESRCH)
}

// killIn ends those who have files open below dir, which is ours alone.
func killIn(dir string) {
	open, _ := filepath.Glob("/proc/[0-9]*/fd/*")
	for _, fd := range open {
		target, err := os.Readlink(fd)
		if err != nil || !strings.HasPrefix(target, dir+"/") {
			continue
		}
		if pid, err := strconv.Atoi(strings.Split(fd, "/")[2]); err == nil {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	}
}
