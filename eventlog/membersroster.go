package eventlog

import (
	"slices"
	"time"
)

// roster is the other nodes that are there, by name. Times are arguments, by
// the monotonic clock of this process.
type roster map[string]*peer

type peer struct {
	Beat
	at      time.Time // it arrived
	offsets []offset  // the last ones, at most maxOffsets
}

// heard takes in a beat. fresh: of a node, or a run of it, that was not there.
// news: something in it is not as it was.
func (r roster) heard(b Beat, now time.Time) (fresh, news bool) {
	p := r[b.Node]
	if p == nil || p.Run != b.Run {
		r[b.Node] = &peer{Beat: b, at: now}
		return true, true
	}
	if b.N <= p.N { // overtaken on the way
		return false, false
	}
	news = b.Decides != p.Decides || b.Leaving != p.Leaving || b.Astray != p.Astray || !slices.Equal(b.Takes, p.Takes)
	p.Beat, p.at = b, now
	return false, news
}

// silent are those not heard for goneAfter.
func (r roster) silent(now time.Time) (nodes []string) {
	for node, p := range r {
		if now.Sub(p.at) > goneAfter {
			nodes = append(nodes, node)
		}
	}
	return nodes
}

// heardAll gives everybody goneAfter from now on.
func (r roster) heardAll(now time.Time) {
	for _, p := range r {
		p.at = now
	}
}

func (r roster) echoes(now time.Time) map[string]Echo {
	echoes := make(map[string]Echo, len(r))
	for node, p := range r {
		echoes[node] = Echo{Run: p.Run, N: p.N, Held: now.Sub(p.at)}
	}
	return echoes
}

func (r roster) list(now time.Time) []Member {
	list := make([]Member, 0, len(r)+1)
	for _, p := range r {
		m := Member{Node: p.Node, Run: p.Run, Decides: p.Decides, Leaving: p.Leaving, Astray: p.Astray, Takes: p.Takes, Silent: now.Sub(p.at)}
		if best, ok := p.best(); ok {
			m.Offset, m.Error, m.Compared = best.by, best.err, true
		}
		list = append(list, m)
	}
	return list
}
