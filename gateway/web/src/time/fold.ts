// A board as it was, moved on and back by the events of its log. It is the server's fold (domain/fold.go) over what the
// server shows of entities. No page and no network here.

import type { Entity, EntityChange, Json } from "@snapback/client";

import type { Decision, Event } from "../history/log.js";

/** By id. The entities are immutable, the map is changed in place. */
export type Entities = Map<string, Entity>;

type Fields = { [name: string]: Json | undefined };

/** Who made what an import brought along, and when. */
type Origin = Pick<Entity, "createdAt" | "createdBy" | "updatedAt" | "updatedBy">;

const parents = ["columnId", "cardId", "checklistId"] as const;

/**
 * The entities of a board as the server gives them, as they are held here: a card knows how many comments it has, and the
 * reader whether he likes it.
 */
export function held(list: readonly Entity[], reader: string): Entities {
  const comments = new Map<string, number>();
  for (const { kind, cardId } of list) if (kind === "comment") comments.set(String(cardId), (comments.get(String(cardId)) ?? 0) + 1);
  return new Map(list.map((e) => [e.id, e.kind === "card" ? liked({ ...e, comments: comments.get(e.id) ?? 0 }, reader) : e]));
}

function liked(card: Entity, reader: string): Entity {
  const by = Array.isArray(card["likedBy"]) ? (card["likedBy"] as readonly Json[]) : [];
  return { ...card, likes: by.length, liked: by.includes(reader) };
}

/** Makes the change of one event, and tells what is another now. Throws where the event does not follow. */
export function forward(all: Entities, ev: Event, by: Pick<Decision, "at" | "user">, reader: string): readonly EntityChange[] {
  const [kind = "", verb = ""] = ev.type.split(".");
  const stamp = { rev: ev.rev, updatedAt: by.at, updatedBy: by.user };
  const put = changing(all, reader);
  switch (verb) {
    case "respaced":
      for (const [id, [, position]] of Object.entries(ev.positions ?? {})) put.set({ ...there(all, id, ev), ...stamp, position });
      break;
    case "created": case "added": {
      if (all.has(ev.entityId)) throw new Error(`${ev.type} at rev ${ev.rev}: ${ev.entityId} is there already`);
      const made = { createdAt: by.at, createdBy: by.user, updatedAt: by.at, updatedBy: by.user, ...(ev.origin as Origin | undefined) };
      put.set(given({ id: ev.entityId, kind, rev: ev.rev, createdRev: ev.rev, ...made, ...(kind === "card" && { comments: 0 }) }, ev.after));
      break;
    }
    case "deleted": case "removed":
      for (const e of below(all, there(all, ev.entityId, ev))) put.drop(e);
      put.drop(there(all, ev.entityId, ev));
      break;
    default: {
      const old = there(all, ev.entityId, ev);
      put.set(sets(given({ ...old, ...stamp }, ev.after), ev.added, ev.removed));
    }
  }
  return put.changes;
}

/**
 * Takes back the change of one event; undefined, and nothing changed, if the log does not say what was before: what was
 * deleted has to come from elsewhere. Who had changed the entity before, and when, is not known then, nor whether a set
 * without members was there.
 */
export function backward(all: Entities, ev: Event, reader: string): readonly EntityChange[] | undefined {
  const [, verb = ""] = ev.type.split(".");
  const put = changing(all, reader);
  switch (verb) {
    case "respaced":
      for (const [id, [position]] of Object.entries(ev.positions ?? {})) put.set({ ...unstamped(there(all, id, ev)), position });
      break;
    case "created": case "added":
      put.drop(there(all, ev.entityId, ev));
      break;
    case "deleted": case "removed":
      return undefined;
    default: {
      const old = there(all, ev.entityId, ev);
      put.set(sets(given(unstamped(old), ev.before), ev.removed, ev.added));
    }
  }
  return put.changes;
}

/** Takes back exactly what was changed. */
export function undo(all: Entities, changes: readonly EntityChange[]): readonly EntityChange[] {
  return changes.toReversed().map(({ id, before, after }) => {
    if (before) all.set(id, before);
    else all.delete(id);
    return { id, before: after, after: before };
  });
}

/** What differs between two states; an entity with the same rev in both stays the object that it is. */
export function differences(from: Entities, to: Entities): readonly EntityChange[] {
  const changes: EntityChange[] = [];
  for (const [id, after] of to) {
    const before = from.get(id);
    if (before && before.rev !== undefined && before.rev === after.rev && before["comments"] === after["comments"]) to.set(id, before);
    else changes.push({ id, before, after });
  }
  for (const [id, before] of from) if (!to.has(id)) changes.push({ id, before, after: undefined });
  return changes;
}

function there(all: Entities, id: string, { type, rev }: Event): Entity {
  const e = all.get(id);
  if (!e) throw new Error(`${type} at rev ${rev}: there is no ${id}`);
  return e;
}

/** Collects what is changed, and keeps the comments of cards counted. */
function changing(all: Entities, reader: string) {
  const changes: EntityChange[] = [];
  const note = (id: string, before: Entity | undefined, after: Entity | undefined) => {
    if (after) all.set(id, after);
    else all.delete(id);
    changes.push({ id, before, after });
  };
  const count = (e: Entity, by: number) => {
    const card = e.kind === "comment" ? all.get(String(e["cardId"])) : undefined;
    if (card) note(card.id, card, { ...card, comments: Number(card["comments"] ?? 0) + by });
  };
  return {
    changes,
    set(e: Entity): void {
      const before = all.get(e.id);
      note(e.id, before, e.kind === "card" ? liked(e, reader) : e);
      if (!before) count(e, 1);
    },
    drop(e: Entity): void {
      note(e.id, e, undefined);
      count(e, -1);
    },
  };
}

/** The entity with fields set; null is absent. */
function given(e: Entity, fields: Event["after"] = {}): Entity {
  const now: Fields = { ...e };
  for (const [name, value] of Object.entries(fields)) now[name] = value === null ? undefined : (value as Json);
  return without(now);
}

/** The entity with members added to its sets, which are sorted, and others removed. */
function sets(e: Entity, more: Event["added"] = {}, less: Event["removed"] = {}): Entity {
  const now: Fields = { ...e };
  for (const name of new Set([...Object.keys(more), ...Object.keys(less)])) {
    const was = Array.isArray(e[name]) ? (e[name] as readonly string[]) : [];
    const gone = new Set(less[name] ?? []);
    now[name] = [...new Set([...was, ...(more[name] ?? [])])].filter((member) => !gone.has(member)).sort(byBytes);
  }
  return without(now);
}

function without(fields: Fields): Entity {
  for (const name of Object.keys(fields)) if (fields[name] === undefined) delete fields[name];
  return fields as unknown as Entity;
}

/** The entity, of whose last change nothing is said. */
const unstamped = ({ rev: _, updatedAt: __, updatedBy: ___, ...rest }: Entity): Entity => rest as Entity;

/** Go sorts by bytes: that is by code points. */
function byBytes(a: string, b: string): number {
  let i = 0;
  while (i < a.length && a[i] === b[i]) i++;
  return (a.codePointAt(i) ?? -1) - (b.codePointAt(i) ?? -1);
}

/** What goes with an entity that is deleted: all that hangs on it. A column has no cards then. */
function below(all: Entities, { id, kind }: Entity): readonly Entity[] {
  if (kind !== "card" && kind !== "checklist") return [];
  const out: Entity[] = [];
  for (const e of all.values()) {
    if (e.kind === "card" || !parents.some((field) => e[field] === id)) continue;
    out.push(...below(all, e), e);
  }
  return out;
}
