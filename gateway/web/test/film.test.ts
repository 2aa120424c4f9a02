import assert from "node:assert/strict";
import { test } from "node:test";

import type { Entity } from "@snapback/client";

import { chance, vectors } from "../../browser/test/vectors.js";
import type { Decision } from "../src/history/log.js";
import { changedThings, triedOn } from "../src/time/concerned.js";
import { everything, film, indexAt, nextStop, pause, spotOf, stopsAt, whole, withEarlier, withLater, type Stretch } from "../src/time/film.js";
import { forward, held, type Entities } from "../src/time/fold.js";

const { steps } = vectors<{ readonly steps: readonly { readonly decision: Decision }[] }>("past.json");
const log = steps.map(({ decision }) => decision);
const last = log.at(-1)!.rev;

/** The board at a rev, from the beginning. */
function at(rev: number): Entities {
  const all = held([], "ann");
  for (const d of log) for (const ev of d.events ?? []) if (ev.rev <= rev) forward(all, ev, d, "ann");
  return all;
}

const bare = (all: Entities) => [...all.values()].sort((a, b) => (a.id < b.id ? -1 : 1)).map(({ rev: _, updatedAt: __, updatedBy: ___, ...rest }) => (
  Object.fromEntries(Object.entries(rest).filter(([, value]) => !Array.isArray(value) || value.length > 0))
));

test("wherever it is moved to it is what it was there; what it can not know it asks for, and has not moved", () => {
  for (let seed = 1; seed <= 20; seed++) {
    const by = chance(seed);
    const one = film("ann");
    one.lay(log);
    const begin = 1 + by.below(last);
    one.cut(begin, at(begin));
    let cuts = 0;
    for (let i = 0; i < 40; i++) {
      const from = one.rev;
      const to = 1 + by.below(last);
      if (one.move(to)) assert.equal(one.rev, to);
      else {
        cuts++;
        assert.equal(one.rev, from);
        assert.deepEqual(bare(one.entities), bare(at(from)), `seed ${seed}: not moved from ${from} to ${to}`);
        one.cut(to, at(to));
      }
      assert.deepEqual(bare(one.entities), bare(at(to)), `seed ${seed}: from ${from} to ${to}`);
    }
    assert.ok(cuts < 10, `seed ${seed}: ${cuts} of 40 were asked for`);
  }
});

test("what is told of a way is what differs, once for each thing", () => {
  const one = film("ann");
  one.lay(log);
  one.cut(10, at(10));
  const was: Entities = new Map(one.entities);
  const changes = one.move(40)!;
  assert.equal(new Set(changes.map(({ id }) => id)).size, changes.length);
  for (const { id, before, after } of changes) {
    assert.equal(was.get(id), before);
    assert.equal(one.entities.get(id), after);
  }
  assert.equal(one.move(last + 1), undefined, "there is no such event");
});

const d = (over: Partial<Decision> & { readonly rev: number; readonly types?: readonly string[] }): Decision => {
  const { types = [], ...rest } = over;
  const first = over.rev - types.length + 1;
  return {
    outcome: "accepted", id: `m${over.rev}`, op: "mutate", user: "ann", at: "2026-03-01T10:00:00Z",
    events: types.map((type, i) => ({ type, rev: first + i, entityId: "k" })), ...rest,
  };
};
const all: readonly Decision[] = [
  d({ rev: 5, types: ["card.created"] }),
  d({ rev: 7, types: ["card.moved", "card.renamed"], user: "ben" }),
  d({ rev: 7, outcome: "refused", id: "r1", user: "ben" }),
  d({ rev: 7, id: "nothing" }),
  d({ rev: 7, outcome: "refused", id: "r2", user: "cleo" }),
  d({ rev: 8, types: ["card.deleted"] }),
];
const stretch: Stretch = { from: 4, to: 8, decisions: all };

test("where one stands: behind the events up to the rev, or at what was refused there", () => {
  assert.deepEqual([4, 5, 6, 7, 8, 9].map((rev) => indexAt(stretch, { rev })), [-1, 0, 1, 1, 5, 5]);
  assert.equal(indexAt(stretch, { rev: 7, tried: "r2" }), 4);
  assert.equal(indexAt(stretch, { rev: 7, tried: "elsewhere" }), 1);
  assert.deepEqual([spotOf(all[1]!), spotOf(all[2]!)], [{ rev: 7 }, { rev: 7, tried: "r1" }]);
});

test("a decision is made as a whole: one stands behind it", () => {
  assert.deepEqual([5, 6, 7, 8, 9].map((rev) => whole(stretch, { rev }).rev), [5, 7, 7, 8, 9]);
  assert.deepEqual(whole(stretch, { rev: 6, tried: "r1" }), { rev: 6, tried: "r1" });
});

test("the next to stop at: refusals are, what changed nothing is not; only one person's; only what was refused, moved, deleted", () => {
  const way = (choice = everything) => {
    const stops: number[] = [];
    for (let i = nextStop(stretch, -1, 1, choice); i >= 0; i = nextStop(stretch, i, 1, choice)) stops.push(i);
    return stops;
  };
  assert.deepEqual(way(), [0, 1, 2, 4, 5]);
  assert.deepEqual(way({ user: "ben", what: "" }), [1, 2]);
  assert.deepEqual(way({ user: "", what: "refused" }), [2, 4]);
  assert.deepEqual(way({ user: "cleo", what: "refused" }), [4]);
  assert.deepEqual(way({ user: "", what: "made" }), [0]);
  assert.deepEqual(way({ user: "", what: "moved" }), [1]);
  assert.deepEqual(way({ user: "", what: "deleted" }), [5]);
  assert.equal(nextStop(stretch, 2, -1, everything), 1);
  assert.equal(nextStop(stretch, 0, -1, everything), -1);
  assert.equal(stopsAt(all[3]!, everything), false);
});

test("a stretch grows at both ends without gaps and without doubles", () => {
  const [a, b, c, n, e, f] = all as [Decision, Decision, Decision, Decision, Decision, Decision];
  const some: Stretch = { from: 5, to: 7, decisions: [b, c] };
  assert.deepEqual(withEarlier(some, 3, [a]), { from: 3, to: 7, decisions: [a, b, c] });
  assert.deepEqual(withLater(some, 8, [b, c, n, e, f]), { from: 5, to: 8, decisions: [b, c, n, e, f] });
  assert.deepEqual(withLater(some, 7, [b, c]), some);
  assert.deepEqual(withLater({ from: 0, to: 0, decisions: [] }, 8, all).decisions, all);
});

test("gaps are cut, and nothing is too quick to be seen", () => {
  assert.deepEqual([0, 1000, 3600_000].map((gap) => pause(gap, 1)), [600, 1000, 3000]);
  assert.equal(pause(3600_000, 4), 750);
});

test("what a change is about, and what was tried", () => {
  const entities: { readonly [id: string]: Entity } = {
    doing: { id: "doing", kind: "column" }, k: { id: "k", kind: "card", columnId: "doing" }, old: { id: "old", kind: "card", columnId: "doing", archived: true },
    l: { id: "l", kind: "checklist", cardId: "k" }, i: { id: "i", kind: "item", checklistId: "l" },
  };
  const get = (id: string) => entities[id];
  const about = (...ids: string[]) => changedThings(ids.map((entityId) => ({ type: "x.y", rev: 1, entityId })), [{ id: "gone", before: { id: "gone", kind: "card", columnId: "done" }, after: undefined }], get);
  assert.deepEqual(about("k", "i"), ["k"]);
  assert.deepEqual(about("doing"), ["doing"]);
  assert.deepEqual(about("old"), ["doing"], "it is archived: seen is where it was");
  assert.deepEqual(about("gone"), ["done"]);
  assert.deepEqual(about("label"), []);
  assert.deepEqual(triedOn([{ entityId: "k", patch: { columnId: "review" } }], get), { on: "k", into: "review" });
  assert.deepEqual(triedOn([{ entityId: "i", patch: { text: "x" } }], get), { on: "k", into: undefined });
  assert.deepEqual(triedOn([{ entityId: "new", patch: { kind: "card", columnId: "doing" } }], get), { on: "doing", into: "doing" });
  assert.deepEqual(triedOn([{ entityId: "new", patch: { kind: "comment", cardId: "k" } }], get), { on: "k", into: undefined });
  assert.deepEqual(triedOn([], get), { on: undefined, into: undefined });
});
