package wire

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/snapback-io/snapback/domain"
)

var update = flag.Bool("update", false, "write testdata/past.json anew")

const aboutPast = "The log of a board as GET .../log tells it, every kind of event in it, and after each decision what the server tells ann " +
	"of the entities that are others than before. Who folds the events has the same. Made by TestGolden_Past -update."

// pastStep is a decision and what it made of the board.
type pastStep struct {
	Decision Logged            `json:"decision"`
	Changed  []json.RawMessage `json:"changed,omitempty"`
	Gone     []string          `json:"gone,omitempty"`
}

// everyEvent of RULES.md.
var everyEvent = strings.Fields(`board.created board.changed board.archived board.restored board.imported
	member.added member.changed member.removed
	column.created column.renamed column.moved column.changed column.archived column.restored column.deleted
	card.created card.renamed card.moved card.changed card.labelled card.assigned card.liked card.unliked card.archived card.restored card.deleted
	checklist.created checklist.changed checklist.moved checklist.deleted
	item.created item.changed item.checked item.unchecked item.moved item.deleted
	label.created label.changed label.deleted comment.added comment.edited comment.deleted
	file.added file.renamed file.moved file.replaced file.deleted list.respaced`)

// pastBoard is a board that notes what each decision makes of it.
type pastBoard struct {
	t     *testing.T
	board *domain.Board
	now   time.Time
	told  map[string][]byte
	steps []pastStep
}

func (b *pastBoard) run(cmd *domain.Command) {
	b.t.Helper()
	b.now = b.now.Add(90 * time.Second)
	cmd.ID, cmd.Board = fmt.Sprintf("m%d", len(b.steps)+1), b.board.ID()
	cmd.ReceivedAt, cmd.Deadline = b.now.Add(-time.Millisecond), b.now.Add(4*time.Second)
	d := domain.Decide(b.board, cmd, b.now)
	if err := b.board.Fold(&d); err != nil {
		b.t.Fatal(err)
	}
	step := pastStep{Decision: NewLogged(&d)}
	for e := range b.board.All() {
		raw, err := e.JSONFor(e.LikedBy("ann"))
		if err != nil {
			b.t.Fatal(err)
		}
		if !bytes.Equal(raw, b.told[e.ID]) {
			b.told[e.ID] = raw
			step.Changed = append(step.Changed, raw)
		}
	}
	for id := range b.told {
		if b.board.Get(id) == nil {
			delete(b.told, id)
			step.Gone = append(step.Gone, id)
		}
	}
	slices.Sort(step.Gone)
	b.steps = append(b.steps, step)
}

// do has somebody change entities; each change is an id and a patch.
func (b *pastBoard) do(user string, changes ...string) {
	b.t.Helper()
	cmd := &domain.Command{Op: domain.OpMutate, User: user}
	for i := 0; i < len(changes); i += 2 {
		change := fmt.Sprintf(`{"entityId":%q,"patch":%s}`, changes[i], changes[i+1])
		cmd.Changes = append(cmd.Changes, domain.Change{})
		if err := json.Unmarshal([]byte(change), &cmd.Changes[i/2]); err != nil {
			b.t.Fatal(change, err)
		}
	}
	b.run(cmd)
}

func (b *pastBoard) imported() {
	then := time.Date(2019, 5, 6, 7, 8, 9, 0, time.UTC)
	entity := func(id string, kind domain.Kind, fields domain.Fields) *domain.Entity {
		return &domain.Entity{ID: id, Kind: kind, CreatedAt: then, CreatedBy: "emil", UpdatedAt: then.AddDate(1, 0, 0), UpdatedBy: "dana", Fields: fields}
	}
	b.run(&domain.Command{Op: domain.OpImport, User: "ann", Import: &domain.Import{Source: "test:1", Done: true, Entities: []*domain.Entity{
		entity("b", domain.KindBoard, domain.Fields{"title": "Old board"}),
		entity("red", domain.KindLabel, domain.Fields{"name": "red"}),
		entity("todo", domain.KindColumn, domain.Fields{"title": "To do"}),
		entity("done", domain.KindColumn, domain.Fields{"title": "Done", "wipLimit": int64(2), "wipMode": "hard"}),
		entity("k1", domain.KindCard, domain.Fields{"title": "k1", "columnId": "todo", "likedBy": []string{"ann", "emil"}, "labels": []string{"red"}}),
		entity("said", domain.KindComment, domain.Fields{"cardId": "k1", "text": "words"}),
	}}})
}

func (b *pastBoard) live() {
	b.do("ann", "b", `{"title":"Board","description":"All of it"}`)
	b.do("ann", "member:ben", `{"kind":"member","user":"ben","role":"viewer"}`, "member:cleo", `{"kind":"member","user":"cleo","role":"editor"}`)
	b.do("ann", "member:ben", `{"role":"editor","name":"Ben"}`)
	b.do("ben", "later", `{"kind":"column","title":"Later"}`)
	b.do("ben", "later", `{"title":"Some day","position":{"after":null},"wipLimit":3,"color":"red"}`)
	b.do("cleo", "later", `{"archived":true}`)
	b.do("cleo", "later", `{"archived":null}`)
	b.do("ben", "big", `{"kind":"label","name":"Big","color":"blue"}`)
	b.do("ben", "big", `{"name":"Huge","color":null}`)
	for i := 2; i <= 4; i++ {
		b.do("ben", fmt.Sprintf("k%d", i), fmt.Sprintf(`{"kind":"card","title":"k%d","columnId":"todo","labels":["big","red"]}`, i))
	}
	b.do("ben", "k1", `{"columnId":"done","title":"One","description":"x","due":"2026-03-04"}`)
	b.do("ben", "k1", `{"due":null,"labels":{"add":"big","remove":"red"},"assignees":["cleo","ben"]}`)
	b.do("ben", "k1", `{"labels":null,"assignees":{"remove":"ben"}}`)
	b.do("cleo", "k1", `{"liked":true}`)
	b.do("ann", "k1", `{"liked":false}`)
	b.do("ann", "k2", `{"liked":true}`)
	b.do("ann", "k2", `{"liked":false}`)
	b.do("ben", "k2", `{"columnId":"done"}`)
	b.do("cleo", "k3", `{"columnId":"done"}`) // it is full
	b.do("cleo", "k3", `{"title":"k3"}`)      // nothing
	b.do("cleo", "k3", `{"archived":true}`)
	b.do("cleo", "k3", `{"title":"no"}`) // it is archived
	b.do("cleo", "k3", `{"archived":null}`)
	b.do("ben", "k4", `{"position":"a0`+strings.Repeat("0", 197)+`1"}`)
	b.do("ben", "k3", `{"position":"a0"}`)
	b.do("ben", "k5", `{"kind":"card","title":"k5","columnId":"todo"}`)
	b.do("ben", "k5", `{"position":{"after":"k3"}}`) // there is no short key between them

	b.do("ben", "l1", `{"kind":"checklist","cardId":"k2","title":"Steps"}`, "i1", `{"kind":"item","checklistId":"l1","text":"one"}`, "i2", `{"kind":"item","checklistId":"l1","text":"two"}`)
	b.do("ben", "l2", `{"kind":"checklist","cardId":"k2"}`)
	b.do("ben", "i1", `{"done":true,"text":"first"}`)
	b.do("ben", "i1", `{"done":null,"checklistId":"l2"}`)
	b.do("ben", "l1", `{"title":null,"cardId":"k3"}`)
	b.do("ben", "i2", `null`)
	b.do("ben", "l2", `null`)
	b.do("cleo", "c1", `{"kind":"comment","cardId":"k2","text":"Hm"}`)
	b.do("cleo", "c2", `{"kind":"comment","cardId":"k2","text":"Yes"}`)
	b.do("cleo", "c1", `{"text":"Hm!"}`)
	b.do("cleo", "c1", `null`)
	b.do("cleo", "f1", `{"kind":"file","cardId":"k2","name":"plan","url":"https://example.org/a"}`)
	b.do("cleo", "f1", `{"name":"the plan","url":"https://example.org/b"}`)
	b.do("cleo", "f1", `{"cardId":null}`)
	b.do("cleo", "f2", `{"kind":"file","cardId":"k2","name":"more","url":"https://example.org/c"}`)
	b.do("cleo", "f1", `null`)
	b.do("ben", "k2", `null`) // with a comment and a file
	b.do("ben", "big", `null`)
	b.do("ben", "later", `null`)
	b.do("ann", "member:cleo", `null`)
	b.do("ann", "b", `{"archived":true}`)
	b.do("ann", "k1", `{"title":"no"}`)
	b.do("ann", "b", `{"archived":null}`)
}

// TestGolden_Past makes what replays of a board are held against.
func TestGolden_Past(t *testing.T) {
	t.Parallel()
	b := &pastBoard{t: t, board: domain.NewBoard("b"), now: time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC), told: map[string][]byte{}}
	b.imported()
	b.live()
	missing := slices.Clone(everyEvent)
	refused := 0
	for _, step := range b.steps {
		if step.Decision.Rejection != nil {
			refused++
		}
		for _, ev := range step.Decision.Events {
			missing = slices.DeleteFunc(missing, func(name string) bool { return name == ev.Type })
		}
	}
	if len(missing) > 0 || refused != 3 {
		t.Errorf("missing: %v; %d refusals", missing, refused)
	}
	var text bytes.Buffer
	fmt.Fprintf(&text, "{\n\"about\": %q,\n\"steps\": [\n", aboutPast)
	for i, step := range b.steps {
		line, err := json.Marshal(step)
		if err != nil {
			t.Fatal(err)
		}
		if i > 0 {
			text.WriteString(",\n")
		}
		text.Write(line)
	}
	text.WriteString("\n]\n}\n")
	path := filepath.Join("testdata", "past.json")
	if *update {
		if err := os.WriteFile(path, text.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	stored, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(stored, text.Bytes()) {
		t.Error("testdata/past.json is not what the rules make: run TestGolden_Past -update and look at the difference")
	}
}
