package importtest

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/gateway/client"
	"github.com/snapback-io/snapback/test/node"
)

func TestMain(m *testing.M) { node.Main(m) }

const (
	patience = 30 * time.Second
	samples  = "../../cmd/snapback/trello/testdata"
	simple   = "trello-63792cd280232800fa06fe65"
	fields   = "trello-5fcbec03c670ab79e1f625b2"
	owner    = "usersample26" // admin by the export's membership

	todo  = "63792cd280232800fa06fe6d"
	doing = "63792cd280232800fa06fe6e"
)

// world is a server with an imported board and four people on it.
type world struct {
	*node.Server
	t       *testing.T
	board   string
	clients []*client.Client
}

// driven imports a sample with the binary and connects four clients, the first
// of them the board's admin.
func driven(t *testing.T, file, board string) *world {
	t.Helper()
	w := &world{Server: node.Start(t, "snapback", t.TempDir(), ""), t: t, board: board}
	out, err := exec.Command(node.Binary(t), "import", "trello", filepath.Join(samples, file), "--server=http://"+w.Addr).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "is imported: board "+board) {
		t.Fatalf("import: %v\n%s", err, out)
	}
	for _, user := range []string{owner, "ben", "cleo", "dana"} {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		c, err := client.Connect(ctx, client.Options{URL: "http://" + w.Addr, Board: board, User: user, TTL: 20 * time.Second, MinBackoff: 20 * time.Millisecond, MaxBackoff: 200 * time.Millisecond})
		cancel()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(c.Close)
		w.clients = append(w.clients, c)
	}
	return w
}

// verdict waits for a mutation's.
func (w *world) verdict(m *client.Mutation) client.Result {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), patience)
	defer cancel()
	r, err := m.Wait(ctx)
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

func (w *world) acked(m *client.Mutation) {
	w.t.Helper()
	if r := w.verdict(m); !r.OK {
		w.t.Fatalf("refused: %s %s", r.Code, r.Reason)
	}
}

func (w *world) eventually(what string, holds func() bool) {
	w.t.Helper()
	for end := time.Now().Add(patience); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			w.t.Fatal(what)
		}
	}
}

// server gives what the server has, by entity.
func (w *world) server() (rev uint64, entities map[string]*domain.Entity) {
	w.t.Helper()
	response, err := http.Get("http://" + w.Addr + "/v1/boards/" + w.board)
	if err != nil {
		w.t.Fatal(err)
	}
	defer response.Body.Close()
	var b struct {
		Rev      uint64
		Entities []*domain.Entity
	}
	if err := json.NewDecoder(response.Body).Decode(&b); err != nil {
		w.t.Fatal(err)
	}
	entities = map[string]*domain.Entity{}
	for _, e := range b.Entities {
		entities[e.ID] = e
	}
	return b.Rev, entities
}

// agree waits until every client has what the server has, then compares.
func (w *world) agree() {
	w.t.Helper()
	rev, want := w.server()
	for i, c := range w.clients {
		w.eventually(fmt.Sprintf("client %d reaches rev %d", i, rev), func() bool { return c.Rev() >= rev && len(c.Pending()) == 0 })
		got := map[string]*domain.Entity{}
		for _, e := range c.All() {
			got[e.ID] = e
		}
		if len(got) != len(want) {
			w.t.Errorf("client %d shows %d entities, the server has %d", i, len(got), len(want))
		}
		for id, e := range want {
			if got[id] == nil || !sameFields(got[id].Fields, e.Fields) {
				w.t.Errorf("client %d shows %s as %v, the server has %v", i, id, got[id], e.Fields)
			}
		}
	}
}

// sameFields compares fields apart from liked, which each user has his own of.
func sameFields(a, b domain.Fields) bool {
	a, b = maps.Clone(a), maps.Clone(b)
	delete(a, "liked")
	delete(b, "liked")
	return maps.EqualFunc(a, b, domain.EqualValues)
}

// TestImportedBoard_OneOfFourGetsTheLastPlace: the three others see their card
// go back to where it was.
func TestImportedBoard_OneOfFourGetsTheLastPlace(t *testing.T) {
	t.Parallel()
	w := driven(t, "trello-simple-project-2022.json", simple)
	inDoing := len(w.clients[0].Children(domain.KindCard, doing))
	w.acked(w.clients[0].Mutate(doing, domain.Patch{"wipLimit": int64(inDoing + 1), "wipMode": "hard"}))
	var cards []*domain.Entity
	for _, e := range w.clients[0].List(domain.KindCard) {
		if e.Fields.String("columnId") != doing && !e.Fields.Bool("archived") {
			cards = append(cards, e)
		}
	}
	moves := make([]*client.Mutation, len(w.clients))
	for i, c := range w.clients {
		moves[i] = c.Mutate(cards[i].ID, domain.Patch{"columnId": doing, "position": domain.Place{HasBefore: true}})
		if got := c.Get(cards[i].ID).Fields.String("columnId"); got != doing {
			t.Errorf("client %d does not show its move at once: %s", i, got)
		}
	}
	winner := -1
	for i, m := range moves {
		r := w.verdict(m)
		switch {
		case r.OK && winner < 0:
			winner = i
		case r.OK:
			t.Errorf("clients %d and %d both got the last place", winner, i)
		case r.Code != domain.WIPLimit:
			t.Errorf("client %d: %s %s", i, r.Code, r.Reason)
		default:
			if got := w.clients[i].Get(cards[i].ID).Fields.String("columnId"); got != cards[i].Fields.String("columnId") {
				t.Errorf("client %d still shows its card in %s", i, got)
			}
		}
	}
	if winner < 0 {
		t.Error("nobody got the last place")
	}
	w.agree()
}

func TestImportedBoard_ARenameAndAMoveBothLand(t *testing.T) {
	t.Parallel()
	w := driven(t, "trello-simple-project-2022.json", simple)
	card := w.clients[0].Children(domain.KindCard, todo)[0].ID
	rename := w.clients[1].Mutate(card, domain.Patch{"title": "Renamed by Ben"})
	move := w.clients[2].Mutate(card, domain.Patch{"columnId": doing})
	w.acked(rename)
	w.acked(move)
	_, entities := w.server()
	if f := entities[card].Fields; f.String("title") != "Renamed by Ben" || f.String("columnId") != doing {
		t.Errorf("card: %v", f)
	}
	w.agree()
}

func TestImportedBoard_FourLike(t *testing.T) {
	t.Parallel()
	w := driven(t, "trello-simple-project-2022.json", simple)
	card := w.clients[0].Children(domain.KindCard, todo)[0].ID
	var likes []*client.Mutation
	for _, c := range w.clients {
		likes = append(likes, c.Mutate(card, domain.Patch{"liked": true}))
	}
	for _, m := range likes {
		w.acked(m)
	}
	w.agree()
	for i, c := range w.clients {
		if f := c.Get(card).Fields; !f.Bool("liked") || f.Int("likes") != 4 {
			t.Errorf("client %d shows liked %v, likes %v", i, f["liked"], f["likes"])
		}
	}
}

func TestImportedBoard_ATakenFileNameGoesBack(t *testing.T) {
	t.Parallel()
	w := driven(t, "trello-simple-project-2022.json", simple)
	const file = "637a0c363ac8dc0668d6428a" // test.pdf
	card := w.clients[0].Get(file).Fields.String("cardId")
	added := w.clients[1].Create(domain.KindFile, domain.Patch{"name": "Plan.pdf", "cardId": card, "url": "https://example.com/plan.pdf"})
	w.acked(added)
	w.eventually("the admin sees the new file", func() bool { return w.clients[0].Get(added.EntityID()) != nil })
	taken := w.clients[0].Mutate(file, domain.Patch{"name": "PLAN.PDF"})
	free := w.clients[0].Mutate(file, domain.Patch{"name": "Report.pdf"})
	if r := w.verdict(taken); r.OK || r.Code != domain.NameTaken {
		t.Errorf("a taken name: %+v", r)
	}
	w.acked(free)
	if got := w.clients[0].Get(file).Fields; got.String("name") != "Report.pdf" || !strings.HasPrefix(got.String("url"), "https://trello.com/") {
		t.Errorf("file: %v", got)
	}
	w.agree()
}

// TestImportedBoard_FourDriveItAtOnce: moves, renames and likes at random, with
// refusals among them and a SIGKILL in the middle; then all views are the
// server's, and every title and name is an imported one or one that was acked.
func TestImportedBoard_FourDriveItAtOnce(t *testing.T) {
	t.Parallel()
	for file, board := range map[string]string{"trello-simple-project-2022.json": simple, "trello-project100-customfields-2021.json": fields} {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			const seed = 1
			w := driven(t, file, board)
			before := map[string]*domain.Entity{}
			for _, e := range w.clients[0].All() {
				before[e.ID] = e
			}
			done := make(chan map[string]*client.Mutation, len(w.clients)) // by name
			for i, c := range w.clients {
				rng := rand.New(rand.NewPCG(seed, uint64(i)))
				go func() {
					made := map[string]*client.Mutation{}
					for n := range 60 {
						if n == 30 && i == 0 {
							w.Kill()
							w.Again()
						}
						name := fmt.Sprintf("%d-%d", i, n)
						made[name] = step(c, rng, name)
						if n%5 == 4 { // hear of the others now and then
							_, _ = made[name].Wait(t.Context())
						}
					}
					done <- made
				}()
			}
			acked, refused := map[string]bool{}, map[string]bool{}
			for range w.clients {
				for name, m := range <-done {
					if r := w.verdict(m); r.OK {
						acked[name] = true
					} else {
						refused[name] = true
					}
				}
			}
			if len(acked) < 100 || len(refused) < 5 {
				t.Errorf("%d acked, %d refused: the test tests little", len(acked), len(refused))
			}
			w.agree()
			w.untouched(before)
			_, after := w.server()
			for id, e := range after {
				title := e.Fields.String("title") + e.Fields.String("name")
				if was := before[id].Fields; title == was.String("title")+was.String("name") {
					continue
				}
				name := strings.TrimSuffix(strings.TrimPrefix(strings.TrimPrefix(title, "Card "), "file "), ".pdf")
				if !acked[name] {
					t.Errorf("%s is called %q, which nobody was acked", id, title)
				}
			}
		})
	}
}

// step makes one change at random; one in ten breaks a rule.
func step(c *client.Client, rng *rand.Rand, name string) *client.Mutation {
	cards, columns := c.List(domain.KindCard), c.List(domain.KindColumn)
	slices.SortFunc(cards, func(a, b *domain.Entity) int { return strings.Compare(a.ID, b.ID) })
	card, column := cards[rng.IntN(len(cards))], columns[rng.IntN(len(columns))]
	switch rng.IntN(10) {
	case 0:
		return c.Mutate(card.ID, domain.Patch{"columnId": "no-such-column"})
	case 1, 2:
		return c.Mutate(card.ID, domain.Patch{"liked": rng.IntN(2) == 0})
	case 3, 4:
		return c.Mutate(card.ID, domain.Patch{"title": "Card " + name})
	case 5:
		if files := c.List(domain.KindFile); len(files) > 0 {
			return c.Mutate(files[rng.IntN(len(files))].ID, domain.Patch{"name": "file " + name + ".pdf"})
		}
	case 6:
		if siblings := c.Children(domain.KindCard, column.ID); len(siblings) > 0 {
			return c.Mutate(card.ID, domain.Patch{"columnId": column.ID, "position": domain.Place{HasAfter: true, After: siblings[rng.IntN(len(siblings))].ID}})
		}
	}
	return c.Mutate(card.ID, domain.Patch{"columnId": column.ID, "position": domain.Place{HasBefore: true}})
}

// untouched checks that what nobody changed is as it was imported.
func (w *world) untouched(before map[string]*domain.Entity) {
	w.t.Helper()
	_, after := w.server()
	for id, was := range before {
		is := after[id]
		if is == nil {
			w.t.Errorf("%s %s is gone", was.Kind, id)
			continue
		}
		for name, v := range was.Fields {
			switch name {
			case "title", "name", "columnId", "position", "likedBy", "liked", "likes":
			default:
				if !domain.EqualValues(is.Fields[name], v) {
					w.t.Errorf("%s %s: %s is %v, was %v", was.Kind, id, name, is.Fields[name], v)
				}
			}
		}
		if is.CreatedBy != was.CreatedBy || !is.CreatedAt.Equal(was.CreatedAt) {
			w.t.Errorf("%s %s: its author or date changed", was.Kind, id)
		}
	}
}
