// What a replay stands on: the confirmed entities, and over them what each pending mutation makes of them.

import type { Entity } from "./entities.js";
import { compareSiblings, listsOf, search } from "./order.js";
import { freeze } from "./patch.js";
import type { Pending } from "./view.js";

/** null: deleted by a pending mutation, so that a create has no effect on it; undefined: unknown. */
export type State = Entity | null | undefined;

/** What a mutation makes of an entity. */
export interface Outcome {
  readonly state: Entity | null;
  /** Order among entities not confirmed yet; 0 for others. */
  readonly made: number;
}

/** A pending mutation as the view keeps it. */
export interface Made extends Pending {
  /** From 1 in the order made. */
  readonly seq: number;
  /** What the last replay made of entities. */
  out: Map<string, Outcome>;
  /** What the last replay read or wrote: ids of entities, keys of lists, {@link seatKey}s of siblings. */
  keys: Set<string>;
}

/** After every pending mutation. */
export const now = Infinity;

/** The key of a sibling beside which a mutation looked for its place. */
export const seatKey = (id: string) => "?" + id;

export class Ground {
  /** By id. */
  confirmed = new Map<string, Entity>();
  /** Confirmed siblings by the key of their list; in order once somebody has asked for it. */
  #lists = new Map<string, { members: Entity[]; sorted?: boolean }>();
  /** Who reads or writes what. Hidden mutations do not. */
  users = new Map<string, Set<Made>>();

  clear(): void {
    this.confirmed = new Map();
    this.#lists.clear();
  }

  /** Confirms the entity in place of what stood there. */
  set(e: Entity): void {
    this.delete(e.id);
    this.confirmed.set(e.id, freeze(e));
    for (const key of listsOf(e)) {
      const list = this.#lists.get(key) ?? { members: [] };
      this.#lists.set(key, list);
      list.members.splice(list.sorted ? place(list.members, e) : 0, 0, e);
    }
  }

  delete(id: string): void {
    const e = this.confirmed.get(id);
    if (!e) return;
    this.confirmed.delete(id);
    for (const key of listsOf(e)) {
      const { members } = this.#lists.get(key)!;
      members.splice(members.indexOf(e), 1);
      if (!members.length) this.#lists.delete(key);
    }
  }

  /** The confirmed members of a list in order. */
  sorted(key: string): readonly Entity[] {
    const list = this.#lists.get(key);
    if (!list) return [];
    if (!list.sorted) list.members.sort((a, b) => compareSiblings(a, b));
    list.sorted = true;
    return list.members;
  }

  /** Notes that a mutation reads or writes what has the key. */
  use(p: Made, key: string): void {
    p.keys.add(key);
    this.users.set(key, (this.users.get(key) ?? new Set()).add(p));
  }

  /** Forgets what a mutation made, read and wrote. */
  forget(p: Made): void {
    for (const key of p.keys) {
      const users = this.users.get(key)!;
      users.delete(p);
      if (!users.size) this.users.delete(key);
    }
    p.out = new Map();
    p.keys = new Set();
  }

  /** Who changed the entity last, up to the mutation with number seq. */
  writer(id: string, seq: number): Made | undefined {
    let last: Made | undefined;
    for (const p of this.users.get(id) ?? []) if (p.out.get(id) && p.seq <= seq && !(last && last.seq > p.seq)) last = p;
    return last;
  }

  /** The entity as confirmed and the mutations up to that with number seq make it. */
  state(id: string, seq: number): State {
    const p = this.writer(id, seq);
    return p ? p.out.get(id)!.state : this.confirmed.get(id);
  }

  /** The order of an entity among those not confirmed yet. */
  made(id: string, seq: number): number {
    return this.writer(id, seq)?.out.get(id)!.made ?? 0;
  }

  /** The members of a list that no mutation up to that with number seq has changed, in order. */
  untouched(key: string, seq: number): Entity[] {
    return this.sorted(key).filter((e) => !this.writer(e.id, seq));
  }

  /** The members of a list that mutations up to that with number seq have changed, in no particular order. */
  touched(key: string, seq: number): Entity[] {
    const out = [];
    for (const id of this.users.keys()) {
      const e = this.writer(id, seq)?.out.get(id)!.state;
      if (e && listsOf(e).includes(key)) out.push(e);
    }
    return out;
  }
}

/** Where e goes in a sorted list. */
export const place = (list: readonly Entity[], e: Entity, made?: (e: Entity) => number) =>
  search(list, (x) => compareSiblings(x, e, made) < 0);
