package domain

// crowd is a number of entities with a limit.
type crowd struct {
	what   string // "wip", "archived cards", else the kind
	parent string
}

// crowdsOf gives the crowds the entity is in.
func crowdsOf(e *Entity) []crowd {
	if e == nil {
		return nil
	}
	switch e.Kind {
	case KindBoard:
		return nil
	case KindCard:
		if isArchived(e) {
			return []crowd{{"archived cards", ""}}
		}
		return []crowd{{"wip", e.Parent()}, {string(KindCard), ""}}
	}
	return []crowd{{string(e.Kind), e.Parent()}}
}

var crowdLimits = map[string]int{
	"archived cards":      maxShutCards,
	string(KindCard):      maxOpenCards,
	string(KindColumn):    maxColumns,
	string(KindLabel):     maxLabels,
	string(KindMember):    maxMembers,
	string(KindFile):      maxFiles,
	string(KindChecklist): maxChecklists,
	string(KindComment):   maxComments,
	string(KindItem):      maxItems,
}

// crowdLimit is how many may be in the crowd at the end of the command.
func (d *draft) crowdLimit(c crowd) (limit int, limited bool) {
	if c.what != "wip" {
		return crowdLimits[c.what], true
	}
	column := d.get(c.parent)
	if column == nil || d.cmd.Op == OpImport || column.Fields.String("wipMode") == "soft" {
		return 0, false
	}
	limit = int(column.Fields.Int("wipLimit"))
	return limit, limit > 0
}

// before the command.
func (d *draft) crowdBefore(c crowd) int {
	switch c.what {
	case "wip":
		return len(d.b.open(listKey{c.parent, KindCard}))
	case string(KindCard):
		return d.b.openCards
	case "archived cards":
		return d.b.shutCards
	}
	return d.b.count(listKey{c.parent, Kind(c.what)})
}

// crowded finds the crowds that somebody entered and that are too many now:
// WIP limits and the limits of a board.
func (d *draft) crowded() []breach {
	type movement struct {
		entered []int // by which change, in the order touched
		left    int
	}
	moves := map[crowd]*movement{}
	var order []crowd
	at := func(c crowd) *movement {
		if moves[c] == nil {
			moves[c] = &movement{}
			order = append(order, c)
		}
		return moves[c]
	}
	for _, t := range d.order {
		was, is := crowdsOf(t.base), crowdsOf(t.now)
		for _, c := range was {
			if !contains(is, c) {
				at(c).left++
			}
		}
		for _, c := range is {
			if !contains(was, c) {
				m := at(c)
				m.entered = append(m.entered, t.entered)
			}
		}
	}
	var found []breach
	for _, c := range order {
		m := moves[c]
		limit, limited := d.crowdLimit(c)
		stayed := d.crowdBefore(c) - m.left
		if !limited || len(m.entered) == 0 || stayed+len(m.entered) <= limit {
			continue
		}
		count := max(stayed, limit) // when the first one too many came
		first := breach{change: m.entered[count-stayed]}
		if c.what == "wip" {
			first.Rejection = reject(WIPLimit, "the column is full", "columnId", c.parent, "limit", limit, "count", count)
		} else {
			first.Rejection = reject(Limit, "too many: "+c.what, "limit", limit, "count", count)
		}
		found = append(found, first)
	}
	return found
}

func contains(list []crowd, c crowd) bool {
	for _, x := range list {
		if x == c {
			return true
		}
	}
	return false
}
