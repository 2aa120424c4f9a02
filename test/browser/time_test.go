package browser

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/snapback-io/snapback/test/chrome"
)

// told is a line of the board's log.
type told struct {
	Outcome, ID, User string
	Rev               uint64
}

// ready is a condition: a moment of the past is shown.
const ready = `document.querySelector('.past[data-state=ready]') !== null`

// moment is a condition: it is that one, a rev and what was refused there.
func moment(rev uint64, tried string) string {
	got := `document.querySelector('.past')?.dataset`
	condition := fmt.Sprintf(`%s && %s.rev === '%d' && `, ready, got, rev)
	if tried == "" {
		return condition + got + `.tried === undefined`
	}
	return condition + got + `.tried === ` + quote(tried)
}

// at is a condition: the bar says that this is what happened.
func at(words string) string {
	if words == "keyboard was refused" {
		words = "ben wanted: Move “Keyboard shortcuts for moving cards” to “Doing”. Refused: “Doing” is full (3 of 3)."
	}
	return ready + fmt.Sprintf(` && document.querySelector('.past-words')?.textContent.replace(/[\u2066-\u2069]/g, '').includes(%s)`, quote(words))
}

// story is what ben and cleo do on the demo board, and what becomes of it.
func (s *site) story() []told {
	s.t.Helper()
	s.mutate("ben", "dark-mode", patch{"columnId": "next", "position": map[string]any{"after": nil}})
	s.mutate("cleo", "fix-login", patch{"title": "Fix login everywhere"})
	s.mutate("ben", "gone", patch{"kind": "card", "columnId": "next", "title": "Soon gone"})
	s.remove("cleo", "gone")
	s.refuse("ben", "keyboard", patch{"columnId": "doing"})
	s.mutate("cleo", "typo", patch{"archived": true})
	return s.log()
}

// refuse is mutate for what is refused.
func (s *site) refuse(user, id string, fields patch) {
	s.t.Helper()
	body, _ := json.Marshal(map[string]any{"clientMutationId": fmt.Sprintf("by-test-%d", nextID()), "entityId": id, "patch": fields})
	resp, err := http.Post(s.url(user, "/v1/boards/demo/mutations"), "application/json", strings.NewReader(string(body)))
	if err != nil {
		s.t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusConflict {
		s.t.Fatalf("not refused: %s", resp.Status)
	}
}

func (s *site) remove(user, id string) {
	s.t.Helper()
	s.ask(user, "POST", "/v1/boards/demo/mutations", map[string]any{
		"clientMutationId": fmt.Sprintf("by-test-%d", nextID()), "entityId": id, "patch": nil})
}

func (s *site) log() (all []told) {
	s.t.Helper()
	for line := range strings.Lines(string(s.ask("ann", "GET", "/v1/boards/demo/log", nil))) {
		var one told
		if err := json.Unmarshal([]byte(line), &one); err != nil {
			s.t.Fatal(err)
		}
		all = append(all, one)
	}
	return all
}

// was is what a window shows of the board as the server says it was.
func (s *site) was(rev uint64) string {
	s.t.Helper()
	var board struct {
		Rev      uint64
		Entities []map[string]any
	}
	resp, err := http.Get(s.url("ann", "/v1/boards/demo") + fmt.Sprintf("&rev=%d", rev))
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(&board); err != nil || resp.StatusCode != http.StatusOK || board.Rev != rev {
		s.t.Fatalf("the board at rev %d: %s %d %v", rev, resp.Status, board.Rev, err)
	}
	return lines(inWords(board.Entities), everybody)
}

// wasThere waits until a window shows the board as it was.
func (w *window) wasThere(rev uint64, tried string) {
	w.TB.Helper()
	w.Until(moment(rev, tried))
	want := w.site.was(rev)
	for end := time.Now().Add(chrome.Patience); ; time.Sleep(20 * time.Millisecond) {
		got := lines(w.Eval(shown), everybody)
		if got == want {
			return
		}
		if time.Now().After(end) {
			w.Shot("failed-" + w.Name)
			w.TB.Fatalf("%s at rev %d:\n%s", w.Name, rev, difference(got, want))
		}
	}
}

// replay opens the past at the newest rev.
func (w *window) replay() {
	w.TB.Helper()
	w.clickAt(`[data-opens=replay]`)
	w.Until(ready)
}

// tried is the mutation, if that was refused.
func (d told) tried() string {
	if d.Outcome == "refused" {
		return d.ID
	}
	return ""
}

// TestReplay: by key, step by step, back and on again, the board is what the
// server says it was; what was refused is told on its card.
func TestReplay(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	all := s.story()
	w := s.open("ann")
	w.replay()
	w.Until(has(".past-track input") + ` && document.querySelector('.adder, .card-menu, [data-opens]') === null`)
	w.Do(chromedp.Evaluate[chromedp.Void](`globalThis.attempts = 0; new MutationObserver((all) => all.forEach((m) => m.addedNodes.forEach(() => attempts += document.querySelectorAll('.past-attempt').length))).observe(document.body, { childList: true })`))
	last := all[len(all)-1]
	w.wasThere(last.Rev, "")
	for i := len(all) - 2; i >= 0; i-- {
		w.keys(kb.ArrowLeft)
		w.wasThere(all[i].Rev, all[i].tried())
		switch all[i].tried() {
		case "":
			w.Until(`document.querySelector('.past-tried') === null`)
		default:
			w.Until(at("keyboard was refused") + ` && ` + holds(".past-tried", "is full (3 of 3)") +
				` && document.querySelector('.card[data-id=keyboard]').dataset.past === 'refused' && document.querySelector('.column[data-id=doing]').dataset.past === 'wanted'`)
			w.Until(`attempts > 0 && document.querySelector('.past-attempt') === null`) // it has snapped back
			w.Shot("replay-refused")
		}
	}
	for _, d := range all[1:] {
		w.keys(kb.ArrowRight)
		w.wasThere(d.Rev, d.tried())
	}
	if got := w.Eval(`document.querySelector('.past-track input').ariaValueText`); !strings.Contains(got, fmt.Sprintf("revision %d of %d", last.Rev, last.Rev)) {
		t.Errorf("the slider says %q", got)
	}
	w.keys(kb.Escape)
	w.Until(`document.querySelector('.past') === null && location.hash === '' && ` + has(`[data-opens=replay]`))
	s.agree(w)
}

// TestReplay_Slider: pulled anywhere it shows that moment; so does a row of the
// list; Space plays from there to the end.
func TestReplay_Slider(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	all := s.story()
	last := all[len(all)-1]
	w := s.open("ann")
	w.replay()
	track := w.at(".past-track input")
	thumb := point{track.X + track.W - 8, track.Y + track.H/2}
	w.Do(mouse(pressed, thumb))
	for _, d := range []told{all[0], all[len(all)-4], all[len(all)-5]} {
		to := point{track.X + 8 + (track.W-16)*float64(d.Rev-1)/float64(last.Rev-1), thumb.y}
		w.carry(thumb, to)
		w.wasThere(d.Rev, "")
		thumb = to
	}
	w.drop(thumb)
	w.keys(kb.Home)
	w.wasThere(all[0].Rev, "")                           // an import is one decision
	w.stands(`.past-event[data-outcome=refused] button`) // the list follows the moment
	w.clickAt(`.past-event[data-outcome=refused] button`)
	w.Until(at("keyboard was refused"))
	if got := w.Eval(`document.querySelectorAll('.past-event button[aria-current=step]').length + document.querySelector('.past-event[data-outcome=refused] button').ariaCurrent`); got != "1step" {
		t.Errorf("current in the list: %s", got)
	}
	w.Until(`document.querySelectorAll('.past-marks i').length === 1`)

	w.focus(".past-field select")
	w.keys("4")
	w.clickAt(`.past-event[data-rev="` + fmt.Sprint(all[len(all)-6].Rev) + `"] button`)
	w.wasThere(all[len(all)-6].Rev, "")
	w.focus(".past-track input")
	w.keys(" ")
	w.Until(holds(".past", "") + ` && document.querySelector('[data-icon=pause]') !== null`)
	w.Until(at("keyboard was refused"))
	w.Until(moment(last.Rev, "") + ` && document.querySelector('[data-icon=play]') !== null`)
	w.wasThere(last.Rev, "")
}

// TestReplay_Follow: only one person's changes are stopped at, what was refused
// is, too; the others' are dimmed.
func TestReplay_Follow(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	all := s.story()
	w := s.open("ann")
	w.replay()
	w.focus(".past-field:nth-of-type(2) select")
	w.keys("ben")
	w.focus(".past-track input")
	for i := len(all) - 1; i >= 0; i-- {
		if all[i].User == "ben" {
			w.keys(kb.ArrowLeft)
			w.wasThere(all[i].Rev, all[i].tried())
		}
	}
	w.Do(overhear)
	w.keys(kb.ArrowLeft)
	w.Until(heardSaying("There is no earlier change of this kind."))
	if got := w.Eval(`[...document.querySelectorAll('.past-event')].every((e) => (e.textContent.startsWith('B') || e.querySelector('.past-told').textContent.replace(/[\u2066-\u2069]/g, '').startsWith('ben')) === (e.dataset.dim === undefined))`); got != "true" {
		t.Error("not all of the others are dimmed, or some of his")
	}
	w.Shot("replay-follow")
}

// TestReplay_Link: a moment has an address, that of a card as it was then has,
// too; it is shown after a reload, and the history of now leads there.
func TestReplay_Link(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	all := s.story()
	refusal := all[len(all)-2]
	w := s.empty("ann")
	w.Do(chromedp.Navigate(s.url("ann", "/boards/demo/cards/fix-login") + fmt.Sprintf("#at=%d", all[len(all)-6].Rev)))
	w.Until(moment(all[len(all)-6].Rev, "") + " && " + shows("dialog .card-name h2", "Fix login on Safari"))
	w.Shot("replay-card")
	w.keys(kb.Escape)
	w.Until(`document.querySelector('dialog') === null && location.pathname === '/boards/demo' && ` + has(card("fix-login")))
	w.focus(".past-track input")
	w.keys(kb.ArrowRight)
	w.Until(at("cleo renamed") + " && " + shows(card("fix-login")+" .card-title", "Fix login everywhere"))
	w.Until(fmt.Sprintf(`location.hash === '#at=%d'`, all[len(all)-5].Rev))
	w.Do(chromedp.Reload())
	w.wasThere(all[len(all)-5].Rev, "")
	w.keys(kb.Escape)

	w.clickAt(`[data-opens=history]`)
	w.Until(`document.querySelector('.history-line[data-tone=refused]') !== null`)
	w.clickAt(`.history-entry:has([data-tone=refused]) .past-link`)
	w.wasThere(refusal.Rev, refusal.ID)
	w.Do(chromedp.Reload())
	w.wasThere(refusal.Rev, refusal.ID)
	w.Until(holds(".past-tried", "is full (3 of 3)"))
}

// TestReplay_Undisturbed: what others do meanwhile changes nothing of what is
// shown; now is what it is.
func TestReplay_Undisturbed(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	all := s.story()
	ann, ben := s.open("ann"), s.open("ben")
	ann.replay()
	ann.keys(kb.ArrowLeft)
	ann.keys(kb.ArrowLeft)
	before := all[len(all)-3]
	ann.wasThere(before.Rev, "")
	ben.drag("calendar", "review", "")
	head := all[len(all)-1].Rev + 1
	ann.Until(fmt.Sprintf(`document.querySelector('.past-track input').max === '%d'`, head))
	ann.wasThere(before.Rev, "")
	ann.keys(kb.End)
	ann.wasThere(head, "")
	ann.Until(in("review", "calendar"))
	ann.clickAt(".past-leave")
	s.agree(ann, ben)
}

// TestReplay_FarDown: what was tried far down in a long column, of which not
// all is in the page, is scrolled to and told there.
func TestReplay_FarDown(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	var changes []map[string]any
	for i := range 90 {
		changes = append(changes, map[string]any{"entityId": fmt.Sprintf("many-%d", i), "patch": patch{"kind": "card", "columnId": "done", "title": fmt.Sprintf("One of many, %d", i)}})
	}
	s.ask("ben", "POST", "/v1/boards/demo/mutations", map[string]any{"clientMutationId": "many", "changes": changes})
	s.refuse("ben", "many-80", patch{"columnId": "doing"})
	s.mutate("ben", "typo", patch{"title": "No typo"})
	all := s.log()
	refusal := all[len(all)-2]
	w := s.open("ann")
	w.replay()
	w.keys(kb.ArrowLeft)
	w.Until(moment(refusal.Rev, refusal.ID))
	w.Until(`document.querySelector('.card[data-id=many-80]') !== null`)
	w.Until(`document.querySelector('.card[data-id=many-80]').dataset.past === 'refused'`)
	w.Until(`document.querySelector('.past-tried')?.dataset.side !== 'none'`)
	w.Until(`(() => { const b = document.querySelector('.card[data-id=many-80]').getBoundingClientRect(); return document.elementFromPoint(b.x + 20, b.y + 5)?.closest('[data-id=many-80]') !== null; })()`)
	w.Shot("replay-far-down")
}

// stands waits until what the selector names stays where it is for ten frames.
func (w *window) stands(selector string) {
	w.TB.Helper()
	w.Eval(fmt.Sprintf(`(async () => {
		let was = "";
		for (let n = 0; n < 10;) {
			await new Promise(requestAnimationFrame);
			const at = document.querySelector(%q)?.getBoundingClientRect();
			const now = at ? [at.x, at.y].join() : "";
			n = now && now === was ? n + 1 : 0;
			was = now;
		}
	})()`, selector))
}
