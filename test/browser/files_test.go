package browser

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp/kb"
)

// TestFiles_Upload: what one adds to a card, the other finds there, whole.
func TestFiles_Upload(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ann, ben := s.open("ann"), s.open("ben")
	for _, w := range []*window{ann, ben} {
		w.clickAt(card("status-page") + " .card-title")
		w.Until(`document.querySelector('` + dialog + ` h2') !== null`)
	}
	ann.upload(dialog+" input[type=file]", "notes.txt")
	ben.Until(file("notes.txt"))
	ben.Shot("files-card")
	if got := ben.Eval(`fetch(` + file("notes.txt") + `.querySelector('.file-name a').href).then((r) => r.text())`); got != "of notes.txt" {
		t.Errorf("downloaded %q", got)
	}
	s.agree(ann, ben)
}

// TestFiles_RenameCollision: two files get the same name in two windows; one
// keeps its old one, and its owner is told.
func TestFiles_RenameCollision(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ann, ben := s.open("ann"), s.open("ben")
	for _, w := range []*window{ann, ben} {
		w.clickAt(`[data-opens=files]`)
		w.upload(`.drawer input[type=file]`, w.user+".txt")
		w.Until(file(w.user+".txt") + " !== undefined")
	}
	for _, w := range []*window{ann, ben} {
		w.Until(settled + " && " + file("ann.txt") + " && " + file("ben.txt"))
		w.in(".drawer").click("button", "Rename "+w.user+".txt")
		w.Until(has(".drawer "+editor) + " && document.activeElement.selectionEnd > document.activeElement.selectionStart")
		w.keys("a", kb.ModifierCtrl)
		w.write("plan.pdf")
	}
	s.Freeze()
	ann.keys("\r")
	ben.keys("\r")
	s.Thaw()
	loser, _ := s.either(`document.body.innerText.includes('“plan.pdf” already exists here')`, ann, ben)
	loser.Shot("files-rename-collision")
	if loser.Eval(`document.querySelector('.drawer `+editor+`') !== null`) == "true" {
		loser.keys(kb.Escape)
	}
	for _, w := range []*window{ann, ben} {
		w.Until(file("plan.pdf") + " && " + file(loser.user+".txt"))
	}
	s.agree(ann, ben)
}

// file is the row of a file of that name.
func file(name string) string {
	return fmt.Sprintf(`[...document.querySelectorAll('.file')].find((f) => f.querySelector('.file-name')?.textContent === %s)`, quote(name))
}

// upload chooses a new file of that name in a field, as the system's own dialog does.
func (w *window) upload(selector, name string) {
	w.TB.Helper()
	path := filepath.Join(w.site.t.TempDir(), name)
	if err := os.WriteFile(path, []byte("of "+name), 0o644); err != nil {
		w.TB.Fatal(err)
	}
	w.Until(fmt.Sprintf("document.querySelector(%q) !== null", selector))
	object := call(w, runtime.Evaluate, runtime.EvaluateParams{Expression: fmt.Sprintf("document.querySelector(%q)", selector)})
	call(w, dom.SetFileInputFiles, dom.SetFileInputFilesParams{Files: []string{path}, ObjectID: object.Result.ObjectID})
}
