package domain

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"

	"github.com/snapback-io/snapback/domain/plainjson"
)

// AppendJSON appends what json.Marshal writes of the command.
func (c *Command) AppendJSON(dst []byte) ([]byte, error) {
	w := encoder{buf: append(dst, '{'), esc: plainjson.HTML}
	w.command(c)
	w.byte('}')
	if w.err == nil {
		return w.buf, nil
	}
	raw, err := json.Marshal(c)
	return append(dst, raw...), err
}

// AppendJSON appends what json.Marshal writes of the decision.
func (d *Decision) AppendJSON(dst []byte) ([]byte, error) {
	w := encoder{buf: dst, esc: plainjson.HTML}
	w.decision(d)
	if w.err == nil {
		return w.buf, nil
	}
	raw, err := json.Marshal(d)
	return append(dst, raw...), err
}

// Guesses at the bytes of records, for buffers that need not grow.
const (
	commitRoom   = 224
	decisionRoom = 288
	eventRoom    = 160
	changeRoom   = 64
	memberRoom   = 16 // beside name and text
)

func (c *Commit) room() int {
	n := commitRoom
	for i := range c.Decisions {
		d := &c.Decisions[i]
		n += decisionRoom + eventRoom*len(d.Events)
		if d.Rejection == nil {
			n += 2 * d.Command.room() // asked, and done
		} else {
			n += d.Command.room()
		}
	}
	return n
}

// room is that of the changes.
func (c *Command) room() int {
	n := 0
	for i := range c.Changes {
		n += changeRoom + roomOf(c.Changes[i].Patch)
	}
	return n
}

func roomOf(fields map[string]any) int {
	n := 0
	for name, v := range fields {
		text, _ := v.(string)
		n += memberRoom + len(name) + len(text) + len(text)/16
	}
	return n
}

func (w *encoder) commit(c *Commit) {
	w.raw(`{"v":`)
	w.int(int64(c.V))
	w.name("board")
	w.string(c.Board)
	w.raw(`,"prev":"`)
	w.buf = hex.AppendEncode(w.buf, c.Prev[:])
	w.raw(`","at":`)
	w.time(c.At)
	if !c.NotAfter.IsZero() {
		w.name("notAfter")
		w.time(c.NotAfter)
	}
	w.raw(`,"decisions":`)
	if c.Decisions == nil {
		w.raw("null")
	} else {
		w.byte('[')
		for i := range c.Decisions {
			w.comma('[')
			w.decision(&c.Decisions[i])
		}
		w.byte(']')
	}
	if c.Moved != nil {
		w.raw(`,"moved":{"generation":`)
		w.int(int64(c.Moved.Generation))
		w.raw(`,"shard":`)
		w.int(int64(c.Moved.Shard))
		w.byte('}')
	}
	w.byte('}')
}

func (w *encoder) decision(d *Decision) {
	w.byte('{')
	w.command(&d.Command)
	w.name("at")
	w.time(d.At)
	if !d.Clock.IsZero() {
		w.name("clock")
		w.time(d.Clock)
	}
	w.name("rev")
	w.uint(d.Rev)
	if len(d.Events) > 0 {
		w.raw(`,"events":[`)
		for i := range d.Events {
			w.comma('[')
			w.event(&d.Events[i])
		}
		w.byte(']')
	}
	if d.Rejection != nil {
		w.name("rejection")
		w.rejection(d.Rejection)
	}
	w.byte('}')
}

// command writes the members of a command.
func (w *encoder) command(c *Command) {
	w.name("id")
	w.string(c.ID)
	w.optional("board", c.Board)
	w.name("op")
	w.string(string(c.Op))
	w.name("user")
	w.string(c.User)
	w.optional("name", c.Name)
	w.optional("picture", c.Picture)
	w.optional("session", c.Session)
	w.optional("grant", string(c.Grant))
	w.name("receivedAt")
	w.time(c.ReceivedAt)
	w.name("deadline")
	w.time(c.Deadline)
	w.optional("after", c.After)
	if len(c.Also) > 0 {
		w.name("also")
		w.strings(c.Also)
	}
	if len(c.Changes) > 0 {
		w.raw(`,"changes":[`)
		for i := range c.Changes {
			w.comma('[')
			w.change(&c.Changes[i], false)
		}
		w.byte(']')
	}
	if c.Import != nil {
		w.name("import")
		w.library(c.Import)
	}
}

func (w *encoder) change(c *Change, asked bool) {
	w.raw(`{"entityId":`)
	w.string(c.EntityID)
	w.raw(`,"patch":`)
	w.fields(c.Patch)
	if len(c.If) > 0 {
		w.name("if")
		w.fields(c.If)
	}
	if c.IfRev != nil {
		w.name("ifRev")
		w.uint(*c.IfRev)
	}
	if c.Toggle {
		w.raw(`,"toggle":true`)
	}
	if c.Content != nil {
		w.name("content")
		w.content(c.Content, asked)
	}
	w.byte('}')
}

// content writes what an upload stored; asked leaves out where its bytes lie,
// as contentHash had it from the first version on.
func (w *encoder) content(c *Content, asked bool) {
	w.byte('{')
	if asked {
		w.raw(`"object":""`)
	} else {
		w.optional("object", c.Object)
	}
	w.name("size")
	w.int(c.Size)
	w.name("contentType")
	w.string(c.ContentType)
	w.name("sha256")
	w.string(c.SHA256)
	w.byte('}')
}

func (w *encoder) event(e *Event) {
	w.raw(`{"type":`)
	w.string(e.Type)
	w.name("v")
	w.int(int64(e.V))
	w.name("rev")
	w.uint(e.Rev)
	w.name("entityId")
	w.string(e.EntityID)
	w.optional("kind", string(e.Kind))
	if len(e.Before) > 0 {
		w.name("before")
		w.fields(e.Before)
	}
	if len(e.After) > 0 {
		w.name("after")
		w.fields(e.After)
	}
	w.sets("added", e.Added)
	w.sets("removed", e.Removed)
	if len(e.Gone) > 0 {
		w.gone(e.Gone)
	}
	if len(e.Positions) > 0 {
		w.positions(e.Positions)
	}
	if o := e.Origin; o != nil {
		w.raw(`,"origin":{"createdAt":`)
		w.time(o.CreatedAt)
		w.name("createdBy")
		w.string(o.CreatedBy)
		w.name("updatedAt")
		w.time(o.UpdatedAt)
		w.name("updatedBy")
		w.string(o.UpdatedBy)
		w.byte('}')
	}
	w.byte('}')
}

func (w *encoder) sets(name string, of map[string][]string) {
	if len(of) == 0 {
		return
	}
	var room [maxSorted]string
	w.name(name)
	w.byte('{')
	for _, k := range sortedKeys(room[:0], of) {
		w.key(k)
		w.strings(of[k])
	}
	w.byte('}')
}

func (w *encoder) gone(of map[Kind]int) {
	var room [maxSorted]Kind
	w.raw(`,"gone":{`)
	for _, k := range sortedKeys(room[:0], of) {
		w.key(string(k))
		w.int(int64(of[k]))
	}
	w.byte('}')
}

func (w *encoder) positions(of map[string][2]string) {
	w.raw(`,"positions":{`)
	for _, k := range sortedKeys(make([]string, 0, len(of)), of) {
		keys := of[k]
		w.key(k)
		w.strings(keys[:])
	}
	w.byte('}')
}

// sortedKeys appends the keys of m to room, in order.
func sortedKeys[K ~string, V any](room []K, m map[K]V) []K {
	for k := range m {
		room = append(room, k)
	}
	if len(room) > 1 {
		slices.Sort(room)
	}
	return room
}

func (w *encoder) rejection(r *Rejection) {
	w.raw(`{"code":`)
	w.string(string(r.Code))
	w.name("reason")
	w.string(r.Reason)
	if len(r.Details) > 0 {
		w.name("details")
		w.fields(r.Details)
	}
	w.byte('}')
}

// contentHash is that of ContentHash for a command that asks for something.
func (c *Command) contentHash() string {
	w := encoder{buf: append(make([]byte, 0, changeRoom+c.room()), `{"op":`...), esc: plainjson.HTML}
	w.string(string(c.Op))
	w.raw(`,"changes":`)
	if c.Changes == nil {
		w.raw("null")
	} else {
		w.byte('[')
		for i := range c.Changes {
			w.comma('[')
			w.change(&c.Changes[i], true)
		}
		w.byte(']')
	}
	w.raw(`,"import":`)
	if c.Import == nil {
		w.raw("null")
	} else {
		w.library(c.Import)
	}
	w.byte('}')
	if w.err != nil { // cannot happen: every part came from JSON
		return "unencodable"
	}
	sum := sha256.Sum256(w.buf)
	var text [2 * sha256.Size]byte
	return string(hex.AppendEncode(text[:0], sum[:]))
}
