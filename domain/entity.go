package domain

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Kind is what an entity is.
type Kind string

// The kinds of a board (append-only list; DOMAIN.md).
const (
	KindBoard     Kind = "board"
	KindMember    Kind = "member"
	KindColumn    Kind = "column"
	KindCard      Kind = "card"
	KindChecklist Kind = "checklist"
	KindItem      Kind = "item"
	KindLabel     Kind = "label"
	KindComment   Kind = "comment"
	KindFile      Kind = "file"
)

// MemberPrefix and a user's name make the id of the user's member entity.
const MemberPrefix = "member:"

// Entity is one thing on a board. It is immutable once a Board or a view
// holds it: a change makes a new Entity, so pointers can be compared.
type Entity struct {
	ID         string
	Kind       Kind
	Rev        uint64 // of its last change; 0: not confirmed yet
	CreatedRev uint64
	CreatedAt  time.Time // UTC, whole milliseconds
	CreatedBy  string
	UpdatedAt  time.Time
	UpdatedBy  string
	Deleted    bool // a tombstone: only ID, Kind, Rev and the parent field are set (of a quiet one CreatedRev, no field)
	counted    bool // comments is how many a card has (Board.Counted)
	comments   int32
	Fields     Fields
}

// ParentField names the field that holds the parent's id, "" for kinds whose
// parent is the board.
func ParentField(k Kind) string {
	switch k {
	case KindCard:
		return "columnId"
	case KindChecklist, KindComment, KindFile:
		return "cardId"
	case KindItem:
		return "checklistId"
	}
	return ""
}

// Parent is the id of the entity this one hangs on; "" is the board.
func (e *Entity) Parent() string {
	if name := ParentField(e.Kind); name != "" {
		return e.Fields.String(name)
	}
	return ""
}

// LikedBy says whether user is in the card's likedBy.
func (e *Entity) LikedBy(user string) bool {
	_, ok := slices.BinarySearch(e.Fields.Set("likedBy"), user)
	return ok
}

// MarshalJSON writes the entity as PROTOCOL.md shows it, without what depends
// on the reader. Field order is by name, so equal entities encode equally.
func (e *Entity) MarshalJSON() ([]byte, error) { return e.AppendJSON(nil, e.Fields) }

// JSONFor writes the entity for one reader: a card carries `liked` (is the
// reader in likedBy) and `likes`, one of Board.Counted `comments`, a file not its
// `object`. All readers who like
// a card share one encoding, all others the other.
func (e *Entity) JSONFor(liked bool) ([]byte, error) { return e.AppendJSONFor(nil, liked) }

// AppendJSONFor is JSONFor behind dst.
func (e *Entity) AppendJSONFor(dst []byte, liked bool) ([]byte, error) {
	switch {
	case e.Kind == KindCard && !e.Deleted:
		r := &reader{kind: KindCard, liked: liked, likes: len(e.Fields.Set("likedBy")), counted: e.counted, comments: int(e.comments)}
		return e.appendJSON(dst, e.Fields, r)
	case e.Kind == KindFile && e.Fields["object"] != nil:
		return e.appendJSON(dst, e.Fields, &reader{kind: KindFile})
	}
	return e.appendJSON(dst, e.Fields, nil)
}

// AppendJSON writes e with fields in place of its own.
func (e *Entity) AppendJSON(dst []byte, fields Fields) ([]byte, error) {
	return e.appendJSON(dst, fields, nil)
}

// UnmarshalJSON reads what MarshalJSON and JSONFor write. `liked`, `likes` and `comments`
// land in Fields, as a client shows them.
func (e *Entity) UnmarshalJSON(data []byte) error {
	if read, ok := readEntity(data); ok {
		*e = read
		return nil
	}
	return e.unmarshal(data)
}

// unmarshal is UnmarshalJSON by encoding/json.
func (e *Entity) unmarshal(data []byte) error {
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(data, &raw); err != nil {
		return err
	}
	read := Entity{Fields: make(Fields, len(raw))}
	own := map[string]any{
		"id": &read.ID, "kind": &read.Kind, "rev": &read.Rev, "createdRev": &read.CreatedRev, "createdAt": &read.CreatedAt,
		"createdBy": &read.CreatedBy, "updatedAt": &read.UpdatedAt, "updatedBy": &read.UpdatedBy, "deleted": &read.Deleted,
	}
	for name, v := range raw {
		if to := own[name]; to != nil {
			if err := json.Unmarshal(v, to); err != nil {
				return fmt.Errorf("domain: %s of an entity: %w", name, err)
			}
		} else if value := DecodeValue(v); value != nil {
			read.Fields[name] = value
		}
	}
	*e = read
	return nil
}

// tombstone is what is left of a deleted entity.
func (e *Entity) tombstone(rev uint64) *Entity {
	t := &Entity{ID: e.ID, Kind: e.Kind, Rev: rev, Deleted: true, Fields: Fields{}}
	if name := ParentField(e.Kind); name != "" && e.Fields[name] != nil {
		t.Fields[name] = e.Fields[name]
	}
	return t
}

// quiet makes t, the tombstone of e that went with its parent, one that only
// keeps the id from being used again, if every reader drops e with the parent:
// a reader who missed that e moved there does not.
func (t *Entity) quiet(e *Entity) {
	if e.Rev == e.CreatedRev || e.Kind == KindComment {
		t.CreatedRev, t.Fields = e.CreatedRev, nil
	}
}

// isQuiet says whether readers need not be told of a tombstone.
func (t *Entity) isQuiet() bool { return t.Deleted && t.CreatedRev > 0 }

// IsMemberID says whether id is the id of a member entity, and whose.
func IsMemberID(id string) (user string, ok bool) { return strings.CutPrefix(id, MemberPrefix) }
