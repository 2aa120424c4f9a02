package domain

import (
	"iter"
	"time"
)

// Board is the folded state of one board: what Decide reads and Apply writes.
// Not safe for concurrent use; the entities it hands out are immutable.
type Board struct {
	id    string
	rev   uint64    // of the last event folded
	seq   uint64    // of the last stored commit folded
	hash  Hash      // of that commit
	at    time.Time // of the last decision folded
	ahead int       // decisions folded by Fold since the last Apply or Settle

	records uint64 // stored commits folded, void ones included
	listed  uint64 // sequence of the last stored commit that changed the board's own entity or a member

	index
	recent  recency
	decided decidedIDs
	number  int64 // the highest card number ever given
	imports importState
}

// importState is where an import stands.
type importState struct {
	source string // of an import under way or finished, "" for none
	user   string // who sends the parts
	next   int    // the part due next
	done   bool
}

// NewBoard gives the state before the first commit.
func NewBoard(id string) *Board {
	return &Board{id: id, index: newIndex(), recent: recency{tombs: map[string]*Entity{}}, decided: newDecidedIDs()}
}

// ID is the board's id, also that of its board entity.
func (b *Board) ID() string { return b.id }

// Exists says whether the board has been created and, when imported, its
// import is complete: what nobody may see does not exist to anybody.
func (b *Board) Exists() bool {
	return b.entities[b.id] != nil && (b.imports.source == "" || b.imports.done)
}

// Imported gives the source of a finished import, "" if the board was not imported.
func (b *Board) Imported() string {
	if b.imports.done {
		return b.imports.source
	}
	return ""
}

// Rev counts the board's events.
func (b *Board) Rev() uint64 { return b.rev }

// Head is where the fold stands in the stream: sequence and hash of the last
// stored commit, void ones included (0 and zero before the first), and the
// time of the last decision.
func (b *Board) Head() (seq uint64, hash Hash, at time.Time) { return b.seq, b.hash, b.at }

// Records counts the stored commits folded, void ones included: as many as the
// log has of the board up to its head.
func (b *Board) Records() uint64 { return b.records }

// Listed is the sequence of the last stored commit that changed what a list of
// boards says of this one: its own entity, or a member. 0: there is none.
func (b *Board) Listed() uint64 { return b.listed }

// Get gives the entity, nil if there is none or it is deleted.
func (b *Board) Get(id string) *Entity { return b.entities[id] }

// Len is the number of entities.
func (b *Board) Len() int { return len(b.entities) }

// All gives every entity, parents before children, siblings in order of
// position where they have one, else of createdRev. The board must not be
// changed meanwhile.
func (b *Board) All() iter.Seq[*Entity] {
	return func(yield func(*Entity) bool) {
		if e := b.entities[b.id]; e != nil && !yield(e) {
			return
		}
		for _, kind := range []Kind{KindMember, KindLabel, KindFile, KindColumn} {
			if !b.walk("", kind, yield) {
				return
			}
		}
	}
}

// walk yields the siblings under parent, each followed by what hangs on it.
func (b *Board) walk(parent string, kind Kind, yield func(*Entity) bool) bool {
	l := b.lists[listKey{parent, kind}]
	if l == nil {
		return true
	}
	i, j := 0, 0
	for i < len(l.open) || j < len(l.shut) {
		var e *Entity
		if j == len(l.shut) || i < len(l.open) && before(l.open[i], l.shut[j]) {
			e, i = l.open[i], i+1
		} else {
			e, j = l.shut[j], j+1
		}
		if !yield(e) {
			return false
		}
		for _, k := range childKinds(kind) {
			if !b.walk(e.ID, k, yield) {
				return false
			}
		}
	}
	return true
}

// RoleOf is what user may do: the higher of the member entity's role and the
// grant; with GrantOpen as that constant says.
func (b *Board) RoleOf(user string, grant Grant) Role {
	role := NoRole
	member := b.entities[MemberPrefix+user]
	if member != nil {
		role = Role(member.Fields.String("role"))
	}
	if grant == GrantOpen {
		switch {
		case member != nil:
			return role
		case b.count(listKey{"", KindMember}) == 0:
			return Admin
		}
		return Editor
	}
	if granted := Role(grant); granted.Valid() && !role.Includes(granted) {
		return granted
	}
	return role
}
