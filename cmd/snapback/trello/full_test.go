package trello

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/snapback-io/snapback/domain"
)

// id makes an ObjectID of a moment (seconds) and a number.
func id(seconds, n int) string { return fmt.Sprintf("%08x%016x", seconds, n) }

const (
	boardID = "5f0000000000000000000001"
	noon    = 1_600_000_000
)

// fullExport is an export with everything an export may have.
func fullExport() object {
	attachments := []object{
		{"id": id(noon, 50), "name": "plan.pdf", "url": "https://trello.com/a/plan.pdf", "pos": 2, "isUpload": true, "bytes": 10, "date": "2020-09-14T08:00:00.000Z", "idMember": id(1, 1)},
		{"id": id(noon, 51), "name": "plan.pdf", "url": "https://example.com/plan.pdf", "pos": 1},
		{"id": id(noon, 52), "name": "PLAN.PDF", "url": "http://example.com/other", "pos": 3},
		{"id": id(noon, 53), "name": "https://example.com/a/b", "url": "https://example.com/a/b", "pos": 4},
		{"id": id(noon, 54), "name": "mail", "url": "mailto:a@example.com", "pos": 5},
		{"id": id(noon, 55), "name": strings.Repeat("ü", 200) + ".docx", "url": "https://example.com/long", "pos": 6},
		{"id": id(noon, 56), "name": "", "url": "https://example.com/x/from-the-link.txt?a=1", "pos": 7},
		{"id": id(noon, 57), "name": "..", "url": "https://example.com/dots", "pos": 8},
	}
	return object{
		"id": boardID, "name": "Everything", "desc": "line one\r\nline two\u0007", "closed": false, "idMemberCreator": id(1, 1),
		"dateLastActivity": "2021-01-01T00:00:00.000Z", "prefs": object{"comments": "observers", "permissionLevel": "private", "background": "blue"},
		"powerUps": []string{"calendar"}, "somethingNew": object{"a": 1}, "labelNames": object{"green": ""},
		"lists": []object{
			{"id": id(noon, 12), "name": "Third", "pos": 200, "closed": true, "softLimit": nil},
			{"id": id(noon, 11), "name": "Second", "pos": 100, "closed": false, "softLimit": 5, "color": "blue"},
			{"id": id(noon, 10), "name": "First", "pos": 50, "closed": false, "softLimit": 20000},
		},
		"labels": []object{{"id": id(noon, 20), "name": "", "color": "green"}, {"id": id(noon, 21), "name": strings.Repeat("l", 300), "color": nil}},
		"members": []object{
			{"id": id(1, 1), "username": "ann", "fullName": "Ann\u202e A.", "avatarUrl": "https://example.com/ann"},
			{"id": id(1, 2), "username": "ben", "fullName": "Ben", "avatarUrl": nil},
			{"id": id(1, 3), "username": "cleo", "fullName": "Cleo"},
			{"id": id(1, 4), "username": "gone", "fullName": "Gone"},
			{"id": id(1, 5), "username": "ghost", "fullName": "Ghost"},
			{"id": id(1, 6), "username": "left", "fullName": "Left"},
		},
		"memberships": []object{
			{"id": id(2, 1), "idMember": id(1, 1), "memberType": "admin"}, {"id": id(2, 2), "idMember": id(1, 2), "memberType": "normal"},
			{"id": id(2, 3), "idMember": id(1, 3), "memberType": "observer"}, {"id": id(2, 4), "idMember": id(1, 4), "memberType": "normal", "deactivated": true},
			{"id": id(2, 5), "idMember": id(1, 5), "memberType": "normal", "unconfirmed": true},
		},
		"customFields": []object{
			{"id": id(noon, 60), "name": "Cost (€)", "type": "number", "pos": 2}, {"id": id(noon, 61), "name": "cost", "type": "text", "pos": 1},
			{"id": id(noon, 62), "name": "Fällig!", "type": "date", "pos": 3},
			{"id": id(noon, 63), "name": "Size", "type": "list", "pos": 4, "options": []object{{"id": id(noon, 64), "color": "red", "value": object{"text": "XL"}}}},
			{"id": id(noon, 65), "name": strings.Repeat("n", 100), "type": "checkbox", "pos": 5},
			{"id": id(noon, 66), "name": "日本", "type": "hologram", "pos": 6},
		},
		"cards": []object{
			{"id": id(noon+4, 30), "idShort": 4, "name": strings.Repeat("長", 16_384), "desc": "d", "idList": id(noon, 11), "pos": 7, "closed": false,
				"idLabels": []string{id(noon, 21), id(noon, 20), id(9, 9)}, "idMembers": []string{id(1, 2), id(1, 6)}, "idMembersVoted": []string{id(1, 4), id(1, 1), id(1, 2), id(7, 7)},
				"due": "2020-10-01T10:00:00.000Z", "start": "2020-09-20T00:00:00.000Z", "dueComplete": true, "dateLastActivity": "2020-12-01T00:00:00.000Z",
				"badges": object{"comments": 5, "votes": 4}, "cover": object{"color": "pink"}, "stickers": []object{{"id": "a"}, {"id": "b"}},
				"address": "Market 1", "coordinates": object{"latitude": 1, "longitude": 2}, "pluginData": []object{{"id": "p"}}, "attachments": attachments,
				"customFieldItems": []object{
					{"idCustomField": id(noon, 60), "value": object{"number": "12.50"}}, {"idCustomField": id(noon, 61), "value": object{"text": "high"}},
					{"idCustomField": id(noon, 62), "value": object{"date": "2020-10-05T10:00:00.000Z"}}, {"idCustomField": id(noon, 63), "idValue": id(noon, 64), "value": nil},
					{"idCustomField": id(noon, 65), "value": object{"checked": "true"}}, {"idCustomField": id(noon, 66), "value": object{"text": "?"}},
					{"idCustomField": id(noon, 99), "value": object{"text": "?"}},
				}},
			{"id": id(noon+3, 31), "idShort": 3, "name": "tie b", "idList": id(noon, 11), "pos": 5}, {"id": id(noon+2, 32), "idShort": 2, "name": "tie a", "idList": id(noon, 11), "pos": 5},
			{"id": id(noon+1, 33), "idShort": 1, "name": "tie\nc", "idList": id(noon, 11), "pos": 5, "closed": true, "isTemplate": true},
			{"id": id(noon+5, 34), "idShort": 5, "name": "  ", "idList": id(noon, 12), "pos": 1}, {"id": id(noon+6, 35), "idShort": 6, "name": "lost", "idList": id(5, 5), "pos": 1},
		},
		"checklists": []object{
			{"id": id(noon, 70), "name": "Steps", "idCard": id(noon+4, 30), "pos": 2, "checkItems": []object{
				{"id": id(noon, 72), "name": "two", "pos": 9, "state": "complete", "idMember": id(1, 2), "due": "2020-10-02T00:00:00.000Z"},
				{"id": id(noon, 71), "name": "one", "pos": 3, "state": "incomplete", "idMember": id(1, 6), "dueReminder": 60}}},
			{"id": id(noon, 73), "name": "", "idCard": id(noon+4, 30), "pos": 1, "checkItems": []object{}},
			{"id": id(noon, 74), "name": "orphan", "idCard": id(8, 8), "pos": 1, "checkItems": []object{}},
		},
		"actions": []object{
			{"id": id(noon, 80), "type": "commentCard", "date": "2020-09-15T10:00:00.000Z", "memberCreator": object{"id": id(1, 7), "username": "guest", "fullName": "Guest"}, "data": object{"text": "second\r\nline", "card": object{"id": id(noon+4, 30)}}},
			{"id": id(noon, 81), "type": "commentCard", "date": "2020-09-14T10:00:00.000Z", "memberCreator": object{"id": id(1, 4), "username": "gone"}, "data": object{"text": "first", "card": object{"id": id(noon+4, 30)}, "dateLastEdited": "2020-09-16T00:00:00.000Z"}},
			{"id": id(noon, 82), "type": "commentCard", "date": "2020-09-14T10:00:00.000Z", "memberCreator": object{"id": id(1, 4), "username": "gone"}, "data": object{"text": "deleted card", "card": object{"id": id(6, 6)}}},
			{"id": id(noon, 83), "type": "updateCard", "date": "2020-11-01T00:00:00.000Z", "memberCreator": object{"id": id(1, 2), "username": "ben"}, "data": object{"card": object{"id": id(noon+4, 30), "dueComplete": true}, "old": object{"dueComplete": false}}},
			{"id": id(noon, 84), "type": "createCard", "date": "2020-09-13T12:26:44.123Z", "memberCreator": object{"id": id(1, 2), "username": "ben"}, "data": object{"card": object{"id": id(noon+4, 30)}}},
			{"id": id(noon, 85), "type": "strange", "date": "never", "data": []string{"of another shape"}},
		},
	}
}

func mapObject(t *testing.T, x object, opt Options) *Board {
	t.Helper()
	b, err := tryObject(t, x, opt)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func tryObject(t *testing.T, x object, opt Options) (*Board, error) {
	t.Helper()
	raw, err := json.Marshal(x)
	if err != nil {
		t.Fatal(err)
	}
	export, err := Read(strings.NewReader(string(raw)))
	if err != nil {
		t.Fatal(err)
	}
	return Map(export, opt)
}

func fields(t *testing.T, got domain.Fields, want domain.Fields) {
	t.Helper()
	for name, v := range want {
		if !domain.EqualValues(got[name], v) {
			t.Errorf("%s: %.80v, want %.80v", name, got[name], v)
		}
	}
}

func TestMap_Board(t *testing.T) {
	t.Parallel()
	b := mapObject(t, fullExport(), Options{})
	e := b.Entities[0]
	fields(t, e.Fields, domain.Fields{"title": "Everything", "description": "line one\nline two", "archived": nil})
	if e.ID != "trello-"+boardID || e.Kind != domain.KindBoard || e.CreatedBy != "ann" || !e.CreatedAt.Equal(time.Unix(0x5f000000, 0)) {
		t.Errorf("board: %+v", e)
	}
}

func TestMap_ListsKeepOrderClosedStateAndSoftLimit(t *testing.T) {
	t.Parallel()
	b := mapObject(t, fullExport(), Options{})
	if got := fmt.Sprint(b.children(domain.KindColumn, "")); got != "[First Second Third]" {
		t.Errorf("lists %s", got)
	}
	fields(t, b.entity(t, id(noon, 10)).Fields, domain.Fields{"wipLimit": int64(9999), "wipMode": "soft", "archived": nil})
	fields(t, b.entity(t, id(noon, 11)).Fields, domain.Fields{"wipLimit": int64(5), "wipMode": "soft", "color": "blue"})
	fields(t, b.entity(t, id(noon, 12)).Fields, domain.Fields{"archived": true, "wipLimit": nil, "wipMode": nil})
}

func TestMap_CardsOfOnePositionStandAsInTheExport(t *testing.T) {
	t.Parallel()
	b := mapObject(t, fullExport(), Options{})
	got := b.children(domain.KindCard, id(noon, 11))
	if len(got) != 4 || got[0] != "tie b" || got[1] != "tie a" || got[2] != "tie c" {
		t.Errorf("cards %.40q", got)
	}
	var made []string
	for _, e := range b.kind(domain.KindCard) {
		made = append(made, e.ID)
	}
	if want := []string{id(noon+1, 33), id(noon+2, 32), id(noon+3, 31), id(noon+4, 30), id(noon+5, 34)}; fmt.Sprint(made) != fmt.Sprint(want) {
		t.Errorf("cards come as %v, want the order they were made in", made)
	}
}

func TestMap_Card(t *testing.T) {
	t.Parallel()
	b := mapObject(t, fullExport(), Options{})
	e := b.entity(t, id(noon+4, 30))
	fields(t, e.Fields, domain.Fields{
		"title": strings.Repeat("長", 16_384), "labels": []string{id(noon, 20), id(noon, 21)}, "assignees": []string{"ben", "left"},
		"likedBy": []string{"ann", "ben", "gone", "trello:" + id(7, 7)}, "due": "2020-10-01T10:00:00Z", "start": "2020-09-20T00:00:00Z", "done": "2020-11-01T00:00:00Z",
		"color": "pink", "x-cost": "high", "x-cost-2": json.RawMessage("12.50"), "x-f-llig": "2020-10-05T10:00:00Z", "x-size": "XL", "x-" + strings.Repeat("n", 62): true,
	})
	if e.CreatedBy != "ben" || !e.CreatedAt.Equal(time.UnixMilli(1_600_000_004_123)) || e.UpdatedBy != "ben" || !e.UpdatedAt.Equal(time.Date(2020, 12, 1, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("authors: %s %s, %s %s", e.CreatedBy, e.CreatedAt, e.UpdatedBy, e.UpdatedAt)
	}
	fields(t, b.entity(t, id(noon+1, 33)).Fields, domain.Fields{"archived": true, "title": "tie c"})
	fields(t, b.entity(t, id(noon+5, 34)).Fields, domain.Fields{"archived": nil, "title": "untitled", "columnId": id(noon, 12)})
}

func TestMap_Members(t *testing.T) {
	t.Parallel()
	b := mapObject(t, fullExport(), Options{Users: map[string]string{"ben": "ben@example.com", "gone": "gone@example.com"}})
	fields(t, b.entity(t, "member:ann").Fields, domain.Fields{"user": "ann", "name": "Ann A.", "role": "admin", "avatar": "https://example.com/ann/170.png"})
	fields(t, b.entity(t, "member:ben@example.com").Fields, domain.Fields{"role": "editor"})
	fields(t, b.entity(t, "member:cleo").Fields, domain.Fields{"role": "commenter"})
	if n := len(b.kind(domain.KindMember)); n != 3 {
		t.Errorf("%d members", n)
	}
	if got := b.entity(t, id(noon, 81)).CreatedBy; got != "gone@example.com" {
		t.Errorf("a comment by %s", got)
	}
}

func TestMap_ChecklistsAndItems(t *testing.T) {
	t.Parallel()
	b := mapObject(t, fullExport(), Options{})
	if got := fmt.Sprintf("%q", b.children(domain.KindChecklist, id(noon+4, 30))); got != `["" "Steps"]` {
		t.Errorf("checklists %s", got)
	}
	if got := fmt.Sprint(b.children(domain.KindItem, id(noon, 70))); got != "[one two]" {
		t.Errorf("items %s", got)
	}
	fields(t, b.entity(t, id(noon, 72)).Fields, domain.Fields{"done": true, "assignee": "ben", "due": "2020-10-02T00:00:00Z"})
	fields(t, b.entity(t, id(noon, 71)).Fields, domain.Fields{"done": nil, "assignee": "left", "due": nil})
}

func TestMap_CommentsInOrderWithAuthorAndDate(t *testing.T) {
	t.Parallel()
	b := mapObject(t, fullExport(), Options{})
	comments := b.kind(domain.KindComment)
	if len(comments) != 2 || comments[0].Fields.String("text") != "first" || comments[1].Fields.String("text") != "second\nline" {
		t.Fatalf("comments %v", comments)
	}
	first := comments[0]
	if first.CreatedBy != "gone" || !first.CreatedAt.Equal(time.Date(2020, 9, 14, 10, 0, 0, 0, time.UTC)) || !first.UpdatedAt.Equal(time.Date(2020, 9, 16, 0, 0, 0, 0, time.UTC)) || comments[1].CreatedBy != "guest" {
		t.Errorf("first comment: %+v", first)
	}
}

func TestMap_Files(t *testing.T) {
	t.Parallel()
	b := mapObject(t, fullExport(), Options{})
	var names []string
	for _, e := range b.kind(domain.KindFile) {
		names = append(names, e.Fields.String("name"))
		if len(e.Fields.String("name")) > 255 {
			t.Errorf("a name of %d bytes", len(e.Fields.String("name")))
		}
	}
	want := []string{"plan.pdf", "plan (2).pdf", "PLAN (3).PDF", "https:__example.com_a_b", strings.Repeat("ü", 125) + ".docx", "from-the-link.txt", "__"}
	if fmt.Sprintf("%q", names) != fmt.Sprintf("%q", want) {
		t.Errorf("files\n %q, want\n %q", names, want)
	}
	fields(t, b.entity(t, id(noon, 51)).Fields, domain.Fields{"url": "https://example.com/plan.pdf", "name": "plan.pdf"})
}

// TestReport_SaysWhatIsNotCarriedOver by name and count.
func TestReport_SaysWhatIsNotCarriedOver(t *testing.T) {
	t.Parallel()
	b := mapObject(t, fullExport(), Options{})
	var out strings.Builder
	b.Report.Write(&out)
	for what, want := range map[string]int{
		"stickers": 2, "locations": 1, "power-up data": 1, "power-ups": 1, "board background": 1, "due reminders": 1,
		"template cards (they are ordinary cards now)":                                                  1,
		"fields of the export unknown to this version (board.somethingNew)":                             1,
		"cards whose list is not in the export":                                                         1,
		"checklists whose card is not in the export":                                                    1,
		"comments on cards that are not in the export":                                                  1,
		"comments that are not in the export (it holds the last 1,000 actions only)":                    3,
		"attachments whose link is not http or https, or longer than 2,048 characters":                  1,
		"labels on cards that the board does not have":                                                  1,
		"assignments of cards to people who are not on the board (kept by name or Trello id)":           1,
		"assignments of checklist items to people who are not on the board (kept by name or Trello id)": 1,
		"deactivated members (their comments, likes and assignments stay)":                              1,
		"members who have not confirmed their account":                                                  1,
		"people who have left the board (their comments, likes and assignments stay)":                   1,
		"custom field values of an unknown type (hologram)":                                             1,
		"custom field values of unknown fields":                                                         1,
		"contents of uploaded attachments (they stay at Trello, the links are kept)":                    1,
		"cut label names (longer than the limit)":                                                       1,
		"control characters removed from the board's description":                                       1,
		"control characters removed from member names":                                                  1,
		"soft limits lowered to 9999":                                                                   1,
		"files renamed because the card has one of that name":                                           2,
		"cards": 5, "lists": 3, "members": 3, "files (links)": 7, "actions (kept as provenance)": 6, "votes (as likes)": 4,
	} {
		if got := b.Report.Count(what); got != want {
			t.Errorf("%q: %d, want %d", what, got, want)
		}
	}
	if t.Failed() {
		t.Log(out.String())
	}
}
