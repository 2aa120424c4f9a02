//go:build !linux

package load

import (
	"errors"
	"os/exec"
)

var errPin = errors.New("load: pinning to a core is for Linux only")

func pinSelf(int) error { return errPin }

// StartPinned starts a command on one core alone.
func StartPinned(*exec.Cmd, int) error { return errPin }
