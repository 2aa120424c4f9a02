package natsd

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net"
	"net/url"
	"sync"
	"time"
)

// NameError says that another node has the name already.
type NameError struct {
	Name, Addr string // where the other listens
}

func (e *NameError) Error() string {
	return fmt.Sprintf("natsd: the node at %s is called %s already", e.Addr, e.Name)
}

const (
	lookTimeout = time.Second // for one node to say its name
	maxInfo     = 64 << 10    // bytes that it may need
)

// nameIsFree asks the nodes that are there what they are called, before this one
// listens. nats-server turns a second node of a name away, too, but only after it
// has taken its votes: an empty one with the name of another could have the
// cluster forget what the other has stored.
func (c *Cluster) nameIsFree() error {
	var asking sync.WaitGroup
	taken := make([]error, len(c.Routes))
	for i, route := range c.Routes {
		asking.Go(func() {
			u, err := url.Parse(route)
			if err == nil && c.nameAt(u.Host) == c.Node {
				taken[i] = &NameError{c.Node, u.Host}
			}
		})
	}
	asking.Wait()
	for _, err := range taken {
		if err != nil {
			return err
		}
	}
	return nil
}

// nameAt is what the server that listens for routes at addr says its name is, ""
// if there is none: nats-server says it first, before it asks who connects.
func (c *Cluster) nameAt(addr string) string {
	conn, err := net.DialTimeout("tcp", addr, lookTimeout)
	if err != nil {
		return ""
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(lookTimeout)); err != nil {
		return ""
	}
	if c.TLS != nil {
		config := c.TLS.Clone()
		config.ServerName, _, _ = net.SplitHostPort(addr)
		conn = tls.Client(conn, config)
	}
	line, err := bufio.NewReaderSize(conn, maxInfo).ReadSlice('\n')
	text, ok := bytes.CutPrefix(line, []byte("INFO "))
	var info struct {
		Name string `json:"server_name"`
	}
	if err != nil || !ok || json.Unmarshal(text, &info) != nil {
		return ""
	}
	return info.Name
}
