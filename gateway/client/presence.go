package client

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/snapback-io/snapback/gateway/wire"
)

// Presence tells the others on the board something passing (where your cursor
// is); data encodes to at most 1 KiB of JSON. Later data replaces earlier, ten
// times a second at most; a new connection sends it again.
func (c *Client) Presence(data any) error {
	raw, err := json.Marshal(data)
	if err != nil {
		return err
	}
	if len(raw) > wire.MaxPresence {
		return fmt.Errorf("client: presence of %d bytes, %d are allowed", len(raw), wire.MaxPresence)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.presence = raw
	c.kick()
	return nil
}

// Peers gives everybody else on the board, by session.
func (c *Client) Peers() []Peer {
	c.mu.Lock()
	defer c.mu.Unlock()
	return sortedPeers(c.peers)
}

func sortedPeers(m map[string]Peer) []Peer {
	return slices.SortedFunc(maps.Values(m), func(a, b Peer) int { return cmp.Compare(a.Session, b.Session) })
}

// setPeers replaces the peers; m is the Client's from now on.
func (c *Client) setPeers(m map[string]Peer) {
	if len(c.peers) == 0 && len(m) == 0 {
		return
	}
	c.peers = m
	list := sortedPeers(m)
	c.tell(func() { each(&c.listeners, c.listeners.onPresent, everybody, func(fn func([]Peer)) { fn(list) }) })
}

func (l *link) peer(f wire.Presence) error {
	next := maps.Clone(l.c.peers)
	if len(f.Data) == 0 || string(f.Data) == "null" {
		delete(next, f.Session)
	} else {
		next[f.Session] = Peer{f.Session, f.User, f.Name, f.Picture, f.Data}
	}
	l.c.setPeers(next)
	return nil
}
