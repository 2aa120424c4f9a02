package audit

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/projector/wording"
)

// Asked is what was asked for, as of before the decision: "move «x» to Doing",
// the change that was refused if one of several was. It must come before Words
// or Take.
func (n *Names) Asked(d *domain.Decision) string {
	switch {
	case d.Op == domain.OpCancel:
		return "withdraw a mutation"
	case d.Op == domain.OpImport && d.Import != nil:
		return fmt.Sprintf("import part %d of %s", d.Import.Part, wording.Short(d.Import.Source))
	case len(d.Changes) == 0:
		return "change nothing"
	}
	said := n.change(blamed(d))
	if more := len(d.Changes) - 1; more > 0 {
		said += " and " + counted(more, "more change")
	}
	return said
}

// blamed is the change that a refusal names, else the first of a command that
// has one.
func blamed(d *domain.Decision) *domain.Change {
	at := 0
	if d.Rejection != nil {
		at = number(d.Rejection.Details["change"])
	}
	if at < 0 || at >= len(d.Changes) {
		at = 0
	}
	return &d.Changes[at]
}

// number is a whole number of a rejection's details, as it is decided or read;
// 0 if it is none.
func number(v any) int {
	switch x := v.(type) {
	case int:
		return x
	case int64:
		return int(x)
	case float64:
		return int(x)
	}
	return 0
}

// change is one change as it is asked for.
func (n *Names) change(c *domain.Change) string {
	what := n.what(c.EntityID)
	switch {
	case c.Toggle:
		return "like or unlike " + what
	case c.Content != nil:
		if name, _ := c.Patch["name"].(string); name != "" {
			what = "the file " + wording.Quoted(name)
		}
		return "upload " + what
	case c.Patch == nil:
		return "delete " + what
	}
	kind := n.kindOf(c)
	if _, there := n.get(c.EntityID); !there && kind != "" {
		return n.create(kind, c)
	}
	said, rest := n.verb(kind, what, c.Patch)
	for i, name := range rest {
		if i == maxListed {
			rest = append(rest[:i], fmt.Sprintf("%d more", len(rest)-maxListed))
			break
		}
		rest[i] = wording.Short(name)
	}
	switch {
	case said == "" && len(rest) == 0:
		return "change nothing of " + what
	case said == "":
		return "change " + strings.Join(rest, ", ") + " of " + what
	case len(rest) == 0:
		return said
	}
	return said + " and change " + strings.Join(rest, ", ")
}

// create is a change that makes an entity.
func (n *Names) create(kind domain.Kind, c *domain.Change) string {
	field := func(name string) string {
		s, _ := c.Patch[name].(string)
		return s
	}
	name := wording.Short(field(wording.NameField(kind)))
	said := "create the " + wording.Short(string(kind)) + space(wording.Quoted(name), name)
	if kind == domain.KindMember {
		said = "add " + n.what(c.EntityID) + " as " + wording.Short(field("role"))
	}
	if parent := field(domain.ParentField(kind)); parent != "" {
		said += " in " + n.home(parent)
	}
	return said
}

// verb is what the patch asks for in the first place, and the names of the
// other fields.
func (n *Names) verb(kind domain.Kind, what string, patch domain.Patch) (said string, rest []string) {
	rest = slices.Sorted(maps.Keys(patch))
	take := func(names ...string) {
		rest = slices.DeleteFunc(rest, func(name string) bool { return slices.Contains(names, name) })
	}
	take("kind")
	title := wording.NameField(kind)
	if to, ok := patch[domain.ParentField(kind)].(string); ok {
		take(domain.ParentField(kind), "position")
		return "move " + what + " to " + n.home(to), rest
	}
	if _, ok := patch["position"]; ok {
		take("position")
		return "move " + what, rest
	}
	if archived, ok := patch["archived"].(bool); ok {
		take("archived")
		if archived {
			return "archive " + what, rest
		}
		return "restore " + what, rest
	}
	if liked, ok := patch["liked"].(bool); ok {
		take("liked")
		if liked {
			return "like " + what, rest
		}
		return "take back the like of " + what, rest
	}
	if to, ok := patch[title].(string); ok && title != "" {
		take(title)
		return "rename " + what + " to " + wording.Quoted(to), rest
	}
	return "", rest
}

// why is a refusal in words.
func (n *Names) why(d *domain.Decision) string {
	r := d.Rejection
	id, _ := r.Details["entityId"].(string)
	limit, count := number(r.Details["limit"]), number(r.Details["count"])
	switch r.Code {
	case domain.Invalid:
		if limit > 0 {
			return fmt.Sprintf("%s (limit %d)", wording.Short(r.Reason), limit)
		}
		return wording.Short(r.Reason)
	case domain.NotFound:
		return n.what(id) + " is not there"
	case domain.Conflict:
		return n.conflict(r)
	case domain.NameTaken:
		return n.what(id) + " has the name already"
	case domain.WIPLimit:
		column, _ := r.Details["columnId"].(string)
		return fmt.Sprintf("%s is full (%d of %d)", n.home(column), count, limit)
	case domain.Limit:
		return fmt.Sprintf("%s (%d of %d)", wording.Short(r.Reason), count, limit)
	case domain.NotEmpty:
		return fmt.Sprintf("it has %s, and %d archived", counted(number(r.Details["cards"]), "card"), number(r.Details["archived"]))
	case domain.Archived:
		return n.home(id) + " is archived"
	case domain.Expired:
		return "its deadline had passed"
	case domain.Withdrawn:
		return "its sender withdrew it"
	case domain.IDReused:
		return "another mutation has its id"
	case domain.TooLarge:
		return fmt.Sprintf("no record could hold it (limit %d bytes)", limit)
	}
	return wording.Short(r.Reason) // forbidden says what is needed; codes to come
}

// conflict says which fields were not as they had to be.
func (n *Names) conflict(r *domain.Rejection) string {
	var names []string
	switch list := r.Details["fields"].(type) {
	case []string:
		names = list
	case []any:
		for _, v := range list {
			if name, ok := v.(string); ok {
				names = append(names, name)
			}
		}
	}
	if len(names) == 0 || r.Details["source"] != nil || r.Details["next"] != nil || r.Details["imported"] != nil {
		return wording.Short(r.Reason)
	}
	said := make([]string, 0, maxListed)
	for _, name := range names[:min(len(names), maxListed)] {
		said = append(said, wording.Short(name))
	}
	verb := " was"
	if len(names) > 1 {
		verb = " were"
	}
	return strings.Join(said, ", ") + verb + " not as expected"
}
