// What a replay stands on: the confirmed entities, and over them what the pending mutations make of them.

import type { Entity } from "./entities.js";
import { compareSiblings, hangs, listKey, listsOf, search } from "./order.js";
import { freeze } from "./patch.js";

/** null: deleted by a pending mutation, so that a create has no effect on it; undefined: unknown. */
export type State = Entity | null | undefined;

export interface Ground {
  /** By id. */
  readonly confirmed: Map<string, Entity>;
  /** Entities whose confirmed state has changed since the last pass over the pending mutations, and what stood there. */
  before: Map<string, State>;
  /** The same by the keys of their lists; in order once somebody has asked for it. */
  readonly lists: Map<string, { members: Entity[]; sorted?: boolean }>;
  /** What the pending mutations have made of entities so far; those they made anew in the order made. */
  overlay: Map<string, Entity | null>;
}

/** Confirms e in place of what stood there; undefined: the entity is gone, and with it what hangs on it. */
export function confirm(ground: Ground, id: string, e: Entity | undefined): void {
  const { confirmed, lists, before } = ground, old = confirmed.get(id);
  if (!before.has(id)) before.set(id, old);
  for (const key of old ? listsOf(old) : []) {
    const { members } = lists.get(key)!;
    members.splice(members.indexOf(old!), 1);
  }
  if (e) {
    confirmed.set(id, freeze(e));
    for (const key of listsOf(e)) {
      const list = lists.get(key) ?? { members: [] };
      lists.set(key, list);
      list.members.splice(list.sorted ? place(list.members, e) : list.members.length, 0, e);
    }
  } else {
    confirmed.delete(id);
    for (const child of [...sortedList(ground, listKey("", id))]) if (hangs(child)) confirm(ground, child.id, undefined);
  }
}

/** The confirmed members of a list in order. */
export function sortedList({ lists }: Ground, key: string): readonly Entity[] {
  const list = lists.get(key);
  if (!list) return [];
  if (!list.sorted) list.members.sort(compareSiblings);
  list.sorted = true;
  return list.members;
}

/** The entity as confirmed and the mutations so far make it. */
export function stateOf({ overlay, confirmed }: Ground, id: string): State {
  const state = overlay.get(id);
  return state === undefined ? confirmed.get(id) : state;
}

/** The members of a list that no mutation has changed so far, in order. */
export const untouched = (ground: Ground, key: string) => sortedList(ground, key).filter((e) => !ground.overlay.has(e.id));

/** The members of a list that mutations have changed so far, new ones in the order made. */
export const touched = ({ overlay }: Ground, key: string) =>
  [...overlay.values()].filter((e) => e && listsOf(e).includes(key)) as Entity[];

/** Where e goes in a sorted list. */
export const place = (list: readonly Entity[], e: Entity) => search(list, (x) => compareSiblings(x, e) < 0);
