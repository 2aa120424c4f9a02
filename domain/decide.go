package domain

import "time"

// Decide answers one command: the events it would cause, or why it is refused.
// It is a pure function of its arguments and changes none of them. now is the
// caller's clock, cut to whole milliseconds: it judges the deadline. The
// decision's time is now too, unless a clock was set back: it is never earlier
// than the board's last decision, nor so much earlier than the time in the
// command's id that [DecidedWindow] would miss it. Decide knows nothing of repeats
// and of After: the caller has looked both up.
func Decide(b *Board, cmd *Command, now time.Time) Decision {
	d := b.decision(cmd, now)
	events, r := decide(b, cmd, d.Now(), d.At)
	if r != nil {
		d.Rejection = r
		return d
	}
	d.Rev, d.Events = b.rev+uint64(len(events)), events
	return d
}

// Refuse is a decision against the command, for a reason that lies outside the
// board, as a record that would be too large.
func Refuse(b *Board, cmd *Command, now time.Time, r *Rejection) Decision {
	d := b.decision(cmd, now)
	d.Rejection = r
	return d
}

// decision is one on cmd without an outcome yet.
func (b *Board) decision(cmd *Command, now time.Time) Decision {
	d := Decision{Command: *cmd, At: now.UTC().Truncate(time.Millisecond), Rev: b.rev}
	d.Board = ""
	if least := b.earliest(cmd, d.At); d.At.Before(least) {
		d.At, d.Clock = least, d.At
	}
	return d
}

// earliest is the least time of a decision on cmd. An id that led its receipt by
// more than MaxIDLead, and is refused for that, does not count.
func (b *Board) earliest(cmd *Command, now time.Time) time.Time {
	if !cmd.ReceivedAt.After(now) {
		return b.at
	}
	made, ok := IDTime(cmd.ID)
	if least := made.Add(-MaxIDLead); ok && least.After(b.at) && !least.After(cmd.ReceivedAt) {
		return least
	}
	return b.at
}

func decide(b *Board, cmd *Command, now, at time.Time) ([]Event, *Rejection) {
	if !ValidMutationID(cmd.ID) {
		return nil, invalid("clientMutationId", &flaw{reason: "not 1 to 64 of A-Z a-z 0-9 _ -"})
	}
	if minted, ok := IDTime(cmd.ID); ok && minted.After(cmd.ReceivedAt.Add(MaxIDLead)) {
		return nil, invalid("clientMutationId", &flaw{reason: "the ULID's time is too far ahead"})
	}
	if !validUser(cmd.User) {
		return nil, invalid("user", &flaw{"not the name of a user", maxUser})
	}
	if cmd.Op == OpCancel {
		return nil, reject(Withdrawn, "its sender withdrew it")
	}
	if cmd.Op == OpMutate && cmd.Deadline.After(cmd.ReceivedAt.Add(MaxTTL)) {
		return nil, invalid("expiresAt", &flaw{"too far ahead, in ms", int(MaxTTL.Milliseconds())})
	}
	if !cmd.Deadline.IsZero() && now.After(cmd.Deadline) {
		return nil, reject(Expired, "its deadline has passed")
	}
	d := newDraft(b, cmd, at)
	switch cmd.Op {
	case OpMutate:
		return d.mutate()
	case OpImport:
		return d.takeOver()
	}
	return nil, invalid("op", &flaw{reason: "no such operation"})
}

// mutate does the changes in order, all or nothing.
func (d *draft) mutate() ([]Event, *Rejection) {
	changes := d.cmd.Changes
	if n := len(changes); n == 0 || n > maxChanges {
		return nil, invalid("changes", &flaw{"not between one and the limit", maxChanges})
	}
	made := !d.b.Exists()
	if made {
		if d.b.rev > 0 || !d.makesBoard(&changes[0]) {
			return nil, notFound(d.b.id)
		}
		d.role = Admin
	}
	for i := range changes {
		d.change = i
		if r := d.apply(&changes[i]); r != nil {
			return nil, d.inChange(i, r)
		}
		if made && i == 0 {
			if r := d.addAdmin(); r != nil {
				return nil, r
			}
		}
	}
	if first, broken := d.rules(); broken {
		return nil, d.inChange(first.change, first.Rejection)
	}
	return d.events, nil
}

// inChange adds which of several changes broke a rule.
func (d *draft) inChange(i int, r *Rejection) *Rejection {
	if len(d.cmd.Changes) > 1 {
		if r.Details == nil {
			r.Details = Details{}
		}
		r.Details["change"] = i
	}
	return r
}

func (d *draft) makesBoard(c *Change) bool {
	kind, bad := patchKind(c.Patch)
	return bad == nil && kind == KindBoard && c.EntityID == d.b.id
}

// addAdmin makes the user an admin member, unless he is.
func (d *draft) addAdmin() *Rejection {
	id := MemberPrefix + d.cmd.User
	old := d.get(id)
	patch := Patch{"role": string(Admin)}
	if old == nil {
		patch["user"] = d.cmd.User
		if name := CleanLine(d.cmd.Name, maxName); name != "" {
			patch["name"] = name
		}
		if picture, bad := link("https")(d.cmd.Picture); bad == nil {
			patch["avatar"] = picture
		}
	}
	return d.write(edit{id: id, kind: KindMember, old: old, patch: patch})
}
