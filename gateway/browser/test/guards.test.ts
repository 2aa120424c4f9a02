// Under which conditions a mutation that waited long is sent.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Change, Entity } from "../src/entities.js";
import type { Entry } from "../src/engine.js";
import { noteEffects } from "../src/effect.js";
import { guarded, guards } from "../src/guards.js";
import { createView, type View } from "../src/view.js";
import { card } from "./world.js";

const column = { id: "todo", kind: "column", rev: 1, createdRev: 1, title: "To do", position: "a0" };

function board(): View {
  const view = createView("ann", false);
  noteEffects(view);
  const cards = [card("c1", { rev: 7, labels: ["l1"], due: "2026-01-01" }), card("c2", { position: "a1" })];
  view.resume = { epoch: "e1", rev: 9 };
  view.load([column, ...cards] as unknown as Entity[]);
  return view;
}

let made = 0;

/** The guards of a mutation made now. */
function guard(view: View, ...changes: Change[]): object[] {
  const id = `m${++made}`;
  view.mutate(id, changes);
  return guards({ id, changes, pending: view.byId(id)! } as unknown as Entry, view);
}

const of = (entityId: string, patch: Change["patch"]): Change => ({ entityId, patch });

test("every plain field it sets, as it stood before; absent is null", () => {
  assert.deepEqual(guard(board(), of("c1", { title: "x", due: null, color: "red", start: null })), [
    { if: { title: "c1", due: "2026-01-01", color: null, start: null } },
  ]);
  assert.deepEqual(guard(board(), of("c1", { title: "c1" })), [{ if: { title: "c1" } }], "one that changes nothing too");
});

test("text that only we have sent, as the server will store it", () => {
  const view = board();
  guard(view, of("c1", { title: " e\u0301 ", description: " e\u0301 ", "x-any": " e\u0301 " }));
  assert.deepEqual(guard(view, of("c1", { title: "x", description: "x", "x-any": "x" })), [
    { if: { title: "\u00e9", description: " \u00e9 ", "x-any": " e\u0301 " } },
  ]);
  const made = of("c3", { kind: "card", title: "x", columnId: "todo" });
  guard(view, made);
  assert.deepEqual(guard(view, of("c3", { title: " y " })), [{}]);
});

test("a list that replaces a set, not what adds to it or removes from it", () => {
  assert.deepEqual(guard(board(), of("c1", { labels: ["l2"], assignees: { add: "bob" } })), [{ if: { labels: ["l1"] } }]);
  assert.deepEqual(guard(board(), of("c1", { labels: null, likedBy: { remove: "ann" } })), [{ if: { labels: ["l1"] } }]);
  assert.deepEqual(guard(board(), of("c1", { "x-any": { add: 1 } })), [{ if: { "x-any": null } }], "no set");
});

test("nothing for liked and what only the server sets", () => {
  assert.deepEqual(guard(board(), of("c1", { liked: true, number: 3, updatedBy: "x", kind: "card" })), [{}]);
});

test("a move: where it was", () => {
  assert.deepEqual(guard(board(), of("c1", { columnId: "done", position: { after: null } })), [
    { if: { columnId: "todo", position: "a0" } },
  ]);
});

test("a second move does not name the place that the server is still to choose", () => {
  const view = board();
  guard(view, of("c1", { position: { after: "c2" } }));
  assert.deepEqual(guard(view, of("c1", { position: { before: "c2" }, title: "x" })), [{ if: { title: "c1" } }]);
});

test("what an earlier mutation of ours is to make of it", () => {
  const view = board();
  guard(view, of("c1", { title: "x" }));
  assert.deepEqual(guard(view, of("c1", { title: "y" })), [{ if: { title: "x" } }]);
});

test("a create is of something new; what hangs on it nobody else knows", () => {
  const view = board();
  const create = of("n1", { kind: "card", columnId: "todo", title: "n" });
  assert.deepEqual(guard(view, create, of("n1", { title: "m" })), [{ ifRev: 0 }, { ifRev: 0 }]);
  assert.deepEqual(guard(view, of("n1", { title: "o" })), [{}]);
  assert.deepEqual(guard(view, of("n1", null)), [{}]);
  assert.deepEqual(guard(view, of("nobody", { title: "o" })), [{}]);
});

test("a delete: the very rev; behind mutations of ours, which raise it, the fields as they leave them", () => {
  const view = board();
  assert.deepEqual(guard(view, of("c2", null)), [{ ifRev: 1 }]);
  guard(view, of("c1", { title: "x", liked: true, position: { after: "c2" } }));
  assert.deepEqual(guard(view, of("c1", null)), [{ if: { title: "x", columnId: "todo", due: "2026-01-01", labels: ["l1"] } }]);
});

test("each change of several by the board before all of them, as the server judges", () => {
  assert.deepEqual(guard(board(), of("c1", { title: "x" }), of("c2", { title: "z" }), of("c1", { title: "y" })), [
    { if: { title: "c1" } }, { if: { title: "c2" } }, { if: { title: "c1" } },
  ]);
});

test("what the application asked for itself comes first", () => {
  const changes: Change[] = [
    { entityId: "c1", patch: { title: "x", color: "red" }, if: { title: "mine" } }, { entityId: "c2", patch: null, ifRev: 5 },
    { entityId: "c3", patch: { liked: true } },
  ];
  assert.deepEqual(guarded(changes, [{ if: { title: "c1", color: null } }, { ifRev: 1 }, {}]), [
    { entityId: "c1", patch: { title: "x", color: "red" }, if: { title: "mine", color: null } },
    { entityId: "c2", patch: null, ifRev: 5 },
    changes[2],
  ]);
});
