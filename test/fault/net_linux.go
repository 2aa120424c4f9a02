package fault

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
)

// Net is a network of so many namespaces, 0 to n-1, that reach each other and
// this process over a bridge, and nobody else. Its methods are for one
// goroutine at a time.
//
//	   this process ── bridge 10.x.y.254
//	                  /    |    \
//	namespace  10.x.y.1 10.x.y.2 10.x.y.3
type Net struct {
	n      int
	base   string // "10.x.y."
	nth    string // of this process
	bridge string
}

var nets atomic.Int32 // of this process, so far

// NewNet makes a Net.
func NewNet(n int) (*Net, error) {
	pid, nth := os.Getpid(), int(nets.Add(1))
	w := &Net{n: n, base: fmt.Sprintf("10.%d.%d.", 64+(pid/250+16*nth)%64, pid%250), nth: strconv.Itoa(nth)}
	w.bridge = named + strconv.Itoa(pid) + "b" + w.nth
	if len(w.bridge) > 15 { // as long as a link's name may be
		return nil, fmt.Errorf("%s is too long for a link", w.bridge)
	}
	steps := [][]string{
		{"link", "add", w.bridge, "type", "bridge", "forward_delay", "0"},
		{"addr", "add", w.base + "254/24", "dev", w.bridge},
		{"link", "set", w.bridge, "up"},
	}
	for i := range n {
		ns, outer := w.namespace(i), w.link(i)
		steps = append(steps, [][]string{
			{"netns", "add", ns},
			{"link", "add", outer, "type", "veth", "peer", "name", "eth0", "netns", ns},
			{"link", "set", outer, "master", w.bridge, "up"},
			{"-n", ns, "addr", "add", w.Host(i) + "/24", "dev", "eth0"},
			{"-n", ns, "link", "set", "eth0", "up"},
			{"-n", ns, "link", "set", "lo", "up"},
		}...)
	}
	for _, step := range steps {
		if err := run("ip", step...); err != nil {
			w.Close()
			return nil, err
		}
	}
	return w, nil
}

func (w *Net) namespace(i int) string { return prefix() + w.nth + "-" + strconv.Itoa(i) }

func (w *Net) link(i int) string {
	return named + strconv.Itoa(os.Getpid()) + "v" + w.nth + string(rune('a'+i))
}

// Host is the address of a namespace.
func (w *Net) Host(i int) string { return w.base + strconv.Itoa(i+1) }

// Inside is what a command has to be preceded by to run in a namespace. It has
// the mounts of this process: with those of its own, which `ip netns exec`
// gives it, no Disk that was there could be unmounted for good.
func (w *Net) Inside(i int) []string {
	return []string{"nsenter", "--net=/run/netns/" + w.namespace(i)}
}

// Close removes the network; whoever still runs in it is ended.
func (w *Net) Close() {
	for i := range w.n {
		removeNamespace(w.namespace(i))
		_ = run("ip", "link", "del", w.link(i)) // usually gone with its peer
	}
	_ = run("ip", "link", "del", w.bridge)
}

func removeNamespace(name string) {
	out, _ := exec.Command("ip", "netns", "pids", name).Output()
	for _, pid := range strings.Fields(string(out)) {
		if n, err := strconv.Atoi(pid); err == nil && n != os.Getpid() {
			_ = syscall.Kill(n, syscall.SIGKILL)
		}
	}
	_ = run("ip", "netns", "del", name)
}

// Cut is the fault that a namespace and some others do not hear each other:
// what one sends to the other vanishes. This process reaches all of them.
func (w *Net) Cut(i int, others ...int) Fault {
	var mutes []Fault
	for _, other := range others {
		mutes = append(mutes, w.Mute(i, other), w.Mute(other, i))
	}
	return all(fmt.Sprintf("%d cut off from %v", i, others), mutes)
}

// Mute is the fault that nothing comes from one namespace to another; the other
// way it does, but no answer to it.
func (w *Net) Mute(from, to int) Fault {
	neigh := func(args ...string) func() error {
		return func() error { return run("ip", append([]string{"-n", w.namespace(from), "neigh"}, args...)...) }
	}
	// Packets go to a card that nobody has: silence, unlike a route that refuses.
	return Fault{
		Name:  fmt.Sprintf("%d mute to %d", from, to),
		Begin: neigh("replace", w.Host(to), "lladdr", "02:00:00:00:00:01", "nud", "permanent", "dev", "eth0"),
		End:   neigh("del", w.Host(to), "dev", "eth0"),
	}
}

// Slow is the fault that a namespace sends at most so many bytes a second; what
// waits longer than a second is lost.
func (w *Net) Slow(i int, rate int) Fault {
	qdisc := func(args ...string) func() error {
		return func() error {
			return run("tc", append([]string{"-n", w.namespace(i), "qdisc"}, args...)...)
		}
	}
	return Fault{
		Name:  fmt.Sprintf("%d slow", i),
		Begin: qdisc("add", "dev", "eth0", "root", "tbf", "rate", strconv.Itoa(8*rate), "burst", "16kb", "latency", "1s"),
		End:   qdisc("del", "dev", "eth0", "root"),
	}
}

// all is several faults at the same time.
func all(name string, faults []Fault) Fault {
	each := func(do func(Fault) error) func() error {
		return func() error {
			var failed []error
			for _, f := range faults {
				failed = append(failed, do(f))
			}
			return errors.Join(failed...)
		}
	}
	return Fault{Name: name, Begin: each(func(f Fault) error { return f.Begin() }), End: each(func(f Fault) error { return f.End() })}
}
