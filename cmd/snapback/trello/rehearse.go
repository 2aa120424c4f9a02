package trello

import (
	"errors"
	"fmt"
	"time"

	"github.com/snapback-io/snapback/domain"
)

// Rehearse decides the parts on a board of its own, by the rules the server
// has, and gives that board: what the server would refuse is known before
// anything is written.
func Rehearse(board string, parts []domain.Import) (*domain.Board, error) {
	b := domain.NewBoard(board)
	at := time.Unix(0, 0).UTC()
	for i := range parts {
		d := domain.Decide(b, &domain.Command{
			ID: fmt.Sprintf("part-%d", i), Board: board, Op: domain.OpImport, User: "rehearsal", Grant: domain.GrantOpen,
			ReceivedAt: at, Deadline: at.Add(time.Hour), Import: &parts[i],
		}, at)
		if d.Rejection != nil {
			return nil, fmt.Errorf("the board breaks a rule: %w%s", d.Rejection, culprit(d.Rejection))
		}
		if err := b.Fold(&d); err != nil {
			return nil, err
		}
	}
	if !b.Exists() {
		return nil, errors.New("the board is not complete after its last part")
	}
	return b, nil
}

func culprit(r *domain.Rejection) string {
	if id, ok := r.Details["imported"]; ok {
		return fmt.Sprintf(" (entity %v)", id)
	}
	return ""
}
