// What a patch makes of an entity's fields, and when two states are the same to a viewer.

import type { Entity, Json, Patch, SetChange } from "./entities.js";
import { compare } from "./order.js";

/** An entity that is being made. */
export type Draft = { -readonly [K in keyof Entity]: Entity[K] };

/** A place in a list: after or before a sibling; id "" is first with after, last without. */
export interface Seat {
  readonly after: boolean;
  readonly id: string;
}

/** Only the server sets these: a patch that names them is read as if it did not. */
export const isOwned = (field: string) => /^(id|rev|number|likes|kind|created.*|updated.*)$/.test(field);

const isObject = (v: unknown): v is object => typeof v === "object" && v !== null;

/** The list, if it is one of strings. */
export const strings = (v: unknown): string[] | undefined =>
  Array.isArray(v) && v.every((s) => typeof s === "string") ? v : undefined;

/** Reads {"after":id} and {"before":id}. */
export function seatOf(v: unknown): Seat | undefined {
  const { after, before } = (isObject(v) ? v : {}) as { after?: string | null; before?: string | null };
  if (after !== undefined || before !== undefined) return { after: after !== undefined, id: after ?? before ?? "" };
}

/** Is the field a set, of which members come and go for themselves? */
export const isSet = (field: string) => /^(assignees|labels|likedBy)$/.test(field);

/** Sorted by bytes, without doubles. */
const toSet = (list: readonly string[]) => [...new Set(list)].sort(compare);

/** One or several members. */
const members = (v: unknown) => (typeof v === "string" ? [v] : strings(v) ?? []);

/** What `v` makes of a set field: union, then difference. */
function mergeSet(old: unknown, v: Json): Json {
  const list = strings(v);
  if (list) return toSet(list);
  const { add, remove } = v as SetChange, gone = members(remove);
  return isObject(v) ? toSet([...(strings(old) ?? []), ...members(add)]).filter((s) => !gone.includes(s)) : v;
}

/**
 * Gives the entity with the patch applied, by the table "Applying a patch" of PROTOCOL.md; user is who `liked` stands
 * for. It judges nothing. A place is left out: whoever knows the siblings sets the key.
 */
export function merge(old: Entity, patch: Patch, user: string): Draft {
  const out = new Map<string, Json | undefined>(Object.entries(old));
  const { liked } = patch;
  for (const [name, v] of Object.entries(patch) as [string, Json][]) {
    if (isOwned(name) || (name === "position" && seatOf(v))) continue;
    if (v === null) out.delete(name);
    else out.set(name, isSet(name) ? mergeSet(out.get(name), v) : v);
  }
  if (typeof liked === "boolean") out.set("likedBy", mergeSet(out.get("likedBy"), { [liked ? "add" : "remove"]: user }));
  return Object.fromEntries(out) as Draft;
}

/** Are a and b the same JSON value? */
export function same(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (!isObject(a) || !isObject(b) || Array.isArray(a) !== Array.isArray(b)) return false;
  const values = Object.entries(a);
  return values.length === Object.keys(b).length &&
    values.every(([name, v]) => Object.hasOwn(b, name) && same(v, (b as Record<string, unknown>)[name]));
}

const seen = ({ rev, updatedAt, updatedBy, ...rest }: Entity) => rest;

/** Does a viewer see no difference? When and by whom it was last changed is no matter, that it is confirmed is one. */
export const alike = (a: Entity | null | undefined, b: Entity | null | undefined) =>
  a === b || (!!a && !!b && same(seen(a), seen(b)));

/** Freezes a JSON value through and through. */
export function freeze<T>(v: T): T {
  if (!Object.isFrozen(v)) Object.values(Object.freeze(v) as object).forEach(freeze);
  return v;
}
