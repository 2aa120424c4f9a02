import assert from "node:assert/strict";
import { test } from "node:test";

import type { Store } from "@snapback/client";

import { bar, stretch, timeline, type Run } from "../src/lab/timeline.js";

interface Heard {
  made(m: object): void;
  sending(m: object): void;
  concluded(m: object, verdict: object): void;
}

function recorded() {
  const hooks = new Set<Heard>();
  let now = 0;
  const line = timeline({ engine: { hooks } } as unknown as Store, (changes) => `${changes.length} changes`, () => now);
  const [heard] = hooks;
  return { line, hooks, heard: heard!, at: (time: number) => (now = time) };
}

test("a mutation is followed from its making to its verdict, newest first", () => {
  const { line, heard, at, hooks } = recorded();
  heard.made({ id: "a", changes: [1] });
  at(10);
  heard.sending({ id: "a" });
  heard.made({ id: "b", changes: [1, 2] });
  at(30);
  heard.concluded({ id: "a" }, { ok: true, rev: 7 });
  heard.concluded({ id: "b" }, { ok: false, code: "lab" });
  assert.deepEqual(line.runs.value, [
    { id: "b", what: "2 changes", madeAt: 10, endedAt: 30, code: "lab" },
    { id: "a", what: "1 changes", madeAt: 0, sentAt: 10, endedAt: 30, code: "", rev: 7 },
  ]);
  heard.made({ id: "c", changes: [] });
  line.clear();
  assert.deepEqual(line.runs.value.map((run) => run.id), ["c"], "what has no verdict stays");
  line.close();
  assert.equal(hooks.size, 0);
});

test("all bars lie on one axis: it ends now while something is pending, else with the last verdict", () => {
  const run = (madeAt: number, endedAt?: number): Run => ({ id: "", what: "", madeAt, ...(endedAt !== undefined && { endedAt, code: "" }) });
  assert.deepEqual(stretch([run(1000, 3000), run(500, 2500)], 9000), { from: 500, to: 3000 });
  assert.deepEqual(stretch([run(1000), run(500, 2500)], 9000), { from: 500, to: 9000 });
  assert.deepEqual(stretch([run(0), run(29_000, 30_000)], 30_000), { from: 18_000, to: 30_000 }, "no more than twelve seconds");
  assert.deepEqual(stretch([run(2999, 3000)], 9000), { from: 2000, to: 3000 }, "no less than one");
  assert.deepEqual(bar(run(1000, 2000), { from: 0, to: 4000 }), { start: 0.25, length: 0.25 });
  assert.deepEqual(bar(run(3000), { from: 0, to: 4000 }), { start: 0.75, length: 0.25 }, "pending: until now");
  assert.deepEqual(bar(run(0, 20), { from: 100, to: 200 }), { start: 0, length: 0 }, "before the stretch");
});
