import assert from "node:assert/strict";
import { test } from "node:test";
import { noteEffects } from "../src/effect.js";
import type { Change, Entity, Json, Patch } from "../src/entities.js";
import { keyBetween } from "../src/key.js";
import { createView, type View } from "../src/view.js";
import { hello, joined } from "./vectors.js";

const card = (id: string, fields: { [name: string]: Json } = {}): Entity => ({
  id, kind: "card", rev: 1, createdRev: 1, createdBy: "bob", columnId: "k1", position: "a0", title: "old", liked: false, likes: 0, ...fields,
});

function board(...entities: Entity[]): View {
  const view = createView("ann", false);
  noteEffects(view);
  joined(view, "ann", entities);
  return view;
}

const patched = (entityId: string, patch: Patch | null): Change[] => [{ entityId, patch }];
const sync = (view: View, entity: Entity & { deleted?: boolean }) => view.sync({ type: "sync", rev: entity.rev!, entity });

/** Cards one below the other that count how often a property of theirs is read. */
function counted(n: number): { cards: Entity[]; reads: () => number } {
  let count = 0, position = "";
  const cards = Array.from({ length: n }, (_, i) => new Proxy(card(`c${i}`, { position: (position = keyBetween(position, "")!) }), {
    get: (e, name) => (count++, e[name as string]),
  }));
  const reads = () => {
    const was = count;
    count = 0;
    return was;
  };
  return { cards, reads };
}

test("a sync on a board of 5,000 cards walks neither the board nor a list; a list asked for again is not sorted again", () => {
  const { cards, reads } = counted(5000);
  const view = board(...cards);
  const lists = () => [view.children("k1", "card"), view.children("k1"), view.list("card")];
  const before = lists();
  assert.ok(reads() > 5000); // it does count
  for (const pending of [false, true]) {
    if (pending) view.mutate("m1", patched("c7", { position: { after: "c4000" } }));
    reads();
    const rev = pending ? 3 : 2;
    const { changed } = sync(view, card("c2500", { rev, position: pending ? "Zy" : "Zz" }));
    assert.deepEqual(changed.map((c) => c.id), ["c2500"]);
    assert.ok(reads() < 400, "a sync");
    for (const [i, list] of lists().entries()) {
      assert.notEqual(list, before[i]);
      assert.equal(list[0]?.id, "c2500");
      assert.equal(list.length, 5000);
    }
    assert.ok(reads() < 5000 * 3 * 2.5, "the lists"); // twice its id for each member, no more
  }
  assert.equal(view.children("k1", "card").findIndex((e) => e.id === "c7"), 4000);
});

test("a confirmation does not replay the queue behind it", () => {
  const view = board();
  let replays = 0;
  const queue = 300;
  for (let i = 0; i < queue; i++) view.mutate(`m${i}`, patched(`n${i}`, { kind: "card", columnId: "k1", title: "new" }));
  view.note = () => replays++;
  for (let i = 0; i < queue; i++) {
    sync(view, { ...view.get(`n${i}`)!, rev: i + 2, createdRev: i + 2 });
    view.ack({ type: "ack", clientMutationId: `m${i}`, rev: i + 2, events: 1 });
  }
  assert.ok(replays >= queue && replays <= 2 * queue, `${replays}`);
  assert.equal(view.pending.length, 0);
});

test("a mutation made behind a long queue costs what it changes", () => {
  const queue = 1000;
  const view = board(...Array.from({ length: queue }, (_, i) => card(`c${i}`)));
  for (let i = 0; i < queue; i++) view.mutate(`m${i}`, patched(`c${i}`, { title: "new" }));
  const { set } = Map.prototype;
  let sets = 0;
  Map.prototype.set = function (...args) {
    sets++;
    return set.apply(this, args) as typeof this;
  };
  try {
    view.mutate("last", patched("c5", { description: "new" }));
  } finally {
    Map.prototype.set = set;
  }
  assert.ok(sets > 0 && sets < 50, `${sets}`);
  assert.deepEqual([view.get("c5")!["title"], view.get("c5")!["description"]], ["new", "new"]);
});

test("a place beside somebody unknown is looked for again when that one turns up, be it elsewhere", () => {
  const view = board(card("c1"), card("c2", { position: "a1" }));
  view.mutate("m1", patched("c1", { position: { after: "late" } }));
  assert.equal(view.get("c1")!["position"], "a0");
  sync(view, card("late", { rev: 2, columnId: "k2" }));
  assert.equal(view.get("c1")!["position"], "a2");
});

test("entities, lists and changes that were handed out cannot be altered, and those handed in are not looked at again", () => {
  const view = board(card("c1", { labels: ["a"], "x-deep": { list: [1] } }));
  const patch = { labels: { add: ["b"] }, "x-deep": { list: [{ n: 1 }] } };
  view.mutate("m1", patched("c1", patch));
  patch.labels.add.push("c");
  const e = view.get("c1") as unknown as { title: string; labels: string[]; "x-deep": { list: { n: number }[] } };
  assert.throws(() => (e.title = "x"), TypeError);
  assert.throws(() => e.labels.push("x"), TypeError);
  assert.throws(() => (e["x-deep"].list[0]!.n = 2), TypeError);
  assert.throws(() => (view.children("k1", "card") as Entity[]).pop(), TypeError);
  assert.throws(() => ((view.pending[0]!.changes[0]!.patch as { title: string }).title = "x"), TypeError);
  assert.throws(() => ((view.confirmed("c1") as unknown as { title: string }).title = "x"), TypeError);
  view.hello(hello("zoe")); // replays
  assert.deepEqual(view.get("c1")!["labels"], ["a", "b"]);
});

test("names that objects have anyway are names like others", () => {
  const proto = JSON.parse('{"__proto__":{"polluted":true},"constructor":"c","toString":null,"hasOwnProperty":1}') as Patch;
  const view = board(card("__proto__"), card("constructor", { position: "a1" }));
  view.mutate("m1", [{ entityId: "__proto__", patch: proto }, { entityId: "toString", patch: { kind: "card", columnId: "constructor" } }]);
  assert.equal(({} as { polluted?: boolean }).polluted, undefined);
  const e = view.get("__proto__")!;
  assert.equal(Object.getPrototypeOf(e), Object.prototype);
  assert.deepEqual(Object.getOwnPropertyDescriptor(e, "__proto__")?.value, { polluted: true });
  assert.equal(e["constructor"], "c");
  assert.equal(view.get("hasOwnProperty"), undefined);
  assert.deepEqual(view.children("constructor").map((x) => x.id), ["toString"]);
  assert.deepEqual([...view.pending[0]!.effect.get("__proto__")!.fields.keys()].sort(), ["__proto__", "constructor", "hasOwnProperty"]);
  view.nack({ clientMutationId: "m1", code: "invalid", reason: "" });
  assert.deepEqual([...view.all()].map((x) => x.id).sort(), ["__proto__", "constructor"]);
});

test("a view restored from a store resumes there; what a fresh join does not send again is gone", () => {
  const view = createView("ann", false);
  view.resume = { epoch: "e", rev: 7 };
  const { changed, confirmed } = view.load([card("c1", { rev: 5 }), card("c2", { rev: 7 })]);
  assert.deepEqual(changed.map((c) => c.id), ["c1", "c2"]);
  assert.deepEqual(confirmed, ["c1", "c2"]);
  assert.deepEqual(view.resume, { epoch: "e", rev: 7 });
  const kept = view.get("c2");
  view.hello(hello("ann", true));
  sync(view, card("c1", { rev: 8, title: "new" }));
  assert.deepEqual(view.ready(9).changed.map((c) => c.id), ["c1"]);
  assert.deepEqual(view.resume, { epoch: "e", rev: 9 });
  const fresh = joined(view, "ann", [card("c2", { rev: 7 })], 9);
  assert.deepEqual(fresh.changed.map(({ id, after }) => [id, after]), [["c1", undefined]]);
  assert.deepEqual([...fresh.confirmed].sort(), ["c1", "c2"]);
  assert.equal(view.get("c2"), kept);
});

// Effects, from which undo makes inverses.

const fields = (view: View, mutation: string, id: string) => Object.fromEntries(view.byId(mutation)!.effect.get(id)!.fields);

test("effect: what it changed, not what it asked for", () => {
  const view = board(card("c1", { labels: ["a"], due: "2026-01-01" }), card("c2", { position: "a1" }));
  view.mutate("m1", patched("c1", {
    title: "new", due: null, labels: { add: ["a", "b"] }, liked: true, description: null, columnId: "k1", position: { after: "c2" },
  }));
  assert.deepEqual(fields(view, "m1", "c1"), {
    title: { before: "old", after: "new" },
    due: { before: "2026-01-01", after: undefined },
    labels: { before: ["a"], after: ["a", "b"] },
    likedBy: { before: undefined, after: ["ann"] },
    position: { before: "a0", after: "a2" },
  });
  const { created, deleted } = view.byId("m1")!.effect.get("c1")!;
  assert.deepEqual([created, deleted], [false, false]);
});

test("effect: several changes of one entity are one; earlier pending mutations are what stood before", () => {
  const view = board(card("c1"));
  view.mutate("m1", patched("c1", { title: "one" }));
  view.mutate("m2", [...patched("c1", { title: "two" }), ...patched("c1", { title: "three", color: "red" }), ...patched("c1", { color: null })]);
  assert.deepEqual(fields(view, "m2", "c1"), { title: { before: "one", after: "three" } });
  view.nack({ clientMutationId: "m1", code: "lab", reason: "" });
  assert.deepEqual(fields(view, "m2", "c1"), { title: { before: "old", after: "three" } });
});

test("effect: a neighbour's change is what stood before; one's own sync is not", () => {
  const view = board(card("c1"));
  view.mutate("m1", patched("c1", { title: " mine ", archived: true }));
  sync(view, card("c1", { rev: 2, title: "theirs" }));
  const want = { title: { before: "theirs", after: "mine" }, archived: { before: undefined, after: true } };
  assert.deepEqual(fields(view, "m1", "c1"), want);
  sync(view, card("c1", { rev: 3, title: "mine", archived: true })); // trimmed, before the ack
  assert.deepEqual(fields(view, "m1", "c1"), want);
});

test("effect: created, deleted, and what hung on it", () => {
  const view = board(card("c1"), { id: "o1", kind: "comment", rev: 1, createdRev: 1, cardId: "c1", text: "t" });
  view.mutate("m1", [...patched("n1", { kind: "card", title: "new", columnId: "k1" }), ...patched("c1", null)]);
  const { effect } = view.byId("m1")!;
  assert.deepEqual([...effect].map(([id, e]) => [id, e.created, e.deleted]).sort(), [["c1", false, true], ["n1", true, false], ["o1", false, true]]);
  assert.deepEqual(fields(view, "m1", "n1"), {
    title: { before: undefined, after: "new" }, columnId: { before: undefined, after: "k1" }, position: { before: undefined, after: "a1" },
  });
  sync(view, card("n1", { rev: 2, createdRev: 2, title: "new" }));
  sync(view, { id: "c1", kind: "card", rev: 3, deleted: true });
  assert.deepEqual([...effect].map(([id, e]) => [id, e.created, e.deleted]).sort(), [["c1", false, true], ["n1", true, false], ["o1", false, true]]);
});
