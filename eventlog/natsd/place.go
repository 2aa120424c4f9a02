package natsd

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// ErrAlone: the store directory has the log of a server that was alone, which a
// cluster would not take over but delete.
var ErrAlone = errors.New("natsd: the store directory is that of a server that was alone")

// PlaceError says that the store directory is that of another node.
type PlaceError struct {
	Cluster, Node string // whose it is
}

func (e *PlaceError) Error() string {
	return fmt.Sprintf("natsd: the store directory is that of node %s of cluster %s", e.Node, e.Cluster)
}

// placeFile says of which node of which cluster a store directory is. That of
// a server that is alone has none.
const placeFile = "NODE"

// place is what a placeFile holds.
type place struct {
	Cluster string `json:"cluster"`
	Node    string `json:"node"`
}

// takePlace refuses a store directory that is not the node's (PlaceError), nor
// that of a server that is alone if c is nil, and notes whose a new one is. Two
// nodes that swapped theirs would each answer for what the other has stored.
func takePlace(dir string, c *Cluster) error {
	text, err := os.ReadFile(filepath.Join(dir, placeFile))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if c == nil {
			return nil
		}
		if wasAlone(dir) {
			return ErrAlone
		}
		return notePlace(dir, place{c.Name, c.Node})
	case err != nil:
		return fmt.Errorf("natsd: %w", err)
	}
	var whose place
	if err := json.Unmarshal(text, &whose); err != nil {
		return fmt.Errorf("natsd: %s: %w", filepath.Join(dir, placeFile), err)
	}
	if c == nil || whose != (place{c.Name, c.Node}) {
		return &PlaceError{whose.Cluster, whose.Node}
	}
	return nil
}

// wasAlone says whether there are streams and no sign of a cluster: a clustered
// nats-server deletes streams that the cluster does not know, 30 s after its start.
func wasAlone(dir string) bool {
	store := filepath.Join(dir, "jetstream")
	if _, err := os.Stat(filepath.Join(store, "$SYS", "_js_", "_meta_")); err == nil {
		return false
	}
	streams, err := filepath.Glob(filepath.Join(store, "*", "streams", "*"))
	return err != nil || len(streams) > 0
}

func notePlace(dir string, p place) error {
	text, err := json.Marshal(p)
	if err != nil {
		return err
	}
	file := filepath.Join(dir, placeFile)
	f, err := os.OpenFile(file+".new", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("natsd: %w", err)
	}
	_, err = f.Write(append(text, '\n'))
	err = errors.Join(err, f.Sync(), f.Close()) // after a power cut it is whole or not there
	if err == nil {
		err = os.Rename(file+".new", file)
	}
	if err != nil {
		return fmt.Errorf("natsd: %w", err)
	}
	return nil
}
