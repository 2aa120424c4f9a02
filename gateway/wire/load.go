package wire

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/domain/plainjson"
)

// Pages of what part=open leaves out.
const (
	PageComments = 50
	PageCards    = 100
	PageBytes    = FrameBytes // after which a page ends early, with at least one more of its list
	LoadsPerSec  = 100        // per connection; more wait
)

// Load asks for a page of a card's comments, or of what is archived.
type Load struct {
	Type    string `json:"type"`
	ID      uint64 `json:"id"`
	Card    string `json:"card,omitempty"`
	Archive bool   `json:"archive,omitempty"`
	Before  string `json:"before,omitempty"` // of the page before; "": the newest
}

// Loaded is the page, as of Rev.
type Loaded struct {
	Type     string            `json:"type"`
	ID       uint64            `json:"id"`
	Rev      uint64            `json:"rev"`
	Entities []json.RawMessage `json:"entities"` // domain.Entity.JSONFor
	Before   *string           `json:"before"`   // nil: there is nothing older
}

// AppendLoaded appends a [Loaded] frame as json.Marshal writes it. entities are
// as for [AppendSync], with commas between them; before is zero when nothing is
// older.
func AppendLoaded(dst []byte, id, rev uint64, entities []byte, before Cursor) []byte {
	dst = append(dst, `{"type":"loaded","id":`...)
	dst = strconv.AppendUint(dst, id, 10)
	dst = append(dst, `,"rev":`...)
	dst = strconv.AppendUint(dst, rev, 10)
	dst = append(dst, `,"entities":[`...)
	dst = append(dst, entities...)
	dst = append(dst, `],"before":`...)
	if before == (Cursor{}) {
		return append(dst, `null}`...)
	}
	dst = plainjson.AppendString(dst, before.String(), plainjson.HTML)
	return append(dst, '}')
}

// Cursor is where a page ends: older ones go on behind it. The zero Cursor is
// none. Clients know only its text.
type Cursor struct {
	Rev uint64
	ID  string
}

func (c Cursor) String() string { return strconv.FormatUint(c.Rev, 36) + "." + c.ID }

func parseCursor(s string) (c Cursor, ok bool) {
	rev, id, ok := strings.Cut(s, ".")
	n, err := strconv.ParseUint(rev, 36, 64)
	c = Cursor{n, id}
	return c, ok && err == nil && n > 0 && domain.ValidID(id) && c.String() == s
}

// Page is what a load asks for.
type Page struct {
	ID      uint64
	Card    string // "": what is archived
	Before  Cursor // only what is older than it
	Further bool   // the frame had a cursor: this is not the first page
}

// maxSafe is the largest integer that every client can say exactly.
const maxSafe = 1<<53 - 1

func (f *ClientFrame) load(o map[string]json.RawMessage) *domain.Rejection {
	id, ok := domain.DecodeValue(o["id"]).(int64)
	if !ok || id < 0 || id > maxSafe {
		return limited("id", maxSafe, "not an integer from 0")
	}
	p := &Page{ID: uint64(id), Before: Cursor{Rev: math.MaxUint64}}
	f.Page = p
	card, has := o["card"]
	if archive, both := o["archive"]; both {
		if string(archive) != "true" {
			return invalid("archive", "not true")
		}
		if has {
			return invalid("archive", "beside card")
		}
	} else if p.Card, ok = str(card); !ok || !domain.ValidID(p.Card) {
		return invalid("card", "not the id of a card, and no archive")
	}
	if raw, ok := o["before"]; ok && !null(raw) {
		s, _ := str(raw)
		if p.Before, ok = parseCursor(s); !ok {
			return invalid("before", "not what a page ended with")
		}
		p.Further = true
	}
	return nil
}
