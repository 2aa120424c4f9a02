import assert from "node:assert/strict";
import { test } from "node:test";
import type { Change, Entity, Json, Patch } from "../src/entities.js";
import { noteEffects } from "../src/effect.js";
import { type Effects, type Pending, createView, type View } from "../src/view.js";
import { face, faces, naiveList, type NaivePending, naiveView, remove } from "./naive.js";
import { chance, type Chance, hello } from "./vectors.js";

const ids: { [kind: string]: string[] } = {
  column: ["k1", "k2"], card: ["c1", "c2", "c3", "__proto__"], checklist: ["l1", "l2"], item: ["i1", "i2"],
  comment: ["o1", "o2", "o3"], file: ["f1", "f2"],
};
const kinds = Object.keys(ids);
const parents: { [kind: string]: [string, string[]] } = {
  card: ["columnId", ids["column"]!], checklist: ["cardId", ids["card"]!], file: ["cardId", ids["card"]!],
  comment: ["cardId", ids["card"]!], item: ["checklistId", ids["checklist"]!],
};
const everyParent = ["", "nobody", ...Object.values(ids).flat()];

type Gone = Entity & { readonly deleted?: boolean };

/** A view, and beside it what it should be. */
class Run {
  readonly view: View;
  readonly r: Chance;
  rollback: boolean;
  user = "ann";
  rev = 0;
  made = 0;
  /** How often each thing had an effect. */
  readonly did = new Map<string, number>();
  confirmed = new Map<string, Entity>();
  pending: NaivePending[] = [];
  hold: { syncs: Gone[]; acks: string[]; active: boolean; fresh: boolean } = { syncs: [], acks: [], active: false, fresh: false };
  resumable = false;
  want = naiveView(this.confirmed, [], "");
  /** As listeners were told, and as the offline store was. */
  readonly told = new Map<string, Entity>();
  readonly stored = new Map<string, Entity>();
  readonly arrays = new Map<string, readonly Entity[]>();

  constructor(seed: number) {
    this.r = chance(seed);
    this.rollback = this.r.of([true, false]);
    this.view = createView(this.user, this.rollback);
    noteEffects(this.view);
  }

  count(what: string, n = 1): void {
    this.did.set(what, (this.did.get(what) ?? 0) + n);
  }

  take(effects: Effects): Effects {
    this.want = naiveView(this.confirmed, this.pending, this.user);
    let last = "";
    for (const { id, before, after } of effects.changed) {
      assert.ok(id > last, "told twice or out of order");
      last = id;
      assert.equal(before, this.told.get(id), "before is what was told last");
      assert.notDeepEqual(before && face(before), after && face(after), "law 11: told without a change");
      if (after) this.told.set(id, after);
      else this.told.delete(id);
    }
    for (const id of effects.confirmed) {
      const e = this.view.confirmed(id);
      if (e) this.stored.set(id, e);
      else this.stored.delete(id);
    }
    for (const { pending, verdict } of effects.verdicts) this.count(verdict.ok ? "acks" : "nacks", pending.changes.length && 1);
    this.count("changes", effects.changed.length);
    return effects;
  }

  check(): void {
    const { shown, made } = this.want;
    assert.deepEqual(faces(this.view.all()), faces(shown.values()));
    assert.deepEqual(new Map([...this.view.allConfirmed()].map((e) => [e.id, e])), this.confirmed);
    assert.deepEqual(this.told, new Map([...this.view.all()].map((e) => [e.id, e])));
    for (const [id, e] of this.told) assert.equal(this.view.get(id), e);
    assert.deepEqual(this.stored, this.confirmed);
    assert.deepEqual(this.view.pending.map((p) => p.id), this.pending.map((p) => p.id));
    for (const p of this.pending) {
      const seen = this.view.byId(p.id)!;
      assert.equal(seen.hidden, p.hidden);
      const telling = (all: Pending["effect"]) => new Map([...all].filter(([, e]) => e.created || e.deleted || e.fields.size));
      assert.deepEqual(telling(seen.effect), telling(p.effect));
    }
    for (const id of shown.keys()) {
      assert.equal(this.view.isPending(id), this.pending.some((p) => !p.hidden && p.changes.some((c) => c.entityId === id)));
    }
    for (const kind of [undefined, ...kinds]) {
      if (kind) this.checkList("all " + kind, this.view.list(kind), naiveList(shown, made, kind));
      for (const under of everyParent) {
        this.checkList(`${kind} under ${under}`, this.view.children(under, kind), naiveList(shown, made, kind, under));
      }
    }
  }

  checkList(name: string, got: readonly Entity[], want: readonly Entity[]): void {
    assert.deepEqual(got.map((e) => e.id), want.map((e) => e.id), name);
    const before = this.arrays.get(name);
    if (before && before.length === got.length && before.every((e, i) => e === got[i])) assert.equal(got, before, name + " lost its identity");
    for (const e of got) assert.equal(e, this.view.get(e.id));
    this.arrays.set(name, got);
  }

  anyId(): [string, string] {
    const kind = this.r.of(kinds);
    return [kind, this.r.of(ids[kind]!)];
  }

  fields(kind: string): { [name: string]: Json } {
    const f: { [name: string]: Json } = { title: this.r.of(["x", "y"]) };
    const key = this.r.of(["a0", "a1", "a1", "a1V", "a2", "Zz", "none", ""]);
    if (key && ["column", "card", "checklist", "item"].includes(kind)) f["position"] = key;
    const [name, among] = parents[kind] ?? ["", []];
    if (name) f[name] = this.r.of(among);
    if (kind === "card" && this.r.below(2)) f["archived"] = true;
    if (kind === "card" && this.r.below(3) === 0) f["labels"] = ["b1", "b2"];
    return f;
  }

  /** What the server might send next. */
  entity(): Gone {
    this.rev++;
    const [kind, id] = this.anyId();
    if (this.r.below(5) === 0) return { id, kind, rev: this.rev, deleted: true };
    const likedBy = this.r.of([["ann", "bob"], ["bob"], []]);
    return {
      id, kind, rev: this.rev, createdRev: 1 + this.r.below(3), createdBy: "bob", ...this.fields(kind),
      ...(kind === "card" && { likedBy, liked: likedBy.includes(this.user), likes: likedBy.length }),
    };
  }

  confirm(e: Gone): void {
    if (e.deleted) {
      remove(this.confirmed, new Set(), e.id);
    } else if (e.rev! >= (this.confirmed.get(e.id)?.rev ?? 0)) {
      this.confirmed.set(e.id, e);
    }
  }

  release(): void {
    const { syncs, acks, fresh } = this.hold;
    this.hold = { syncs: [], acks: [], active: false, fresh: false };
    if (fresh) this.confirmed = new Map();
    for (const e of syncs) this.confirm(e);
    for (const id of acks) this.drop(id);
  }

  drop(id: string): void {
    this.pending = this.pending.filter((p) => p.id !== id);
  }

  send(entity: Gone, more = false): Effects {
    this.hold.syncs.push(entity);
    if (!this.hold.active && !more) this.release();
    return this.take(this.view.sync({ type: "sync", rev: this.rev, entity, ...(more && { more }) }));
  }

  sync(): void {
    for (let n = this.r.below(3) ? 0 : this.r.below(4); n-- > 0; ) this.send(this.entity(), true);
    this.send(this.entity());
  }

  change(): Change {
    let [kind, entityId] = this.anyId();
    if (this.r.below(8) === 0) return { entityId, patch: null };
    const patch: { [name: string]: unknown } = this.r.below(3) ? {} : { kind };
    if (patch["kind"] && /comment|file/.test(kind)) entityId = "new" + this.made + this.r.below(3); // ordered by who is made first
    const fields = Object.entries(this.fields(kind));
    for (const [name, v] of fields) if (patch["kind"] || this.r.below(2)) patch[name] = this.r.below(6) ? v : null;
    const place = this.r.below(5), by = this.r.of([null, "nobody", ...ids[kind]!]);
    if (place < 2) patch["position"] = place ? { after: by } : { before: by };
    if (kind === "card") {
      if (this.r.below(2)) patch["liked"] = this.r.below(2) === 0;
      if (this.r.below(3) === 0) patch["labels"] = this.r.of<Json>([{ add: "b3" }, { remove: ["b1"], add: ["b0", "b2"] }, ["b9", "b1"]]);
    }
    return { entityId, patch: patch as Patch };
  }

  mutate(changes = Array.from({ length: 1 + this.r.below(3) }, () => this.change())): string {
    const id = "m" + ++this.made;
    this.pending.push({ id, changes, hidden: false, effect: new Map() });
    this.take(this.view.mutate(id, changes));
    return id;
  }

  any(): string {
    return this.pending.length && this.r.below(10) ? this.r.of(this.pending).id : "stale";
  }

  ack(id: string): Effects {
    if (this.hold.active || this.hold.syncs.length) this.hold.acks.push(id);
    else this.drop(id);
    return this.take(this.view.ack({ type: "ack", clientMutationId: id, rev: this.rev, events: 1 }));
  }

  nack(): void {
    const id = this.any();
    this.drop(id);
    this.take(this.view.nack({ clientMutationId: id, code: "lab", reason: "" }));
  }

  silence(): void {
    const id = this.any(), p = this.pending.find((x) => x.id === id);
    if (p) p.hidden = this.rollback;
    this.take(this.view.silence(id));
  }

  lag(): void {
    this.hold.active = true;
    this.view.lag();
    this.fill();
  }

  fill(): void {
    for (let n = this.r.below(5); n-- > 0; ) this.send(this.entity());
    this.ack(this.any());
    if (this.r.below(4) === 0) return this.cut();
    this.resumable = true;
    this.release();
    this.take(this.view.ready(this.rev));
    assert.equal(this.view.resume?.rev, this.rev);
  }

  cut(): void {
    this.hold = { syncs: [], acks: [], active: false, fresh: false };
    this.view.disconnected();
  }

  join(): void {
    this.cut();
    const resumed = this.r.below(2) === 0;
    this.hold.fresh = !resumed || !this.resumable;
    this.hold.active = true;
    this.resumable &&= resumed;
    if (this.r.below(10) === 0) this.user = this.user === "ann" ? "bob" : "ann";
    this.take(this.view.hello(hello(this.user, resumed)));
    assert.equal(!!this.view.resume, this.resumable);
    this.fill();
  }

  /** The oldest mutation is decided as the view foresaw: nothing flickers, and the ack tells nobody. */
  foreseen(): void {
    if (!this.pending.length) this.mutate([this.change()]);
    const p = this.pending[0];
    if (!p || p.hidden || p.changes.length > 1 || this.hold.active || this.hold.syncs.length) return;
    const { patch } = p.changes[0]!; // once more over its own outcome, these make another:
    if (patch && (patch.position === null || (patch.position && patch["archived"]))) return;
    const after = naiveView(this.confirmed, [{ ...p, effect: new Map() }], this.user).shown;
    for (const [id, e] of after) {
      if (e === this.confirmed.get(id)) continue;
      this.rev++;
      const { changed } = this.send({ createdRev: this.rev, ...e, rev: this.rev, updatedBy: this.user });
      if (e.createdRev) assert.deepEqual(changed.map((c) => c.id), []);
      this.count("foreseen");
    }
    if (p.changes[0]!.patch === null && this.confirmed.has(p.changes[0]!.entityId)) {
      this.rev++;
      const { kind, id } = this.confirmed.get(p.changes[0]!.entityId)!;
      const { changed } = this.send({ id, kind, rev: this.rev, deleted: true });
      if (this.pending.length === 1) assert.equal(changed.length, 0); // else a later one may make it anew
    }
    assert.deepEqual(this.ack(p.id).changed, []);
  }

  load(): void {
    const entities: Entity[] = [];
    for (let n = this.r.below(3); n-- > 0; ) {
      const { deleted, ...e } = this.entity();
      if (deleted || this.r.below(2)) continue;
      entities.push(e);
      this.confirm(e);
    }
    this.take(this.view.load(entities));
  }
}

test("law 10 and 11: the view is confirmed plus pending, replayed; listeners hear what changed, and nothing else", () => {
  const did = new Map<string, number>();
  for (let seed = 1; seed <= 80; seed++) {
    const run = new Run(seed);
    let step = 0, what = "";
    try {
      for (; step < 120; step++) {
        what = run.r.of(["sync", "sync", "mutate", "mutate", "mutate", "ack", "nack", "silence", "lag", "join", "foreseen", "foreseen", "load"]);
        if (what === "ack") run.ack(run.any());
        else run[what as "sync"]();
        run.check();
      }
    } catch (e) {
      throw new Error(`seed ${seed}, step ${step}, ${what}: ${(e as Error).message}`, { cause: e });
    }
    for (const [name, n] of run.did) did.set(name, (did.get(name) ?? 0) + n);
  }
  for (const name of ["changes", "acks", "nacks", "foreseen"]) assert.ok(did.get(name)! > 100, `${name}: ${did.get(name)}`);
});
