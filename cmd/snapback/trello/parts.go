package trello

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/snapback-io/snapback/domain"
)

// PartBytes is how large a part is at most, unless a single entity or action is
// larger. A part is in the log twice, as what was asked for and as what
// happened, and both must fit into one message of a NATS server with its
// default limit of 1 MiB.
const PartBytes = 256 << 10

// provenance is the shape in which the history is kept.
type provenance struct {
	Trello  string            `json:"trello"` // the board's id there
	Actions []json.RawMessage `json:"actions"`
}

// Parts cuts the board into parts of at most size bytes, entities first, then
// the history. The source of the parts names the export's id and what it was
// mapped to, so that an import is never continued with another board.
func (b *Board) Parts(size int) ([]domain.Import, error) {
	c := cutter{size: size}
	sum := sha256.New()
	for _, e := range b.Entities {
		raw, err := e.MarshalJSON()
		if err != nil {
			return nil, fmt.Errorf("trello: encode %s: %w", e.ID, err)
		}
		sum.Write(raw)
		p := c.room(len(raw))
		p.Entities = append(p.Entities, e)
	}
	history := map[int][]json.RawMessage{} // by part
	for _, a := range b.Actions {
		p := c.room(len(a.Raw))
		history[p.Part] = append(history[p.Part], a.Raw)
	}
	source := sourcePrefix + b.ExportID + "#" + hex.EncodeToString(sum.Sum(nil)[:6])
	for i := range c.parts {
		p := &c.parts[i]
		p.Source, p.Done = source, i == len(c.parts)-1
		if len(history[i]) == 0 {
			continue
		}
		raw, err := encode(provenance{Trello: b.ExportID, Actions: history[i]})
		if err != nil {
			return nil, err
		}
		p.Provenance = raw
	}
	return c.parts, nil
}

// cutter fills parts of at most size bytes one after the other.
type cutter struct {
	size, used int
	parts      []domain.Import
}

// room gives the part that the next n bytes go into; it is good until the next call.
func (c *cutter) room(n int) *domain.Import {
	if len(c.parts) == 0 || c.used+n > c.size {
		c.parts = append(c.parts, domain.Import{Part: len(c.parts)})
		c.used = 0
	}
	c.used += n + 1
	return &c.parts[len(c.parts)-1]
}

// encode is json.Marshal without escaping <, > and &.
func encode(v any) (json.RawMessage, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, fmt.Errorf("trello: encode: %w", err)
	}
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n")), nil
}

const sourcePrefix = "trello:"

// SameExport says whether two sources name the same board at Trello, mapped
// alike or not.
func SameExport(a, b string) bool {
	a, _, _ = strings.Cut(a, "#")
	b, _, _ = strings.Cut(b, "#")
	return a == b && strings.HasPrefix(a, sourcePrefix)
}
