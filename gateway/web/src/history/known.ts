// What a history knows of the things it tells of: what they are called and where they hang, gone ones included. What is on
// the board now says it best; else the log itself, which has seen the thing made.

import type { Entity } from "@snapback/client";

import type { Decision } from "./log.js";

export interface Known {
  /** As far as is known; for whoever asks for names only. */
  get(id: string): Entity | undefined;
  nameOf(id: string): string | undefined;
  /** What it hangs on: a card's column, a file's card. */
  parentOf(id: string): string | undefined;
  /** The card it hangs on. */
  cardOf(id: string): string | undefined;
}

const parents = ["columnId", "cardId", "checklistId"] as const;
const names = ["title", "name", "text", "user"] as const;
const text = (value: unknown): string | undefined => (typeof value === "string" && value !== "" ? value : undefined);

/** Reads decisions, oldest first. */
export function known(decisions: readonly Decision[], now: (id: string) => Entity | undefined): Known {
  const told = new Map<string, { [field: string]: unknown; id: string; kind: string }>();
  for (const { events = [] } of decisions) {
    for (const { type, entityId: id, before, after } of events) {
      const fields = { ...before, ...after };
      const one = told.get(id) ?? { id, kind: type.slice(0, type.indexOf(".")) };
      for (const field of [...names, ...parents]) if (field in fields) one[field] = fields[field];
      told.set(id, one);
    }
  }
  const get = (id: string): Entity | undefined => now(id) ?? (told.get(id) as Entity | undefined);
  const parentOf = (id: string): string | undefined => {
    const e = get(id);
    return e && parents.map((field) => text(e[field])).find((p) => p !== undefined);
  };
  return {
    get, parentOf,
    nameOf(id) {
      const e = get(id);
      return e && names.map((field) => text(e[field])).find((n) => n !== undefined);
    },
    cardOf(id) {
      for (let at = parentOf(id), left = 3; at && left; at = parentOf(at), left--) if (get(at)?.kind === "card") return at;
      return undefined;
    },
  };
}

/** The things that decisions are about or name, and of which nobody knows the name; each once. */
export function nameless(decisions: readonly Decision[], knows: (id: string) => boolean): readonly string[] {
  const ids = new Set<string>();
  const see = (id: unknown) => {
    if (typeof id === "string" && id && !id.startsWith("member:") && !knows(id)) ids.add(id);
  };
  for (const { op, events = [], changes = [] } of decisions) {
    if (op === "import") continue;
    for (const { type, entityId, before, after } of events) {
      if (type === "list.respaced") continue;
      see(entityId);
      for (const fields of [before, after]) for (const field of ["columnId", "cardId", "checklistId"]) see(fields?.[field]);
    }
    if (!events.length) for (const { entityId, patch } of changes) if (!patch?.kind) see(entityId);
  }
  return [...ids];
}
