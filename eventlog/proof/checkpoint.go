package proof

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/tlog"
)

// Checkpoint is the root of a shard's tree at a size: whoever has it can tell
// whether a log has the same records up to there. Its text is that of C2SP
// tlog-checkpoint, with the time as an extension line.
type Checkpoint struct {
	Epoch string
	Shard int
	Size  int64 // records
	Root  tlog.Hash
	Time  time.Time // of signing, by the signer's clock
}

// ErrText: the text of a note is not what it should be.
var ErrText = errors.New("proof: not the text expected")

const (
	originName = "snapback"
	timeName   = "time "
)

// MaxSize is how many records a checkpoint may count: no log will have them,
// and package tlog does not come to an end with sizes near the largest int64.
const MaxSize = 1 << 48

// Origin names the tree of a shard in one life of the log.
func Origin(epoch string, shard int) string {
	return originName + "/" + epoch + "/" + strconv.Itoa(shard)
}

// Text is the checkpoint as it is signed:
//
//	snapback/01JQ…/3
//	1742
//	CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=
//	time 2026-03-01T10:05:00.000000000Z
func (c *Checkpoint) Text() string {
	return fmt.Sprintf("%s\n%d\n%s\n%s%s\n", Origin(c.Epoch, c.Shard), c.Size, c.Root, timeName, c.Time.UTC().Format(leafTime))
}

// ParseCheckpoint reads what Text wrote, and nothing else. Errors: ErrText.
func ParseCheckpoint(text string) (c Checkpoint, err error) {
	lines, err := linesOf(text, 4)
	if err != nil {
		return c, fmt.Errorf("%w of a checkpoint: %w", ErrText, err)
	}
	origin := strings.Split(lines[0], "/")
	if len(origin) != 3 || origin[0] != originName || origin[1] == "" {
		return c, fmt.Errorf("%w of a checkpoint: origin %q is not like %s", ErrText, lines[0], Origin("EPOCH", 0))
	}
	c.Epoch = origin[1]
	if c.Shard, err = strconv.Atoi(origin[2]); err != nil || c.Shard < 0 {
		return c, fmt.Errorf("%w of a checkpoint: shard %q", ErrText, origin[2])
	}
	if c.Size, err = strconv.ParseInt(lines[1], 10, 64); err != nil || c.Size < 0 || c.Size > MaxSize {
		return c, fmt.Errorf("%w of a checkpoint: size %q", ErrText, lines[1])
	}
	if c.Root, err = tlog.ParseHash(lines[2]); err != nil {
		return c, fmt.Errorf("%w of a checkpoint: root hash %q", ErrText, lines[2])
	}
	at, _ := strings.CutPrefix(lines[3], timeName)
	if c.Time, err = time.Parse(leafTime, at); err != nil {
		return c, fmt.Errorf("%w of a checkpoint: time %q", ErrText, lines[3])
	}
	if c.Text() != text {
		return c, fmt.Errorf("%w of a checkpoint: it is written in another way", ErrText)
	}
	return c, nil
}

// linesOf splits a text that has so many lines, each with its end.
func linesOf(text string, n int) ([]string, error) {
	rest, whole := strings.CutSuffix(text, "\n")
	lines := strings.Split(rest, "\n")
	if !whole || len(lines) != n {
		return nil, fmt.Errorf("%d lines, not %d", strings.Count(text, "\n"), n)
	}
	return lines, nil
}

// ErrContradiction: two things that a log says of itself cannot both be true.
var ErrContradiction = errors.New("the log contradicts its checkpoint")

// CheckConsistent checks by a proof (tlog.ProveTree) that newer is a
// continuation of older: the same records, and more. Errors: ErrContradiction.
func CheckConsistent(older, newer *Checkpoint, p tlog.TreeProof) error {
	if older.Epoch != newer.Epoch || older.Shard != newer.Shard {
		return fmt.Errorf("%w: %s is another log than %s", ErrContradiction, Origin(newer.Epoch, newer.Shard), Origin(older.Epoch, older.Shard))
	}
	if newer.Size < older.Size {
		return fmt.Errorf("%w: %d records where there were %d", ErrContradiction, newer.Size, older.Size)
	}
	if older.Size == 0 {
		return nil
	}
	if err := tlog.CheckTree(p, newer.Size, newer.Root, older.Size, older.Root); err != nil {
		return fmt.Errorf("%w: the first %d records are other ones: %w", ErrContradiction, older.Size, err)
	}
	return nil
}

// CheckIncluded checks by a proof (tlog.ProveRecord) that a record is where its
// sequence says in the tree of a checkpoint. Errors: ErrContradiction.
func (c *Checkpoint) CheckIncluded(leaf *Leaf, p tlog.RecordProof) error {
	if leaf.Seq < 1 || int64(leaf.Seq) > c.Size {
		return fmt.Errorf("%w: record %d is not among the %d", ErrContradiction, leaf.Seq, c.Size)
	}
	if err := tlog.CheckRecord(p, c.Size, c.Root, int64(leaf.Seq)-1, leaf.TreeHash()); err != nil {
		return fmt.Errorf("%w: record %d of board %s is another one: %w", ErrContradiction, leaf.Seq, leaf.Board, err)
	}
	return nil
}
