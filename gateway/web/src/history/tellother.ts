// What happened to everything but cards, in words.

import { size } from "../words/dates.js";
import { say, type Key } from "../words/words.js";
import type { Event } from "./log.js";
import { called, counted, namedAs, own, quoted, renamed, type Said, type Telling } from "./tell.js";
import { date, turn, unknown } from "./tellcard.js";

const text = (value: unknown): string => (typeof value === "string" ? value : "");

type Teller = (ev: Event, what: string, t: Telling) => readonly Said[];

const simply = (key: Key): Teller => (_, what) => [{ key, params: { what } }];
/** For words that say what kind of thing it is. */
const noun = (key: Key): Teller => ({ entityId }, _, t) => [{ key, params: { what: namedAs(t, entityId) } }];
/** One line for each field that was changed. */
const fieldwise = (fn: (field: string, before: unknown, after: unknown, what: string, t: Telling, id: string) => Said): Teller =>
  ({ before = {}, after = {}, entityId }, what, t) => Object.keys(after).map((field) => fn(field, before[field], after[field], what, t, entityId));
const other = (field: string, what: string): Said => ({ key: "history.field", params: { what, field: own(field) } });
const longer = (before: unknown): { words?: Said["words"] } => (text(before) ? { words: { text: text(before), title: say("history.before") } } : {});

/** All of a text that is too long to be quoted. */
const whole = (value: unknown): { words?: Said["words"] } =>
  (text(value).length > 80 ? { words: { text: text(value), title: say("history.whole") } } : {});

function role(value: unknown): string {
  const known = ["viewer", "commenter", "editor", "admin"].includes(text(value));
  return known ? say(`history.role.${text(value)}` as Key) : own(text(value));
}

const deleted = (key: Key): Teller => (ev, what, t) => {
  const gone = counted(ev.gone);
  return gone ? [{ key: "history.deletedWith", params: { what, gone } }] : noun(key)(ev, what, t);
};

const board: { readonly [verb: string]: Teller } = {
  created: simply("history.board.created"),
  archived: simply("history.board.archived"),
  restored: simply("history.board.restored"),
  imported: () => [{ key: "history.board.imported", params: { source: say("history.some") } }],
  changed: fieldwise((field, before, after, what) => {
    if (field === "title") return { key: "history.board.renamed", params: { from: quoted(text(before)), to: quoted(text(after)) } };
    if (field === "description") return { key: `history.board.description.${turn(before, after)}`, ...longer(before) };
    return other(field, what);
  }),
};

const member: { readonly [verb: string]: Teller } = {
  added: ({ after = {} }, what) => [{ key: "history.member.added", params: { what, role: role(after["role"]) } }],
  removed: simply("history.member.removed"),
  changed: fieldwise((field, before, after, what) => {
    if (field === "role") return { key: "history.member.role", params: { what, from: role(before), to: role(after) } };
    if (field === "name") return { key: "history.member.name", params: { what, to: quoted(text(after)) } };
    if (field === "avatar") return { key: "history.member.avatar", params: { what } };
    return other(field, what);
  }),
};

const column: { readonly [verb: string]: Teller } = {
  created: noun("history.column.created"),
  renamed: ({ before = {}, after = {}, entityId }, _, t) => [renamed(t, entityId, before["title"], after["title"])],
  moved: noun("history.column.moved"),
  archived: noun("history.column.archived"),
  restored: noun("history.column.restored"),
  deleted: noun("history.column.deleted"),
  changed: fieldwise((field, before, after, what) => {
    const how = turn(before || null, after || null);
    if (field === "wipLimit") return { key: `history.wip.${how}`, params: { what, from: Number(before ?? 0), to: Number(after ?? 0), count: Number(after ?? 0) } };
    if (field === "wipMode") return { key: after === "soft" ? "history.wip.soft" : "history.wip.hard", params: { what } };
    if (field === "color") return { key: how === "removed" ? "history.color.removed" : "history.color", params: { what } };
    return other(field, what);
  }),
};

const checklist: { readonly [verb: string]: Teller } = {
  created: noun("history.checklist.created"),
  deleted: deleted("history.checklist.deleted"),
  moved: ({ after = {}, entityId }, _, t) => (after["cardId"] === undefined
    ? [{ key: "history.checklist.placed", params: { what: namedAs(t, entityId) } }]
    : [{ key: "history.checklist.moved", params: { what: namedAs(t, entityId), to: called(t, text(after["cardId"]), "card") } }]),
  changed: fieldwise((field, before, after, what, t, id) => {
    if (field !== "title") return other(field, what);
    return turn(before, after) === "changed" ? renamed(t, id, before, after) : { key: "history.checklist.title", params: { what } };
  }),
};

const item: { readonly [verb: string]: Teller } = {
  created: simply("history.item.created"),
  checked: simply("history.item.checked"),
  unchecked: simply("history.item.unchecked"),
  deleted: simply("history.item.deleted"),
  moved: ({ after = {} }, what, t) => (after["checklistId"] === undefined
    ? [{ key: "history.item.placed", params: { what } }]
    : [{ key: "history.item.moved", params: { what, to: called(t, text(after["checklistId"]), "checklist") } }]),
  changed: fieldwise((field, before, after, what, t, id) => {
    if (field === "text") return renamed(t, id, before, after);
    if (field === "due") return { key: `history.due.${turn(before, after)}`, params: { what, from: date(before), to: date(after) } };
    if (field !== "assignee") return other(field, what);
    const gone = turn(before, after) === "removed";
    return { key: gone ? "history.card.unassigned" : "history.card.assigned", params: { what, names: own(t.person(text(gone ? before : after))) } };
  }),
};

const label: { readonly [verb: string]: Teller } = {
  created: noun("history.label.created"),
  deleted: noun("history.label.deleted"),
  changed: fieldwise((field, before, after, what, t, id) => {
    if (field === "name" && turn(before, after) === "changed") return renamed(t, id, before, after);
    if (field === "name") return { key: "history.label.name", params: { what } };
    if (field === "color") return { key: "history.color", params: { what } };
    if (field === "position") return { key: "history.label.moved", params: { what } };
    return other(field, what);
  }),
};

const comment: { readonly [verb: string]: Teller } = {
  added: ({ after = {} }) => [{ key: "history.comment.added", params: { words: quoted(text(after["text"])) }, ...whole(after["text"]) }],
  edited: ({ before = {}, after = {} }) => [
    { key: "history.comment.edited", params: { words: quoted(text(after["text"])) }, ...longer(before["text"]) },
  ],
  deleted: noun("history.comment.deleted"),
};

const file: { readonly [verb: string]: Teller } = {
  added: ({ after = {} }, what) => {
    if (text(after["url"])) return [{ key: "history.file.link", params: { what } }];
    if (typeof after["size"] !== "number") return [{ key: "history.file.added", params: { what } }];
    return [{ key: "history.file.sized", params: { what, size: own(size(after["size"])) } }];
  },
  renamed: ({ before = {}, after = {}, entityId }, _, t) => [renamed(t, entityId, before["name"], after["name"])],
  replaced: ({ after = {}, entityId }, what, t) => [
    "url" in after ? { key: "history.file.address", params: { what } } : { key: "history.file.replaced", params: { what: namedAs(t, entityId) } },
  ],
  moved: ({ after = {}, entityId }, _, t) => [text(after["cardId"])
    ? { key: "history.file.moved", params: { what: namedAs(t, entityId), to: called(t, text(after["cardId"]), "card") } }
    : { key: "history.file.toBoard", params: { what: namedAs(t, entityId) } }],
  deleted: noun("history.file.deleted"),
};

const tellers: { readonly [kind: string]: { readonly [verb: string]: Teller } } = {
  board, member, column, checklist, item, label, comment, file, list: { respaced: () => [{ key: "history.respaced" }] },
};

export function tellOther(ev: Event, t: Telling): readonly Said[] {
  const [kind = "", verb = ""] = ev.type.split(".");
  const what = called(t, ev.entityId, kind);
  const verbs = Object.hasOwn(tellers, kind) ? tellers[kind]! : {};
  const teller = Object.hasOwn(verbs, verb) ? verbs[verb] : undefined;
  return teller ? teller(ev, what, t) : [unknown(ev.type, what)];
}
