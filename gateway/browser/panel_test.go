package browser_test

import (
	"path/filepath"
	"strconv"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/snapback-io/snapback/test/bundle"
	"github.com/snapback-io/snapback/test/chrome"
)

// TestPanel looks at the devtools panel on a page.
func TestPanel(t *testing.T) {
	p := chrome.Open(t, chrome.Start(t), "panel")
	p.Do(chromedp.Navigate("about:blank"), chromedp.Evaluate[chromedp.Void](bundle.Script(t, filepath.Join("test", "panel.ts"), "panel")))
	shows := func(summary, rows string) {
		t.Helper()
		p.Until(`panel.summary() === ` + strconv.Quote("Snapback b: "+summary) + ` && panel.rows().replace(/ \d+ ms/g, '') === ` + strconv.Quote(rows))
	}
	is := func(expression string) {
		t.Helper()
		if got := p.Eval(expression); got != "true" {
			t.Fatalf("%s is %s", expression, got)
		}
	}
	shows("connecting, 0 pending", "Nothing waits for a verdict. | None yet.")
	is(`panel.heads() === 'Pending, Mutation, State, Age, Verdicts, newest first, Mutation, Verdict, Took'`)
	p.Eval(`panel.begin()`)
	shows("live, 2 pending", `a title: "A" sent; a liked: true sent | None yet.`)
	p.Eval(`panel.decide()`)
	shows("live, 1 pending", `a liked: true sent | a title: "A" ack, rev 11`)
	is(`panel.same()`)
	p.Eval(`panel.decide('forbidden')`)
	shows("live, 0 pending", `Nothing waits for a verdict. | a liked: true forbidden; a title: "A" ack, rev 11`)
	p.Shot("panel")
	p.Eval(`panel.move()`)
	shows("live, 0 pending", `Nothing waits for a verdict. | a liked: true forbidden; a title: "A" ack, rev 11`)
	is(`panel.early()`)
	p.Eval(`panel.detach()`)
	is(`panel.listening() === 0`)
}
