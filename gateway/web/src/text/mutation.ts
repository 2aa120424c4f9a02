// What a mutation is about, in words: "Move “Fix login” to “Doing”". For lists of what is queued, what was refused, what
// went over the wire. The words are those of the asking, not of the outcome.

import type { Change, Entity, Json, Patch, Store } from "@snapback/client";

import { onTime } from "../words/dates.js";
import { locale, say, type Key } from "../words/words.js";

/** What of a store is needed to find names. */
export type Names = Pick<Store, "get">;

/** Names as they are without what is pending: a renaming says from what. */
export const before = (store: Pick<Store, "get" | "confirmed">): Names => ({ get: ((id: string) => store.confirmed(id) ?? store.get(id)) as Store["get"] });

/** Names are cut after so many characters. */
const longest = 60;

const kinds = ["board", "card", "checklist", "column", "comment", "file", "item", "label", "member"] as const;
export type KnownKind = (typeof kinds)[number];
export const isKind = (kind: unknown): kind is KnownKind => kinds.includes(kind as KnownKind);

/** The text as a name: one line, not too long. */
export function clip(text: string, most = longest): string {
  const line = text.replace(/\s+/gu, " ").trim();
  const letters = [...line.slice(0, most * 4)];
  return letters.length > most ? `${letters.slice(0, most - 1).join("").trimEnd()}…` : line;
}

const text = (value: unknown): string | undefined => (typeof value === "string" && value.trim() ? value : undefined);
/** The name it carries. */
export const named = (e: Entity | Patch | undefined | null): string | undefined => text(e?.["title"]) ?? text(e?.["name"]) ?? text(e?.["text"]) ?? text(e?.["user"]);

/** What the entity is called, as it is shown or as the patch has it. */
export const called = (names: Names, id: unknown, patch?: Patch | null): string =>
  clip(named(names.get(String(id))) ?? named(patch) ?? say("change.unnamed"));

/** Makes it: says nothing of entities that are there. */
export const creates = ({ patch, ifRev }: Change, names?: Names, id = ""): boolean =>
  !!patch?.kind && (ifRev === 0 || (names !== undefined && !names.get(id)));

function creation(names: Names, patch: Patch): string {
  const { kind } = patch;
  const what = clip(named(patch) ?? say("change.unnamed"));
  const parent = patch["columnId"] ?? patch["cardId"] ?? patch["checklistId"];
  const key = `change.add.${String(kind)}` as Key;
  if (!isKind(kind)) return say("change.add", { what });
  return say(key, { what, to: parent ? called(names, parent) : say("change.board") });
}

const due = (value: string) => {
  try {
    return onTime(value);
  } catch {
    return value; // what is typed may be no date
  }
};

/** Each of a patch's fields that says something, in words; what follows from another says nothing. */
function fields(names: Names, id: string, patch: Patch): string[] {
  const entity = names.get(id);
  const what = called(names, id, patch);
  const out: string[] = [];
  const put = (key: Key, more: { readonly [name: string]: string | number } = {}) => void out.push(say(key, { what, ...more }));
  for (const [field, value] of Object.entries(patch) as [string, Json | undefined][]) {
    if (value === undefined) continue;
    switch (field) {
      case "archived": put(value ? "change.archive" : "change.restore"); break;
      case "columnId": put("change.move", { to: called(names, value) }); break;
      case "position": if (patch.columnId === undefined) put(entity?.kind === "column" ? "change.place.column" : "change.place"); break;
      case "title": case "name": rename(put, entity?.[field], value); break;
      case "text": if (entity?.kind === "comment") put("change.comment", { on: called(names, entity["cardId"]) }); else rename(put, entity?.[field], value); break;
      case "description": put(value === null ? "change.description.none" : "change.description"); break;
      case "liked": put(value ? "change.like" : "change.unlike"); break;
      case "labels": put("change.labels"); break;
      case "assignees": case "assignee": put("change.assignees"); break;
      case "due": if (typeof value === "string") put("change.due", { date: due(value) }); else put("change.due.none"); break;
      case "done": put(value ? "change.done" : "change.undone"); break;
      case "wipLimit": if (value) put("change.wip", { limit: Number(value) }); else put("change.wip.none"); break;
      case "color": put("change.color"); break;
      case "role": put("change.role", { role: String(value) }); break;
      case "kind": break;
      default: put("change.other");
    }
  }
  return out.length ? [...new Set(out)] : [say("change.other", { what })];
}

/** Shows a title as what it becomes; the view has the new one already, as long as it is pending. */
function rename(put: (key: Key, more?: { readonly [name: string]: string }) => void, old: unknown, value: Json): void {
  if (typeof value !== "string") put("change.title.none");
  else if (typeof old !== "string" || old === value) put("change.title.to", { to: clip(value) });
  else put("change.title", { what: clip(old), to: clip(value) });
}

function one(names: Names, change: Change): string {
  const { entityId: id, patch } = change;
  if (patch === null) return say("change.delete", { what: called(names, id) });
  if (creates(change, names, id)) return creation(names, patch);
  return list.format(fields(names, id, patch));
}

const list = new Intl.ListFormat(locale, { type: "unit", style: "long" });

/** The changes of one mutation in a line. */
export function describe(names: Names, changes: readonly Change[]): string {
  const [first, ...more] = changes;
  if (!first) return say("change.nothing");
  const what = one(names, first);
  return more.length ? say("change.more", { what, count: more.length }) : what;
}

/** A mutation's changes in a line. */
export const inWords = (names: Names, { changes }: { readonly changes: readonly Change[] }): string => describe(names, changes);

/**
 * What undoing makes of things, from the changes that undo: "“Fix login” is back in “Next”".
 */
export function back(names: Names, changes: readonly Change[]): string {
  const [first, ...more] = changes;
  if (!first) return say("undo.nothing");
  const what = undone(names, first);
  return more.length ? say("change.more", { what, count: more.length }) : what;
}

function undone(names: Names, { entityId: id, patch }: Change): string {
  const what = called(names, id, patch);
  if (patch === null) return say("undo.gone", { what });
  if (patch.kind) return say("undo.here", { what });
  if (patch.columnId !== undefined) return say("undo.moved", { what, to: called(names, patch.columnId) });
  if (patch.archived !== undefined) return say(patch.archived ? "undo.archived" : "undo.restored", { what });
  if (patch.position !== undefined) return say("undo.placed", { what });
  const words = text(patch.title) ?? text(patch.name);
  return words ? say("undo.named", { what: clip(words) }) : say("undo.other", { what });
}

/** Words that a person has written in a mutation. */
export interface Words {
  readonly entityId: string;
  readonly field: string;
  readonly text: string;
  /** With what is made by the same change. */
  readonly isNew: boolean;
  /** The text it was written upon, as the precondition has it; "" if there was none. */
  readonly from: string;
}

const textFields = ["title", "description", "text", "name"] as const;

/** The words of a mutation that somebody would miss. */
export function wordsIn(changes: readonly Change[]): readonly Words[] {
  return changes.flatMap((change) => {
    const { patch, entityId, if: expected } = change;
    return textFields.flatMap((field): Words[] => {
      const value = text(patch?.[field]);
      return value === undefined ? [] : [{ entityId, field, text: value, isNew: creates(change), from: text(expected?.[field]) ?? "" }];
    });
  });
}
