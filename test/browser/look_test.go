package browser

import (
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
)

// What a window is: its size, what the system around it is said to prefer, and
// whether fingers are used.

func (w *window) media(feature, value string) {
	w.TB.Helper()
	call(w, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: feature, Value: value}}})
}

func (w *window) size(width, height int64) {
	w.TB.Helper()
	call(w, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: width, Height: height, DeviceScaleFactor: 1})
}

func (w *window) fingers() {
	w.TB.Helper()
	call(w, emulation.SetTouchEmulationEnabled, emulation.SetTouchEmulationEnabledParams{Enabled: true, MaxTouchPoints: 5})
}

// touch is one finger: down or moved to a point.
func (w *window) touch(kind input.DispatchTouchEventType, at point) {
	w.TB.Helper()
	call(w, input.DispatchTouchEvent, input.DispatchTouchEventParams{Type: kind, TouchPoints: []*input.TouchPoint{{X: at.x, Y: at.y}}})
}

func (w *window) lift() {
	w.TB.Helper()
	call(w, input.DispatchTouchEvent, input.DispatchTouchEventParams{Type: input.DispatchTouchEventTypeTouchEnd, TouchPoints: []*input.TouchPoint{}})
}
