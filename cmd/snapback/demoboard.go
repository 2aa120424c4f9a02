package main

import (
	"fmt"
	"slices"
	"time"

	"github.com/snapback-io/snapback/domain"
)

// demo is the demo board under construction.
type demo struct {
	now      time.Time
	entities []*domain.Entity
}

// add appends an entity that somebody made some days ago.
func (d *demo) add(kind domain.Kind, id, by string, daysAgo int, fields domain.Fields) *domain.Entity {
	at := d.now.AddDate(0, 0, -daysAgo).Truncate(time.Hour)
	e := &domain.Entity{ID: id, Kind: kind, CreatedAt: at, CreatedBy: by, UpdatedAt: at, UpdatedBy: by, Fields: fields}
	d.entities = append(d.entities, e)
	return e
}

// day is a whole day some days from now.
func (d *demo) day(days int) string { return d.now.AddDate(0, 0, days).Format(time.DateOnly) }

// demoBoard is a product team's board, one column of which is full.
func demoBoard(now time.Time) []*domain.Entity {
	d := &demo{now: now}
	d.add(domain.KindBoard, demoID, "ann", 30, domain.Fields{
		"title":       "Product team",
		"description": "Open this page in two windows and drag cards. Doing holds three and is full: what you drag there snaps back.",
	})
	names := []string{"Bug", "Customer", "Design", "Infrastructure", "Quick win"}
	colors := []string{"red", "blue", "purple", "green", "yellow"}
	for i, key := range domain.KeysEvenly(len(names)) {
		id := []string{"bug", "customer", "design", "infra", "quick-win"}[i]
		d.add(domain.KindLabel, id, "ann", 30, domain.Fields{"name": names[i], "color": colors[i], "position": key})
	}
	columns := []domain.Fields{
		{"title": "Ideas"}, {"title": "Next"}, {"title": "Doing", "wipLimit": int64(3), "wipMode": "hard"},
		{"title": "Review", "wipLimit": int64(2), "wipMode": "soft"}, {"title": "Done"},
	}
	for i, key := range domain.KeysEvenly(len(columns)) {
		columns[i]["position"] = key
		d.add(domain.KindColumn, []string{"ideas", "next", "doing", "review", "done"}[i], "ann", 30, columns[i])
	}
	d.addCards()
	d.addChecklists()
	d.addComments()
	d.add(domain.KindFile, "file-cookies", "ben", 1, domain.Fields{
		"name": "Set-Cookie (MDN)", "cardId": "fix-login", "url": "https://developer.mozilla.org/en-US/docs/Web/HTTP/Headers/Set-Cookie",
	})
	return d.entities
}

// demoCard is one card, in the order of its column.
type demoCard struct {
	id, column, title, text, by string
	daysAgo                     int
	labels, assignees, likedBy  []string
	due                         int // days from now, 0: none
	done                        bool
}

var demoCards = []demoCard{
	{id: "dark-mode", column: "ideas", title: "Dark mode", by: "cleo", daysAgo: 21, labels: []string{"customer", "design"}, likedBy: []string{"ann", "ben", "dana", "emil"},
		text: "Asked for in 14 of the last 50 support tickets. Cleo has a palette that passes the contrast check."},
	{id: "keyboard", column: "ideas", title: "Keyboard shortcuts for moving cards", by: "emil", daysAgo: 12, labels: []string{"customer"}, likedBy: []string{"cleo"}},
	{id: "calendar", column: "ideas", title: "Due dates in the calendar", by: "dana", daysAgo: 9, likedBy: []string{"ann", "ben"},
		text: "An .ics address per person, read-only. What about whole-day dates in other time zones?"},
	{id: "fix-login", column: "next", title: "Fix login on Safari", by: "ben", daysAgo: 3, labels: []string{"bug", "customer"}, assignees: []string{"ben"}, likedBy: []string{"ann", "cleo", "emil"}, due: 2,
		text: "After the update to Safari 18 the session cookie is dropped when somebody comes from a mail link. Chrome and Firefox are fine."},
	{id: "import-csv", column: "next", title: "Import contacts from CSV", by: "dana", daysAgo: 8, labels: []string{"customer"}, assignees: []string{"dana"}, likedBy: []string{"emil"}, due: 9},
	{id: "status-page", column: "next", title: "Public status page", by: "ann", daysAgo: 6, labels: []string{"infra", "quick-win"}},
	{id: "search", column: "doing", title: "Search finds archived cards", by: "ann", daysAgo: 10, assignees: []string{"ann"}, likedBy: []string{"ben", "dana"}, due: 4,
		text: "Behind a switch that is off by default. Results say that a card is archived."},
	{id: "upload", column: "doing", title: "Large uploads continue after a lost connection", by: "emil", daysAgo: 7, labels: []string{"infra"}, assignees: []string{"emil"}, due: 6},
	{id: "onboarding", column: "doing", title: "Shorter sign-up", by: "cleo", daysAgo: 14, labels: []string{"design"}, assignees: []string{"cleo", "dana"}, likedBy: []string{"ann", "ben", "emil"}, due: 1,
		text: "Three fields instead of nine. The rest is asked when it is needed."},
	{id: "rate-limit", column: "review", title: "Limit sign-in attempts per address", by: "ben", daysAgo: 11, labels: []string{"infra"}, assignees: []string{"ben"}, likedBy: []string{"emil"}},
	{id: "release-notes", column: "review", title: "Release notes for 4.2", by: "dana", daysAgo: 2, assignees: []string{"dana", "ann"}, due: 3},
	{id: "backup", column: "done", title: "Restore a backup every night, not only make one", by: "emil", daysAgo: 26, labels: []string{"infra"}, assignees: []string{"emil"}, likedBy: []string{"ann", "ben", "cleo", "dana"}, due: -5, done: true},
	{id: "typo", column: "done", title: "Typo in the invoice mail", by: "cleo", daysAgo: 5, labels: []string{"bug", "quick-win"}, assignees: []string{"cleo"}, done: true},
}

func (d *demo) addCards() {
	column, keys := "", []string(nil)
	for i, c := range demoCards {
		if c.column != column {
			column = c.column
			keys = domain.KeysEvenly(len(demoCards) - i)
		}
		fields := domain.Fields{"title": c.title, "columnId": c.column, "position": keys[0]}
		keys = keys[1:]
		setIf(fields, "description", c.text)
		for name, set := range map[string][]string{"labels": c.labels, "assignees": c.assignees, "likedBy": c.likedBy} {
			if len(set) > 0 {
				fields[name] = slices.Sorted(slices.Values(set))
			}
		}
		if c.due != 0 {
			fields["due"] = d.day(c.due)
		}
		if c.done {
			fields["done"] = d.now.AddDate(0, 0, -c.daysAgo/2).Truncate(time.Minute).Format(time.RFC3339)
		}
		d.add(domain.KindCard, c.id, c.by, c.daysAgo, fields)
	}
}

func (d *demo) addChecklists() {
	type item struct {
		text, assignee string
		done           bool
	}
	lists := []struct {
		id, card, title string
		items           []item
	}{
		{"fix-login-steps", "fix-login", "Steps", []item{
			{"Reproduce with a mail link", "ben", true}, {"Try SameSite=Lax on a test server", "ben", false}, {"Ask the customer who reported it", "dana", false}}},
		{"release-notes-parts", "release-notes", "Before it goes out", []item{
			{"Screenshots in both languages", "cleo", true}, {"Read by somebody who did not write it", "ann", false}, {"Date in the headline", "", true}}},
	}
	for _, l := range lists {
		d.add(domain.KindChecklist, l.id, "ann", 2, domain.Fields{"cardId": l.card, "title": l.title, "position": "a0"})
		keys := domain.KeysEvenly(len(l.items))
		for i, it := range l.items {
			fields := domain.Fields{"checklistId": l.id, "text": it.text, "position": keys[i]}
			setIf(fields, "assignee", it.assignee)
			if it.done {
				fields["done"] = true
			}
			d.add(domain.KindItem, fmt.Sprintf("%s-%d", l.id, i+1), "ann", 2, fields)
		}
	}
}

func (d *demo) addComments() {
	for i, c := range []struct {
		card, by, text string
		daysAgo        int
	}{
		{"fix-login", "dana", "Two more customers wrote this morning, both with Safari 18 on an iPad.", 2},
		{"fix-login", "ben", "Reproduced. The cookie is there and is not sent back after the redirect; the traffic is in the attached table.", 1},
		{"dark-mode", "ann", "Let's do it right after the sign-up. Who would test it at night?", 15},
		{"dark-mode", "emil", "Me. Obviously.", 15},
		{"onboarding", "cleo", "The short form is on the test server: 41 of 60 people finished it, with the old one it was 22.", 4},
		{"backup", "ben", "Restored last night in 11 minutes, every row counted.", 6},
	} {
		d.add(domain.KindComment, fmt.Sprintf("comment-%d", i+1), c.by, c.daysAgo, domain.Fields{"cardId": c.card, "text": c.text})
	}
}

// demoFiles are the files with a content; card "" is the board itself.
var demoFiles = []struct{ id, name, card, contentType, content string }{
	{id: "file-agreement", name: "Team agreement.md", contentType: "text/markdown; charset=utf-8", content: `# How we work

- Doing holds three cards. A fourth one waits, or we finish something first.
- Whoever moves a card to Review asks one person by name.
- A card without a date is not late.
`},
	{id: "file-traffic", name: "Login redirects.csv", card: "fix-login", contentType: "text/csv; charset=utf-8", content: `browser,step,cookie sent,status
Safari 18,mail link,no,302
Safari 18,after redirect,no,401
Firefox 132,mail link,no,302
Firefox 132,after redirect,yes,200
`},
	{id: "file-palette", name: "Palette.svg", card: "dark-mode", contentType: "image/svg+xml", content: `<svg xmlns="http://www.w3.org/2000/svg" width="240" height="60" role="img" aria-label="Four dark colours">
  <rect width="60" height="60" fill="#14171c"/><rect x="60" width="60" height="60" fill="#232830"/>
  <rect x="120" width="60" height="60" fill="#8fb4ff"/><rect x="180" width="60" height="60" fill="#f2f4f8"/>
</svg>
`},
	{id: "file-notes", name: "Release notes 4.2.md", card: "release-notes", contentType: "text/markdown; charset=utf-8", content: `# 4.2

Signing up takes three fields. Search finds archived cards if you ask it to.
Uploads go on where they stopped when the connection is lost.
`},
}

func setIf(f domain.Fields, name, v string) {
	if v != "" {
		f[name] = v
	}
}
