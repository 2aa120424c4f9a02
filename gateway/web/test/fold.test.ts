import assert from "node:assert/strict";
import { test } from "node:test";

import type { Entity, EntityChange } from "@snapback/client";

import { vectors } from "../../browser/test/vectors.js";
import type { Decision } from "../src/history/log.js";
import { backward, differences, forward, held, undo, type Entities } from "../src/time/fold.js";

interface Step {
  readonly decision: Decision;
  readonly changed?: readonly Entity[];
  readonly gone?: readonly string[];
}

const { steps } = vectors<{ readonly steps: readonly Step[] }>("past.json");

const listOf = (all: Entities) => [...all.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
const plain = (all: Entities) => JSON.parse(JSON.stringify(listOf(all))) as unknown;
/** Without what the log does not say of the state before an event. */
const bare = (all: Entities) => listOf(all).map(({ rev: _, updatedAt: __, updatedBy: ___, ...rest }) => (
  Object.fromEntries(Object.entries(rest).filter(([, value]) => !Array.isArray(value) || value.length > 0))
));

/** What the server had after each decision, as it is held here. */
function states(): readonly Entities[] {
  const told = new Map<string, Entity>();
  return steps.map(({ changed = [], gone = [] }) => {
    for (const e of changed) told.set(e.id, e);
    for (const id of gone) told.delete(id);
    return held([...told.values()], "ann");
  });
}

/** A map that has been changed as the listeners of it were told. */
function mirror(of: Entities, changes: readonly EntityChange[]): void {
  for (const { id, before, after } of changes) {
    assert.deepEqual(of.get(id), before, `${id} was something else`);
    if (after) of.set(id, after);
    else of.delete(id);
  }
}

test("forward: after each decision it is what the server has, and what is told of the changes is so", () => {
  const all: Entities = new Map();
  const seen: Entities = new Map();
  const after = states();
  steps.forEach(({ decision }, i) => {
    for (const ev of decision.events ?? []) mirror(seen, forward(all, ev, decision, "ann"));
    assert.deepEqual(plain(all), plain(after[i]!), `after ${decision.id}`);
    assert.deepEqual(plain(seen), plain(all));
  });
  assert.ok(all.size > 5);
});

test("what was changed is taken back exactly", () => {
  const all: Entities = new Map();
  const kept: (readonly EntityChange[])[] = [];
  const after = states();
  for (const { decision } of steps) kept.push((decision.events ?? []).flatMap((ev) => forward(all, ev, decision, "ann")));
  for (let i = steps.length - 1; i > 0; i--) {
    undo(all, kept[i]!);
    assert.deepEqual(plain(all), plain(after[i - 1]!), `before ${steps[i]!.decision.id}`);
  }
});

test("backward from what the server has it is what it was, but for who had changed it last; over a deletion there is no way", () => {
  const after = states();
  let ways = 0;
  let none = 0;
  for (let i = 1; i < steps.length; i++) {
    const { events = [], id } = steps[i]!.decision;
    const all: Entities = new Map(after[i]);
    const changes = events.toReversed().map((ev) => backward(all, ev, "ann"));
    if (events.some(({ type }) => /\.(deleted|removed)$/.test(type))) {
      assert.ok(changes.includes(undefined), id);
      none++;
    } else {
      assert.deepEqual(bare(all), bare(after[i - 1]!), `before ${id}`);
      ways += events.length;
    }
  }
  assert.ok(ways > 30 && none > 5, `${ways} ways, ${none} deletions`);
});

test("an event that does not follow is an error", () => {
  const by = { at: "2026-03-01T10:00:00Z", user: "ann" };
  const card: Entity = { id: "k", kind: "card", title: "x" };
  assert.throws(() => forward(new Map(), { type: "card.renamed", rev: 7, entityId: "k", after: { title: "x" } }, by, "ann"), /rev 7: there is no k/);
  assert.throws(() => forward(new Map([["k", card]]), { type: "card.created", rev: 7, entityId: "k" }, by, "ann"), /there already/);
});

test("between two states it tells what differs, and keeps the objects that are alike", () => {
  const [a, b] = [states().at(-3)!, states().at(-1)!];
  const was = new Map(a);
  const changes = differences(a, b);
  mirror(was, changes);
  assert.deepEqual(plain(was), plain(b));
  assert.ok(changes.length > 0 && changes.length < b.size);
  assert.ok([...b].filter(([id, e]) => a.get(id) === e).length > 3);
});
