package domain

import (
	"iter"
	"time"
)

// Board is the folded state of one board: what Decide reads and Apply writes.
// Not safe for concurrent use; the entities it hands out are immutable.
type Board struct{ id string }

// TombstoneRevs is for how many revs back deleted entities are remembered.
const TombstoneRevs = 10_000

// DecidedFor is how long a decided id is remembered in memory.
const DecidedFor = 10 * time.Minute

// NewBoard gives the state before the first commit.
func NewBoard(id string) *Board { return &Board{id: id} }

// ID is the board's id, also that of its board entity.
func (b *Board) ID() string { return b.id }

// Exists says whether the board has been created and, when imported, its
// import is complete: what nobody may see does not exist to anybody.
func (b *Board) Exists() bool { panic("todo") }

// Importing gives the source of an import under way and the number of the part
// that is due next.
func (b *Board) Importing() (source string, next int, ok bool) { panic("todo") }

// Imported gives the source of a finished import, "" if the board was not imported.
func (b *Board) Imported() string { panic("todo") }

// Rev counts the board's events.
func (b *Board) Rev() uint64 { panic("todo") }

// Head is where the fold stands in the stream: sequence and hash of the last
// stored commit, void ones included (0 and zero before the first), and the
// time of the last decision.
func (b *Board) Head() (seq uint64, hash Hash, at time.Time) { panic("todo") }

// Get gives the entity, nil if there is none or it is deleted.
func (b *Board) Get(id string) *Entity { panic("todo") }

// All gives every entity, parents before children, siblings in order of
// position where they have one, else of createdRev.
func (b *Board) All() iter.Seq[*Entity] { panic("todo") }

// Len is the number of entities.
func (b *Board) Len() int { panic("todo") }

// ChangedSince gives every entity whose rev is above rev, tombstones included,
// parents before children, at a cost of what changed. ok is false when rev is
// beyond the head or below the floor under which tombstones are forgotten: the
// reader must start afresh.
func (b *Board) ChangedSince(rev uint64) (changed []*Entity, ok bool) { panic("todo") }

// RoleOf is what user may do: the higher of the member entity's role and the
// grant; with GrantOpen as that constant says.
func (b *Board) RoleOf(user string, grant Grant) Role { panic("todo") }

// Decided gives the stream sequence of the commit that decided (user, id), if
// it was within DecidedFor before the head's time. It goes by a 64-bit hash:
// the caller confirms a hit in the record.
func (b *Board) Decided(user, id string) (seq uint64, ok bool) { panic("todo") }

// DecidedSince is the time since which Decided knows every id; the zero time
// when it knows all there ever were.
func (b *Board) DecidedSince() time.Time { panic("todo") }

// Step is one event of a commit as it is folded.
type Step struct {
	Decision *Decision
	Event    *Event
	// Entities are the changed entities as of this event: one, a tombstone if
	// it was deleted, or for list.respaced each sibling that got another key.
	Entities []*Entity
	More     bool // the same decision has further events
}

// Apply folds one stored commit and calls visit, which may be nil, after each
// event. stored is the stream's timestamp. A void commit only moves the head.
// It fails, and leaves the board unusable, if c does not follow the head (other
// board, other Prev, a gap in rev): the caller reloads.
func (b *Board) Apply(c *Commit, hash Hash, seq uint64, stored time.Time, visit func(Step)) error {
	panic("todo")
}

// Decide answers one command: the events it would cause, or why it is refused.
// It is a pure function of its arguments and changes none of them; at must not
// be before the board's last decision (the caller takes the later of its clock
// and Head's at) and is cut to whole milliseconds. It knows nothing of repeats
// and of After: the caller has looked both up.
func Decide(b *Board, cmd *Command, at time.Time) Decision { panic("todo") }

// Snapshot encodes the board at its head, ids decided lately included; a
// disposable cache, versioned on its own.
func (b *Board) Snapshot() ([]byte, error) { panic("todo") }

// LoadSnapshot reads what Snapshot wrote. It fails on another version: the
// caller folds the log instead.
func LoadSnapshot(data []byte) (*Board, error) { panic("todo") }
