package browser

import (
	"fmt"
	"testing"
)

// TestArchive_FullColumn: a card is brought back into a column that is full
// meanwhile: it stays in the archive, which says why. When there is room, it
// comes back, for both.
func TestArchive_FullColumn(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.mutate("ben", "search", patch{"archived": true})
	s.mutate("ben", "typo", patch{"columnId": "doing"})
	ann, ben := s.open("ann"), s.open("ben")
	archived := fmt.Sprintf(`document.querySelector(%q) !== null`, `.archived[data-id=search]`)
	ann.clickAt(`[data-opens=archive]`)
	ann.in(".drawer").click("button", "Restore “Search finds archived cards”")
	ann.Until(says("refused", "“Doing” is full (3 of 3)") + " && " + archived + " && !(" + in("doing", "search") + ")")
	ann.Shot("archive-full-column")
	s.agree(ann, ben)
	ben.drag("typo", "done", "")
	ann.Until(in("done", "typo"))
	ann.in(".drawer").click("button", "Restore “Search finds archived cards”")
	for _, w := range []*window{ann, ben} {
		w.Until(in("doing", "search"))
	}
	ann.Until("!(" + archived + ")")
	s.agree(ann, ben)
}

// TestArchive_Deleted: deleted only after a confirmation that says what goes
// with the card, and then gone from the archive of both.
func TestArchive_Deleted(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.mutate("ben", "fix-login", patch{"archived": true})
	ann, ben := s.open("ann"), s.open("ben")
	const archived = `document.querySelector('.archived[data-id=fix-login]') !== null`
	for _, w := range []*window{ann, ben} {
		w.clickAt(`[data-opens=archive]`)
		w.Until(archived)
	}
	for _, answer := range []string{"Keep it", "Delete for ever"} {
		ann.in(".drawer").click("button", "Delete “Fix login on Safari”…")
		ann.Until(`/2 comments.*1 checklist.*2 files/.test(document.querySelector('dialog.confirm')?.textContent)`)
		ann.in("dialog.confirm").click("button", answer)
		ann.Until(`document.querySelector('dialog.confirm') === null`)
		if answer == "Keep it" && s.entity("ann", "fix-login") == nil {
			t.Fatal("deleted without a yes")
		}
	}
	for _, w := range []*window{ann, ben} {
		w.Until(settled + " && !(" + archived + ")")
	}
	if s.entity("ann", "fix-login") != nil {
		t.Error("the server has the card still")
	}
	s.agree(ann, ben)
}

// TestFiles_Deleted: a file of the board is gone for both once its deletion is
// confirmed, and its content with it.
func TestFiles_Deleted(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ann, ben := s.open("ann"), s.open("ben")
	for _, w := range []*window{ann, ben} {
		w.clickAt(`[data-opens=files]`)
	}
	ann.upload(`.drawer input[type=file]`, "plan.txt")
	ben.Until(file("plan.txt") + " !== undefined")
	content := ben.Eval(file("plan.txt") + `.querySelector('.file-name a').href`)
	ann.Until(settled + " && " + file("plan.txt") + " !== undefined")
	ann.in(".drawer").click("button", "Menu of the file plan.txt")
	ann.click("menuitem", "Delete…")
	ann.in("dialog.confirm").click("button", "Delete")
	for _, w := range []*window{ann, ben} {
		w.Until(settled + " && " + file("plan.txt") + " === undefined")
	}
	if got := ben.Eval(`fetch(` + quote(content) + `).then((r) => r.status)`); got != "404" {
		t.Errorf("the content of the deleted file: %s", got)
	}
	s.agree(ann, ben)
}

// TestHistory: it tells in words what happened while it is open, and what was
// refused and why.
func TestHistory(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ann, ben := s.open("ann"), s.open("ben")
	ann.clickAt(`[data-opens=history]`)
	told := func(text string) string {
		return fmt.Sprintf(`[...document.querySelectorAll('.history-entry')].some((e) => e.textContent.replace(/[\u2068\u2069]/g, '').includes(%s))`, quote(text))
	}
	ann.Until(`document.querySelector('.history-entry time') !== null`)
	ben.drag("dark-mode", "next", "fix-login")
	ann.Until(told("ben moved “Dark mode” from “Ideas” to “Next”"))
	ben.drag("keyboard", "doing", "")
	ben.Until(says("refused", "“Doing” is full (3 of 3)"))
	ann.Until(told("Refused: “Doing” is full (3 of 3)"))
	ann.Shot("history")
	s.agree(ann, ben)
}

// TestMembers_First: who adds the first member is an admin in the same step,
// and nobody is locked out.
func TestMembers_First(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ann, ben := s.open("ann"), s.open("ben")
	ann.clickAt(`[data-opens=members]`)
	add := ann.in(".add-member")
	add.click("textbox", "User")
	ann.write("ben")
	ann.focus(".add-member select")
	ann.keys("Viewer")
	add.click("button", "Add")
	ann.Until(settled + ` && document.querySelector('.drawer li[data-user=ann] select')?.value === 'admin' && document.querySelector('.drawer li[data-user=ben] select')?.value === 'viewer'`)
	ben.Until(`document.body.dataset.role === 'viewer' && document.querySelector('.adder') === null`)
	if got := ann.Eval(`document.body.dataset.role`); got != "admin" {
		t.Errorf("who added the first member is %s", got)
	}
	ann.Shot("members-first")
	s.agree(ann, ben)
}
