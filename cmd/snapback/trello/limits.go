package trello

import (
	"fmt"
	"slices"
	"strings"

	"github.com/snapback-io/snapback/domain"
)

// LimitError says that a board has more of something than Snapback takes.
type LimitError struct{ Exceeded []string }

func (e *LimitError) Error() string {
	return "the board is larger than Snapback takes: " + strings.Join(e.Exceeded, "; ")
}

// Limits of DOMAIN.md: per board, and per parent.
const (
	maxColumns    = 500
	maxOpenCards  = 5_000
	maxCards      = 50_000 // archived
	maxLabels     = 1_000
	maxMembers    = 1_600
	maxFiles      = 1_000
	maxChecklists = 100
	maxComments   = 5_000
	maxItems      = 500
)

// checkLimits names every limit that the entities exceed.
func checkLimits(entities []*domain.Entity) error {
	type key struct {
		what   string
		parent string
	}
	limits := map[string]int{
		"lists": maxColumns, "cards": maxOpenCards, "archived cards": maxCards, "labels": maxLabels, "members": maxMembers,
		"files": maxFiles, "checklists": maxChecklists, "comments": maxComments, "items": maxItems,
	}
	count, names := map[key]int{}, map[string]string{}
	var order []key
	for _, e := range entities {
		names[e.ID] = e.Fields.String("title")
		k := key{parent: e.Parent()}
		switch e.Kind {
		case domain.KindColumn:
			k.what = "lists"
		case domain.KindCard:
			k = key{what: "cards"}
			if e.Fields.Bool("archived") {
				k.what = "archived cards"
			}
		case domain.KindLabel:
			k.what = "labels"
		case domain.KindMember:
			k.what = "members"
		case domain.KindFile:
			k.what = "files"
		case domain.KindChecklist:
			k.what = "checklists"
		case domain.KindComment:
			k.what = "comments"
		case domain.KindItem:
			k.what = "items"
		default:
			continue
		}
		if count[k]++; count[k] == limits[k.what]+1 {
			order = append(order, k)
		}
	}
	if len(order) == 0 {
		return nil
	}
	var exceeded []string
	for _, k := range order {
		on := "on the board"
		if k.parent != "" {
			on = fmt.Sprintf("on %q", shorten(names[k.parent]))
		}
		exceeded = append(exceeded, fmt.Sprintf("%d %s %s, the limit is %d", count[k], k.what, on, limits[k.what]))
	}
	return &LimitError{Exceeded: slices.Compact(exceeded)}
}
