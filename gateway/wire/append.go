package wire

import (
	"strconv"

	"github.com/snapback-io/snapback/domain/plainjson"
)

// AppendSync appends a [Sync] frame as json.Marshal writes it. entity is what
// domain.Entity.AppendJSONFor wrote: compact, with <, > and & escaped.
func AppendSync(dst []byte, rev uint64, entity []byte, by, event string, more bool) []byte {
	dst = append(dst, `{"type":"sync","rev":`...)
	dst = strconv.AppendUint(dst, rev, 10)
	dst = append(dst, `,"entity":`...)
	if entity == nil {
		dst = append(dst, "null"...)
	}
	dst = append(dst, entity...)
	if by != "" {
		dst = append(dst, `,"by":`...)
		dst = plainjson.AppendString(dst, by, plainjson.HTML)
	}
	if event != "" {
		dst = append(dst, `,"event":`...)
		dst = plainjson.AppendString(dst, event, plainjson.HTML)
	}
	if more {
		dst = append(dst, `,"more":true`...)
	}
	return append(dst, '}')
}

// AppendAck appends an [Ack] frame as json.Marshal writes it.
func AppendAck(dst []byte, id string, rev uint64, events int) []byte {
	dst = append(dst, `{"type":"ack","clientMutationId":`...)
	dst = plainjson.AppendString(dst, id, plainjson.HTML)
	dst = append(dst, `,"rev":`...)
	dst = strconv.AppendUint(dst, rev, 10)
	dst = append(dst, `,"events":`...)
	dst = strconv.AppendInt(dst, int64(events), 10)
	return append(dst, '}')
}
