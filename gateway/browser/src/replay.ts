// The replay of one mutation over what it finds.

import type { Change, Entity, Patch } from "./entities.js";
import { type Ground, sortedList, type State, stateOf, touched, untouched } from "./ground.js";
import { keyBetween } from "./key.js";
import { hangs, isArchived, listKey, listOf, position, positioned, search } from "./order.js";
import { type Draft, freeze, merge, type Seat, seatOf, strings } from "./patch.js";
import type { Pending } from "./view.js";

/** A pending mutation as the view keeps it. */
export interface Made extends Pending {
  /** To be replayed in any case. */
  stale: boolean;
  /** It has its verdict, and leaves the view with the next pass. */
  over: boolean;
  /** What the last replay made of entities. */
  out: Map<string, Entity | null>;
  /** What stood there before. */
  before: Map<string, State>;
  /** What the last replay read or wrote: ids of entities, keys of lists, {@link seatKey}s of siblings. */
  keys: Set<string>;
}

/** The key of a sibling beside which a mutation looked for its place. */
export const seatKey = (id: string) => "?" + id;

/** Applies the mutation to what it finds. */
export function replay(ground: Ground, p: Made, user: string): void {
  for (const c of p.changes) replayChange(ground, p, c, user);
}

function put(ground: Ground, p: Made, id: string, state: Entity | null): void {
  if (!p.out.has(id)) p.before.set(id, stateOf(ground, id));
  p.out.set(id, state);
  ground.overlay.set(id, state);
}

/** Follows the table "Applying a patch" of PROTOCOL.md. Preconditions are the server's to judge. */
function replayChange(ground: Ground, p: Made, { entityId: id, patch }: Change, user: string): void {
  const old = stateOf(ground, id);
  p.keys.add(id);
  if (!patch) {
    if (patch === null && old) replayDelete(ground, p, old);
    return;
  }
  const { kind } = patch as { kind?: unknown };
  if (old === null || (old ? kind != null && kind !== old.kind : typeof kind !== "string" || !kind)) return;
  const next = merge(old ?? ({ id, kind, createdBy: user } as Entity), patch, user);
  if (positioned(next)) takeSeat(ground, p, old, next, patch);
  if (next.kind === "card") {
    const likedBy = strings(next["likedBy"]) ?? [];
    next["liked"] = likedBy.includes(user);
    next["likes"] = likedBy.length;
  }
  put(ground, p, id, freeze(next));
}

function replayDelete(ground: Ground, p: Made, e: Entity): void {
  const list = listKey("", e.id);
  put(ground, p, e.id, null);
  p.keys.add(e.id).add(list);
  for (const child of [...untouched(ground, list), ...touched(ground, list)]) {
    if (hangs(child) && stateOf(ground, child.id)) replayDelete(ground, p, child);
  }
}

/**
 * Gives next the position key that its patch asks for or that is due, from what the view shows, as the server does: next
 * to a sibling, or last where that sibling has gone elsewhere; who stands there already keeps its key.
 */
function takeSeat(ground: Ground, p: Made, old: State, next: Draft, patch: Patch): void {
  const list = listOf(next);
  const due = !old || listOf(old) !== list; // comes new to the list and must get one
  const seat = seatOf(patch.position) ?? (due && patch.position == null && last);
  if (!seat) return;
  p.keys.add(list).add(seatKey(seat.id));
  const anchor = stateOf(ground, seat.id), isKnown = anchor?.kind === next.kind && anchor.id !== next.id;
  if (seat.id && !isKnown && !due) return;
  const isHere = isKnown && listOf(anchor) === list && position(anchor);
  const key = isHere || (seat.after && !seat.id ? "" : undefined); // beside the anchor, before all, behind all
  let [low, high] = neighbours(ground, list, next.id, key);
  if (isHere && !isArchived(anchor)) { // an archived one marks a place and takes none
    if (seat.after) low = isHere;
    else high = isHere;
  }
  const own = position(next);
  if (!due && !isArchived(old) && low < own && (!high || own < high)) return;
  next["position"] = keyBetween(low, high) ?? low; // a sibling's key is none: stand beside it until the server answers
}

const last: Seat = { after: false, id: "" };

/**
 * The nearest keys strictly below and above a key among the unarchived members of a list, self left out; without a key
 * below the end.
 */
function neighbours(ground: Ground, list: string, self: string, key?: string): [string, string] {
  let below = "", above = "";
  const take = (e: Entity) => {
    const k = position(e);
    if (!k || e.id === self || isArchived(e)) return;
    if ((key === undefined || k < key) && k > below) below = k;
    if (k > key! && (!above || k < above)) above = k;
  };
  const sorted = sortedList(ground, list);
  const start = search(sorted, (e) => key === undefined || position(e) < key);
  const count = (e: Entity) => ground.overlay.has(e.id) || take(e);
  for (let i = start; i-- && !below; ) count(sorted[i]!);
  for (let i = start; i < sorted.length && !above; i++) count(sorted[i]!);
  ground.overlay.forEach((e) => e && listOf(e) === list && take(e));
  return [below, above];
}
