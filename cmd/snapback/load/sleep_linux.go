package load

import (
	"syscall"
	"time"
)

func sleepThread(d time.Duration) {
	left := syscall.NsecToTimespec(d.Nanoseconds())
	_ = syscall.Nanosleep(&left, nil)
}
