package wire

import (
	"bytes"
	"encoding/json"
	"time"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/domain/plainjson"
)

// Numbers of the names of a frame and of a change.
const (
	nameType = iota
	nameID
	nameExpiresAt
	nameTTLMs
	nameChanges
	nameEntityID
	namePatch
	nameIf
	nameIfRev
	nameData
	nameToken
	nameTrace
)

// readFrame reads a frame that is plain (see plainjson) and in form, without
// encoding/json. typ is the type it must have; if "" the frame says it first.
func readFrame(data []byte, typ string) (f ClientFrame, ok bool) {
	f.Type = typ
	c := plainjson.New(data)
	var seen plainjson.Names
	var one domain.Change
	for c.Open('{'); c.Next('}'); {
		name := c.Name()
		switch {
		case string(name) == "type":
			c.Once(&seen, nameType)
			f.readType(&c, typ)
		case f.Type == "":
			c.GiveUp()
		case f.Type == TypeMutate && readOfChange(&c, name, &one, &seen):
		case !f.readMember(&c, name, &seen):
			c.Raw()
		}
	}
	if !c.Done() {
		return f, false
	}
	switch f.Type {
	case TypeMutate:
		single := seen.Has(nameEntityID) || seen.Has(namePatch) || seen.Has(nameIf) || seen.Has(nameIfRev)
		if single {
			f.Changes = append(f.Changes, one)
		}
		return f, seen.Has(nameID) && single != seen.Has(nameChanges) && (!single || complete(&one, seen))
	case TypeCancel:
		return f, seen.Has(nameID)
	case TypePresence:
		return f, seen.Has(nameData)
	case TypeAuth:
		return f, seen.Has(nameToken)
	}
	return f, f.Type == TypePing
}

// readType takes the type, which is typ unless that is "".
func (f *ClientFrame) readType(c *plainjson.Cursor, typ string) {
	text := c.Text()
	for _, known := range []string{TypeMutate, TypeCancel, TypePresence, TypeAuth, TypePing} {
		if string(text) == known && (typ == "" || typ == known) {
			f.Type = known
			return
		}
	}
	c.GiveUp()
}

// readMember reads the member with the name if it means something in a frame
// of the type, other than in a change.
func (f *ClientFrame) readMember(c *plainjson.Cursor, name []byte, seen *plainjson.Names) bool {
	mutate := f.Type == TypeMutate
	switch string(name) {
	case "clientMutationId":
		if !mutate && f.Type != TypeCancel {
			return false
		}
		c.Once(seen, nameID)
		if f.ID = c.String(); !domain.ValidMutationID(f.ID) {
			c.GiveUp()
		}
	case "expiresAt":
		if !mutate {
			return false
		}
		c.Once(seen, nameExpiresAt)
		if !c.Null() {
			f.readExpiresAt(c)
		}
	case "ttlMs":
		if !mutate {
			return false
		}
		c.Once(seen, nameTTLMs)
		if !c.Null() {
			f.readTTL(c)
		}
	case "traceparent":
		if !mutate {
			return false
		}
		c.Once(seen, nameTrace)
		if c.Peek() != '"' {
			return false
		}
		f.traced(c.String())
	case "changes":
		if !mutate {
			return false
		}
		c.Once(seen, nameChanges)
		f.Changes = readChanges(c)
	case "data":
		if f.Type != TypePresence {
			return false
		}
		c.Once(seen, nameData)
		f.readData(c)
	case "token":
		if f.Type != TypeAuth {
			return false
		}
		c.Once(seen, nameToken)
		f.Token = c.String()
	default:
		return false
	}
	return true
}

func (f *ClientFrame) readExpiresAt(c *plainjson.Cursor) {
	t, ok := expiry(c.String())
	if f.ExpiresAt = t; !ok {
		c.GiveUp()
	}
}

func (f *ClientFrame) readTTL(c *plainjson.Cursor) {
	n := c.Int()
	if n < MinTTLMs || n > MaxTTLMs {
		c.GiveUp()
	}
	f.TTL = time.Duration(n) * time.Millisecond
}

func (f *ClientFrame) readData(c *plainjson.Cursor) {
	var b bytes.Buffer
	if c.Peek() == 'n' || json.Compact(&b, c.Raw()) != nil || b.Len() > MaxPresence {
		c.GiveUp()
	}
	f.Data = b.Bytes()
}

func readChanges(c *plainjson.Cursor) []domain.Change {
	var list []domain.Change
	for c.Open('['); c.Next(']'); {
		var one domain.Change
		var seen plainjson.Names
		for c.Open('{'); c.Next('}'); {
			if name := c.Name(); !readOfChange(c, name, &one, &seen) {
				c.Raw()
			}
		}
		if !complete(&one, seen) || len(list) == MaxChanges {
			c.GiveUp()
		}
		list = append(list, one)
	}
	if len(list) == 0 {
		c.GiveUp()
	}
	return list
}

// readOfChange reads the member with the name if it is one of a change.
func readOfChange(c *plainjson.Cursor, name []byte, to *domain.Change, seen *plainjson.Names) bool {
	switch string(name) {
	case "entityId":
		c.Once(seen, nameEntityID)
		to.EntityID = c.String()
	case "patch":
		c.Once(seen, namePatch)
		to.Patch = domain.ReadPatch(c)
	case "if":
		c.Once(seen, nameIf)
		if !c.Null() {
			to.If = domain.ReadFields(c)
		}
	case "ifRev":
		c.Once(seen, nameIfRev)
		if !c.Null() {
			rev := c.Uint()
			to.IfRev = &rev
		}
	default:
		return false
	}
	return true
}

// complete says whether a change has all it needs.
func complete(c *domain.Change, seen plainjson.Names) bool {
	return c.EntityID != "" && seen.Has(namePatch)
}
