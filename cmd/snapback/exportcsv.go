package main

import (
	"encoding/csv"
	"encoding/json"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/snapback-io/snapback/domain"
)

// cardColumns are the columns of a card's row; the fields of an application's
// own follow, by name.
var cardColumns = []string{
	"number", "title", "column", "archived", "column archived", "labels", "assignees", "likes", "start", "due", "done", "items done", "items",
	"comments", "files", "color", "description", "created at", "created by", "updated at", "updated by", "id",
}

// writeCSV writes one row per card, column by column, as RFC 4180 has it, in
// UTF-8. Several labels or assignees stand in one cell, "; " between them. A
// text that a spreadsheet would take for a formula has a ' before it.
func writeCSV(w io.Writer, entities []*domain.Entity) error {
	out := csv.NewWriter(w)
	out.UseCRLF = true
	t := newTable(entities)
	if err := out.Write(slices.Concat(cardColumns, t.extra)); err != nil {
		return err
	}
	for _, e := range entities {
		if e.Kind != domain.KindCard {
			continue
		}
		if err := out.Write(t.row(e)); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// table knows what the cells of a card are made of.
type table struct {
	byID                              map[string]*domain.Entity
	comments, files, items, itemsDone map[string]int // by card
	extra                             []string       // x- fields of any card
}

func newTable(entities []*domain.Entity) *table {
	t := &table{byID: map[string]*domain.Entity{}, comments: map[string]int{}, files: map[string]int{}, items: map[string]int{}, itemsDone: map[string]int{}}
	extra := map[string]bool{}
	for _, e := range entities {
		t.byID[e.ID] = e
		switch e.Kind {
		case domain.KindComment:
			t.comments[e.Parent()]++
		case domain.KindFile:
			t.files[e.Parent()]++
		case domain.KindItem:
			card := t.byID[e.Parent()].Parent() // its checklist stands before it
			t.items[card]++
			if done := e.Fields["done"]; done != nil && done != false {
				t.itemsDone[card]++
			}
		case domain.KindCard:
			for name := range e.Fields {
				if strings.HasPrefix(name, "x-") {
					extra[name] = true
				}
			}
		}
	}
	t.extra = slices.Sorted(maps.Keys(extra))
	return t
}

func (t *table) row(e *domain.Entity) []string {
	f, column := e.Fields, t.byID[e.Parent()]
	var labels []string
	for _, id := range f.Set("labels") {
		if label := t.byID[id]; label != nil {
			labels = append(labels, firstOf(label.Fields.String("name"), label.Fields.String("color"), id))
		}
	}
	row := []string{
		strconv.FormatInt(f.Int("number"), 10), cell(f.String("title")), cell(column.Fields.String("title")), yes(f.Bool("archived")), yes(column.Fields.Bool("archived")),
		cell(strings.Join(labels, "; ")), cell(strings.Join(f.Set("assignees"), "; ")), strconv.Itoa(len(f.Set("likedBy"))),
		f.String("start"), f.String("due"), f.String("done"), strconv.Itoa(t.itemsDone[e.ID]), strconv.Itoa(t.items[e.ID]),
		strconv.Itoa(t.comments[e.ID]), strconv.Itoa(t.files[e.ID]), cell(f.String("color")), cell(f.String("description")),
		e.CreatedAt.Format(timeLayout), cell(e.CreatedBy), e.UpdatedAt.Format(timeLayout), cell(e.UpdatedBy), cell(e.ID),
	}
	for _, name := range t.extra {
		row = append(row, valueCell(f[name]))
	}
	return row
}

const timeLayout = "2006-01-02T15:04:05.000Z"

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

func firstOf(words ...string) string {
	for _, word := range words {
		if word != "" {
			return word
		}
	}
	return ""
}

// cell is a text that no spreadsheet takes for a formula.
func cell(s string) string {
	if strings.HasPrefix(s, "'") || strings.IndexAny(s, "=+-@\t\r\n＝＋－＠") == 0 {
		return "'" + s
	}
	return s
}

// valueCell is any JSON value; numbers stay what they are.
func valueCell(v any) string {
	switch x := v.(type) {
	case nil:
		return ""
	case string:
		return cell(x)
	case []string:
		return cell(strings.Join(x, "; "))
	case int64:
		return strconv.FormatInt(x, 10)
	}
	raw, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return string(raw)
}
