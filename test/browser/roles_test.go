package browser

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/snapback-io/snapback/test/node"
)

// newClosedSite is a site that lets in who has a token: ann edits the demo
// board, vera views it.
func newClosedSite(t *testing.T) *site {
	t.Helper()
	binary, key := node.Binary(t), filepath.Join(t.TempDir(), "key")
	command := func(args ...string) string {
		out, err := exec.Command(binary, args...).Output()
		if err != nil {
			t.Fatalf("%v: %v", args, err)
		}
		return strings.TrimSpace(string(out))
	}
	command("keygen", key)
	s := newSite(t, "--auth-key", key)
	s.tokens = map[string]string{
		"ann":  command("token", "--key", key, "--user", "ann", "--board", "demo=editor"),
		"vera": command("token", "--key", key, "--user", "vera", "--name", "Vera", "--board", "demo=viewer"),
	}
	return s
}

// enter signs in by the page's form.
func (s *site) enter(user string) *window {
	s.t.Helper()
	w := s.empty(user)
	w.visit("/boards/demo")
	w.Until(has(".sign-in input"))
	w.Shot("sign-in")
	w.write(s.tokens[user])
	w.click("button", "Sign in")
	w.Until(live + " && " + anyCards)
	return w
}

// TestRoles_Viewer: who may only look has nothing to change the board with,
// drags nothing and types nothing into it, and sees what the others do.
func TestRoles_Viewer(t *testing.T) {
	t.Parallel()
	s := newClosedSite(t)
	ann, vera := s.enter("ann"), s.enter("vera")
	before := s.stored("vera")
	vera.Shot("viewer")
	for _, control := range []string{"Add a card", "Add a column", "Menu of*"} {
		if vera.in(".board").sees("button", control) {
			t.Errorf("a viewer sees %q", control)
		}
		if !ann.in(".board").sees("button", control) {
			t.Errorf("an editor does not see %q", control)
		}
	}
	if got := vera.Eval(`document.body.dataset.role`); got != "viewer" {
		t.Errorf("the role is %s", got)
	}
	vera.drag("typo", "review", "release-notes")
	vera.visit("/boards/demo")
	vera.Until(live + " && " + anyCards)
	vera.focus(card("keyboard") + " .card-title")
	vera.keys(" ")
	vera.keys("c")
	vera.keys("e")
	if got := vera.Eval(`document.querySelector('.board textarea, [data-lifted]') === null`); got != "true" {
		t.Error("a key of a viewer does something")
	}
	vera.clickAt(card("keyboard") + " .card-title")
	vera.Until(`document.querySelector('` + dialog + ` h2') !== null`)
	vera.Shot("viewer-card")
	if got := vera.Eval(`[...document.querySelectorAll('` + dialog + ` :is(textarea, input:not([disabled]))')].map((e) => e.outerHTML).join('\n')`); got != "" {
		t.Errorf("a viewer can write here:\n%s", got)
	}
	vera.keys("\x1b")
	vera.Until(`document.querySelector('` + dialog + `') === null`)
	for panel, control := range map[string]string{"files": "Upload files", "members": "Add*", "labels": "New label*"} {
		vera.clickAt(`[data-opens=` + panel + `]`)
		vera.Until(`document.querySelector('.drawer h2') !== null`)
		if vera.in(".drawer").sees("button", control) {
			t.Errorf("a viewer sees %q", control)
		}
	}
	if s.stored("vera") != before {
		t.Error("a viewer has changed the board")
	}
	ann.drag("dark-mode", "review", "release-notes")
	vera.Until(in("review", "dark-mode"))
	s.agree(ann, vera)
}

// TestRoles_Taken: an admin makes an editor a viewer: what he could change the
// board with goes, without a reload.
func TestRoles_Taken(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.mutate("ann", "member:ann", patch{"kind": "member", "user": "ann", "role": "admin"})
	s.mutate("ann", "member:ben", patch{"kind": "member", "user": "ben", "role": "editor"})
	ann, ben := s.open("ann"), s.open("ben")
	ben.in(column("next")).find("button", "Add a card")
	ann.clickAt(`[data-opens=members]`)
	ann.Until(`document.querySelector('.drawer select') !== null`)
	ann.focus(`.drawer li[data-user=ben] select`)
	ann.keys("Viewer\r")
	ann.Shot("members")
	ben.Until(`document.body.dataset.role === 'viewer' && document.querySelector('.adder') === null`)
	s.agree(ann, ben)
}

// TestBoards: a new board is made on the page of all boards, and opens.
func TestBoards(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	w := s.empty("ann")
	w.visit("/boards")
	w.click("textbox", "Title of the new board")
	w.keys("Garden\r")
	w.Until(live + " && " + shows(".top h1", "Garden"))
	w.Shot("boards-new")
	w.visit("/boards")
	w.find("link", "Garden")
	w.Shot("boards")
	w.click("link", "Product team")
	w.Until(live + " && " + anyCards)
	s.agree(w)
}
