package trello

import (
	"bytes"
	"fmt"

	"github.com/snapback-io/snapback/domain"
)

// again imports what was written, by the rules of a server, and notes what is
// not the same then.
func (w *writing) again(data []byte) error {
	x, err := Read(bytes.NewReader(data))
	if err != nil {
		return fmt.Errorf("what was written cannot be read: %w", err)
	}
	board, err := Map(x, Options{BoardID: w.board.ID})
	if err != nil {
		return err
	}
	parts, err := board.Parts(PartBytes)
	if err != nil {
		return err
	}
	folded, err := Rehearse(board.ID, parts)
	if err != nil {
		return fmt.Errorf("what was written cannot be imported: %w", err)
	}
	lost := func(what string, of *domain.Entity) { note(&w.written.Lost, what+" of "+plural[of.Kind], 1, title(of)) }
	for _, e := range w.Entities {
		want, got := w.wanted(e), folded.Get(e.ID)
		if got == nil {
			note(&w.written.Lost, plural[e.Kind], 1, title(e))
			continue
		}
		for _, name := range differing(want, got) {
			lost(name, e)
		}
		if e.Kind == domain.KindFile && e.Fields.String("url") == "" {
			note(&w.written.Lost, "contents of files (they stay where they are, the file is a link to them)", 1, title(e))
		}
		if want.Fields.Int("number") != got.Fields.Int("number") {
			note(&w.written.Lost, "numbers of cards (an import gives them anew, in the same order)", 1, title(e))
		}
		if e == w.board {
			note(&w.written.Lost, "the board's last change (the import is one)", 1, "")
		} else if want.UpdatedBy != got.UpdatedBy || !want.UpdatedAt.Equal(got.UpdatedAt) {
			lost("last changes", e)
		}
		if want.CreatedBy != got.CreatedBy || !want.CreatedAt.Equal(got.CreatedAt) {
			lost("authors and times", e)
		}
	}
	w.places(folded)
	return nil
}

// places notes the entities that stand elsewhere among their siblings.
func (w *writing) places(folded *domain.Board) {
	type list struct {
		parent string
		kind   domain.Kind
	}
	now := map[list][]string{}
	for e := range folded.All() {
		now[list{e.Parent(), e.Kind}] = append(now[list{e.Parent(), e.Kind}], e.ID)
	}
	if n := folded.Len() - len(w.Entities); n > 0 {
		note(&w.written.Lost, "things that were not there", n, "")
	}
	at := map[list]int{}
	for _, e := range w.Entities {
		l := list{e.Parent(), e.Kind}
		if i := at[l]; i >= len(now[l]) || now[l][i] != e.ID {
			note(&w.written.Lost, "places of "+plural[e.Kind], 1, title(e))
		}
		at[l]++
	}
}

// title is what a person calls the entity.
func title(e *domain.Entity) string {
	for _, name := range []string{"title", "name", "text"} {
		if s := e.Fields.String(name); s != "" {
			return s
		}
	}
	return ""
}
