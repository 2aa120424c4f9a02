// The replay of one mutation over what it finds.

import type { Change, Entity, Patch } from "./entities.js";
import { changeAt, type Ground, type State } from "./ground.js";
import { keyBetween } from "./key.js";
import { compare, hanging, isArchived, listOf, position, positioned, search } from "./order.js";
import { type Draft, field, freeze, isOwned, merge, same, type Seat, seatOf, strings } from "./patch.js";
import type { Effect, Pending } from "./view.js";

/** A pending mutation as the view keeps it. */
export interface Made extends Pending {
  /** From 1 in the order made. */
  readonly seq: number;
  /** What the last replay read and wrote: {@link written} entities, {@link named} siblings and lists. */
  readonly keys: Set<string>;
  readonly effect: Map<string, Effect>;
}

/** The key of an entity that a mutation writes. */
export const written = (id: string) => "!" + id;

/** The key of a sibling that a place names. */
export const named = (id: string) => "?" + id;

/** The ids of the entities that the mutation's last replay wrote, or would have. */
export const ids = (p: Made) => [...p.keys].filter((key) => key[0] === "!").map((key) => key.slice(1));

/** Applies the mutation to what it finds. */
export function replay(ground: Ground, p: Made, user: string): void {
  p.keys.clear();
  p.changes.forEach((c, i) => replayChange(ground, p.keys, c, changeAt(p.seq, i), user));
  for (const id of ids(p)) {
    noteEffect(p, id, ground.state(id, p.seq), ground.state(id, p.seq + 1));
  }
}

/** Follows the table "Applying a patch" of PROTOCOL.md. Preconditions are the server's to judge. */
function replayChange(ground: Ground, keys: Set<string>, { entityId: id, patch }: Change, at: number, user: string): void {
  keys.add(written(id));
  const old = ground.state(id, at);
  if (!patch) {
    if (patch === null && old) replayDelete(ground, keys, old, at);
    return;
  }
  const { kind } = patch as { kind?: unknown };
  if (old === null || (old ? typeof kind === "string" && kind !== old.kind : typeof kind !== "string" || !kind)) return;
  const next = merge(old ?? ({ id, kind, createdBy: user } as Entity), patch, user);
  if (positioned(next)) takeSeat(ground, keys, old, next, patch, at);
  if (next.kind === "card") {
    const likedBy = strings(next["likedBy"]) ?? [];
    next["liked"] = likedBy.includes(user);
    next["likes"] = likedBy.length;
  }
  ground.put(id, { at, state: freeze(next), made: old ? (ground.before(id, at)?.made ?? 0) : at });
}

function replayDelete(ground: Ground, keys: Set<string>, e: Entity, at: number): void {
  keys.add(written(e.id));
  ground.put(e.id, { at, state: null, made: 0 });
  const after = changeAt(at, 0.5);
  for (const list of hanging(e.id)) {
    keys.add(list);
    for (const child of [...ground.untouched(list, after), ...ground.touched(list, after)]) replayDelete(ground, keys, child, at);
  }
}

/**
 * Gives next the position key that its patch asks for or that is due, from what the view shows, as the server does: next
 * to a sibling, or last where that sibling has gone elsewhere; who stands there already keeps its key.
 */
function takeSeat(ground: Ground, keys: Set<string>, old: State, next: Draft, patch: Patch, at: number): void {
  const list = listOf(next);
  const due = !old || listOf(old) !== list; // comes new to the list and must get one
  let seat = seatOf(patch.position) ?? (due && patch.position == null && last);
  if (!seat) return;
  keys.add(list);
  let anchor: State;
  if (seat.id) {
    keys.add(named(seat.id));
    anchor = ground.state(seat.id, at);
    if (!anchor || anchor.kind !== next.kind || anchor.id === next.id) {
      if (!due) return;
      anchor = null;
    }
    if (!anchor || listOf(anchor) !== list || !position(anchor)) {
      anchor = null;
      seat = last;
    }
  }
  const around = (key?: string) => neighbours(ground, list, next.id, at, key);
  let low = "", high = "";
  if (anchor) {
    const key = position(anchor);
    [low, high] = around(key);
    if (!isArchived(anchor)) { // else it marks a place and takes none
      if (seat.after) low = key;
      else high = key;
    }
  } else if (seat.after) [, high] = around("");
  else [low] = around();
  if (!due && !isArchived(old) && isBetween(position(old), low, high)) return;
  next["position"] = keyBetween(low, high) ?? low; // a sibling's key is none: stand beside it until the server answers
}

const last: Seat = { after: false, id: "" };

const isBetween = (key: string, low: string, high: string) =>
  compare(low, key) < 0 && (!high || compare(key, high) < 0);

/** The nearest keys strictly below and above a key among the unarchived members of a list, self left out; without a key below the end. */
function neighbours(ground: Ground, list: string, self: string, at: number, key?: string): [string, string] {
  let below = "", above = "";
  const take = (e: Entity) => {
    const k = position(e);
    if (!k || e.id === self || isArchived(e)) return;
    const side = key === undefined ? -1 : compare(k, key);
    if (side < 0 && compare(k, below) > 0) below = k;
    if (side > 0 && (!above || compare(k, above) < 0)) above = k;
  };
  const sorted = ground.sorted(list);
  const start = search(sorted, (e) => key === undefined || compare(position(e), key) < 0);
  const count = (e: Entity) => ground.before(e.id, at) || take(e);
  for (let i = start; i-- && !below; ) count(sorted[i]!);
  for (let i = start; i < sorted.length && !above; i++) count(sorted[i]!);
  ground.touched(list, at).forEach(take);
  return [below, above];
}

/** Text as the server stores it, roughly: what comes back trimmed is what was sent. */
const stored = (v: unknown) => (typeof v === "string" ? v.trim().normalize() : v);

/** See {@link Effect}. */
function noteEffect(p: Made, id: string, before: State, after: State): void {
  let effect = p.effect.get(id);
  if (!effect) p.effect.set(id, (effect = { created: false, deleted: false, fields: new Map() }));
  if (!after) effect.deleted ||= !!before;
  else {
    effect.created ||= !before;
    for (const name of Object.keys({ ...before, ...after })) {
      const change = { before: field(before ?? undefined, name), after: field(after, name) };
      if (!isOwned(name) && name !== "liked" && !same(stored(change.before), stored(change.after))) effect.fields.set(name, change);
    }
  }
}
