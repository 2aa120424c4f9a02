//go:build unix

package natsd

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// lock takes the file for this process; it is free again when the process ends, however it does.
func lock(path string) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("natsd: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("%w: %s", ErrStoreInUse, path)
		}
		return nil, fmt.Errorf("natsd: lock %s: %w", path, err)
	}
	return func() { f.Close() }, nil
}
