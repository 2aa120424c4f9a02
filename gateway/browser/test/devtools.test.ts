import assert from "node:assert/strict";
import { test } from "node:test";

import { attachPanel, draw, SnapbackPanel } from "../src/devtools.js"; // also: a server may import it
import type { Inspection } from "../src/index.js";

const move = [{ entityId: "01JD8Z5Q4YV0K5R5W6C2T9N8MX", patch: { columnId: "doing" } }];
const seen: Inspection = {
  board: "demo", status: "live", me: { user: "ann", role: "editor", session: "s1" }, epoch: "e1", rev: 12, entities: 3,
  pending: [{ id: "m3", changes: move, madeAt: 1000, state: "unconfirmed" }],
  verdicts: [
    { id: "m1", changes: [{ entityId: "a", patch: null }, { entityId: "b", patch: { kind: "card", title: "B" } }], tookMs: 4.4,
      verdict: { ok: true, rev: 11, events: 2 } },
    { id: "m2", changes: move, tookMs: 1234, verdict: { ok: false, code: "wip_limit", details: { limit: 3 }, reason: "full" } },
  ],
  latencyMs: 2.5,
};

test("what the panel says", () => {
  const drawn = draw(seen, 8300);
  assert.equal(drawn.summary, "demo: live, 1 pending");
  assert.deepEqual(drawn.facts, {
    "rev": "12", "round trip": "3 ms", "entities": "3", "you": "ann, editor", "epoch": "e1", "session": "s1",
  });
  assert.deepEqual(drawn.pending, [{
    key: "m3", cells: ['…T9N8MX columnId: "doing"', "unconfirmed", "7.3 s"],
    more: ['m3: 01JD8Z5Q4YV0K5R5W6C2T9N8MX columnId: "doing"', ""], tone: "bad",
  }]);
  assert.deepEqual(drawn.verdicts.map((v) => [...v.cells, v.more[1], v.tone]), [
    ['…T9N8MX columnId: "doing"', "wip_limit", "1.2 s", 'full {"limit":3}', "bad"],
    ['delete a; new card b title: "B"', "ack, rev 11", "4 ms", "2 events", "good"],
  ]);
});

test("before anything is known", () => {
  const drawn = draw({
    board: "b", status: "connecting", me: undefined, epoch: undefined, rev: 0, entities: 0, pending: [], verdicts: [],
    latencyMs: undefined,
  }, 0);
  assert.deepEqual([drawn.facts["you"], drawn.facts["epoch"], drawn.facts["round trip"]], ["–", "–", "–"]);
});

test("a hundred pending ones are listed, however many there are", () => {
  const pending = Array.from({ length: 250 }, (_, i) => ({ ...seen.pending[0]!, id: `m${i}` }));
  const drawn = draw({ ...seen, pending }, 0);
  assert.equal(drawn.pending.length, 100);
  assert.match(drawn.summary, /250 pending/);
});

test("without a page it is imported without harm", () => {
  assert.equal(typeof attachPanel, "function");
  assert.equal(typeof SnapbackPanel, "function");
  assert.equal(globalThis.customElements, undefined);
});
