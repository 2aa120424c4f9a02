package domain

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/snapback-io/snapback/domain/plainjson"
)

// DecodeCommand reads what AppendJSON writes, and whatever else encoding/json
// reads as a command.
func DecodeCommand(data []byte) (Command, error) {
	if cmd, ok := readCommand(data); ok {
		return cmd, nil
	}
	var cmd Command
	if err := json.Unmarshal(data, &cmd); err != nil {
		return Command{}, fmt.Errorf("domain: decode command: %w", err)
	}
	return cmd, nil
}

func readCommand(data []byte) (cmd Command, ok bool) {
	c := plainjson.New(data)
	var seen plainjson.Names
	for c.Open('{'); c.Next('}'); {
		readCommandMember(&c, &cmd, c.Name(), &seen)
	}
	return cmd, c.Done()
}

// readCommit reads a commit that is plain.
func readCommit(data []byte) (commit *Commit, ok bool) {
	commit = &Commit{}
	c := plainjson.New(data)
	var seen plainjson.Names
	for c.Open('{'); c.Next('}'); {
		switch string(c.Name()) {
		case "v":
			c.Once(&seen, 0)
			commit.V = int(c.Int())
		case "board":
			c.Once(&seen, 1)
			commit.Board = c.String()
		case "prev":
			c.Once(&seen, 2)
			if text := c.Text(); len(text) != hex.EncodedLen(len(commit.Prev)) {
				c.GiveUp()
			} else if _, err := hex.Decode(commit.Prev[:], text); err != nil {
				c.GiveUp()
			}
		case "at":
			c.Once(&seen, 3)
			commit.At = c.Time()
		case "notAfter":
			c.Once(&seen, 4)
			commit.NotAfter = c.Time()
		case "decisions":
			c.Once(&seen, 5)
			commit.Decisions = make([]Decision, 0, decisionsIn(data))
			for c.Open('['); c.Next(']'); {
				commit.Decisions = append(commit.Decisions, Decision{})
				readDecision(&c, &commit.Decisions[len(commit.Decisions)-1])
			}
		default:
			c.GiveUp()
		}
	}
	return commit, c.Done()
}

// decisionsIn guesses how many decisions a record holds, nearly always rightly.
func decisionsIn(record []byte) int {
	if len(record) < 2*decisionRoom {
		return 1
	}
	return bytes.Count(record, []byte(`"receivedAt":`))
}

func readDecision(c *plainjson.Cursor, d *Decision) {
	var seen plainjson.Names
	for c.Open('{'); c.Next('}'); {
		switch name := c.Name(); string(name) {
		case "at":
			c.Once(&seen, 16)
			d.At = c.Time()
		case "clock":
			c.Once(&seen, 17)
			d.Clock = c.Time()
		case "rev":
			c.Once(&seen, 18)
			d.Rev = c.Uint()
		case "events":
			c.Once(&seen, 19)
			d.Events = []Event{}
			for c.Open('['); c.Next(']'); {
				d.Events = append(d.Events, readEvent(c, d))
			}
		case "rejection":
			c.Once(&seen, 20)
			d.Rejection = readRejection(c)
		default:
			readCommandMember(c, &d.Command, name, &seen)
		}
	}
}

// readCommandMember reads the member of a command that has the name, by numbers below 16.
func readCommandMember(c *plainjson.Cursor, cmd *Command, name []byte, seen *plainjson.Names) {
	switch string(name) {
	case "id":
		c.Once(seen, 0)
		cmd.ID = c.String()
	case "board":
		c.Once(seen, 1)
		cmd.Board = c.String()
	case "op":
		c.Once(seen, 2)
		cmd.Op = Op(c.Word(words, ""))
	case "user":
		c.Once(seen, 3)
		cmd.User = c.String()
	case "name":
		c.Once(seen, 4)
		cmd.Name = c.String()
	case "picture":
		c.Once(seen, 5)
		cmd.Picture = c.String()
	case "session":
		c.Once(seen, 6)
		cmd.Session = c.String()
	case "grant":
		c.Once(seen, 7)
		cmd.Grant = Grant(c.Word(words, ""))
	case "receivedAt":
		c.Once(seen, 8)
		cmd.ReceivedAt = c.Time()
	case "deadline":
		c.Once(seen, 9)
		cmd.Deadline = c.Time()
	case "after":
		c.Once(seen, 10)
		cmd.After = c.String()
	case "also":
		c.Once(seen, 11)
		cmd.Also = onlyStrings(c)
	case "changes":
		c.Once(seen, 12)
		cmd.Changes = []Change{}
		for c.Open('['); c.Next(']'); {
			cmd.Changes = append(cmd.Changes, readChange(c))
		}
	case "import":
		c.Once(seen, 13)
		cmd.Import = &Import{}
		readObject(c, cmd.Import)
	default:
		c.GiveUp()
	}
}

// readObject has encoding/json read an object.
func readObject(c *plainjson.Cursor, to any) {
	if c.Peek() != '{' || json.Unmarshal(c.Raw(), to) != nil {
		c.GiveUp()
	}
}

// onlyStrings reads a list of strings.
func onlyStrings(c *plainjson.Cursor) []string {
	list, ok := readStrings(c)
	if !ok {
		c.GiveUp()
	}
	return list
}

func readChange(c *plainjson.Cursor) (change Change) {
	var seen plainjson.Names
	for c.Open('{'); c.Next('}'); {
		switch string(c.Name()) {
		case "entityId":
			c.Once(&seen, 0)
			change.EntityID = c.String()
		case "patch":
			c.Once(&seen, 1)
			change.Patch = ReadPatch(c)
		case "if":
			c.Once(&seen, 2)
			change.If = ReadFields(c)
		case "ifRev":
			c.Once(&seen, 3)
			rev := c.Uint()
			change.IfRev = &rev
		case "toggle":
			c.Once(&seen, 4)
			change.Toggle = c.Bool()
		case "content":
			c.Once(&seen, 5)
			change.Content = &Content{}
			readObject(c, change.Content)
		default:
			c.GiveUp()
		}
	}
	return change
}

// readEvent reads an event of d, likely on the entity of its first change.
func readEvent(c *plainjson.Cursor, d *Decision) (e Event) {
	asked := ""
	if len(d.Changes) > 0 {
		asked = d.Changes[0].EntityID
	}
	var seen plainjson.Names
	for c.Open('{'); c.Next('}'); {
		switch string(c.Name()) {
		case "type":
			c.Once(&seen, 0)
			e.Type = c.Word(words, "")
		case "v":
			c.Once(&seen, 1)
			e.V = int(c.Int())
		case "rev":
			c.Once(&seen, 2)
			e.Rev = c.Uint()
		case "entityId":
			c.Once(&seen, 3)
			e.EntityID = c.Word(nil, asked)
		case "kind":
			c.Once(&seen, 4)
			e.Kind = Kind(c.Word(words, ""))
		case "before":
			c.Once(&seen, 5)
			e.Before = ReadFields(c)
		case "after":
			c.Once(&seen, 6)
			e.After = ReadFields(c)
		case "added":
			c.Once(&seen, 7)
			e.Added = readSets(c)
		case "removed":
			c.Once(&seen, 8)
			e.Removed = readSets(c)
		case "gone":
			c.Once(&seen, 9)
			e.Gone = readGone(c)
		case "positions":
			c.Once(&seen, 10)
			e.Positions = readPositions(c)
		case "origin":
			c.Once(&seen, 11)
			e.Origin = readOrigin(c)
		default:
			c.GiveUp()
		}
	}
	return e
}

func readSets(c *plainjson.Cursor) map[string][]string {
	out := map[string][]string{}
	for c.Open('{'); c.Next('}'); {
		name := words.Of(c.Name())
		out[name] = onlyStrings(c)
	}
	return out
}

func readGone(c *plainjson.Cursor) map[Kind]int {
	out := map[Kind]int{}
	for c.Open('{'); c.Next('}'); {
		kind := Kind(words.Of(c.Name()))
		out[kind] = int(c.Int())
	}
	return out
}

func readPositions(c *plainjson.Cursor) map[string][2]string {
	out := map[string][2]string{}
	for c.Open('{'); c.Next('}'); {
		id := string(c.Name())
		keys := onlyStrings(c)
		if len(keys) != 2 {
			c.GiveUp()
			return nil
		}
		out[id] = [2]string(keys)
	}
	return out
}

func readOrigin(c *plainjson.Cursor) *Origin {
	o := &Origin{}
	var seen plainjson.Names
	for c.Open('{'); c.Next('}'); {
		switch string(c.Name()) {
		case "createdAt":
			c.Once(&seen, 0)
			o.CreatedAt = c.Time()
		case "createdBy":
			c.Once(&seen, 1)
			o.CreatedBy = c.String()
		case "updatedAt":
			c.Once(&seen, 2)
			o.UpdatedAt = c.Time()
		case "updatedBy":
			c.Once(&seen, 3)
			o.UpdatedBy = c.Word(nil, o.CreatedBy)
		default:
			c.GiveUp()
		}
	}
	return o
}

func readRejection(c *plainjson.Cursor) *Rejection {
	r := &Rejection{}
	var seen plainjson.Names
	for c.Open('{'); c.Next('}'); {
		switch string(c.Name()) {
		case "code":
			c.Once(&seen, 0)
			r.Code = Code(c.Word(words, ""))
		case "reason":
			c.Once(&seen, 1)
			r.Reason = c.String()
		case "details":
			c.Once(&seen, 2)
			r.Details = Details{}
			for c.Open('{'); c.Next('}'); {
				name := words.Of(c.Name())
				r.Details[name] = readDetail(c)
			}
		default:
			c.GiveUp()
		}
	}
	return r
}

func readDetail(c *plainjson.Cursor) any {
	switch b := c.Peek(); {
	case b == '"':
		return c.Word(words, "")
	case b >= '0' && b <= '9':
		return float64(c.Uint())
	}
	return decodeDetail(bytes.Clone(c.Raw()))
}
