package browser

import "testing"

// TestMove_ColumnTakenAway: the column that a card is held over is archived. The
// card is back where it was, and stays there, wherever the hand goes before it
// lets go.
func TestMove_ColumnTakenAway(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	w := s.open("ann")
	w.at(card("calendar"))
	to := w.over("review", "")
	w.grab("calendar", to)
	w.Until(`document.querySelector('[data-lifted]') !== null`)
	s.mutate("ben", "review", patch{"archived": true})
	w.Until(`document.querySelector('[data-lifted], .dragged') === null`)
	further := point{to.x + 40, to.y + 20}
	w.carry(to, further)
	if w.Eval(`document.querySelector('[data-lifted], .dragged') === null`) != "true" {
		t.Error("it is lifted again")
	}
	w.drop(further)
	w.Until(settled + " && " + in("ideas", "calendar"))
	s.agree(w)
}

// TestMove_CardTakenAway: what is held is archived by somebody else: it is no
// longer held, and a note says why.
func TestMove_CardTakenAway(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	w := s.open("ann")
	to := w.over("review", "")
	w.grab("calendar", to)
	w.Until(`document.querySelector('[data-lifted]') !== null`)
	s.mutate("ben", "calendar", patch{"archived": true})
	w.Until(says("plain", "is gone: somebody took it away"))
	w.Until(`document.querySelector('[data-lifted], .dragged, .drag-cover') === null`)
	w.drop(to)
	w.Until(settled)
	s.agree(w)
}
