package eventlog

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
)

// What a rebuild needs: the boards by the log alone, each store as it is,
// whatever it says, and writes that take the place of exactly what was read, so
// that nothing newer is ever lost to something older.

// ErrDamaged: what is stored cannot be read. It may be replaced.
var ErrDamaged = errors.New("eventlog: damaged")

// BoardRecords is a board of the log.
type BoardRecords struct {
	Board   string
	Records uint64
}

// Boards gives every board that the log has records of, sorted, by the streams
// alone. One that gets its first record meanwhile may be missing.
func (l *Log) Boards(ctx context.Context) (boards []BoardRecords, err error) {
	for shard := range l.shards {
		var counts map[string]uint64
		err := retry(ctx, l.patience, func(ctx context.Context) (err error) {
			counts, err = l.recordCounts(ctx, shard)
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("eventlog: boards of stream %s: %w", eventStream(shard), err)
		}
		for board, n := range counts {
			if len(l.generations) > 1 { // it may have moved, and stands in both
				if _, err := l.Head(ctx, board); err != nil && !errors.Is(err, ErrUnreadable) {
					return nil, err
				}
			}
			if l.Shard(board) == shard {
				boards = append(boards, BoardRecords{board, n})
			}
		}
	}
	slices.SortFunc(boards, func(a, b BoardRecords) int { return strings.Compare(a.Board, b.Board) })
	return boards, nil
}

// StoredSnapshot is GetSnapshot by the leader, with the revision to replace.
// ErrNotFound if there is none of this epoch, ErrDamaged if it is torn or its
// headers make no sense; the revision is good all the same.
func (l *Log) StoredSnapshot(ctx context.Context, board string) (s Snapshot, revision uint64, err error) {
	head, err := l.leaderGet(ctx, snapshotStream, messageGet{LastFor: snapshotPrefix + board})
	if errors.Is(err, ErrNotFound) {
		return s, 0, err
	}
	if err == nil {
		revision = head.Seq
		if s, err = l.getSnapshot(ctx, snapshotPrefix+board); errors.Is(err, errTorn) || err != nil && !errors.Is(err, ErrNotFound) && ctx.Err() == nil {
			err = fmt.Errorf("%w: %w", ErrDamaged, err)
		}
	}
	if err != nil {
		err = fmt.Errorf("eventlog: snapshot of board %s: %w", board, err)
	}
	return s, revision, err
}

// ReplaceSnapshot keeps s instead of the snapshot of that revision (0: there is
// none). ErrConflict if there is another by now.
func (l *Log) ReplaceSnapshot(ctx context.Context, board string, s Snapshot, revision uint64) error {
	err := l.putSnapshotOver(ctx, snapshotPrefix+board, s, l.MaxRecord(), &revision)
	if err != nil {
		return fmt.Errorf("eventlog: snapshot of board %s: %w", board, err)
	}
	return nil
}

// DropKept forgets what this process keeps of a board that it loaded lately.
func (l *Log) DropKept(board string) {
	l.KeptBoards.mu.Lock()
	defer l.KeptBoards.mu.Unlock()
	l.drop(l.byID[board])
}

// StoredListing is a board's entry in the directory, with the revision to
// replace. ErrNotFound if there is none, ErrDamaged if it cannot be read.
func (l *Log) StoredListing(ctx context.Context, board string) (entry Listing, revision uint64, err error) {
	msg, err := l.leaderGet(ctx, directoryStream, messageGet{LastFor: boardEntry(board)})
	if err != nil {
		return entry, 0, fmt.Errorf("eventlog: listing of board %s: %w", board, err)
	}
	if err := json.Unmarshal(msg.Data, &entry); err != nil {
		return Listing{}, msg.Seq, fmt.Errorf("%w: listing of board %s: %w", ErrDamaged, board, err)
	}
	return entry, msg.Seq, nil
}

// ReplaceListing writes the entry and those of its members instead of the one of
// that revision (0: there is none), whatever that says. ErrConflict if there is
// another by now.
func (l *Log) ReplaceListing(ctx context.Context, entry Listing, revision uint64) error {
	data, err := json.Marshal(entry)
	if err == nil {
		err = l.indexMembers(ctx, entry, Listing{})
	}
	if err == nil {
		_, err = l.publishExpecting(ctx, &nats.Msg{Subject: boardEntry(entry.Board), Data: data, Header: nats.Header{
			headerExpected: {strconv.FormatUint(revision, 10)},
		}})
	}
	if err == nil { // somebody slower may have taken away what was indexed, but not after this
		err = l.indexMembers(ctx, entry, Listing{})
	}
	if err != nil {
		return fmt.Errorf("eventlog: listing of board %s: %w", entry.Board, err)
	}
	return nil
}

// DropListing removes the entry of a board if it is still of that revision.
func (l *Log) DropListing(ctx context.Context, board string, revision uint64) error {
	if err := l.purgeUpTo(ctx, boardEntry(board), revision); err != nil {
		return fmt.Errorf("eventlog: listing of board %s: %w", board, err)
	}
	return nil
}

// purgeUpTo removes what the directory has under a subject but what is newer
// than that revision.
func (l *Log) purgeUpTo(ctx context.Context, subject string, revision uint64) error {
	return l.api(ctx, "STREAM.PURGE."+directoryStream, map[string]any{"filter": subject, "seq": revision + 1}, new(answer))
}

// Unindexed gives those members of a listing that the index by member lacks.
func (l *Log) Unindexed(ctx context.Context, entry Listing) (users []string, err error) {
	for user := range entry.Members {
		switch _, err := l.leaderGet(ctx, directoryStream, messageGet{LastFor: memberEntry(user, entry.Board)}); {
		case errors.Is(err, ErrNotFound):
			users = append(users, user)
		case err != nil:
			return nil, fmt.Errorf("eventlog: index of board %s: %w", entry.Board, err)
		}
	}
	slices.Sort(users)
	return users, nil
}

// IndexMembers writes the entries of all of a listing's members.
func (l *Log) IndexMembers(ctx context.Context, entry Listing) error {
	if err := l.indexMembers(ctx, entry, Listing{}); err != nil {
		return fmt.Errorf("eventlog: index of board %s: %w", entry.Board, err)
	}
	return nil
}

// Indexed is an entry of the index by member.
type Indexed struct{ Board, User string }

// Listed gives the boards that the directory has entries of, and what its index
// by member says, both sorted by board.
func (l *Log) Listed(ctx context.Context) (boards []string, index []Indexed, err error) {
	subjects, err := l.subjects(ctx, directoryStream, directoryPrefix+">")
	if err != nil {
		return nil, nil, fmt.Errorf("eventlog: directory: %w", err)
	}
	for _, subject := range subjects {
		switch words := strings.Split(strings.TrimPrefix(subject, directoryPrefix), "."); {
		case len(words) == 2 && words[0] == "b":
			boards = append(boards, boardOfKey(words[1]))
		case len(words) == 3 && words[0] == "m":
			if user, err := base64.RawURLEncoding.DecodeString(words[1]); err == nil {
				index = append(index, Indexed{boardOfKey(words[2]), string(user)})
			}
		}
	}
	slices.Sort(boards)
	slices.SortFunc(index, func(a, b Indexed) int {
		if c := strings.Compare(a.Board, b.Board); c != 0 {
			return c
		}
		return strings.Compare(a.User, b.User)
	})
	return boards, index, nil
}

// StaleIndexed says whether an entry of the index was written before that time,
// and its revision: a newer one may be that of a listing still to come.
func (l *Log) StaleIndexed(ctx context.Context, i Indexed, before time.Time) (revision uint64, stale bool, err error) {
	msg, err := l.leaderGet(ctx, directoryStream, messageGet{LastFor: memberEntry(i.User, i.Board)})
	if errors.Is(err, ErrNotFound) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, fmt.Errorf("eventlog: index of board %s: %w", i.Board, err)
	}
	return msg.Seq, msg.Time.Before(before), nil
}

// DropIndexed removes an entry of the index if it is still of that revision.
func (l *Log) DropIndexed(ctx context.Context, i Indexed, revision uint64) error {
	if err := l.purgeUpTo(ctx, memberEntry(i.User, i.Board), revision); err != nil {
		return fmt.Errorf("eventlog: index of board %s: %w", i.Board, err)
	}
	return nil
}
