package eventlog

import (
	"context"
	"fmt"
	"slices"
)

// Led is one thing of a shard that one server of a cluster leads: the stream of
// its events, that of its commands, or the consumer of these.
type Led struct {
	Name   string // for people
	Leader string // name of the server; "": there is none just now
	Here   bool   // it is the server of this node
	// Ready are the other servers that have all of it and could lead it.
	Ready []string

	subject string // of the request that moves it
}

// maxBehind is by how many operations a copy may be behind to be ready: a
// leader under load is always a few ahead.
const maxBehind = 100

// Leaders says who leads what of a shard, its records first, where that can be
// moved: on an embedded cluster. Elsewhere it is nothing: the servers are somebody else's.
func (l *Log) Leaders(ctx context.Context, shard int) ([]Led, error) {
	if l.cfg.InProcess == nil || l.cfg.Replicas < 2 {
		return nil, nil
	}
	consumer := commandStream(shard) + "." + consumerName
	list := []Led{
		{Name: eventStream(shard), subject: "STREAM.LEADER.STEPDOWN." + eventStream(shard)},
		{Name: commandStream(shard), subject: "STREAM.LEADER.STEPDOWN." + commandStream(shard)},
		{Name: consumer, subject: "CONSUMER.LEADER.STEPDOWN." + consumer},
	}
	for i, ask := range []string{"STREAM.INFO." + eventStream(shard), "STREAM.INFO." + commandStream(shard), "CONSUMER.INFO." + consumer} {
		var info struct {
			answer
			Cluster struct {
				Leader   string `json:"leader"`
				Replicas []struct {
					Name    string `json:"name"`
					Current bool   `json:"current"`
					Offline bool   `json:"offline"`
					Lag     uint64 `json:"lag"`
				} `json:"replicas"`
			} `json:"cluster"`
		}
		if err := l.api(ctx, ask, struct{}{}, &info); err != nil {
			return nil, fmt.Errorf("eventlog: leader of %s: %w", list[i].Name, err)
		}
		led := &list[i]
		led.Leader = info.Cluster.Leader
		led.Here = led.Leader != "" && led.Leader == l.Server()
		for _, r := range info.Cluster.Replicas {
			if r.Current && !r.Offline && r.Lag <= maxBehind {
				led.Ready = append(led.Ready, r.Name)
			}
		}
	}
	// A consumer delivers what its server's copy of the stream has.
	queue, reads := list[1], &list[2]
	reads.Ready = slices.DeleteFunc(reads.Ready, func(server string) bool {
		return server != queue.Leader && !slices.Contains(queue.Ready, server)
	})
	return list, nil
}

// Server is the name of the server that this Log is connected to.
func (l *Log) Server() string { return l.bulk.ConnectedServerName() }

// Lead has another server lead what is led: one that was Ready a moment ago.
// Who appends meanwhile waits for the change, and may not know the outcome.
func (l *Log) Lead(ctx context.Context, led Led, server string) error {
	type placement struct {
		Preferred string `json:"preferred"`
	}
	err := l.api(ctx, led.subject, map[string]placement{"placement": {server}}, new(answer))
	if err != nil {
		return fmt.Errorf("eventlog: %s is to lead %s: %w", server, led.Name, err)
	}
	return nil
}
