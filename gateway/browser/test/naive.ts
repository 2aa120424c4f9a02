// The view by another way: every pending mutation over a copy of what is confirmed, with loops over everything.

import type { Change, Entity } from "../src/entities.js";
import { keyBetween } from "../src/key.js";
import { type Draft, merge, same, seatOf, strings } from "../src/patch.js";
import type { Effect } from "../src/view.js";

export interface NaivePending {
  readonly id: string;
  readonly changes: readonly Change[];
  hidden: boolean;
  readonly effect: Map<string, Effect>;
}

type Shown = Map<string, Entity>;

const parentFields = new Map([
  ["card", "columnId"], ["checklist", "cardId"], ["comment", "cardId"], ["file", "cardId"], ["item", "checklistId"],
]);
const positionedKinds = ["column", "card", "checklist", "item", "label"];

export const parent = (e: Entity) => String(e[parentFields.get(e.kind) ?? ""] ?? "");
const position = (e: Entity) => (typeof e["position"] === "string" ? e["position"] : "");

/** What a viewer sees of an entity. */
export function face(e: Entity): object {
  const { rev: _rev, updatedAt: _at, updatedBy: _by, ...rest } = e;
  return rest;
}

export const faces = (list: Iterable<Entity>) => new Map([...list].map((e) => [e.id, face(e)]));

/** Confirmed plus pending, replayed in the order made, and the ids of those that pending ones made, in order. */
export function naiveView(confirmed: Shown, pending: readonly NaivePending[], user: string): { shown: Shown; made: string[] } {
  const shown = new Map(confirmed), dead = new Set<string>(), made: string[] = [];
  for (const p of pending) {
    if (p.hidden) continue;
    const before = new Map(shown), deadBefore = new Set(dead);
    for (const c of p.changes) change(shown, dead, made, c, user);
    for (const id of new Set([...before.keys(), ...shown.keys()])) {
      noteEffect(p.effect, id, before.get(id), shown.get(id), dead.has(id) && !deadBefore.has(id));
    }
  }
  return { shown, made };
}

function noteEffect(effects: Map<string, Effect>, id: string, before: Entity | undefined, after: Entity | undefined, died: boolean): void {
  if (before === after) return;
  const effect = effects.get(id) ?? { created: false, deleted: false, fields: new Map() };
  effects.set(id, effect);
  if (!before) effect.created = true;
  if (died) effect.deleted = true;
  if (!after) return;
  const moved = before && parent(before) !== parent(after);
  for (const name of new Set([...Object.keys(before ?? {}), ...Object.keys(after)])) {
    if (/^(id|kind|rev|number|likes|liked|created.*|updated.*)$/.test(name)) continue;
    if (same(before?.[name], after[name]) && !(moved && name === "position")) continue;
    effect.fields.set(name, { before: before?.[name], after: after[name] });
  }
}

function change(shown: Shown, dead: Set<string>, made: string[], c: Change, user: string): void {
  if (dead.has(c.entityId)) return;
  const old = shown.get(c.entityId);
  if (c.patch === null) {
    if (old) remove(shown, dead, c.entityId);
    return;
  }
  const kind = c.patch.kind;
  if (old ? kind !== undefined && kind !== old.kind : !kind) return;
  const base: Entity = old ?? { id: c.entityId, kind: kind!, createdBy: user };
  const next = merge(base, c.patch, user);
  const due = !old || parent(old) !== parent(next);
  if (positionedKinds.includes(next.kind)) {
    const seat = seatOf(c.patch.position);
    if (seat) settle(shown, old, next, seat.after, seat.id, due);
    else if (due && c.patch.position == null) settle(shown, old, next, false, "", true);
  }
  if (next.kind === "card") {
    const likedBy = strings(next["likedBy"]) ?? [];
    next["liked"] = likedBy.includes(user);
    next["likes"] = likedBy.length;
  }
  if (!old) made.push(next.id);
  shown.set(next.id, next);
}

export function remove(shown: Shown, dead: Set<string>, id: string): void {
  shown.delete(id);
  dead.add(id);
  for (const e of [...shown.values()]) {
    if (parent(e) === id && ["checklist", "comment", "file", "item"].includes(e.kind)) remove(shown, dead, e.id);
  }
}

function settle(shown: Shown, old: Entity | undefined, e: Draft, after: boolean, id: string, due: boolean): void {
  let anchor = id ? shown.get(id) : undefined;
  const known = anchor && anchor.kind === e.kind && anchor.id !== e.id;
  if (id && !due && !known) return;
  if (id && (!known || parent(anchor!) !== parent(e) || !position(anchor!))) {
    anchor = undefined;
    after = false;
  }
  const keys = [...shown.values()]
    .filter((x) => x.id !== e.id && x.kind === e.kind && parent(x) === parent(e) && x["archived"] !== true && position(x))
    .map(position).sort(byBytes);
  let low = "", high = "";
  if (anchor) {
    const at = position(anchor);
    low = keys.filter((k) => byBytes(k, at) < 0).at(-1) ?? "";
    high = keys.find((k) => byBytes(k, at) > 0) ?? "";
    if (anchor["archived"] !== true) [low, high] = after ? [at, high] : [low, at];
  } else if (after) high = keys[0] ?? "";
  else low = keys.at(-1) ?? "";
  const own = old ? position(old) : "";
  if (!due && old!["archived"] !== true && byBytes(own, low) > 0 && (!high || byBytes(own, high) < 0)) return;
  e["position"] = keyBetween(low, high) ?? low;
}

export const byBytes = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b));

/** All shown of a list in order; without kind or parent, whatever it is. */
export function naiveList(shown: Shown, made: readonly string[], kind?: string, under?: string): Entity[] {
  const kinds = ["board", "member", "column", "card", "checklist", "item", "label", "comment", "file"];
  const order = (e: Entity) => (e.createdRev ? e.createdRev : 1e9 + made.indexOf(e.id));
  return [...shown.values()]
    .filter((e) => (kind === undefined || e.kind === kind) && (under === undefined || parent(e) === under))
    .sort((a, b) => kinds.indexOf(a.kind) - kinds.indexOf(b.kind) ||
      (positionedKinds.includes(a.kind) ? byBytes(position(a), position(b)) : order(a) - order(b)) || byBytes(a.id, b.id));
}
