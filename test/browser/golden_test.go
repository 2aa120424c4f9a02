package browser

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/snapback-io/snapback/test/chrome"
	"github.com/snapback-io/snapback/test/node"
)

// golden runs the vectors of one file on the page's own modules and gives the
// names of those that fail.
const golden = `(async (v) => {
	const { Store, equal } = await import('/store.js');
	const { keyBetween } = await import('/position.js');
	const bad = [];
	const list = (m) => m.changes ?? [{ entityId: m.entityId, patch: m.patch }];
	const key = (p) => { try { return keyBetween(p.a ?? '', p.b ?? ''); } catch { return 'refused'; } };
	for (const p of v.positions.between) if (key(p) !== p.key) bad.push('between ' + p.a + ' and ' + p.b);
	for (const p of v.positions.refused) if (key(p) !== 'refused') bad.push('between ' + p.a + ' and ' + p.b);
	for (const c of v.views.cases) {
		const s = new Store();
		s.hello({ user: c.user, epoch: 'e' });
		for (const entity of c.confirmed) s.sync({ rev: 1, entity });
		s.ready(1);
		for (const m of c.pending) s.mutate(m.clientMutationId, list(m));
		if (!equal(Object.fromEntries(s.shown), Object.fromEntries(c.view.map((e) => [e.id, e])))) bad.push(c.name);
		for (const o of c.order ?? []) if (!equal(s.children(o.kind, o.parent).map((e) => e.id), o.ids)) bad.push(c.name);
	}
	for (const script of v.scripts.scripts.filter((x) => !x.rollbackOnSilence)) {
		const s = new Store();
		script.steps.forEach((step, i) => {
			const f = step.in;
			const does = f ? { hello: () => s.hello(f), sync: () => s.sync(f), ready: () => s.ready(f.rev), lag: () => s.lag(), ack: () => s.ack(f.clientMutationId), nack: () => s.nack(f.clientMutationId) }[f.type]
				: step.mutate ? () => s.mutate(step.mutate.clientMutationId, list(step.mutate)) : step.silence ? () => s.silence(step.silence) : () => s.disconnected();
			let ok = equal([...(does() ?? [])].sort(), step.changed);
			for (const [id, want] of Object.entries(step.shows ?? {})) {
				const e = s.get(id);
				ok &&= !e === !want && Object.entries(want ?? {}).every(([name, x]) => equal(e[name] ?? null, x));
			}
			if (!ok) bad.push(script.name + ', step ' + i);
		});
	}
	return { bad, ran: v.positions.between.length + v.views.cases.length + v.scripts.scripts.length };
})(%s)`

func TestGolden_PageStore(t *testing.T) {
	vectors := map[string]json.RawMessage{}
	for _, name := range []string{"positions", "views", "scripts"} {
		raw, err := os.ReadFile(filepath.Join("..", "..", "gateway", "wire", "testdata", name+".json"))
		if err != nil {
			t.Fatal(err)
		}
		vectors[name] = raw
	}
	all, err := json.Marshal(vectors)
	if err != nil {
		t.Fatal(err)
	}
	tabs := chrome.Start(t)
	server := node.Start(t, "node", t.TempDir(), "")
	w := open(t, tabs, "http://"+server.Addr, "ann")
	type outcome struct {
		Bad []string `json:"bad"`
		Ran int      `json:"ran"`
	}
	got := chrome.Run(w.Page, chromedp.Evaluate[outcome](fmt.Sprintf(golden, all), chromedp.EvalAwaitPromise))
	if len(got.Bad) > 0 || got.Ran < 400 {
		t.Fatalf("%d vectors, these fail: %q", got.Ran, got.Bad)
	}
}
