// Random edits, undos and redos. Alone, every undo gives the picture before its step; with another at work, nothing of his
// is overwritten, and what stays is named. A failing seed is pinned by its name.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Change, Entity, Json, Patch } from "../src/entities.js";
import { connect, type Store } from "../src/store.js";
import { type UndoStack, undoStack, type UndoResult } from "../src/undo.js";
import { Client, FakeServer } from "./fakeserver.js";

/** [0, 1), the same for the same seed. */
function chance(seed: number): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const kinds = ["column", "card", "checklist", "item", "label", "comment"] as const;
const setNames = ["labels", "assignees"];
const placeNames = ["columnId", "position"];

const start = (): Entity[] => [
  ...["k1", "k2", "k3"].map((id, i) => ({ id, kind: "column", title: id, position: `a${i}` })),
  ...[0, 1, 2, 3, 4, 5].map((i) => ({
    id: `c${i}`, kind: "card", columnId: `k${1 + (i % 3)}`, title: `c${i}`, position: `a${i}`,
  })),
  { id: "l1", kind: "checklist", cardId: "c1", position: "a0" },
  { id: "i1", kind: "item", checklistId: "l1", text: "i1", position: "a0" },
];

class Actor {
  readonly client: Client;
  readonly store: Store;
  readonly undo: UndoStack;
  readonly results: { promise: Promise<UndoResult>; result?: UndoResult }[] = [];
  /** Ids of the mutations that undo made. */
  readonly quiet = new Set<unknown>();
  /** What was made and refused, so that redo makes it for the first time. */
  readonly refused: Change[] = [];
  #random: () => number;
  #made = 0;

  constructor(server: FakeServer, readonly user: string, random: () => number, steps: number) {
    this.#random = random;
    this.client = new Client(server, user);
    this.store = connect({ url: "http://board.test", board: "b", user, env: this.client.env });
    this.undo = undoStack(this.store, { steps });
    this.store.engine.hooks.add({
      made: (m) => void (m.quiet && this.quiet.add(m.id)),
      concluded: (m, v) => void (!m.quiet && !v.ok && this.refused.push(...m.changes)),
    });
  }

  #pick<T>(list: readonly T[]): T {
    return list[Math.floor(this.#random() * list.length)]!;
  }

  /** A value nobody else sets, so that its history can be told. */
  #value = () => `${this.user}${++this.#made}`;

  #cards = () => this.store.list("card").filter((c) => !c.archived);
  #columns = () => this.store.list("column").filter((c) => !c.archived);

  #patch(card: Entity): Patch {
    const r = this.#random();
    if (r < 0.25) return { title: this.#value() };
    if (r < 0.4) return { description: this.#value(), color: this.#random() < 0.5 ? null : this.#value() };
    if (r < 0.55) return { labels: { add: this.#value(), remove: [this.#pick([...members(card["labels"]), "none"])] } };
    if (r < 0.6) return { archived: true };
    if (r < 0.8) return { columnId: this.#pick(this.#columns()).id, ...(r < 0.7 && { title: this.#value() }) };
    const anchor = this.#pick([null, ...this.#cards().map((c) => c.id)]);
    return { position: this.#random() < 0.5 ? { after: anchor } : { before: anchor } };
  }

  edit(deletes = true): void {
    const card = this.#pick(this.#cards());
    const r = this.#random();
    if (!card || r < 0.12) this.store.create("card", { columnId: this.#pick(this.#columns()).id, title: this.#value() });
    else if (r < 0.2 && deletes) {
      const [made] = this.store.list("comment").filter((c) => c.createdBy === this.user);
      if (made && r < 0.14) this.store.remove(made.id);
      else if (made && r < 0.17) this.store.mutate(made.id, { text: this.#value() });
      else this.store.create("comment", { cardId: card.id, text: this.#value() });
    } else if (r < 0.25) this.store.mutate("i1", { done: this.#random() < 0.5 ? true : null, assignee: this.#value() });
    else if (r < 0.4) {
      this.store.transact([card, this.#pick(this.#cards())].map((c) => ({ entityId: c.id, patch: this.#patch(c) })));
    } else this.store.mutate(card.id, this.#patch(card));
  }

  turn(how: "undo" | "redo"): { result?: UndoResult } {
    const entry: { promise: Promise<UndoResult>; result?: UndoResult } = { promise: this.undo[how]() };
    entry.promise.then((result) => (entry.result = result));
    this.results.push(entry);
    return entry;
  }

  /** What is on its way to the server is lost, and asked for when it is overdue. */
  async lose(): Promise<void> {
    this.client.line?.up.splice(0);
    for (let i = 0; i < 8; i++) {
      await this.client.advance(1000);
      await this.client.flow();
    }
  }

  picture(): { [id: string]: object } {
    const all = kinds.flatMap((kind) => [...this.store.list(kind)] as Entity[]);
    return Object.fromEntries(all.map((e) => [e.id, plain(e)]));
  }
}

/** Without what only the server sets; false and an empty set are absent. */
const plain = ({ rev, createdRev, createdBy, updatedBy, likes, liked, ...fields }: Entity) =>
  Object.fromEntries(Object.entries(fields).filter(([, v]) => v !== false && !(Array.isArray(v) && !v.length)));

/** now is then, but for what was made since and is archived. */
function assertAsBefore(now: { [id: string]: object }, then: { [id: string]: object }): void {
  const seen = Object.fromEntries(Object.entries(now).filter(([id, e]) => then[id] || !(e as Entity)["archived"]));
  assert.deepEqual(seen, then);
}

describe("alone", () => {
  for (let seed = 1; seed <= 60; seed++) {
    test(`seed ${seed}: each undo gives what stood before its step, each redo what stood after it`, async () => {
      const random = chance(seed);
      const ann = new Actor(new FakeServer(...start()), "ann", random, 50);
      await ann.client.flow();
      const pictures = [ann.picture()];
      const some = () => {
        while (random() < 0.6) (random() < 0.5 ? ann.client.up() : ann.client.down());
      };
      while (pictures.length < 30) {
        ann.edit(false);
        if (JSON.stringify(ann.picture()) !== JSON.stringify(pictures.at(-1))) pictures.push(ann.picture());
        some();
        if (random() < 0.2) {
          await ann.client.flow();
          pictures[pictures.length - 1] = ann.picture(); // with the keys that the server gave
        }
      }
      if (random() < 0.5) await ann.client.flow();
      let at = pictures.length - 1;
      for (let i = 0; i < 80; i++) {
        const how = i < 60 ? (random() < 0.6 ? "undo" : "redo") : "undo";
        if (!(how === "undo" ? ann.undo.canUndo : ann.undo.canRedo)) continue;
        at += how === "undo" ? -1 : 1;
        ann.turn(how);
        assertAsBefore(ann.picture(), pictures[at]!);
        some();
        if (random() < 0.2) await ann.client.flow();
        assertAsBefore(ann.picture(), pictures[at]!);
      }
      await ann.client.flow();
      assertAsBefore(ann.picture(), pictures[at]!);
      for (const { result } of ann.results) {
        assert.deepEqual(result && { ok: result.ok, kept: result.ok && result.kept }, { ok: true, kept: [] });
      }
      assert.equal(ann.store.inspect().pending.length, 0);
    });
  }
});

const members = (v: Json | undefined) => (v ?? []) as string[];
const minus = (a: Json | undefined, b: Json | undefined) => members(a).filter((x) => !members(b).includes(x));

/**
 * Nothing that another did was overwritten: what an undo or redo changed was as its user had left it, and is now what
 * stood there before. That, a client can only know of what it heard: not with `cuts`.
 */
function assertOwn(server: FakeServer, actor: Actor, cuts: boolean): void {
  server.log.forEach(({ user, mutation, id, name, from, to }, at) => {
    if (user !== actor.user || !actor.quiet.has(mutation) || /^(rev|.*By|createdRev|position|done)$/.test(name)) return;
    if (server.log.some((e) => e.id === id && e.name === "id" && e.mutation === mutation)) return; // made
    const says = `${user}: ${id}.${name}: ${JSON.stringify(from)} to ${JSON.stringify(to)}`;
    const all = server.log.slice(0, at).filter((e) => e.id === id && e.name === name);
    const own = all.filter((e) => e.user === user);
    const refused = actor.refused.filter((c) => c.entityId === id && c.patch).map((c) => c.patch![name]); // redone
    if (!name || (name === "archived" && to && !own.length && !refused.includes(true))) {
      const made = server.log.find((e) => e.id === id && e.name === "createdBy");
      assert.equal(made?.user, user, says);
    } else if (setNames.includes(name)) {
      const edits = refused.filter(Boolean) as { add: string; remove: string[] }[];
      for (const x of minus(from, to)) {
        assert.ok(own.some((e) => minus(e.to, e.from).includes(x)) || edits.some((e) => e.remove.includes(x)), says);
      }
      for (const x of minus(to, from)) {
        assert.ok(own.some((e) => minus(e.from, e.to).includes(x)) || edits.some((e) => e.add === x), says);
      }
    } else {
      const again = refused.some((v) => (v ?? null) === to);
      assert.ok(again || own.some((e) => e.to === from), says);
      assert.ok(again || cuts || own.some((e) => e.from === to && e.to === from), says);
    }
  });
}

/** By entity; column and position are one thing. */
const names = (list: readonly { readonly id: string; readonly fields: readonly string[] }[]) => {
  const all = list.flatMap(({ id, fields }) => fields.map((f) => `${id} ${placeNames.includes(f) ? "place" : f}`));
  return [...new Set(all)].sort();
};

describe("together", () => {
  const did: { [what: string]: number } = {};
  const count = (what: string) => (did[what] = (did[what] ?? 0) + 1);

  for (let seed = 1; seed <= 60; seed++) {
    test(`seed ${seed}: nothing of another's is overwritten, what stays is named, and every promise is kept`, async () => {
      const random = chance(seed);
      const server = new FakeServer(...start());
      server.wipLimit = seed % 3 ? 9 : 3;
      const steps = 6;
      const actors = ["ann", "bob"].map((user) => new Actor(server, user, random, steps));
      for (const { client } of actors) await client.flow();
      const cuts = seed % 4 > 1;
      const calm = seed % 2 === 0; // no turn before the last one has its result
      for (let i = 0; i < 250; i++) {
        const actor = actors[random() < 0.5 ? 0 : 1]!;
        const { client } = actor;
        const r = random();
        if (r < 0.3) actor.edit();
        else if (r < 0.55) {
          if (calm) await client.flow();
          const how = random() < 0.6 ? "undo" : "redo";
          const at = server.conflicts.length;
          const entry = actor.turn(how);
          if (!calm) continue;
          if (random() < 0.5) actors.find((a) => a !== actor)!.client.up();
          await client.flow();
          const { result } = entry;
          assert.ok(result);
          const named = server.conflicts.slice(at).filter((c) => c.user === actor.user);
          const kept = result.ok ? result.kept.map((k) => ({ id: k.entityId, fields: k.fields })) : named;
          assert.deepEqual(names(kept), names(named));
        } else if (r < 0.75) client.up();
        else if (r < 0.95) client.down();
        else if (r < 0.97) await client.flow();
        else if (r > 0.985) await actor.lose();
        else if (cuts) {
          client.cut();
          if (random() < 0.5) actor.edit();
          if (random() < 0.5 && !calm) actor.turn("undo");
          await client.back();
        }
      }
      for (const actor of [...actors, ...actors]) await actor.client.flow();
      for (const actor of actors) {
        let n = 0;
        for (; actor.undo.canUndo; n++) {
          actor.turn("undo");
          await actor.client.flow();
        }
        assert.ok(n <= steps, `${n} steps`);
      }
      for (const actor of [...actors, ...actors]) await actor.client.flow();
      for (const actor of actors) {
        const shown = Object.fromEntries([...server.entities.values()].map((e) => [e.id, plain(e)]));
        assert.deepEqual(actor.picture(), shown);
        assert.equal(actor.store.inspect().pending.length, 0);
        assertOwn(server, actor, cuts);
        for (const { result } of actor.results) {
          assert.ok(result, "a promise is open");
          count(result.ok ? (result.kept.length ? "kept" : result.rev ? "done" : "nothing to do") : result.code);
        }
      }
    });
  }

  test("the runs did what they should", () => {
    for (const what of ["done", "kept", "nothing to do", "empty", "wip_limit", "archived", "withdrawn"]) {
      assert.ok(did[what]! > 5, `${what}: ${JSON.stringify(did)}`);
    }
  });
});
