//go:build !linux

package fault

import "errors"

var errLinux = errors.New("it takes Linux")

// Disk is none here.
type Disk struct{ Dir string }

// NewDisk fails.
func NewDisk(int64) (*Disk, error) { return nil, errLinux }
func (d *Disk) Mount() error       { return errLinux }
func (d *Disk) Unmount() error     { return errLinux }
func (d *Disk) Close()             {}
func (d *Disk) Fill(int64) error   { return errLinux }
func (d *Disk) Empty() error       { return errLinux }
func (d *Disk) Freeze() error      { return errLinux }
func (d *Disk) Thaw() error        { return errLinux }
func (d *Disk) CutPower() error    { return errLinux }
func (d *Disk) Stall() Fault       { return never }
func (d *Disk) Full(int64) Fault   { return never }

// Net is none here.
type Net struct{}

// NewNet fails.
func NewNet(int) (*Net, error)       { return nil, errLinux }
func (w *Net) Host(int) string       { return "" }
func (w *Net) Inside(int) []string   { return nil }
func (w *Net) Close()                {}
func (w *Net) Cut(int, ...int) Fault { return never }
func (w *Net) Mute(int, int) Fault   { return never }
func (w *Net) Slow(int, int) Fault   { return never }

// Sweep has nothing to remove.
func Sweep() {}

var never = Fault{Name: "none", Begin: func() error { return errLinux }, End: func() error { return errLinux }}
