package domain

// crowd is a number of entities with a limit.
type crowd struct {
	what   string // "wip", "archived cards", else the kind
	parent string
}

// crowdsOf gives the crowds the entity is in, at most two.
func crowdsOf(e *Entity) (in [2]crowd) {
	switch {
	case e == nil || e.Kind == KindBoard:
	case e.Kind != KindCard:
		in[0] = crowd{string(e.Kind), e.Parent()}
	case isArchived(e):
		in[0] = crowd{"archived cards", ""}
	default:
		in[0], in[1] = crowd{"wip", e.Parent()}, crowd{string(KindCard), ""}
	}
	return in
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
	var moves few[crowd, movement]
	for _, t := range d.touched.values {
		was, is := crowdsOf(t.base), crowdsOf(t.now)
		for _, c := range was {
			if c != (crowd{}) && c != is[0] && c != is[1] {
				moves.at(c).left++
			}
		}
		for _, c := range is {
			if c != (crowd{}) && c != was[0] && c != was[1] {
				m := moves.at(c)
				m.entered = append(m.entered, t.entered)
			}
		}
	}
	var found []breach
	for i, c := range moves.keys {
		m := &moves.values[i]
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
