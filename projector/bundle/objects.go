package bundle

import (
	"crypto/sha256"
	"encoding/hex"

	"github.com/snapback-io/snapback/domain"
)

// Object is a file's bytes as an event names them.
type Object struct {
	Name   string
	SHA256 string // hex
	Size   int64  // bytes
}

// Objects are the objects that the events of a record name. A record that is
// void, or cannot be read, names none.
func (r *Record) Objects() (list []Object) {
	c, _, err := domain.DecodeCommit(r.Data)
	if err != nil || c.VoidAt(r.Time) {
		return nil
	}
	for i := range c.Decisions {
		for j := range c.Decisions[i].Events {
			after := c.Decisions[i].Events[j].After
			if name := after.String("object"); name != "" {
				list = append(list, Object{name, after.String("sha256"), after.Int("size")})
			}
		}
	}
	return list
}

// isSum says whether s is a SHA-256 in lower-case hex, and so may name a file.
func isSum(s string) bool {
	raw, err := hex.DecodeString(s)
	return err == nil && len(raw) == sha256.Size && hex.EncodeToString(raw) == s
}
