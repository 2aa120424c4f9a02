package domain

import (
	"slices"
	"strings"
)

// The limits of DOMAIN.md. Lengths are Unicode code points unless bytes are named.
const (
	maxTitle       = 16384
	maxDescription = 65536
	maxName        = 255 // of members and labels
	maxColor       = 64
	maxUser        = 255 // bytes
	maxFileName    = 255 // bytes
	maxURL         = 2048
	maxWIP         = 9999
	maxExtra       = 32   // x- fields of one entity
	maxExtraValue  = 4096 // bytes of JSON
	maxExtraName   = 62   // after "x-"
	maxChanges     = 100

	maxColumns    = 500
	maxOpenCards  = 5000
	maxShutCards  = 50000
	maxLabels     = 1000
	maxMembers    = 1600
	maxFiles      = 1000 // per card, and of the board itself
	maxChecklists = 100
	maxComments   = 5000
	maxItems      = 500
)

// kindSpec is what a kind's entities are made of.
type kindSpec struct {
	fields          map[string]fieldSpec
	created, gone   string // verbs of its events
	create, destroy Role
	verbs           []string // of its changes, in the order of their events
	extra           bool     // takes x- fields
	required        []string // names of the required fields, sorted
}

func init() {
	for _, spec := range schema {
		for name, f := range spec.fields {
			if f.required {
				spec.required = append(spec.required, name)
			}
		}
		slices.Sort(spec.required)
	}
}

// fieldSpec is one field of one kind.
type fieldSpec struct {
	// check normalises a value that is not null, or says what is wrong with it.
	check    func(any) (any, *flaw)
	verb     string // of the event that changes it
	edit     Role   // who may change it; "" is the kind's create role
	required bool
	fixed    bool // set once, when the entity is made
}

// flaw is why a value is refused; limit, when there is one, goes to the client.
type flaw struct {
	reason string
	limit  int
}

// schema is DOMAIN.md's table of kinds. Fields that only the server sets are
// not in it. Read only.
var schema = map[Kind]*kindSpec{
	KindBoard: {
		fields: map[string]fieldSpec{
			"title":       {check: line(1, maxTitle), verb: "changed", required: true},
			"description": {check: text(0, maxDescription), verb: "changed"},
			"archived":    {check: boolean, verb: "archived"},
		},
		created: "created", create: Admin, extra: true,
		verbs: []string{"restored", "changed", "archived"},
	},
	KindMember: {
		fields: map[string]fieldSpec{
			"user":   {check: user, verb: "changed", required: true, fixed: true},
			"name":   {check: line(0, maxName), verb: "changed"},
			"avatar": {check: link("https"), verb: "changed"},
			"role":   {check: oneOf(string(Viewer), string(Commenter), string(Editor), string(Admin)), verb: "changed", required: true},
		},
		created: "added", gone: "removed", create: Admin, destroy: Admin,
		verbs: []string{"changed"},
	},
	KindColumn: {
		fields: map[string]fieldSpec{
			"title":    {check: line(1, maxTitle), verb: "renamed", required: true},
			"position": {check: position, verb: "moved"},
			"wipLimit": {check: number(0, maxWIP), verb: "changed"},
			"wipMode":  {check: oneOf("hard", "soft"), verb: "changed"},
			"color":    {check: line(0, maxColor), verb: "changed"},
			"archived": {check: boolean, verb: "archived"},
		},
		created: "created", gone: "deleted", create: Editor, destroy: Editor, extra: true,
		verbs: []string{"moved", "restored", "renamed", "changed", "archived"},
	},
	KindCard: {
		fields: map[string]fieldSpec{
			"title":       {check: line(1, maxTitle), verb: "renamed", required: true},
			"description": {check: text(0, maxDescription), verb: "changed"},
			"columnId":    {check: reference, verb: "moved", required: true},
			"position":    {check: position, verb: "moved"},
			"labels":      {check: set(validID, maxLabels), verb: "labelled"},
			"assignees":   {check: set(validUser, maxMembers), verb: "assigned"},
			"likedBy":     {check: set(validUser, 0), verb: "liked", edit: Commenter},
			"due":         {check: timeOrDate, verb: "changed"},
			"start":       {check: timeOrDate, verb: "changed"},
			"done":        {check: instant, verb: "changed"},
			"color":       {check: line(0, maxColor), verb: "changed"},
			"archived":    {check: boolean, verb: "archived"},
		},
		created: "created", gone: "deleted", create: Editor, destroy: Editor, extra: true,
		verbs: []string{"moved", "restored", "renamed", "changed", "labelled", "assigned", "liked", "archived"},
	},
	KindChecklist: {
		fields: map[string]fieldSpec{
			"cardId":   {check: reference, verb: "moved", required: true},
			"title":    {check: line(0, maxTitle), verb: "changed"},
			"position": {check: position, verb: "moved"},
		},
		created: "created", gone: "deleted", create: Editor, destroy: Editor,
		verbs: []string{"moved", "changed"},
	},
	KindItem: {
		fields: map[string]fieldSpec{
			"checklistId": {check: reference, verb: "moved", required: true},
			"text":        {check: line(1, maxTitle), verb: "changed", required: true},
			"done":        {check: instantOrBool, verb: "checked"},
			"assignee":    {check: user, verb: "changed"},
			"due":         {check: timeOrDate, verb: "changed"},
			"position":    {check: position, verb: "moved"},
		},
		created: "created", gone: "deleted", create: Editor, destroy: Editor,
		verbs: []string{"moved", "changed", "checked"},
	},
	KindLabel: {
		fields: map[string]fieldSpec{
			"name":     {check: line(0, maxName), verb: "changed"},
			"color":    {check: line(0, maxColor), verb: "changed"},
			"position": {check: position, verb: "changed"},
		},
		created: "created", gone: "deleted", create: Editor, destroy: Editor,
		verbs: []string{"changed"},
	},
	KindComment: {
		fields: map[string]fieldSpec{
			"cardId": {check: reference, verb: "edited", required: true, fixed: true},
			"text":   {check: text(1, maxTitle), verb: "edited", required: true, edit: Commenter},
		},
		created: "added", gone: "deleted", create: Commenter, destroy: Commenter,
		verbs: []string{"edited"},
	},
	KindFile: {
		fields: map[string]fieldSpec{
			"name":   {check: fileName, verb: "renamed", required: true},
			"cardId": {check: reference, verb: "moved"},
			"url":    {check: link("http", "https"), verb: "replaced"},
		},
		created: "added", gone: "deleted", create: Editor, destroy: Editor,
		verbs: []string{"moved", "renamed", "replaced"},
	},
}

// contentFields are a file's fields that only an upload sets.
var contentFields = []string{"contentType", "object", "sha256", "size"}

// field finds the spec of a field, x- fields included.
func (k *kindSpec) field(name string) (fieldSpec, bool) {
	if f, ok := k.fields[name]; ok {
		return f, true
	}
	if k.extra && isExtra(name) {
		return fieldSpec{check: anyJSON, verb: "changed"}, true
	}
	return fieldSpec{}, false
}

// isExtra says whether name is that of an application's own field.
func isExtra(name string) bool {
	rest, ok := strings.CutPrefix(name, "x-")
	return ok && len(rest) <= maxExtraName && validID(rest) && !strings.Contains(rest, ":")
}
