// The order of things: strings by code points, as the server compares bytes; kinds; siblings.

import type { Entity, Json } from "./entities.js";

/** Compares by code points, which is the order of the UTF-8 bytes. */
export function compare(a: string, b: string): number {
  let i = 0;
  while (i < a.length && a[i] === b[i]) i++;
  return (a.codePointAt(i) ?? -1) - (b.codePointAt(i) ?? -1);
}

/** In the order in which children of several kinds are listed. Those from 2 to 6 have positions. */
const kinds = "board member column card checklist item label comment file".split(" ");
/** By the same index, the field that names the parent. */
const parents = [, , , "columnId", "cardId", "checklistId", , "cardId", "cardId"];

const rank = (e: Entity) => kinds.indexOf(e.kind);

const text = (v: Json | undefined) => (typeof v === "string" ? v : "");

/** The id of the entity this one hangs on, "" for the board. */
export const parentOf = (e: Entity) => text(e[parents[rank(e)] ?? ""]);

/** "" if it has none. */
export const position = (e: Entity) => text(e["position"]);

/** Are entities of the kind ordered by position? */
export const positioned = (e: Entity) => rank(e) > 1 && rank(e) < 7;

/** Names siblings: the entities of a kind under a parent; of all kinds, if the kind is "". */
export const listKey = (kind: string, parent: string) => kind + "\n" + parent;

/** The list in which the entity looks for its place. */
export const listOf = (e: Entity) => listKey(e.kind, parentOf(e));

/** All lists that have the entity; the list of a kind under whatever parent has the kind as its key. */
export const listsOf = (e: Entity) => [listOf(e), listKey("", parentOf(e)), e.kind];

/** Does a look like b to whoever chooses a position among their siblings? */
export const sameSeat = (a: Entity, b: Entity) =>
  listOf(a) === listOf(b) && position(a) === position(b) && isArchived(a) === isArchived(b);

/** Does it go with the entity it is under when that is deleted? A card stays without its column. */
export const hangs = (e: Entity) => e.kind !== "card";

export const isArchived = (e: Entity) => e["archived"] === true;

/**
 * Orders siblings by position, then id; without positions by createdRev, pending ones last; of two pending ones a is the
 * first.
 */
export function compareSiblings(a: Entity, b: Entity): number {
  return rank(a) - rank(b) ||
    (positioned(a)
      ? compare(position(a), position(b))
      : a.createdRev ? b.createdRev ? a.createdRev - b.createdRev : -1 : b.createdRev || -1) ||
    compare(a.id, b.id);
}

/** The index of the first member that is not before the place looked for. */
export function search<T>(list: readonly T[], isBefore: (x: T) => boolean): number {
  let low = 0, high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isBefore(list[middle]!)) low = middle + 1;
    else high = middle;
  }
  return low;
}
