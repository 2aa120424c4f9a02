// The replay of one mutation over what it finds.

import type { Change, Entity, Patch } from "./entities.js";
import { type Ground, type Made, seatKey, type State } from "./ground.js";
import { keyBetween } from "./key.js";
import { compare, hangs, isArchived, listKey, listOf, position, positioned, search } from "./order.js";
import { type Draft, field, freeze, isOwned, merge, same, type Seat, seatOf, strings } from "./patch.js";

/** Applies the mutation to what it finds. */
export function replay(ground: Ground, p: Made, user: string): void {
  for (const c of p.changes) replayChange(ground, p, c, user);
  for (const id of p.out.keys()) noteEffect(p, id, ground.state(id, p.seq - 1), ground.state(id, p.seq));
}

/** Follows the table "Applying a patch" of PROTOCOL.md. Preconditions are the server's to judge. */
function replayChange(ground: Ground, p: Made, { entityId: id, patch }: Change, user: string): void {
  const old = ground.state(id, p.seq);
  ground.use(p, id);
  if (!patch) {
    if (patch === null && old) replayDelete(ground, p, old);
    return;
  }
  const { kind } = patch as { kind?: unknown };
  if (old === null || (old ? typeof kind === "string" && kind !== old.kind : typeof kind !== "string" || !kind)) return;
  const next = merge(old ?? ({ id, kind, createdBy: user } as Entity), patch, user);
  if (positioned(next)) takeSeat(ground, p, old, next, patch);
  if (next.kind === "card") {
    const likedBy = strings(next["likedBy"]) ?? [];
    next["liked"] = likedBy.includes(user);
    next["likes"] = likedBy.length;
  }
  p.out.set(id, { state: freeze(next), made: old ? ground.made(id, p.seq) : p.seq + p.out.size / 65536 });
}

function replayDelete(ground: Ground, p: Made, e: Entity): void {
  const list = listKey("", e.id);
  p.out.set(e.id, { state: null, made: 0 });
  ground.use(p, e.id);
  ground.use(p, list);
  for (const child of [...ground.untouched(list, p.seq), ...ground.touched(list, p.seq)]) {
    if (hangs(child) && ground.state(child.id, p.seq)) replayDelete(ground, p, child);
  }
}

/**
 * Gives next the position key that its patch asks for or that is due, from what the view shows, as the server does: next
 * to a sibling, or last where that sibling has gone elsewhere; who stands there already keeps its key.
 */
function takeSeat(ground: Ground, p: Made, old: State, next: Draft, patch: Patch): void {
  const list = listOf(next);
  const due = !old || listOf(old) !== list; // comes new to the list and must get one
  let seat = seatOf(patch.position) ?? (due && patch.position == null && last);
  if (!seat) return;
  ground.use(p, list);
  let anchor: State;
  if (seat.id) {
    ground.use(p, seatKey(seat.id));
    anchor = ground.state(seat.id, p.seq);
    if (!anchor || anchor.kind !== next.kind || anchor.id === next.id) {
      if (!due) return;
      anchor = null;
    }
    if (!anchor || listOf(anchor) !== list || !position(anchor)) {
      anchor = null;
      seat = last;
    }
  }
  const around = (key?: string) => neighbours(ground, list, next.id, p.seq, key);
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
function neighbours(ground: Ground, list: string, self: string, seq: number, key?: string): [string, string] {
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
  const count = (e: Entity) => ground.writer(e.id, seq) || take(e);
  for (let i = start; i-- && !below; ) count(sorted[i]!);
  for (let i = start; i < sorted.length && !above; i++) count(sorted[i]!);
  ground.touched(list, seq).forEach(take);
  return [below, above];
}

/** Text as the server stores it, roughly: what comes back trimmed is what was sent. */
const stored = (v: unknown) => (typeof v === "string" ? v.trim().normalize() : v);

/** See {@link Effect}. */
function noteEffect(p: Made, id: string, before: State, after: State): void {
  const effect = p.effect.get(id) ?? { created: false, deleted: false, fields: new Map() };
  p.effect.set(id, effect);
  if (!after) effect.deleted ||= !!before;
  else {
    effect.created ||= !before;
    const moved = before && listOf(before) !== listOf(after); // a place is a list and a key, also if the key is the same
    for (const name of Object.keys({ ...before, ...after })) {
      const change = { before: field(before ?? undefined, name), after: field(after, name) };
      const isSame = same(stored(change.before), stored(change.after)) && !(moved && name === "position");
      if (!isOwned(name) && name !== "liked" && !isSame) effect.fields.set(name, change);
    }
  }
}
