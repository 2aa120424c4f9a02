package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"regexp"
	"strings"

	"github.com/snapback-io/snapback/eventlog/natsd"
)

// clustered says whether the embedded server is a node of a cluster.
func (c *serveCmd) clustered() bool { return c.ClusterAddr != "" }

// shared says whether the log may have other nodes than this one.
func (c *serveCmd) shared() bool { return c.clustered() || c.NATSURL != "" }

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
func (c *serveCmd) cluster() (*natsd.Cluster, error) {
	if !c.clustered() {
		return nil, nil
	}
	place := &natsd.Cluster{Name: c.ClusterName, Node: c.Node, Listen: c.ClusterAddr}
	for _, peer := range c.ClusterPeers {
		place.Routes = append(place.Routes, "nats://"+peer)
	}
	var err error
	if place.Secret, err = c.clusterSecret(); err != nil {
		return nil, err
	}
	place.TLS, err = c.clusterTLS()
	return place, err
}

// minSecret is how long a secret between nodes is at least, bytes.
const minSecret = 16

// clusterSecret reads --cluster-secret, "" without one.
func (c *serveCmd) clusterSecret() (string, error) {
	if c.ClusterSecret == "" {
		return "", nil
	}
	text, err := os.ReadFile(c.ClusterSecret)
	if errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("--cluster-secret=%s: no such file (`snapback keygen FILE` makes one)", c.ClusterSecret)
	}
	if err != nil {
		return "", fmt.Errorf("--cluster-secret=%s: %w", c.ClusterSecret, fileFault(err))
	}
	secret := strings.TrimSpace(string(text))
	if len(secret) < minSecret {
		return "", fmt.Errorf("--cluster-secret=%s: %d bytes, %d or more are needed", c.ClusterSecret, len(secret), minSecret)
	}
	return secret, nil
}

// clusterTLS reads --cluster-cert, --cluster-key and --cluster-ca, nil without them.
func (c *serveCmd) clusterTLS() (*tls.Config, error) {
	if c.ClusterCert == "" && c.ClusterKey == "" && c.ClusterCA == "" {
		return nil, nil
	}
	if c.ClusterCert == "" || c.ClusterKey == "" || c.ClusterCA == "" {
		return nil, errors.New("--cluster-cert, --cluster-key, --cluster-ca: one needs the others")
	}
	pair, err := tls.LoadX509KeyPair(c.ClusterCert, c.ClusterKey)
	if err != nil {
		return nil, fmt.Errorf("--cluster-cert=%s, --cluster-key=%s: %w", c.ClusterCert, c.ClusterKey, err)
	}
	text, err := os.ReadFile(c.ClusterCA)
	if err != nil {
		return nil, fmt.Errorf("--cluster-ca=%s: %w", c.ClusterCA, fileFault(err))
	}
	authorities := x509.NewCertPool()
	if !authorities.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("--cluster-ca=%s: no certificate in PEM", c.ClusterCA)
	}
	return &tls.Config{Certificates: []tls.Certificate{pair}, RootCAs: authorities, MinVersion: tls.VersionTLS12}, nil
}

// nodeName is what a node and a cluster may be called.
var nodeName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// checkCluster says what is wrong with the flags of a cluster.
func (c *serveCmd) checkCluster() error {
	if c.Node != "" && !nodeName.MatchString(c.Node) {
		return fmt.Errorf("--node=%s: it is 1 to 64 of letters, digits, _ and -", c.Node)
	}
	if !c.clustered() {
		if len(c.ClusterPeers) > 0 || c.ClusterSecret+c.ClusterCert+c.ClusterKey+c.ClusterCA != "" {
			return errors.New("--cluster-peers, --cluster-secret, --cluster-cert, --cluster-key, --cluster-ca: they need --cluster-addr")
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
	if _, err := c.cluster(); err != nil || c.ClusterSecret != "" || c.InsecureOpen {
		return err
	}
	return loopbackOnly("--cluster-addr", c.ClusterAddr, "who could then read and write everything: "+
		"give what the nodes know each other by (--cluster-secret FILE, the same on every node; `snapback keygen FILE` makes one)")
}
