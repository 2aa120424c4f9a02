// What happened to a card, in words.

import { onTime } from "../words/dates.js";
import { list } from "../words/lists.js";
import { say } from "../words/words.js";
import type { Event } from "./log.js";
import { called, counted, own, renamed, type Said, type Telling } from "./tell.js";

const text = (value: unknown): string => (typeof value === "string" ? value : "");

/** A date as it is read; what is none, as it is. */
export function date(value: unknown): string {
  try {
    return own(onTime(text(value)));
  } catch {
    return own(text(value));
  }
}

/** Was it set, changed or taken away? */
export const turn = (before: unknown, after: unknown): "set" | "changed" | "removed" =>
  after === null || after === undefined || after === "" ? "removed" : before === null || before === undefined || before === "" ? "set" : "changed";

/** What a set field gained and lost; of one that is absent afterwards the event has it before and after. */
export function members({ added, removed, before, after }: Event, field: string): readonly [gained: readonly string[], lost: readonly string[]] {
  const was = before?.[field];
  const is = after?.[field];
  return [
    added?.[field] ?? (Array.isArray(is) ? (is as string[]) : []),
    removed?.[field] ?? (Array.isArray(was) ? (was as string[]) : []),
  ];
}

export function tellCard(ev: Event, t: Telling): readonly Said[] {
  const { type, entityId, before = {}, after = {} } = ev;
  const what = called(t, entityId, "card");
  switch (type) {
    case "card.created": return [{ key: "history.card.created", params: { what, column: called(t, text(after["columnId"]), "column") } }];
    case "card.renamed": return [renamed(t, entityId, before["title"], after["title"])];
    case "card.moved":
      if (after["columnId"] === undefined) return [{ key: "history.card.placed", params: { what } }];
      return [{
        key: "history.card.moved",
        params: { what, from: called(t, text(before["columnId"]), "column"), to: called(t, text(after["columnId"]), "column") },
      }];
    case "card.changed": return Object.keys(after).map((field) => changed(field, before[field], after[field], what));
    case "card.labelled": return sets(ev, "labels", what, (id) => called(t, id, "label"), ["history.card.labelled", "history.card.unlabelled"]);
    case "card.assigned": return sets(ev, "assignees", what, (user) => own(t.person(user)), ["history.card.assigned", "history.card.unassigned"]);
    case "card.liked": return [{ key: "history.card.liked", params: { what } }];
    case "card.unliked": return [{ key: "history.card.unliked", params: { what } }];
    case "card.archived": return [{ key: "history.card.archived", params: { what } }];
    case "card.restored": return [{ key: "history.card.restored", params: { what } }];
    case "card.deleted": {
      const gone = counted(ev.gone);
      return [gone ? { key: "history.deletedWith", params: { what, gone } } : { key: "history.card.deleted", params: { what } }];
    }
    default: return [unknown(type, what)];
  }
}

/** What this page does not know yet is told by its name. */
export const unknown = (type: string, what: string): Said => ({ key: "history.unknown", params: { what, type: own(type) } });

function changed(field: string, before: unknown, after: unknown, what: string): Said {
  const how = turn(before, after);
  switch (field) {
    case "description":
      return {
        key: `history.description.${how}`, params: { what },
        ...(text(before) && { words: { text: text(before), title: say("history.before") } }),
      };
    case "due": case "start":
      return { key: `history.${field}.${how}`, params: { what, from: date(before), to: date(after) } };
    case "done": return { key: how === "removed" ? "history.undone" : "history.done", params: { what } };
    case "color": return { key: how === "removed" ? "history.color.removed" : "history.color", params: { what } };
    default: return { key: "history.field", params: { what, field: own(field) } };
  }
}

function sets(
  ev: Event, field: string, what: string, nameOf: (id: string) => string, [more, less]: readonly [Said["key"], Said["key"]],
): readonly Said[] {
  const [gained, lost] = members(ev, field);
  return [
    ...(gained.length ? [{ key: more, params: { what, names: list(gained.map(nameOf)) } }] : []),
    ...(lost.length ? [{ key: less, params: { what, names: list(lost.map(nameOf)) } }] : []),
  ];
}
