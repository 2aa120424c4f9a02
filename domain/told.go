package domain

import (
	"maps"
	"slices"
)

// objectField of a file says where its upload lies.
const objectField = "object"

// Told is d without what is nobody's business but the server's: session, grant,
// what it waited for, where uploads lie. It shares what it can with d.
func (d *Decision) Told() Decision {
	told := *d
	told.Session, told.Grant, told.After = "", "", ""
	if slices.ContainsFunc(d.Changes, func(c Change) bool { return c.Content != nil }) {
		told.Changes = slices.Clone(d.Changes)
		for i := range told.Changes {
			if c := told.Changes[i].Content; c != nil {
				content := *c
				content.Object = ""
				told.Changes[i].Content = &content
			}
		}
	}
	if slices.ContainsFunc(d.Events, namesObject) {
		told.Events = slices.Clone(d.Events)
		for i := range told.Events {
			ev := &told.Events[i]
			ev.Before, ev.After = withoutObject(ev.Before), withoutObject(ev.After)
		}
	}
	return told
}

func namesObject(ev Event) bool {
	return ev.Before[objectField] != nil || ev.After[objectField] != nil
}

func withoutObject(f Fields) Fields {
	if _, has := f[objectField]; has {
		f = maps.Clone(f)
		delete(f, objectField)
	}
	return f
}
