package load

import (
	"runtime"
	"time"
)

// pace calls send once per 1/rate second until over says so, with the time at
// which it was due. What is late is not left out: the next ones follow at
// once, each with its own due time, so a server that stalls is charged for
// every mutation that had to wait (no coordinated omission). It keeps its
// operating system thread: Go's timers are late by up to a millisecond, a
// thread that sleeps by tens of microseconds.
func pace(rate float64, over func() bool, send func(due time.Time) error) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	start := time.Now()
	for n := 0; !over(); n++ {
		due := start.Add(time.Duration(float64(n) / rate * float64(time.Second)))
		if wait := time.Until(due); wait > 0 {
			sleepThread(wait)
		}
		if err := send(due); err != nil {
			return err
		}
	}
	return nil
}
