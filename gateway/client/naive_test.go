package client

import (
	"maps"
	"slices"

	"github.com/snapback-io/snapback/domain"
)

// naiveView replays every pending mutation over a copy of what is confirmed,
// with loops over everything: slow, and by another way than Store goes.
func naiveView(confirmed map[string]*domain.Entity, pending []*Pending, user string) map[string]*domain.Entity {
	view := maps.Clone(confirmed)
	dead := map[string]bool{}
	for _, p := range pending {
		if p.Hidden {
			continue
		}
		for _, c := range p.Changes {
			naiveChange(view, dead, c, user)
		}
	}
	return view
}

func naiveChange(view map[string]*domain.Entity, dead map[string]bool, c domain.Change, user string) {
	if dead[c.EntityID] {
		return
	}
	old := view[c.EntityID]
	if c.Patch == nil {
		if old != nil {
			naiveDelete(view, dead, c.EntityID)
		}
		return
	}
	kind, _ := c.Patch["kind"].(string)
	if old == nil && kind == "" || old != nil && kind != "" && string(old.Kind) != kind {
		return
	}
	next := domain.Entity{ID: c.EntityID, Kind: domain.Kind(kind), CreatedBy: user}
	if old != nil {
		next = *old
	}
	parentBefore := next.Parent()
	next.Fields = domain.Merge(next.Fields, c.Patch, user)
	due := old == nil || parentBefore != next.Parent()
	if positioned(next.Kind) {
		place, isPlace := c.Patch["position"].(domain.Place)
		if !isPlace && (old == nil && next.Fields["position"] == nil || old != nil && due && c.Patch["position"] == nil) {
			place, isPlace = domain.Place{HasBefore: true}, true
		}
		if isPlace {
			naivePlace(view, old, &next, place, due)
		}
	}
	if next.Kind == domain.KindCard {
		next.Fields["liked"] = slices.Contains(next.Fields.Set("likedBy"), user)
		next.Fields["likes"] = int64(len(next.Fields.Set("likedBy")))
	}
	view[next.ID] = &next
}

func naiveDelete(view map[string]*domain.Entity, dead map[string]bool, id string) {
	delete(view, id)
	dead[id] = true
	for _, e := range view {
		if e.Fields["cardId"] == id && e.Kind != domain.KindItem || e.Fields["checklistId"] == id && e.Kind == domain.KindItem {
			naiveDelete(view, dead, e.ID)
		}
	}
}

func naivePlace(view map[string]*domain.Entity, old, e *domain.Entity, place domain.Place, due bool) {
	named := place.After+place.Before != ""
	ref := view[place.After+place.Before]
	if named && !due && (ref == nil || ref.Kind != e.Kind || ref.ID == e.ID) {
		return
	}
	if named && (ref == nil || ref.Kind != e.Kind || ref.ID == e.ID || ref.Parent() != e.Parent() || position(ref) == "") {
		place, ref = domain.Place{HasBefore: true}, nil
	}
	var keys []string
	for _, x := range view {
		if x.ID != e.ID && x.Kind == e.Kind && x.Parent() == e.Parent() && !x.Fields.Bool("archived") && position(x) != "" {
			keys = append(keys, position(x))
		}
	}
	slices.Sort(keys)
	low, high := "", "" // everything strictly below and above the seat
	switch {
	case ref != nil:
		for _, k := range keys {
			if k < position(ref) {
				low = k
			}
			if k > position(ref) && high == "" {
				high = k
			}
		}
		if !ref.Fields.Bool("archived") && place.HasAfter {
			low = position(ref)
		} else if !ref.Fields.Bool("archived") {
			high = position(ref)
		}
	case len(keys) == 0:
	case place.HasAfter:
		high = keys[0]
	default:
		low = keys[len(keys)-1]
	}
	if !due && !old.Fields.Bool("archived") && position(old) > low && (high == "" || position(old) < high) {
		return
	}
	k, err := domain.KeyBetween(low, high)
	if err != nil {
		k = low
	}
	e.Fields["position"] = k
}
