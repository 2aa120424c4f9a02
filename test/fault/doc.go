// Package fault does to the nodes of a cluster what the world does: their disks
// are slow, full or lose power, their networks fall apart, their clocks are wrong.
//
//	Disk   a small ext4 of its own on a loop device: Fill, Freeze, CutPower
//	Net    a network namespace for each node, joined by a bridge: Cut, Mute, Slow
//	Clock  a build of the server whose wall clock is off by [ClockOffset]
//
// Disks and networks need Linux and root. Everything has a name with the number
// of the process that made it; what one that was killed has left is removed by
// the next ([Sweep]).
package fault

import "time"

// Fault is something that happens to a node for a time. Begin and End may fail
// where they meet the machine; End after a failed Begin is harmless.
type Fault struct {
	Name  string
	Begin func() error
	End   func() error
}

// During lets f happen for a span, or until stop is closed.
func (f Fault) During(span time.Duration, stop <-chan struct{}) error {
	if err := f.Begin(); err != nil {
		return err
	}
	t := time.NewTimer(span)
	defer t.Stop()
	select {
	case <-t.C:
	case <-stop:
	}
	return f.End()
}
