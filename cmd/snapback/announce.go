package main

import (
	"net"
	"net/url"
	"strings"
)

// announce says at start-up what an operator wants to know, where it serves last.
func (n *node) announce() {
	n.caution()
	mode := "auth"
	if n.openMode() {
		mode = "open"
	}
	var where []any
	if n.listener != nil {
		where = append(where, "url", httpURL(n.Addr, n.listener.Addr()), "mode", mode)
	}
	if len(n.Roles) == 1 {
		where = append(where, "role", n.Roles[0])
	}
	if n.Node != "" {
		where = append(where, "node", n.Node)
	}
	if n.admin != nil {
		where = append(where, "admin", httpURL(n.AdminAddr, n.admin.Addr()))
	}
	if n.nats == nil {
		where = append(where, "nats", withoutPassword(n.NATSURL))
	} else {
		where = append(where, "data", n.Data)
	}
	n.log.Info("serving", append(where, "sync", n.syncMode(), "shards", n.events.Shards(), "epoch", n.events.Epoch())...)
}

// caution says what else there is to know of how it is run.
func (n *node) caution() {
	if n.openMode() && n.listener != nil {
		n.log.Warn("open mode: whoever connects is who he says", "for", "trying out on this machine", "otherwise", "--auth-key")
	}
	if n.Lab {
		n.log.Warn("rollback lab: sessions may have their mutations delayed, refused and lost", "for", "demonstrations, never real work")
	}
	if n.notary == nil {
		n.log.Warn("no checkpoints are signed: that the log was changed could be seen only within a board",
			"needed", "--checkpoint-key FILE, the same on every node; `snapback keygen --checkpoint FILE` makes one")
	} else if n.does(roleDomain) {
		n.log.Info("signing checkpoints", "every", n.CheckpointEvery, "key", n.notary.Public(), "dir", n.CheckpointDir)
	}
	if n.clustered() && n.ClusterSecret == "" {
		n.log.Warn("the nodes know each other by nothing: whoever reaches the address can read and write everything", "address", n.ClusterAddr, "needed", "--cluster-secret")
	}
	switch {
	case n.nats == nil:
		n.log.Warn("whether this NATS server syncs each append to disk cannot be read: an ack is as durable as it makes it", "needed", "sync_interval: always")
	case n.Sync != "always":
		n.log.Warn("relaxed sync: a power cut loses acked changes of the last interval", "interval", n.nats.Sync())
	}
}

// httpURL is where a listener is, by the name it was asked for.
func httpURL(asked string, at net.Addr) string {
	host, _, err := net.SplitHostPort(asked)
	if err != nil {
		host = ""
	}
	actual, port, err := net.SplitHostPort(at.String())
	if err != nil {
		return at.String()
	}
	if host == "" {
		host = actual
	}
	return "http://" + net.JoinHostPort(host, port)
}

const unreadableURL = "(unreadable URL)"

// withoutPassword is one NATS URL, or several with commas between, as it may
// be shown: a user without a password is a token.
func withoutPassword(urls string) string {
	var shown []string
	for raw := range strings.SplitSeq(urls, ",") {
		raw = strings.TrimSpace(raw)
		if raw != "" && !strings.Contains(raw, "://") {
			raw = "nats://" + raw // as a NATS client reads it
		}
		u, err := url.Parse(raw)
		if err != nil {
			return unreadableURL
		}
		if _, named := u.User.Password(); u.User != nil && !named {
			u.User = url.User("xxxxx")
		}
		shown = append(shown, u.Redacted())
	}
	return strings.Join(shown, ",")
}
