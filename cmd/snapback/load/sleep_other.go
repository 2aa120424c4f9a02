//go:build !linux

package load

import "time"

func sleepThread(d time.Duration) { time.Sleep(d) }
