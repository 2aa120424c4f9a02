package main

import (
	"errors"
	"fmt"
	"net"
	"regexp"
	"strings"

	"github.com/snapback-io/snapback/eventlog/natsd"
)

// clustered says whether the embedded server is a node of a cluster.
func (c *serveCmd) clustered() bool { return c.ClusterAddr != "" }

// copies is how many of each stream a cluster keeps unless --replicas says otherwise.
const copies = 3

// replicas is how many copies of each stream a new log has.
func (c *serveCmd) replicas() int {
	switch {
	case c.Replicas != 0:
		return c.Replicas
	case c.clustered() || strings.Contains(c.NATSURL, ","):
		return copies
	}
	return 1
}

// cluster is the embedded server's place among the others, nil: it is alone.
func (c *serveCmd) cluster() *natsd.Cluster {
	if !c.clustered() {
		return nil
	}
	place := &natsd.Cluster{Name: c.ClusterName, Node: c.Node, Listen: c.ClusterAddr}
	for _, peer := range c.ClusterPeers {
		place.Routes = append(place.Routes, "nats://"+peer)
	}
	return place
}

// nodeName is what a node and a cluster may be called.
var nodeName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// checkCluster says what is wrong with the flags of a cluster.
func (c *serveCmd) checkCluster() error {
	if c.Node != "" && !nodeName.MatchString(c.Node) {
		return fmt.Errorf("--node=%s: it is 1 to 64 of letters, digits, _ and -", c.Node)
	}
	if !c.clustered() {
		if len(c.ClusterPeers) > 0 {
			return errors.New("--cluster-peers: they need --cluster-addr")
		}
		return nil
	}
	switch {
	case c.NATSURL != "":
		return errors.New("--cluster-addr: beside --nats-url there is no embedded server to be part of a cluster")
	case c.Node == "":
		return errors.New("--node: a node of a cluster needs a name that it keeps over restarts")
	case !nodeName.MatchString(c.ClusterName):
		return fmt.Errorf("--cluster-name=%s: it is 1 to 64 of letters, digits, _ and -", c.ClusterName)
	case len(c.ClusterPeers) < copies:
		return fmt.Errorf("--cluster-peers=%s: it names all nodes, %d or more", strings.Join(c.ClusterPeers, ","), copies)
	}
	for _, addr := range append([]string{c.ClusterAddr}, c.ClusterPeers...) {
		if host, port, err := net.SplitHostPort(addr); err != nil || host == "" || port == "" || port == "0" {
			return fmt.Errorf("--cluster-addr, --cluster-peers: %s is not HOST:PORT", addr)
		}
	}
	return nil
}
