package trello

import (
	"cmp"

	"github.com/snapback-io/snapback/domain"
)

// sourceUser is the author of what the export names no author for.
const sourceUser = "trello"

// people knows who is behind an id of the export.
type people struct {
	byID    map[string]Member
	users   map[string]string // Options.Users
	members map[string]bool   // users that become members of the board
}

func newPeople(x *Export, users map[string]string) *people {
	p := &people{byID: map[string]Member{}, users: users, members: map[string]bool{}}
	for _, member := range x.Members {
		p.add(member)
	}
	for _, a := range x.Actions {
		p.add(a.MemberCreator)
		p.add(a.Member)
	}
	return p
}

func (p *people) add(member Member) {
	if _, known := p.byID[member.ID]; !known && member.ID != "" && member.Username != "" {
		p.byID[member.ID] = member
	}
}

// user gives the user behind a Trello member id; somebody the export does not
// name is "trello:" + id, nobody ("") is sourceUser.
func (p *people) user(id string) string {
	if id == "" {
		return sourceUser
	}
	member, ok := p.byID[id]
	if !ok {
		return sourceUser + ":" + id
	}
	if user := p.users[member.Username]; user != "" {
		return user
	}
	return member.Username
}

// mapMembers makes a member of everybody who is on the board now.
func (m *mapping) mapMembers() {
	at := map[string]int{} // user -> index in m.entities
	for _, member := range m.x.Members {
		role, why := m.role(member)
		if role == domain.NoRole {
			m.report.left(why, member.Username)
			continue
		}
		user := m.people.user(member.ID)
		if len(user) > 255 {
			m.report.left("members whose user name is longer than 255 bytes", user)
			continue
		}
		if len(m.people.users) > 0 && m.people.users[member.Username] == "" {
			m.report.changed("members without an entry in the members file (user = Trello username)", member.Username)
		}
		if i, double := at[user]; double {
			e := m.entities[i]
			if role.Includes(domain.Role(e.Fields.String("role"))) {
				e.Fields["role"] = string(role)
			}
			m.report.changed("members merged into one user", member.Username)
			continue
		}
		fields := domain.Fields{"user": user, "role": string(role)}
		setText(fields, "name", m.line("member names", member.FullName, maxName))
		if avatar := member.AvatarURL + "/170.png"; isLink(avatar, "https") {
			fields["avatar"] = avatar
		}
		at[user] = len(m.entities)
		m.people.members[user] = true
		m.add(&domain.Entity{ID: domain.MemberPrefix + user, Kind: domain.KindMember, Fields: fields}, m.boardMade, m.boardMaker)
	}
}

// role gives what a member may do by his membership, or why he is left out.
func (m *mapping) role(member Member) (role domain.Role, why string) {
	if len(m.x.Memberships) == 0 {
		return domain.Editor, ""
	}
	for _, s := range m.x.Memberships {
		switch {
		case s.IDMember != member.ID:
		case s.Deactivated:
			return domain.NoRole, "deactivated members (their comments, likes and assignments stay)"
		case s.Unconfirmed:
			return domain.NoRole, "members who have not confirmed their account"
		case s.MemberType == "admin":
			return domain.Admin, ""
		case s.MemberType == "observer" && observersComment(m.x.Prefs.Comments):
			return domain.Commenter, ""
		case s.MemberType == "observer":
			return domain.Viewer, ""
		case s.MemberType == "normal":
			return domain.Editor, ""
		default:
			return domain.NoRole, "members of an unknown kind (" + shorten(s.MemberType) + ")"
		}
	}
	return domain.NoRole, "people who have left the board (their comments, likes and assignments stay)"
}

func observersComment(pref string) bool {
	return pref == "observers" || pref == "org" || pref == "public"
}

// assignees gives the users that ids stand for. Who is not on the board stays
// assigned: a set may name somebody who has left.
func (m *mapping) assignees(ids []string, what string) []string {
	var out []string
	for _, id := range ids {
		user := m.people.user(id)
		if !m.people.members[user] {
			m.report.changed("assignments of "+what+" to people who are not on the board (kept by name or Trello id)", user)
		}
		out = append(out, user)
	}
	return sorted(out)
}

// history is what the actions tell about who made and changed things.
type history struct {
	made    map[string]*Action // by entity id
	changed map[string]*Action // last action about a card
	done    map[string]*Action // last action that set a card's due date complete
}

// makers are the kinds of actions that make the card they name.
var makers = set(`createCard copyCard convertToCardFromCheckItem emailCard moveCardToBoard`)

func newHistory(actions []Action) history {
	h := history{made: map[string]*Action{}, changed: map[string]*Action{}, done: map[string]*Action{}}
	for i := range actions {
		a := &actions[i]
		d := &a.Data
		switch {
		case makers[a.Type]:
			earliest(h.made, d.Card.ID, a)
		case a.Type == "createList", a.Type == "moveListToBoard":
			earliest(h.made, d.List.ID, a)
		case a.Type == "addChecklistToCard":
			earliest(h.made, d.Checklist.ID, a)
		case a.Type == "updateCard" && d.Card.DueComplete != nil && *d.Card.DueComplete:
			latest(h.done, d.Card.ID, a)
		}
		latest(h.changed, d.Card.ID, a)
	}
	return h
}

func earliest(index map[string]*Action, id string, a *Action) {
	if old := index[id]; id != "" && (old == nil || a.Date.Before(old.Date)) {
		index[id] = a
	}
}

func latest(index map[string]*Action, id string, a *Action) {
	if old := index[id]; id != "" && (old == nil || a.Date.After(old.Date)) {
		index[id] = a
	}
}

func (a *Action) author() string { return cmp.Or(a.MemberCreator.ID, a.IDMemberCreator) }
