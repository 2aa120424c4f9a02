package trello

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
)

var objectID = regexp.MustCompile(`^[0-9a-f]{24}$`)

// Read decodes an export as it streams in: one list, card or action is in
// memory as text at a time, whatever the size of the file. It fails on what is
// cut off, is not JSON, or is not a board.
func Read(r io.Reader) (*Export, error) {
	buffered := bufio.NewReaderSize(r, 1<<16)
	if bom, _ := buffered.Peek(3); bytes.Equal(bom, []byte("\xef\xbb\xbf")) {
		_, _ = buffered.Discard(3)
	}
	if head, _ := buffered.Peek(2); bytes.HasPrefix(head, []byte("PK")) {
		return nil, errors.New("this is a ZIP archive: unpack it, the board is the .json file inside")
	}
	dec := json.NewDecoder(buffered)
	if token, err := dec.Token(); err != nil || token != json.Delim('{') {
		return nil, errors.New("not a Trello board export: it is not a JSON object (in Trello choose Print, export and share, Export as JSON)")
	}
	x := &Export{Rest: map[string]int{}}
	seen := map[string]bool{}
	for dec.More() {
		token, err := dec.Token()
		if err != nil {
			return nil, atOffset(dec, err)
		}
		name, _ := token.(string)
		seen[name] = true
		if err := x.readField(dec, name); err != nil {
			return nil, atOffset(dec, fmt.Errorf("%s: %w", name, err))
		}
	}
	if _, err := dec.Token(); err != nil {
		return nil, atOffset(dec, err)
	}
	for _, name := range []string{"id", "name", "lists", "cards"} {
		if !seen[name] {
			return nil, fmt.Errorf("not a Trello board export: it has no %q", name)
		}
	}
	if !objectID.MatchString(x.ID) {
		return nil, fmt.Errorf("not a Trello board export: its id %q is not 24 hex digits", shorten(x.ID))
	}
	return x, nil
}

func atOffset(dec *json.Decoder, err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("the file is cut off after byte %d", dec.InputOffset())
	}
	return fmt.Errorf("near byte %d: %w", dec.InputOffset(), err)
}

func (x *Export) readField(dec *json.Decoder, name string) error {
	switch name {
	case "lists":
		return readArray(dec, x.Rest, "list", &x.Lists)
	case "cards":
		return readArray(dec, x.Rest, "card", &x.Cards)
	case "labels":
		return readArray(dec, x.Rest, "label", &x.Labels)
	case "members":
		return readArray(dec, x.Rest, "member", &x.Members)
	case "memberships":
		return readArray(dec, x.Rest, "membership", &x.Memberships)
	case "checklists":
		return readArray(dec, x.Rest, "checklist", &x.Checklists)
	case "customFields":
		return readArray(dec, x.Rest, "customField", &x.CustomFields)
	case "actions":
		return x.readActions(dec)
	case "pluginData":
		return x.readPluginData(dec)
	}
	var raw json.RawMessage
	if err := dec.Decode(&raw); err != nil {
		return err
	}
	if !slices.Contains(boardKeys, name) {
		x.count("board."+name, raw)
		return nil
	}
	return json.Unmarshal([]byte(`{"`+name+`":`+string(raw)+`}`), x)
}

var boardKeys = []string{"id", "name", "desc", "closed", "idMemberCreator", "dateLastActivity", "prefs"}

func readArray[T any](dec *json.Decoder, rest map[string]int, object string, into *[]T) error {
	return eachElement(dec, func(raw json.RawMessage) error {
		var v T
		if err := json.Unmarshal(raw, &v); err != nil {
			return fmt.Errorf("number %d: %w", len(*into)+1, err)
		}
		*into = append(*into, v)
		return countRest(rest, object, raw)
	})
}

func (x *Export) readActions(dec *json.Decoder) error {
	return eachElement(dec, func(raw json.RawMessage) error {
		var a Action
		if json.Unmarshal(raw, &a) != nil {
			// A kind of action with a shape of its own: history, nothing the board needs.
			a = Action{Type: "unknown"}
		}
		var compact bytes.Buffer
		if err := json.Compact(&compact, raw); err != nil {
			return err
		}
		a.Raw = compact.Bytes()
		x.Actions = append(x.Actions, a)
		return nil
	})
}

// eachElement calls fn for each element of the array that comes next; null is
// an empty array.
func eachElement(dec *json.Decoder, fn func(json.RawMessage) error) error {
	token, err := dec.Token()
	if err != nil {
		return err
	}
	if token == nil {
		return nil
	}
	if token != json.Delim('[') {
		return errors.New("not an array")
	}
	for dec.More() {
		var raw json.RawMessage
		if err := dec.Decode(&raw); err != nil {
			return err
		}
		if err := fn(raw); err != nil {
			return err
		}
	}
	_, err = dec.Token()
	return err
}

// countRest counts the keys of an object that hold something and that this
// package neither reads nor knows to be Trello's own bookkeeping.
func countRest(rest map[string]int, object string, raw []byte) error {
	var keys map[string]json.RawMessage
	if err := json.Unmarshal(raw, &keys); err != nil {
		return err
	}
	x := Export{Rest: rest}
	for key, v := range keys {
		if !readKeys[object][key] {
			x.count(object+"."+key, v)
		}
		if object == "checklist" && key == "checkItems" {
			var items []json.RawMessage
			if err := json.Unmarshal(v, &items); err != nil {
				return err
			}
			for _, item := range items {
				if err := countRest(rest, "item", item); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// count notes that name was met with this value: once for each element of an
// array, not at all when the value is empty.
func (x *Export) count(name string, raw json.RawMessage) {
	if bookkeeping[name] {
		return
	}
	switch string(bytes.TrimSpace(raw)) {
	case "null", "false", `""`, "[]", "{}", "0", "-1":
		return
	}
	n := 1
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) == nil {
		n = len(list)
	}
	if n > 0 {
		x.Rest[name] += n
	}
}
