package eventlog

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/nats-io/nats.go"
	"github.com/snapback-io/snapback/domain"
	"golang.org/x/sync/errgroup"
)

// Listing is what the directory knows of a board.
type Listing struct {
	Board    string                 `json:"board"`
	Title    string                 `json:"title"`
	Archived bool                   `json:"archived,omitempty"`
	Seq      uint64                 `json:"seq"` // of the commit that made it so; an older one never replaces a newer
	Members  map[string]domain.Role `json:"members,omitempty"`
}

// ListingOf is what the directory is to know of a board.
func ListingOf(b *domain.Board) Listing {
	l := Listing{Board: b.ID(), Seq: b.Listed(), Members: make(map[string]domain.Role)}
	if e := b.Get(b.ID()); e != nil {
		l.Title, l.Archived = e.Fields.String("title"), e.Fields.Bool("archived")
	}
	for e := range b.All() { // the board, its members, the rest
		if e.Kind == domain.KindMember {
			l.Members[e.Fields.String("user")] = domain.Role(e.Fields.String("role"))
		} else if e.Kind != domain.KindBoard {
			break
		}
	}
	return l
}

// The directory is a KV bucket. The entry of a board, b.<board>, is the truth,
// written by compare-and-set. The entries of its members, m.<user>.<board>,
// are an index for questions by member: one that should not be there is seen
// when the board's entry is read, one that is due is written before and after
// the board's entry.

const (
	directoryStream = "KV_" + directoryBucket
	directoryPrefix = "$KV." + directoryBucket + "."
)

// keyOf is a board's id as part of a key: KV keys have no colon, ids no '='.
func keyOf(board string) string      { return strings.ReplaceAll(board, ":", "=") }
func boardOfKey(key string) string   { return strings.ReplaceAll(key, "=", ":") }
func boardEntry(board string) string { return directoryPrefix + "b." + keyOf(board) }
func memberEntry(user, board string) string {
	return directoryPrefix + "m." + base64.RawURLEncoding.EncodeToString([]byte(user)) + "." + keyOf(board)
}

// PutListing writes the board's listing and the entries of its members, unless
// the directory has a newer one.
func (l *Log) PutListing(ctx context.Context, entry Listing) error {
	again := false
	err := retry(ctx, l.patience, func(ctx context.Context) error {
		err := l.putListing(ctx, entry, again)
		again = true
		if errors.Is(err, ErrConflict) {
			return fmt.Errorf("%v", err) // another writer was quicker: look again
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("eventlog: listing of board %s: %w", entry.Board, err)
	}
	return nil
}

// putListing writes the listing unless it stands; again says that a try to write
// it may have got half way.
func (l *Log) putListing(ctx context.Context, entry Listing, again bool) error {
	old, revision, err := l.listing(ctx, entry.Board)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	if err == nil && (old.Seq > entry.Seq || old.Seq == entry.Seq && !again) {
		return nil
	}
	data, err := json.Marshal(entry)
	if err != nil {
		return err
	}
	if err := l.indexMembers(ctx, entry, old); err != nil {
		return err
	}
	_, err = l.publishExpecting(ctx, &nats.Msg{Subject: boardEntry(entry.Board), Data: data, Header: nats.Header{
		headerExpected: {strconv.FormatUint(revision, 10)},
	}})
	if err != nil {
		return err
	}
	if revision == 0 {
		return nil // there was none before: nobody has taken anything away
	}
	// Somebody slower, with an older listing, may have taken away what was
	// indexed above, but not after this.
	if err := l.indexMembers(ctx, entry, old); err != nil {
		return err
	}
	gone := 0
	for user := range old.Members {
		if entry.Members[user] == "" {
			gone++
			if err := l.api(ctx, "STREAM.PURGE."+directoryStream, map[string]string{"filter": memberEntry(user, entry.Board)}, new(answer)); err != nil {
				return err
			}
		}
	}
	if gone == 0 {
		return nil
	}
	// And somebody quicker, with a newer one, may have lost what was taken away here.
	now, _, err := l.listing(ctx, entry.Board)
	if err != nil || now.Seq == entry.Seq {
		return err
	}
	return l.indexMembers(ctx, now, Listing{})
}

// indexMembers writes the entries of members that old does not have.
func (l *Log) indexMembers(ctx context.Context, entry, old Listing) error {
	for user, role := range entry.Members {
		if old.Members[user] != "" {
			continue
		}
		msg := &nats.Msg{Subject: memberEntry(user, entry.Board), Data: []byte(role)}
		if _, err := l.publishOnce(ctx, msg); err != nil {
			return err
		}
	}
	return nil
}

// listing reads a board's entry from the leader, and its revision (0 with ErrNotFound).
func (l *Log) listing(ctx context.Context, board string) (entry Listing, revision uint64, err error) {
	msg, err := l.leaderGet(ctx, directoryStream, messageGet{LastFor: boardEntry(board)})
	if err != nil {
		return entry, 0, err
	}
	return entry, msg.Seq, json.Unmarshal(msg.Data, &entry)
}

// Listings gives at most limit boards with an id above after, in order of id:
// those user is a member of and those match says yes to; match nil: members only.
func (l *Log) Listings(ctx context.Context, user string, match func(board string) bool, after string, limit int) ([]Listing, error) {
	out, err := l.listings(ctx, user, match, after, limit)
	if err != nil {
		return nil, fmt.Errorf("eventlog: listings: %w", err)
	}
	return out, nil
}

func (l *Log) listings(ctx context.Context, user string, match func(board string) bool, after string, limit int) (out []Listing, err error) {
	subjects, err := l.subjects(ctx, directoryStream, memberEntry(user, "")+"*")
	if err != nil {
		return nil, err
	}
	mine := make(map[string]bool, len(subjects))
	for _, subject := range subjects {
		mine[boardOfKey(lastToken(subject))] = true
	}
	var boards []string
	if match == nil {
		match = func(string) bool { return false }
		boards = slices.Sorted(maps.Keys(mine))
	} else if boards, err = l.allBoards(ctx); err != nil {
		return nil, err
	}
	from, found := slices.BinarySearch(boards, after)
	if found {
		from++
	}
	due := make([]string, 0, listingBatch)
	for i, board := range boards[from:] {
		if mine[board] || match(board) {
			due = append(due, board)
		}
		if len(due) < listingBatch && i < len(boards)-from-1 {
			continue
		}
		entries, err := l.listingsOf(ctx, due)
		if err != nil {
			return nil, err
		}
		for _, board := range due {
			entry, ok := entries[board]
			if !ok || entry.Members[user] == "" && !match(board) {
				continue // the index is ahead or behind: the board's entry counts
			}
			if out = append(out, entry); len(out) == limit {
				return out, nil
			}
		}
		due = due[:0]
	}
	return out, nil
}

// boardList is every board that the directory has, as of a sequence of its
// stream.
type boardList struct {
	mu  sync.Mutex
	seq uint64
	ids []string // sorted; a list that was given out never changes
}

// fewChanges is how many changes of the directory are looked at one by one;
// beyond it all boards are asked for again.
const fewChanges = 100

// allBoards gives the boards that the directory has, sorted. The caller must not
// change the list.
func (l *Log) allBoards(ctx context.Context) (ids []string, err error) {
	list := &l.boards
	list.mu.Lock()
	defer list.mu.Unlock()
	var state streamState
	err = retry(ctx, l.patience, func(ctx context.Context) (err error) {
		state, err = l.streamState(ctx, directoryStream)
		return err
	})
	switch {
	case err != nil:
		return nil, err
	case list.ids != nil && state.LastSeq == list.seq:
		return list.ids, nil
	case list.ids != nil && state.LastSeq > list.seq && state.LastSeq-list.seq <= fewChanges:
		ids, err = l.changedBoards(ctx, list.seq+1, state.LastSeq)
		ids = append(ids, list.ids...)
	default:
		ids, err = l.subjects(ctx, directoryStream, boardEntry("*"))
		for i, subject := range ids {
			ids[i] = boardOfKey(lastToken(subject))
		}
	}
	if err != nil {
		return nil, err
	}
	slices.Sort(ids)
	list.ids, list.seq = slices.Compact(ids), state.LastSeq
	return list.ids, nil
}

// changedBoards gives the boards whose entries were written from one sequence of
// the directory to another.
func (l *Log) changedBoards(ctx context.Context, from, to uint64) (ids []string, err error) {
	for from <= to {
		msg, err := l.leaderGet(ctx, directoryStream, messageGet{Seq: from, NextFor: boardEntry("*")})
		if errors.Is(err, ErrNotFound) {
			break
		}
		if err != nil {
			return nil, err
		}
		ids = append(ids, boardOfKey(lastToken(msg.Subject)))
		from = msg.Seq + 1
	}
	return ids, nil
}

const listingBatch = 64 // entries read at once

// subjects lists a stream's subjects that match filter, in no order.
func (l *Log) subjects(ctx context.Context, stream, filter string) (subjects []string, err error) {
	err = retry(ctx, l.patience, func(ctx context.Context) error {
		subjects = nil
		return l.subjectCounts(ctx, stream, filter, func(subject string, _ uint64) {
			subjects = append(subjects, subject)
		})
	})
	return subjects, err
}

// subjectCounts calls fn for each of a stream's subjects that match filter,
// with the number of its messages, by the leader. It asks page by page: a
// subject that is made meanwhile may be missing, or given twice.
func (l *Log) subjectCounts(ctx context.Context, stream, filter string, fn func(subject string, n uint64)) error {
	for offset := 0; ; {
		var resp struct {
			answer
			Total int `json:"total"`
			State struct {
				Subjects map[string]uint64 `json:"subjects"`
			} `json:"state"`
		}
		req := map[string]any{"subjects_filter": filter, "offset": offset}
		if err := l.api(ctx, "STREAM.INFO."+stream, req, &resp); err != nil {
			return err
		}
		for subject, n := range resp.State.Subjects {
			fn(subject, n)
		}
		if offset += len(resp.State.Subjects); len(resp.State.Subjects) == 0 || offset >= resp.Total {
			return nil
		}
	}
}

// listingsOf reads the entries of boards, each from the leader: who has just
// made a board or left one sees it so. A board without an entry is left out.
func (l *Log) listingsOf(ctx context.Context, boards []string) (map[string]Listing, error) {
	var mu sync.Mutex
	out := map[string]Listing{}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(16)
	for _, board := range boards {
		group.Go(func() error {
			entry, _, err := l.listing(ctx, board)
			if errors.Is(err, ErrNotFound) {
				return nil
			}
			mu.Lock()
			defer mu.Unlock()
			out[board] = entry
			return err
		})
	}
	return out, group.Wait()
}
