package tamper

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/snapback-io/snapback/domain"
)

// tampering is one way to change the log, and who finds it where: an auditor
// who has nothing but the log, and one who kept a checkpoint and the heads.
type tampering struct {
	name      string
	keepIndex bool
	do        func(w *world, list []Message) []Message
	alone     func(w *world) string
	kept      func(w *world) string
}

func at(format string, seqs ...func(w *world) uint64) func(w *world) string {
	return func(w *world) string {
		var args []any
		for _, seq := range seqs {
			args = append(args, seq(w))
		}
		return fmt.Sprintf(format, args...)
	}
}

// last is the sequence of the last record of all, one of board b.
func last(w *world) uint64  { return w.last }
func lastA(w *world) uint64 { return w.lastA }

// on is a sequence that lies so far behind another.
func on(seq func(w *world) uint64, by int) func(w *world) uint64 {
	return func(w *world) uint64 { return seq(w) + uint64(by) }
}

func rename(w *world) uint64  { return w.rename }
func next(w *world) uint64    { return w.next }
func refused(w *world) uint64 { return w.refused }
func void(w *world) uint64    { return w.void }
func redo(w *world) uint64    { return w.redo }

// index of the message with that sequence.
func index(list []Message, seq uint64) int {
	return slices.IndexFunc(list, func(m Message) bool { return m.Seq == seq })
}

func hashOf(data []byte) string { return fmt.Sprintf("%x", sha256.Sum256(data)) }

// pay is the message that renames a card, with another title in the command and
// in the event.
func pay(m *Message) {
	m.Data, m.Sum = bytes.ReplaceAll(m.Data, []byte("Pay Eve 100"), []byte("Pay Eve 900")), nil
}

// edit changes a record's commit and stores it under its hash.
func edit(m *Message, do func(c *domain.Commit)) {
	c, _, err := domain.DecodeCommit(m.Data)
	if err != nil {
		panic(err)
	}
	do(c)
	data, hash, err := c.Encode()
	if err != nil {
		panic(err)
	}
	m.Data, m.Sum = data, nil
	m.Set(headerHash, hash.String())
}

// rechain makes the chains of all boards anew, from what stands where, as
// somebody would who knows the format.
func rechain(list []Message) []Message {
	last := map[string]*Message{}
	for i := range list {
		m := &list[i]
		m.Seq, m.Sum = uint64(i)+1, nil
		before, prev := "0", domain.Hash{}
		if l := last[m.Subject]; l != nil {
			before, prev = fmt.Sprint(l.Seq), sha256.Sum256(l.Data)
		}
		m.Set(headerBefore, before)
		c, _, err := domain.DecodeCommit(m.Data)
		if err != nil {
			panic(err)
		}
		m.Data = bytes.Replace(m.Data, []byte(c.Prev.String()), []byte(prev.String()), 1)
		m.Set(headerHash, hashOf(m.Data))
		last[m.Subject] = m
	}
	return list
}

// forge has board a decided anew from a record on, with what do makes of its
// command, and everything behind it stored as if it had always been so.
func forge(list []Message, from uint64, do func(c *domain.Command)) []Message {
	b := domain.NewBoard("a")
	for i := range list {
		m := &list[i]
		c, hash, err := domain.DecodeCommit(m.Data)
		if err != nil {
			panic(err)
		}
		if c.Board != "a" {
			continue
		}
		for k := range c.Decisions {
			if m.Seq == from {
				do(&c.Decisions[k].Command)
			}
			if m.Seq >= from && !c.VoidAt(m.Time) {
				c.Decisions[k] = domain.Redecide(b, &c.Decisions[k])
			}
			if c.VoidAt(m.Time) {
				continue
			}
			if err := b.Fold(&c.Decisions[k]); err != nil {
				panic(err)
			}
		}
		if m.Seq >= from {
			_, c.Prev, _ = b.Head()
			edit(m, func(to *domain.Commit) { *to = *c })
			hash = sha256.Sum256(m.Data)
		}
		if c.VoidAt(m.Time) {
			err = b.Apply(c, hash, m.Seq, m.Time, nil)
		} else {
			err = b.Settle(c, hash, m.Seq)
		}
		if err != nil {
			panic(err)
		}
	}
	return list
}

// broken leaves a byte changed under the checksum that the message had.
func broken(w *world, list []Message) []Message {
	m := &list[index(list, w.rename)]
	sum := m.Sum
	pay(m)
	m.Sum = sum
	return list
}

var tamperings = []tampering{
	{"nothing", false, func(_ *world, list []Message) []Message { return list }, at(""), at("")},

	// The server finds a wrong checksum by itself. When it starts it cuts off
	// what is behind, and that there was more can only be told by who kept
	// something. While it runs, or trusts its index, it leaves the message out.
	{"a byte is flipped, the checksum stays", false, broken, at(""), at("head @%d, head a@%d, head b@%d", rename, on(rename, -4), on(rename, -1))},
	{"a byte is flipped, the checksum and the server's index stay", true, broken, at("gap @%d, gap a@%d", rename, rename), at("inclusion @%d", last)},

	{"a byte of the last record is flipped, the checksum and the server's index stay", true, func(w *world, list []Message) []Message {
		list[index(list, w.last)].Data[20] ^= 1
		return list
	}, at("gap @%d", last), at("inclusion @%d, head b@%d", last, on(last, -6))},

	{"a byte is flipped, with its checksum", false, func(w *world, list []Message) []Message {
		pay(&list[index(list, w.rename)])
		return list
	}, at("hash a@%d", rename), at("state a@%d, inclusion a@%d", lastA, rename)},
	{"a byte is flipped, under its hash", false, func(w *world, list []Message) []Message {
		m := &list[index(list, w.rename)]
		pay(m)
		m.Set(headerHash, hashOf(m.Data))
		return list
	}, at("chain a@%d", rename), at("inclusion @1, state a@%d, inclusion a@%d", lastA, rename)},
	{"a record is dropped", false, func(w *world, list []Message) []Message {
		i := index(list, w.rename)
		return slices.Delete(list, i, i+1)
	}, at("gap @%d, gap a@%d", rename, rename), at("inclusion @%d", last)},
	{"a record is dropped, the chain made anew", false, func(w *world, list []Message) []Message {
		i := index(list, w.rename)
		return rechain(slices.Delete(list, i, i+1))
	}, at("rev a@%d", on(next, -1)), at("head @%d, inclusion a@%d, head a@%d, inclusion b@%d, head b@%d", last, on(next, -1), on(lastA, -1), rename, on(last, -1))},
	{"a refusal is dropped, the chain made anew", false, func(w *world, list []Message) []Message {
		i := index(list, w.refused)
		return rechain(slices.Delete(list, i, i+1))
	}, at(""), at("head @%d, inclusion a@%d, head a@%d, inclusion b@%d, head b@%d", last, on(refused, 1), on(lastA, -1), refused, on(last, -1))},
	{"two change places", false, func(w *world, list []Message) []Message {
		i, k := index(list, w.rename), index(list, w.next)
		list[i], list[k] = list[k], list[i]
		list[i].Seq, list[k].Seq, list[i].Sum, list[k].Sum = w.rename, w.next, nil, nil
		return list
	}, at("order a@%d", rename), at("inclusion @1, inclusion a@%d", rename)},
	{"two change places, the chain made anew", false, func(w *world, list []Message) []Message {
		i, k := index(list, w.rename), index(list, w.next)
		list[i], list[k] = list[k], list[i]
		return rechain(list)
	}, at("rev a@%d, rev a@%d, rev a@%d", rename, next, refused), at("inclusion @1, head a@%d, inclusion a@%d", lastA, rename)},
	{"a forged record is inserted, the chain made anew", false, func(w *world, list []Message) []Message {
		forged := list[index(list, w.rename)]
		edit(&forged, func(c *domain.Commit) { c.Decisions[0].ID = "forged" })
		return rechain(slices.Insert(list, index(list, w.rename)+1, forged))
	}, at("rev a@%d", rename), at("inclusion @1, head a@%d, inclusion a@%d, head b@%d, inclusion b@%d", lastA, on(rename, 1), last, on(rename, 2))},
	{"a forged refusal is inserted, the chain made anew", false, func(w *world, list []Message) []Message {
		forged := list[index(list, w.refused)]
		edit(&forged, func(c *domain.Commit) { c.Decisions[0].ID = "forged" })
		return rechain(slices.Insert(list, index(list, w.refused)+1, forged))
	}, at(""), at("inclusion @1, head a@%d, inclusion a@%d, head b@%d, inclusion b@%d", lastA, on(refused, 1), last, on(refused, 2))},
	{"the tail is cut off", false, func(w *world, list []Message) []Message { return list[:len(list)-3] },
		at(""), at("head @%d, head a@%d, head b@%d", on(last, -2), on(last, -3), on(last, -6))},
	{"a void record's time", false, func(w *world, list []Message) []Message {
		m := &list[index(list, w.void)]
		m.Time, m.Sum = m.Time.Add(-8*time.Second), nil
		return list
	}, at("double a@%d, rev a@%d", redo, void), at("inclusion @1, inclusion a@%d", void)},
	{"a record's time makes it void", false, func(w *world, list []Message) []Message {
		m := &list[index(list, w.rename)]
		m.Time, m.Sum = m.Time.Add(time.Minute), nil
		return list
	}, at("rev a@%d", rename), at("inclusion @1, inclusion a@%d", rename)},
	{"a record's time, by a second", false, func(w *world, list []Message) []Message {
		m := &list[index(list, w.rename)]
		m.Time, m.Sum = m.Time.Add(-time.Second), nil
		return list
	}, at(""), at("inclusion @1, inclusion a@%d", rename)},
	{"a refusal becomes an acceptance, the chain made anew", false, func(w *world, list []Message) []Message {
		edit(&list[index(list, w.refused)], func(c *domain.Commit) {
			d := &c.Decisions[0]
			d.Rejection, c.NotAfter = nil, d.Deadline
		})
		return rechain(list)
	}, at("decision a@%d", refused), at("inclusion @1, head a@%d, inclusion a@%d", lastA, refused)},

	// Who can decide like the service can write another history from anywhere on
	// that is whole in itself. Only what was kept tells.
	{"a command is another one, and all behind it decided anew", false, func(w *world, list []Message) []Message {
		return forge(list, w.rename, func(c *domain.Command) { c.Changes[0].Patch["title"] = "Pay Eve 900" })
	}, at(""), at("inclusion @1, head a@%d, state a@%d, inclusion a@%d", lastA, lastA, rename)},
}

// TestWhatIsDoneToTheFilesIsFound changes the files of a stopped server, each
// time in another way, starts it again and looks.
func TestWhatIsDoneToTheFilesIsFound(t *testing.T) {
	w := build(t)
	for _, test := range tamperings {
		t.Run(test.name, func(t *testing.T) {
			log, stop := start(t, w.change(t, test.keepIndex, func(list []Message) []Message { return test.do(w, list) }))
			defer stop()
			alone, kept := w.audit(t, log)
			if got, want := said(alone), test.alone(w); got != want {
				t.Errorf("by the log alone: %q, want %q", got, want)
			}
			if got, want := said(kept), test.kept(w); got != want {
				t.Errorf("by what was kept: %q, want %q", got, want)
			}
			for _, f := range slices.Concat(alone, kept) {
				t.Log(strings.TrimPrefix(f.String(), "board "))
			}
		})
	}
}
