package trello

import (
	"cmp"
	"encoding/json"
	"slices"
	"time"

	"github.com/snapback-io/snapback/domain"
)

// mapCards adds the cards in the order they were made, so that the numbers the
// server gives follow it; their places are in position.
func (m *mapping) mapCards() {
	position := m.cardPositions()
	cards := make([]*Card, len(m.x.Cards))
	for i := range m.x.Cards {
		cards[i] = &m.x.Cards[i]
	}
	slices.SortStableFunc(cards, func(a, b *Card) int {
		return cmp.Or(idTime(a.ID).Compare(idTime(b.ID)), cmp.Compare(a.IDShort, b.IDShort))
	})
	names := m.fieldNames()
	for _, c := range cards {
		if m.kinds[c.IDList] != domain.KindColumn {
			m.report.left("cards whose list is not in the export", c.Name)
			continue
		}
		fields := domain.Fields{"title": m.title("card names", c.Name), "columnId": c.IDList, "position": position[c.ID]}
		setText(fields, "description", m.lines("card descriptions", c.Desc, maxDescription))
		if c.Closed {
			fields["archived"] = true
		}
		setText(fields, "color", m.line("cover colours", c.Cover.Color, maxColor))
		m.mapDates(c, fields)
		m.mapSets(c, fields)
		m.mapCustomFields(c, names, fields)
		m.leftOnCard(c)
		at, by := m.cardMade(c)
		e := &domain.Entity{ID: c.ID, Kind: domain.KindCard, UpdatedAt: c.DateLastActivity, Fields: fields}
		if a := m.history.changed[c.ID]; a != nil {
			e.UpdatedBy = m.people.user(a.author())
		}
		m.add(e, at, by)
	}
}

func (m *mapping) cardPositions() map[string]string {
	cards := slices.Clone(m.x.Cards)
	slices.SortStableFunc(cards, byPos(func(c Card) float64 { return c.Pos }))
	inList := map[string][]string{}
	for _, c := range cards {
		inList[c.IDList] = append(inList[c.IDList], c.ID)
	}
	position := map[string]string{}
	for _, ids := range inList {
		for i, key := range domain.KeysEvenly(len(ids)) {
			position[ids[i]] = key
		}
	}
	return position
}

func (m *mapping) cardMade(c *Card) (time.Time, string) {
	if a := m.history.made[c.ID]; a == nil && c.IDMemberCreator != "" {
		return idTime(c.ID), m.people.user(c.IDMemberCreator)
	}
	return m.made(c.ID)
}

func (m *mapping) mapDates(c *Card, fields domain.Fields) {
	setText(fields, "due", m.when("due dates of cards", c.Due))
	setText(fields, "start", m.when("start dates of cards", c.Start))
	if !c.DueComplete {
		return
	}
	at := c.DateLastActivity
	if a := m.history.done[c.ID]; a != nil {
		at = a.Date
	}
	if at.IsZero() {
		at = idTime(c.ID)
	}
	fields["done"] = formatTime(at)
}

// when is a date of the export as RFC 3339 UTC, "" if it is none.
func (m *mapping) when(what, s string) string {
	if s == "" {
		return ""
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		m.report.left("unreadable "+what, s)
		return ""
	}
	return formatTime(t)
}

func formatTime(t time.Time) string {
	return t.UTC().Truncate(time.Millisecond).Format(time.RFC3339Nano)
}

func (m *mapping) mapSets(c *Card, fields domain.Fields) {
	var labels, likes []string
	for _, id := range c.IDLabels {
		if m.kinds[id] != domain.KindLabel {
			m.report.left("labels on cards that the board does not have", id)
			continue
		}
		labels = append(labels, id)
	}
	for _, id := range c.IDMembersVoted {
		likes = append(likes, m.people.user(id))
	}
	for name, list := range map[string][]string{
		"labels": sorted(labels), "likedBy": sorted(likes), "assignees": m.assignees(c.IDMembers, "cards"),
	} {
		if len(list) > 0 {
			fields[name] = list
		}
	}
	if n := len(fields.Set("likedBy")); n > 0 {
		note(&m.report.Carried, "votes (as likes)", n, "")
	}
	if n := c.Badges.Votes - len(c.IDMembersVoted); n > 0 {
		note(&m.report.Left, "votes whose voters the export does not name", n, c.Name)
	}
}

// leftOnCard reports what a card has and the board cannot hold.
func (m *mapping) leftOnCard(c *Card) {
	if v := c.Cover; v.IDAttachment != "" || v.IDUploadedBackground != "" || v.SharedSourceURL != "" {
		m.report.left("pictures on covers", c.Name)
	}
	if point := string(c.Coordinates); c.Address != "" || c.LocationName != "" || point != "" && point != "null" && point != `""` {
		m.report.left("locations", c.Name)
	}
}

func (m *mapping) mapChecklists() {
	lists := slices.Clone(m.x.Checklists)
	slices.SortStableFunc(lists, byPos(func(l Checklist) float64 { return l.Pos }))
	onCard := map[string]int{}
	for _, l := range lists {
		onCard[l.IDCard]++
	}
	keys, used := map[string][]string{}, map[string]int{}
	for card, n := range onCard {
		keys[card] = domain.KeysEvenly(n)
	}
	for _, l := range lists {
		if m.kinds[l.IDCard] != domain.KindCard {
			m.report.left("checklists whose card is not in the export", l.Name)
			continue
		}
		fields := domain.Fields{"cardId": l.IDCard, "position": keys[l.IDCard][used[l.IDCard]]}
		used[l.IDCard]++
		setText(fields, "title", m.line("checklist names", l.Name, maxTitle))
		at, by := m.made(l.ID)
		if m.add(&domain.Entity{ID: l.ID, Kind: domain.KindChecklist, Fields: fields}, at, by) {
			m.mapItems(l)
		}
	}
}

func (m *mapping) mapItems(l Checklist) {
	items := slices.Clone(l.CheckItems)
	slices.SortStableFunc(items, byPos(func(i CheckItem) float64 { return i.Pos }))
	keys := domain.KeysEvenly(len(items))
	for i, item := range items {
		fields := domain.Fields{"checklistId": l.ID, "text": m.title("checklist items", item.Name), "position": keys[i]}
		if item.State == "complete" {
			fields["done"] = true
		}
		setText(fields, "due", m.when("due dates of checklist items", item.Due))
		if item.IDMember != "" {
			fields["assignee"] = m.assignees([]string{item.IDMember}, "checklist items")[0]
		}
		m.add(&domain.Entity{ID: item.ID, Kind: domain.KindItem, Fields: fields}, idTime(item.ID), sourceUser)
	}
}

// mapComments adds the comments in the order they were written, which is the
// order a card shows them in.
func (m *mapping) mapComments() {
	var comments []*Action
	for i := range m.x.Actions {
		if a := &m.x.Actions[i]; a.Type == "commentCard" || a.Type == "copyCommentCard" {
			comments = append(comments, a)
		}
	}
	slices.SortStableFunc(comments, func(a, b *Action) int { return cmp.Or(a.Date.Compare(b.Date), cmp.Compare(a.ID, b.ID)) })
	onCard := map[string]int{}
	for _, a := range comments {
		if m.kinds[a.Data.Card.ID] != domain.KindCard {
			m.report.left("comments on cards that are not in the export", a.Data.Text)
			continue
		}
		text := m.lines("comments", a.Data.Text, maxTitle)
		if text == "" {
			m.report.left("empty comments", "")
			continue
		}
		e := &domain.Entity{ID: a.ID, Kind: domain.KindComment, UpdatedAt: a.Data.DateLastEdited, Fields: domain.Fields{"cardId": a.Data.Card.ID, "text": text}}
		if m.add(e, a.Date, m.people.user(a.author())) {
			onCard[a.Data.Card.ID]++
		}
	}
	for _, c := range m.x.Cards {
		if n := c.Badges.Comments - onCard[c.ID]; n > 0 && m.kinds[c.ID] == domain.KindCard {
			note(&m.report.Left, "comments that are not in the export (it holds the last 1,000 actions only)", n, c.Name)
		}
	}
}

// jsonBytes is how long v is as JSON.
func jsonBytes(v any) int {
	raw, err := json.Marshal(v)
	if err != nil {
		return maxExtra + 1
	}
	return len(raw)
}
