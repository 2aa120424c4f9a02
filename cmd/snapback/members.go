package main

import (
	"cmp"
	"context"

	"github.com/oklog/ulid/v2"

	"github.com/snapback-io/snapback/eventlog"
)

// meet makes what knows the other nodes of the log. A node whose log is its
// own alone has none, and nothing of it waits for others.
func (n *node) meet() (err error) {
	if n.NATSURL == "" && !n.clustered() {
		return nil
	}
	n.members, err = eventlog.NewMembers(eventlog.MembersConfig{
		Bus: n.events.Bus(), Node: cmp.Or(n.Node, ulid.Make().String()), Epoch: n.events.Epoch(),
		Decides: n.does(roleDomain), Logger: n.log,
	})
	return err
}

// belong has the other nodes know this one until deciding ends, and what it
// decides is over. From the moment on that the node is to stop (ctx) they take
// its shards over.
func (n *node) belong(ctx, deciding context.Context) error {
	if n.members == nil {
		return nil
	}
	defer context.AfterFunc(ctx, n.members.Leave)()
	life, end := context.WithCancel(context.WithoutCancel(deciding))
	defer end()
	context.AfterFunc(deciding, func() {
		if n.service != nil {
			<-n.decided
		}
		end()
	})
	n.members.Run(life)
	return nil
}
