// Which cards and columns a change, or what was tried, is about.

import type { Change, Entity, EntityChange } from "@snapback/client";

import type { Event } from "../history/log.js";

export type Get = (id: string) => Entity | undefined;

const text = (value: unknown): string | undefined => (typeof value === "string" && value ? value : undefined);

/** The card that an entity is or hangs on. */
export function cardOf(e: Entity | undefined, get: Get): string | undefined {
  if (!e) return undefined;
  if (e.kind === "card") return e.id;
  if (e.kind === "item") return text(get(text(e["checklistId"]) ?? "")?.["cardId"]);
  return text(e["cardId"]);
}

/** So much that there is nothing to look at in particular. */
const most = 12;

/** The cards and columns that events were about, those that can be seen; of what is gone by them, the column where it was. */
export function changedThings(events: readonly Event[], changes: readonly EntityChange[], get: Get): readonly string[] {
  const ids = new Set<string | undefined>();
  const was = (id: string) => changes.find((change) => change.id === id)?.before;
  for (const { entityId: id, after } of events) {
    const e = get(id) ?? was(id);
    if (e?.kind === "column") ids.add(id);
    const card = cardOf(e, (id) => get(id) ?? was(id));
    const now = card === undefined ? undefined : get(card);
    if (now && now["archived"] !== true) ids.add(card);
    else if (e?.kind === "card") ids.add(text(e["columnId"]) ?? text(after?.["columnId"]));
  }
  ids.delete(undefined);
  return ids.size > most ? [] : ([...ids] as string[]);
}

/** What was tried: on which card or column, and into which column. */
export function triedOn(changes: readonly Change[], get: Get): { readonly on: string | undefined; readonly into: string | undefined } {
  const [first] = changes;
  if (!first) return { on: undefined, into: undefined };
  const into = text(first.patch?.["columnId"]);
  const e = get(first.entityId);
  if (e?.kind === "column") return { on: e.id, into };
  const parent = get(text(first.patch?.["cardId"]) ?? text(first.patch?.["checklistId"]) ?? "");
  return { on: cardOf(e, get) ?? cardOf(parent, get) ?? into, into };
}
