package projector

import (
	"bufio"
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/eventlog"
)

var update = flag.Bool("update", false, "rewrite the traces in testdata")

// A script is a log, one line per step, and what the view tells is written
// below each:
//
//	USER ID [cancel] ENTITY PATCH [; ENTITY PATCH ...]   a command; PATCH is JSON
//	commit [late]      what was decided since becomes one record; late: void
//	gap                the next record does not follow
//	open               from now on somebody watches the open part
//	since REV          what who watches it must be told
//
// lines after "> " are the trace.
type script struct {
	t     *testing.T
	view  *View
	board *domain.Board // decides, as the service does
	cmds  []domain.Command
	seq   uint64
	at    time.Time
	out   strings.Builder
}

func TestView_Traces(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			s := &script{t: t, view: NewView(domain.NewBoard("b")), board: domain.NewBoard("b"),
				at: time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)}
			lines := bufio.NewScanner(bytes.NewReader(want))
			for lines.Scan() {
				if line := lines.Text(); !strings.HasPrefix(line, "> ") {
					s.out.WriteString(line + "\n")
					s.step(line)
				}
			}
			if *update {
				if err := os.WriteFile(file, []byte(s.out.String()), 0o644); err != nil {
					t.Fatal(err)
				}
			} else if got := s.out.String(); got != string(want) {
				t.Errorf("got:\n%s", got)
			}
		})
	}
}

func (s *script) tell(format string, args ...any) { fmt.Fprintf(&s.out, "> "+format+"\n", args...) }

func (s *script) step(line string) {
	words := strings.Fields(line)
	switch {
	case len(words) == 0 || words[0] == "#":
	case words[0] == "commit":
		s.commit(len(words) > 1)
	case words[0] == "open":
		s.view.WatchOpen(true)
	case words[0] == "since":
		rev, _ := strconv.ParseUint(words[1], 10, 64)
		changed, ok := s.view.OpenSince(rev)
		var ids []string
		for _, e := range changed {
			ids = append(ids, e.ID)
		}
		s.tell("%v %v", ok, ids)
	case words[0] == "gap":
		s.seq++
		c := domain.Commit{V: domain.CommitVersion, Board: "b", Prev: domain.Hash{1}, At: s.at}
		_, err := s.view.Apply(eventlog.Record{Board: "b", Seq: s.seq, Time: s.at, Commit: &c})
		s.tell("refused: %v", err != nil)
	default:
		s.command(words[0], words[1], strings.TrimSpace(line[strings.Index(line, words[1])+len(words[1]):]))
	}
}

func (s *script) command(user, id, rest string) {
	s.at = s.at.Add(time.Second)
	cmd := domain.Command{ID: id, Op: domain.OpMutate, User: user, Grant: domain.GrantOpen, ReceivedAt: s.at, Deadline: s.at.Add(4 * time.Second)}
	if rest == "cancel" {
		cmd.Op = domain.OpCancel
		s.cmds = append(s.cmds, cmd)
		return
	}
	for part := range strings.SplitSeq(rest, ";") {
		entity, patch, _ := strings.Cut(strings.TrimSpace(part), " ")
		c := domain.Change{EntityID: entity}
		if err := json.Unmarshal([]byte(patch), &c.Patch); err != nil {
			s.t.Fatalf("%s: %v", part, err)
		}
		cmd.Changes = append(cmd.Changes, c)
	}
	s.cmds = append(s.cmds, cmd)
}

// commit decides what was asked and folds it on both sides; a void record is
// decided on a copy that is thrown away.
func (s *script) commit(late bool) {
	_, prev, _ := s.board.Head()
	c := domain.Commit{V: domain.CommitVersion, Board: "b", Prev: prev, At: s.at}
	scratch := s.fork()
	for i := range s.cmds {
		d := domain.Decide(scratch, &s.cmds[i], s.at)
		if len(d.Events) > 0 {
			c.NotAfter = s.cmds[0].Deadline
		}
		c.Decisions = append(c.Decisions, d)
		s.foldOne(scratch, d)
	}
	s.seq++
	r := eventlog.Record{Board: "b", Seq: s.seq, Time: s.at, Commit: &c}
	if late {
		r.Time = s.at.Add(time.Hour)
	} else {
		s.cmds = nil
	}
	var err error
	if r.Data, r.Hash, err = c.Encode(); err != nil {
		s.t.Fatal(err)
	}
	if err := s.board.Apply(&c, r.Hash, r.Seq, r.Time, nil); err != nil {
		s.t.Fatal(err)
	}
	outcomes, err := s.view.Apply(r)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, o := range outcomes {
		s.syncs("sync", o.Syncs)
		s.syncs("open", o.Open)
		verdict := "ack"
		if o.Verdict.Rejection != nil {
			verdict = "nack " + string(o.Verdict.Rejection.Code)
		}
		s.tell("%s %s of %s, rev %d, %d events, seq %d", verdict, o.Verdict.ID, o.Verdict.User, o.Verdict.Rev, o.Verdict.Events, o.Verdict.Seq)
	}
	s.tell("rev %d seq %d", s.view.Rev(), s.view.Seq())
}

func (s *script) syncs(word string, list []Sync) {
	for _, sync := range list {
		entity, _ := json.Marshal(sync.Entity.Fields)
		more := ""
		if sync.More {
			more = " more"
		}
		if sync.Entity.Deleted {
			more += " deleted"
		}
		if n, ok := sync.Entity.CommentCount(); ok {
			more += fmt.Sprintf(" comments %d", n)
		}
		s.tell("%s %d %s by %s: %s rev %d %s%s", word, sync.Rev, sync.Event, sync.By, sync.Entity.ID, sync.Entity.Rev, entity, more)
	}
}

// fork is a copy of the deciding board, by way of its snapshot.
func (s *script) fork() *domain.Board {
	if s.seq == 0 {
		return domain.NewBoard("b")
	}
	data, err := s.board.Snapshot()
	if err != nil {
		s.t.Fatal(err)
	}
	b, err := domain.LoadSnapshot(data)
	if err != nil {
		s.t.Fatal(err)
	}
	return b
}

// foldOne applies one decision to the scratch board as a commit of its own.
func (s *script) foldOne(b *domain.Board, d domain.Decision) {
	seq, prev, _ := b.Head()
	c := domain.Commit{V: domain.CommitVersion, Board: "b", Prev: prev, At: s.at, Decisions: []domain.Decision{d}}
	if err := b.Apply(&c, domain.Hash{byte(seq + 1)}, seq+1, s.at, nil); err != nil {
		s.t.Fatal(err)
	}
}
