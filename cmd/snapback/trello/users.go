package trello

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// ReadUsers reads which user a Trello username stands for. The file is either
// a JSON object, {"alice77":"alice@example.com"}, or CSV with two columns, the
// Trello username and the user; empty lines and lines that start with # are
// skipped. A leading @ of a username is dropped.
func ReadUsers(r io.Reader) (map[string]string, error) {
	data, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	users := map[string]string{}
	put := func(where, name, user string) error {
		name, user = strings.TrimPrefix(strings.TrimSpace(name), "@"), strings.TrimSpace(user)
		switch {
		case name == "" || user == "":
			return fmt.Errorf("%s: a Trello username and a user are needed", where)
		case len(user) > 255:
			return fmt.Errorf("%s: a user has at most 255 bytes", where)
		case users[name] != "" && users[name] != user:
			return fmt.Errorf("%s: %s stands for two users, %s and %s", where, name, users[name], user)
		}
		users[name] = user
		return nil
	}
	if head := bytes.TrimSpace(data); len(head) > 0 && head[0] == '{' {
		return users, readJSONUsers(head, put)
	}
	lines := csv.NewReader(bytes.NewReader(data))
	lines.Comment, lines.FieldsPerRecord, lines.TrimLeadingSpace = '#', -1, true
	for {
		fields, err := lines.Read()
		if errors.Is(err, io.EOF) {
			return users, nil
		}
		if err != nil {
			return nil, err
		}
		line, _ := lines.FieldPos(0)
		if len(fields) != 2 {
			return nil, fmt.Errorf("line %d: %d columns, not 2 (Trello username, user)", line, len(fields))
		}
		if err := put(fmt.Sprintf("line %d", line), fields[0], fields[1]); err != nil {
			return nil, err
		}
	}
}

func readJSONUsers(data []byte, put func(where, name, user string) error) error {
	var object map[string]string
	if err := json.Unmarshal(data, &object); err != nil {
		return fmt.Errorf("not a JSON object of strings: %w", err)
	}
	for name, user := range object {
		if err := put(name, name, user); err != nil {
			return err
		}
	}
	return nil
}
