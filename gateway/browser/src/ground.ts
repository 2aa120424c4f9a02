// What a replay stands on: the confirmed entities, and over them what the pending mutations make of them.

import type { Entity } from "./entities.js";
import { compareSiblings, listsOf, search } from "./order.js";
import { freeze } from "./patch.js";

/** null: deleted by a pending mutation, so that a create has no effect on it; undefined: unknown. */
export type State = Entity | null | undefined;

/** What a mutation makes of an entity. */
export interface Outcome {
  readonly state: Entity | null;
  /** Order among entities not confirmed yet; 0 for others. */
  readonly made: number;
}

export interface Ground {
  /** By id. */
  readonly confirmed: Map<string, Entity>;
  /** The same by the keys of their lists; in order once somebody has asked for it. */
  readonly lists: Map<string, { members: Entity[]; sorted?: boolean }>;
  /** What the pending mutations have made of entities so far. */
  overlay: Map<string, Outcome>;
}

/** Confirms the entity in place of what stood there. */
export function confirm(ground: Ground, e: Entity): void {
  unconfirm(ground, e.id);
  ground.confirmed.set(e.id, freeze(e));
  for (const key of listsOf(e)) {
    const list = ground.lists.get(key) ?? { members: [] };
    ground.lists.set(key, list);
    list.members.splice(list.sorted ? place(list.members, e) : list.members.length, 0, e);
  }
}

export function unconfirm(ground: Ground, id: string): void {
  const e = ground.confirmed.get(id);
  if (!e) return;
  ground.confirmed.delete(id);
  for (const key of listsOf(e)) {
    const { members } = ground.lists.get(key)!;
    members.splice(members.indexOf(e), 1);
    if (!members.length) ground.lists.delete(key);
  }
}

/** The confirmed members of a list in order. */
export function sortedList({ lists }: Ground, key: string): readonly Entity[] {
  const list = lists.get(key);
  if (!list) return [];
  if (!list.sorted) list.members.sort((a, b) => compareSiblings(a, b));
  list.sorted = true;
  return list.members;
}

/** The entity as confirmed and the mutations so far make it. */
export function stateOf({ overlay, confirmed }: Ground, id: string): State {
  const made = overlay.get(id);
  return made ? made.state : confirmed.get(id);
}

/** The members of a list that no mutation has changed so far, in order. */
export const untouched = (ground: Ground, key: string) => sortedList(ground, key).filter((e) => !ground.overlay.has(e.id));

/** The members of a list that mutations have changed so far, in no particular order. */
export const touched = ({ overlay }: Ground, key: string) =>
  [...overlay.values()].flatMap(({ state }) => (state && listsOf(state).includes(key) ? state : []));

/** Where e goes in a sorted list. */
export const place = (list: readonly Entity[], e: Entity, made?: (e: Entity) => number) =>
  search(list, (x) => compareSiblings(x, e, made) < 0);
