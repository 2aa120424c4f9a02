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

// PartBytes is about how large a part is, unless a single entity is larger. A part is in the log twice, as what was asked for and as what
// happened, and both must fit into one message of a NATS server with its
// default limit of 1 MiB.
const PartBytes = 256 << 10

// provenance is the shape in which the history is kept.
type provenance struct {
	Trello  string            `json:"trello"` // the board's id there
	Actions []json.RawMessage `json:"actions"`
}

// Parts cuts the board into parts of about size bytes. Every part begins with
// an entity, and the history is spread over all of them. The source of the
// parts names the export's id and what it was mapped to, so that an import is
// never continued with another board.
func (b *Board) Parts(size int) ([]domain.Import, error) {
	var parts []domain.Import
	var history []json.RawMessage // of the last part
	used, actions := 0, 0
	seal := func(done bool) error {
		p := &parts[len(parts)-1]
		p.Done = done
		if len(history) == 0 {
			return nil
		}
		raw, err := encode(provenance{Trello: b.ExportID, Actions: history})
		p.Provenance, history = raw, nil
		return err
	}
	sum := sha256.New()
	for i, e := range b.Entities {
		raw, err := e.MarshalJSON()
		if err != nil {
			return nil, fmt.Errorf("trello: encode %s: %w", e.ID, err)
		}
		sum.Write(raw)
		if len(parts) == 0 || used+len(raw) > size {
			if len(parts) > 0 {
				if err := seal(false); err != nil {
					return nil, err
				}
			}
			parts, used = append(parts, domain.Import{Part: len(parts)}), 0
		}
		p := &parts[len(parts)-1]
		p.Entities = append(p.Entities, e)
		used += len(raw) + 1
		for ; actions < (i+1)*len(b.Actions)/len(b.Entities); actions++ {
			history = append(history, b.Actions[actions].Raw)
			used += len(b.Actions[actions].Raw) + 1
		}
	}
	source := sourcePrefix + b.ExportID + "#" + hex.EncodeToString(sum.Sum(nil)[:6])
	for i := range parts {
		parts[i].Source = source
	}
	return parts, seal(true)
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
