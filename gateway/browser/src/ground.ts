// What a replay stands on: the confirmed entities, and over them the states that pending mutations make.

import type { Entity } from "./entities.js";
import { freeze } from "./patch.js";
import { compareSiblings, listsOf, search } from "./order.js";

/** null: deleted by a pending mutation, so that a create has no effect on it; undefined: unknown. */
export type State = Entity | null | undefined;

/** The state of an entity after a change. */
interface Version {
  /** The mutation's number in the order made, and behind the point that of its change; see {@link changeAt}. */
  readonly at: number;
  readonly state: Entity | null;
  /** Order among entities not confirmed yet; 0 for others. */
  readonly made: number;
}

/** When change i of the mutation with number seq takes place. seq itself is before all of them, seq + 1 after. */
export const changeAt = (seq: number, i: number) => seq + i / 65536;

/** After every pending mutation. */
export const now = Infinity;

export class Ground {
  /** By id. */
  confirmed = new Map<string, Entity>();
  /** Confirmed siblings by the key of their list; in order once somebody has asked for it. */
  #lists = new Map<string, { members: Entity[]; sorted?: true }>();
  /** By entity id, ascending. So the state that an earlier mutation saw can be told from a later one's. */
  #versions = new Map<string, readonly Version[]>();

  clear(): void {
    this.confirmed = new Map();
    this.#lists.clear();
  }

  /** Confirms the entity in place of what stood there. */
  set(e: Entity): void {
    this.delete(e.id);
    this.confirmed.set(e.id, freeze(e));
    for (const key of listsOf(e)) {
      let list = this.#lists.get(key);
      if (!list) this.#lists.set(key, (list = { members: [] }));
      list.members.splice(list.sorted ? place(list.members, e) : list.members.length, 0, e);
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
    if (!list.sorted) {
      list.members.sort((a, b) => compareSiblings(a, b));
      list.sorted = true;
    }
    return list.members;
  }

  versions(id: string): readonly Version[] {
    return this.#versions.get(id) ?? [];
  }

  /** The last version before a change, undefined if no pending mutation has touched the entity until then. */
  before(id: string, at: number): Version | undefined {
    return this.#versions.get(id)?.findLast((v) => v.at < at);
  }

  /** The entity as confirmed and the changes before `at` make it. */
  state(id: string, at: number): State {
    const v = this.before(id, at);
    return v ? v.state : this.confirmed.get(id);
  }

  put(id: string, v: Version): void {
    this.#versions.set(id, [...this.versions(id).filter((x) => x.at !== v.at), v].sort((a, b) => a.at - b.at));
  }

  /** Takes out what the mutation with number seq made of the entity. */
  drop(id: string, seq: number): void {
    const rest = this.versions(id).filter((v) => v.at < seq || v.at >= seq + 1);
    if (rest.length) this.#versions.set(id, rest);
    else this.#versions.delete(id);
  }

  /** The members of a list that no change before `at` has touched, in order. */
  untouched(key: string, at: number): Entity[] {
    return this.sorted(key).filter((e) => !this.before(e.id, at));
  }

  /** The members of a list that changes before `at` have touched, in no particular order. */
  touched(key: string, at: number): Entity[] {
    const out = [];
    for (const id of this.#versions.keys()) {
      const e = this.before(id, at)?.state;
      if (e && listsOf(e).includes(key)) out.push(e);
    }
    return out;
  }
}

/** Where e goes in a sorted list. */
export const place = (list: readonly Entity[], e: Entity, made?: (e: Entity) => number) =>
  search(list, (x) => compareSiblings(x, e, made) < 0);
