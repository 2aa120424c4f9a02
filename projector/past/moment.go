package past

import (
	"context"
	"errors"
	"strconv"
	"time"
)

// Moment names a place in a board's history: a rev, or if that is 0 a time, or
// if that is zero now.
type Moment struct {
	Rev uint64
	At  time.Time
}

// ErrMoment: a text names no moment. Its text says what does.
var ErrMoment = errors.New("not a rev from 1, or a time as 2026-03-01T10:04:12Z")

// ParseMoment reads a rev or a time (RFC 3339).
func ParseMoment(text string) (m Moment, err error) {
	if m.Rev, err = strconv.ParseUint(text, 10, 64); err == nil && m.Rev > 0 {
		return m, nil
	}
	m.Rev = 0 // what is out of range is the largest
	if m.At, err = time.Parse(time.RFC3339, text); err == nil && !m.At.IsZero() {
		return m, nil
	}
	return Moment{}, ErrMoment
}

// Look gives the board as it was then: AtRev, AtTime or Now.
func (m Moment) Look(ctx context.Context, src Source, board string) (Look, error) {
	switch {
	case m.Rev > 0:
		return AtRev(ctx, src, board, m.Rev)
	case !m.At.IsZero():
		return AtTime(ctx, src, board, m.At)
	}
	return Now(ctx, src, board)
}
