package proof

import (
	"fmt"
	"strconv"
	"time"

	"github.com/snapback-io/snapback/domain"
)

// Head is how far one board had come: who has a signed one can tell that its
// log was cut off behind, or that another state is shown than its records make.
type Head struct {
	Board string
	Epoch string
	Seq   uint64 // of the board's last record
	Rev   uint64
	Hash  domain.Hash // of that record
	State domain.Hash // domain.Board.StateHash
	Time  time.Time   // of signing, by the signer's clock
}

const headName = "snapback head v1"

// Text is the head as it is signed:
//
//	snapback head v1
//	demo
//	01JQ…
//	17
//	46
//	9f2c…
//	03ab…
//	2026-03-01T10:05:00.000000000Z
func (h *Head) Text() string {
	return fmt.Sprintf("%s\n%s\n%s\n%d\n%d\n%s\n%s\n%s\n", headName, h.Board, h.Epoch, h.Seq, h.Rev, h.Hash, h.State, h.Time.UTC().Format(leafTime))
}

// ParseHead reads what Text wrote, and nothing else. Errors: ErrText.
func ParseHead(text string) (h Head, err error) {
	lines, err := linesOf(text, 8)
	if err != nil {
		return h, fmt.Errorf("%w of a head: %w", ErrText, err)
	}
	if lines[0] != headName {
		return h, fmt.Errorf("%w of a head: it begins %q", ErrText, lines[0])
	}
	h.Board, h.Epoch = lines[1], lines[2]
	if h.Seq, err = strconv.ParseUint(lines[3], 10, 64); err != nil {
		return h, fmt.Errorf("%w of a head: sequence %q", ErrText, lines[3])
	}
	if h.Rev, err = strconv.ParseUint(lines[4], 10, 64); err != nil {
		return h, fmt.Errorf("%w of a head: rev %q", ErrText, lines[4])
	}
	if err = h.Hash.UnmarshalText([]byte(lines[5])); err != nil {
		return h, fmt.Errorf("%w of a head: hash %q", ErrText, lines[5])
	}
	if err = h.State.UnmarshalText([]byte(lines[6])); err != nil {
		return h, fmt.Errorf("%w of a head: state hash %q", ErrText, lines[6])
	}
	if h.Time, err = time.Parse(leafTime, lines[7]); err != nil {
		return h, fmt.Errorf("%w of a head: time %q", ErrText, lines[7])
	}
	if h.Text() != text {
		return h, fmt.Errorf("%w of a head: it is written in another way", ErrText)
	}
	return h, nil
}
