// What happened to everything but cards, in words.

import { size } from "../words/dates.js";
import { say, type Key } from "../words/words.js";
import type { Event } from "./log.js";
import { called, counted, own, quoted, renamed, type Said, type Telling } from "./tell.js";
import { date, turn, unknown } from "./tellcard.js";

const text = (value: unknown): string => (typeof value === "string" ? value : "");

type Teller = (ev: Event, what: string, t: Telling) => readonly Said[];

const simply = (key: Key): Teller => (_, what) => [{ key, params: { what } }];
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

const deleted = (key: Key): Teller => ({ gone }, what) => {
  const with_ = counted(gone);
  return [with_ ? { key: "history.deletedWith", params: { what, gone: with_ } } : { key, params: { what } }];
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
  created: simply("history.column.created"),
  renamed: ({ before = {}, after = {}, entityId }, _, t) => [renamed(t, entityId, before["title"], after["title"])],
  moved: simply("history.column.moved"),
  archived: simply("history.column.archived"),
  restored: simply("history.column.restored"),
  deleted: simply("history.column.deleted"),
  changed: fieldwise((field, before, after, what) => {
    const how = turn(before || null, after || null);
    if (field === "wipLimit") return { key: `history.wip.${how}`, params: { what, from: Number(before ?? 0), to: Number(after ?? 0), count: Number(after ?? 0) } };
    if (field === "wipMode") return { key: after === "soft" ? "history.wip.soft" : "history.wip.hard", params: { what } };
    if (field === "color") return { key: how === "removed" ? "history.color.removed" : "history.color", params: { what } };
    return other(field, what);
  }),
};

const checklist: { readonly [verb: string]: Teller } = {
  created: simply("history.checklist.created"),
  deleted: deleted("history.checklist.deleted"),
  moved: ({ after = {} }, what, t) => (after["cardId"] === undefined
    ? [{ key: "history.checklist.placed", params: { what } }]
    : [{ key: "history.checklist.moved", params: { what, to: called(t, text(after["cardId"]), "card") } }]),
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
  created: simply("history.label.created"),
  deleted: simply("history.label.deleted"),
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
  edited: ({ before = {}, after = {} }) => [{ key: "history.comment.edited", params: { words: quoted(text(after["text"])) }, ...longer(before["text"]) }],
  deleted: (_, what) => [{ key: "history.comment.deleted", params: { what } }],
};

const file: { readonly [verb: string]: Teller } = {
  added: ({ after = {} }, what) => {
    if (text(after["url"])) return [{ key: "history.file.link", params: { what } }];
    return [typeof after["size"] === "number" ? { key: "history.file.sized", params: { what, size: own(size(after["size"])) } } : { key: "history.file.added", params: { what } }];
  },
  renamed: ({ before = {}, after = {}, entityId }, _, t) => [renamed(t, entityId, before["name"], after["name"])],
  replaced: ({ after = {} }, what) => [{ key: "url" in after ? "history.file.address" : "history.file.replaced", params: { what } }],
  moved: ({ after = {} }, what, t) => [text(after["cardId"])
    ? { key: "history.file.moved", params: { what, to: called(t, text(after["cardId"]), "card") } }
    : { key: "history.file.toBoard", params: { what } }],
  deleted: simply("history.file.deleted"),
};

const tellers: { readonly [kind: string]: { readonly [verb: string]: Teller } } = {
  board, member, column, checklist, item, label, comment, file, list: { respaced: () => [{ key: "history.respaced" }] },
};

export function tellOther(ev: Event, t: Telling): readonly Said[] {
  const [kind = "", verb = ""] = ev.type.split(".");
  const what = called(t, ev.entityId, kind);
  const own = tellers[kind];
  const teller = own && Object.hasOwn(own, verb) ? own[verb] : undefined;
  return teller ? teller(ev, what, t) : [unknown(ev.type, what)];
}
