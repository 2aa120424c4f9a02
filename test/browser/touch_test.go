package browser

import (
	"testing"

	"github.com/chromedp/cdproto/input"
)

const (
	down = input.DispatchTouchEventTypeTouchStart
	slid = input.DispatchTouchEventTypeTouchMove
)

// TestTouch: a finger that rests on a card lifts it and carries it; one that
// moves at once scrolls.
func TestTouch(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ann, ben := s.open("ann"), s.open("ben")
	ann.fingers()
	to := ann.over("review", "release-notes")
	from := ann.at(card("fix-login") + " .card-title").middle()
	ann.touch(down, from)
	ann.Until(`document.querySelector('.ghost, [data-lifted]') !== null`)
	ann.slide(from, to)
	ann.Shot("touch-dragging")
	ann.lift()
	ben.Until(in("review", "fix-login"))
	s.agree(ann, ben)

	ann.size(390, 700)
	from = ann.at(card("dark-mode") + " .card-title").middle()
	ann.touch(down, from)
	ann.slide(from, point{from.x - 180, from.y})
	ann.lift()
	ann.Until(`document.querySelector('.board').scrollLeft > 50`)
	ann.size(1500, 800)
	if ann.Eval(in("ideas", "dark-mode")) != "true" {
		t.Error("what was to scroll has moved a card")
	}
	s.agree(ann, ben)
}

func (w *window) slide(from, to point) {
	w.TB.Helper()
	const steps = 15
	for i := 1; i <= steps; i++ {
		f := float64(i) / steps
		w.touch(slid, point{from.x + (to.x-from.x)*f, from.y + (to.y-from.y)*f})
	}
	w.Eval(`new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))`)
}
