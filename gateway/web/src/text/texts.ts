// What becomes of texts that people write on a board, from typing to the verdict. Nobody loses words:
//
//   EditText ── typing ──> drafts ── sent, with `if` ──> ack: gone
//      ▲                                                 refusal ─┬─ the editor can be shown: it opens again, with the reason
//      └── Edit ── a note that stays, with the words <────────────┴─ else
//
// A text is in one place at a time: in its draft, or in a note (kept.ts). Both outlive the page.

import { signal, type Signal } from "@preact/signals";

import type { Change, Entity, Mutation, Offline, Refusal, Sent, Store } from "@snapback/client";

import { hrefOf, navigate } from "../route.js";
import { note, type Ending, type NoteAction } from "../say.js";
import { isPast, leave } from "../time/moment.js";
import { panel, renaming } from "../ui.js";
import { say } from "../words/words.js";
import { copy } from "./copy.js";
import { draftsOf, placeOf, type Draft, type Drafts } from "./drafts.js";
import { keepsOf, textOf, type Kept } from "./kept.js";
import { called, clip, describe, named, wordsIn, type Words } from "./mutation.js";
import { findGone, settleOld } from "./settle.js";

/** Why the words of an editor are not on the board. */
export interface Trouble {
  readonly code: string;
  readonly reason: string;
  /** What stands there instead, as the refusal has it. */
  readonly present?: Entity | undefined;
}

/** An editor that is open. */
export interface Editor {
  /** It has sent its text, and is about to go. */
  isSent(): boolean;
  /** Takes over words that were refused; false if it has others. */
  take(words: Words, trouble: Trouble): boolean;
  /** Has these words instead of its own. */
  put(words: Words): void;
}

/** A text that becomes something new: the title of a card, a comment. */
export interface NewText {
  readonly text: string;
  set(text: string): void;
  /** It is on its way; it is forgotten when it has arrived. */
  send(text: string, sent: Sent): void;
}

export interface Texts {
  readonly drafts: Drafts;
  /** Is the text being edited, in a place that asks so (useEditing)? */
  editing(key: string): Signal<boolean>;
  /** What is the matter with an unfinished text. */
  trouble(key: string): Signal<Trouble | undefined>;
  /** Sends a text upon the one it was written upon. */
  send(id: string, field: string, text: string | null, from: string): Sent;
  /** Tells of an editor, or of a place where one can be opened; gives what tells that it is gone. */
  opened(key: string, editor: Editor): () => void;
  place(key: string): () => void;
  /** Tells that an editor went away that nobody closed: its card may be archived, or filtered out. */
  left(id: string, field: string): void;
  /** Opens the editor of a text with these words in it, going to its card if it is not in sight. */
  edit(words: Words): void;
  /** The unfinished text of something that is not there yet, by a name of its own. */
  draft(name: string): NewText;
  /** Tells that there is a field for it; gives what tells that it is gone, with its column or the right to add. */
  field(name: string): () => void;
  /** Has fn take the words of a mutation if it is refused; fn gives false if it can not. */
  claim(mutation: string, fn: (why: Refusal, reason: string) => boolean): void;
  /** The words of a refused mutation find their place: "editor", "note", or undefined if there are none. */
  takeBack(mutation: Mutation, why: Refusal, reason: string): "editor" | "note" | undefined;
  /** Asks to take back what has no verdict. Its words are in a note, unless the server has them already. */
  withdraw(mutation: string): void;
  /** A note with words that is there until it is closed. */
  keep(tone: "refused" | "plain", title: string, changes: readonly Change[], again: boolean): void;
  close(): void;
}

/** What a text is a text of. */
export const keyOf = (id: string, field: string): string => `${id}/${field}`;

/** How long an editor may be gone while it is drawn anew elsewhere, in milliseconds. */
const moment = 200;

/** Of as many texts that were begun one is reminded when the board is opened: those typed at last. */
const mostReminders = 3;

/** Trying again as it is would only be refused again. */
const isHopeless = (code: string) => /^(conflict|invalid|too_large)$/.test(code);

interface On {
  readonly board: string;
  readonly user: string;
  readonly store: Store;
  readonly offline: Offline;
  readonly storage: Storage | undefined;
}

export function textsOf({ board, user, store, offline, storage }: On): Texts {
  const keeps = keepsOf({ board, user, storage });
  /** Another window of the same user writes at the same text. */
  const displaced = (key: string, { text, from }: Draft) => {
    const [id = "", field = "text"] = key.split("/");
    if (keeps.all().some((kept) => textOf(kept.words) === text)) return;
    keep(store.newId(), "plain", say("texts.displaced"), [{ entityId: id, patch: { [field]: text }, if: { [field]: from } }], false);
  };
  const drafts = draftsOf({ board, user, storage, displaced, afterPaint: store.engine.env.afterPaint });
  const editing = memo(() => signal(false));
  const trouble = memo(() => signal<Trouble | undefined>(undefined));
  const editors = new Map<string, Editor>();
  const places = new Map<string, number>();
  const claims = new Map<string, (why: Refusal, reason: string) => boolean>();
  const shown = new Map<string, () => void>(); // notes, by the id of what is kept
  const reminders = new Map<string, () => void>(); // notes, by the text that was begun

  /** Opens the editor of a text where it is in sight; false if it is not. */
  const open = (id: string, field: string): boolean => {
    const key = keyOf(id, field);
    if (places.get(key)) {
      editing(key).value = true;
      return true;
    }
    if (field !== "title" || (renaming.value !== undefined && renaming.value !== id) || document.querySelector("dialog:modal")) return false;
    const at = store.get(id)?.kind === "board" ? ".board-title" : `:is(.card, .column)[data-id="${CSS.escape(id)}"]`;
    if (!document.querySelector(at)) return false;
    renaming.value = id;
    return true;
  };

  /** Other words stand where these are to be edited: a note has them. */
  const makeRoom = ({ entityId: id, field, text }: Words) => {
    const other = drafts.get(keyOf(id, field));
    if (!other || other.sent !== undefined || other.text === text || other.text === store.get(id)?.[field]) return;
    keep(store.newId(), "plain", say("texts.aside"), [{ entityId: id, patch: { [field]: other.text }, if: { [field]: other.from } }], false);
  };

  const goTo = (words: Words) => {
    const { entityId: id, field, text, from } = words;
    const key = keyOf(id, field);
    const entity = store.get(id);
    if (isPast.value) leave(); // nothing is edited there
    makeRoom(words);
    drafts.set(key, text, from);
    editors.get(key)?.put(words);
    if (open(id, field)) return;
    const parent = entity?.["checklistId"] !== undefined ? store.get(String(entity["checklistId"])) : entity;
    const card = entity?.kind === "card" ? id : parent?.["cardId"];
    editing(key).value = true; // as soon as its place is there
    if (typeof card === "string") navigate(hrefOf(board, card));
    else if (entity?.kind === "label") panel.value = "labels";
    else if (entity?.kind === "file") panel.value = "files";
  };

  const actionsOf = ({ words, edit, changes }: Kept): readonly NoteAction[] => {
    const [first] = words;
    return [
      { label: say("texts.copy"), run: () => void copy(textOf(words)), stays: true },
      ...(edit && first ? [{ label: say("texts.edit"), run: () => goTo(first) }] : []),
      ...(changes ? [{ label: say("texts.again"), run: () => void store.transact(changes) }] : []),
    ];
  };

  const showKept = (kept: Kept) => {
    const end = (how: Ending) => {
      shown.delete(kept.id);
      if (how !== "taken") keeps.remove(kept.id);
    };
    const { tone = "refused", title, about, words } = kept;
    shown.set(kept.id, note({ tone, title, text: about, kept: textOf(words), actions: actionsOf(kept), onEnd: end }));
  };

  const keep = (id: string, tone: "refused" | "plain", title: string, changes: readonly Change[], again: boolean) => {
    const words = wordsIn(changes);
    const [first, more] = words;
    if (!first || shown.has(id)) return;
    const entity = store.get(first.entityId);
    const edit = !more && !first.isNew && entity !== undefined && !(entity.kind === "column" && entity.archived);
    const kept: Kept = { id, tone, title, about: aboutWhat(store, first, changes), words, edit, ...(again && { changes }) };
    keeps.add(kept);
    showKept(kept);
  };

  /** An editor shows the words of a refused edit again. */
  const reopen = (mutation: Mutation, why: Refusal, reason: string): boolean => {
    const [words, more] = wordsIn(mutation.changes);
    if (!words || more || words.isNew || !store.get(words.entityId)) return false;
    const { entityId: id, field, text, from } = words;
    const key = keyOf(id, field);
    const present = why.details["entity"] as Entity | undefined;
    const matter: Trouble = { code: why.code, reason, ...(present && { present }) };
    const draft = drafts.get(key);
    const isOther = draft && draft.sent !== mutation.id && draft.text !== text;
    const editor = editors.get(key);
    if (editor && !editor.isSent()) return editor.take(words, matter);
    if (isRestored(mutation) && draft && draft.sent === undefined && draft.text === text) { // told before the reload
      trouble(key).value = matter;
      return true;
    }
    if (isOther || isRestored(mutation) || !open(id, field)) return false;
    if (editor) return editor.take(words, matter);
    drafts.set(key, text, from);
    trouble(key).value = matter;
    return true;
  };

  const forgetSent = ({ id }: Mutation) => {
    for (const key of drafts.keys()) {
      if (drafts.get(key)?.sent !== id) continue;
      drafts.clear(key);
      trouble(key).value = undefined;
    }
  };

  /** Somebody was writing there, or something to be added there. */
  const lost = (key: string, id: string, what = say("change.unnamed")) => {
    const { text, from, sent } = drafts.get(key)!;
    if (sent !== undefined) return; // its refusal comes
    const field = key.startsWith(`${id}/`) ? key.slice(id.length + 1) : "text";
    keep(store.newId(), "refused", say("texts.gone", { what: clip(what) }), [{ entityId: id, patch: { [field]: text }, if: { [field]: from } }], false);
    drafts.clear(key);
  };

  const remindOf = (id: string, field: string, text: string, from: string) => {
    const key = keyOf(id, field);
    const title = say("texts.begun", { what: called(store, id) });
    if (store.get(id)?.kind === "column" && store.get(id)?.archived) { // there is nowhere to go to
      keep(store.newId(), "plain", title, [{ entityId: id, patch: { [field]: text }, if: { [field]: from } }], false);
      return drafts.clear(key);
    }
    reminders.get(key)?.();
    reminders.set(key, note({
      tone: "plain", title, text: clip(text),
      actions: [
        { label: say("texts.edit"), run: () => goTo({ entityId: id, field, text, from, isNew: false }) },
        { label: say("texts.discard"), run: () => void (drafts.get(key)?.text === text && drafts.clear(key)) },
      ],
    }));
  };

  /** Not every place shows that a text was begun there, before a reload. */
  const remind = () => {
    const begun = drafts.keys().flatMap((key) => {
      const { text, from, at, sent } = drafts.get(key)!;
      const [id = "", field = ""] = key.split("/");
      const entity = store.get(id);
      return !entity || sent !== undefined || text === entity[field] || editors.has(key) ? [] : [{ id, field, text, from, at }];
    });
    for (const { id, field, text, from } of begun.sort((a, b) => a.at - b.at).slice(-mostReminders)) remindOf(id, field, text, from);
  };

  const place = (key: string) => {
    places.set(key, (places.get(key) ?? 0) + 1);
    return () => void places.set(key, places.get(key)! - 1);
  };

  const hooks: Parameters<typeof store.engine.hooks.add>[0] = {
    concluded(m, verdict) {
      if (m.quiet) return;
      if (verdict.ok || m.withdrawn) forgetSent(m);
      if (!verdict.ok) return;
      claims.delete(m.id);
      if (!shown.has(m.id)) return;
      keeps.remove(m.id); // it was to be withdrawn, and the server was quicker
      shown.get(m.id)!();
    },
  };
  store.engine.hooks.add(hooks);
  const end = store.subscribe((changes) => {
    for (const { id, before, after } of changes) {
      if (after) continue;
      for (const key of drafts.keys()) if (placeOf(key) === id) lost(key, id, named(before));
    }
  });
  for (const kept of keeps.all()) showKept(kept);
  const heard = ({ key }: StorageEvent) => {
    if (!key?.startsWith("snapback.kept/")) return;
    const left = new Set(keeps.all().map((k) => k.id));
    for (const [id, end] of shown) if (!left.has(id)) end(); // closed in another window
  };
  globalThis.addEventListener?.("storage", heard);
  const over = new AbortController();
  const at = { board, store, offline, drafts, signal: over.signal };
  void settleOld(at).then(() => findGone({ ...at, lost })).then(() => over.signal.aborted || remind());

  return {
    drafts, editing, trouble,
    send(id, field, text, from) {
      const key = keyOf(id, field);
      trouble(key).value = undefined;
      if (text !== null) drafts.set(key, text, from);
      const sent = store.mutate(id, { [field]: text }, { if: { [field]: from || null } });
      if (text !== null) drafts.send(key, sent.id);
      else drafts.clear(key);
      return sent;
    },
    opened(key, editor) {
      editors.set(key, editor);
      reminders.get(key)?.();
      return () => void (editors.get(key) === editor && editors.delete(key));
    },
    place,
    left(id, field) {
      if (field !== "title" || renaming.value !== id) return; // elsewhere a mark says so
      const key = keyOf(id, field);
      setTimeout(() => {
        if (over.signal.aborted || editors.has(key) || renaming.value !== id) return;
        renaming.value = undefined;
        const { text, from, sent } = drafts.get(key) ?? {};
        if (text && sent === undefined && text !== store.get(id)?.[field] && !isPast.value) remindOf(id, field, text, from ?? "");
      }, moment);
    },
    field(name) {
      const gone = place(name);
      return () => {
        gone();
        setTimeout(() => {
          const { text, sent } = drafts.get(name) ?? {};
          if (over.signal.aborted || places.get(name) || isPast.value || !text || sent !== undefined) return;
          reminders.set(name, note({
            tone: "plain", title: say("texts.begun", { what: called(store, placeOf(name) ?? board) }), text: clip(text),
            actions: [
              { label: say("texts.copy"), run: () => void copy(text), stays: true },
              { label: say("texts.discard"), run: () => void (drafts.get(name)?.text === text && drafts.clear(name)) },
            ],
          }));
        }, moment);
      };
    },
    edit: goTo,
    draft: (name) => ({
      get text() {
        const unsent = drafts.keys().find((key) => key.startsWith(`${name}#`) && drafts.get(key)?.sent === undefined);
        return drafts.get(name)?.text ?? (unsent && drafts.get(unsent)?.text) ?? "";
      },
      set(text) {
        for (const key of drafts.keys()) if (key.startsWith(`${name}#`) && drafts.get(key)?.sent === undefined) drafts.clear(key);
        if (text) drafts.set(name, text, "");
        else drafts.clear(name);
      },
      send(text, { id }) {
        const key = `${name}#${id}`;
        drafts.set(key, text, "");
        drafts.send(key, id);
        drafts.clear(name);
      },
    }),
    claim: (mutation, fn) => void claims.set(mutation, fn),
    takeBack(mutation, why, reason) {
      const words = wordsIn(mutation.changes);
      const claim = claims.get(mutation.id);
      claims.delete(mutation.id);
      if (claim?.(why, reason)) {
        forgetSent(mutation);
        return "editor";
      }
      if (reopen(mutation, why, reason)) return "editor";
      if (!words.length) return undefined;
      forgetSent(mutation);
      const isGone = words.every((w) => !w.isNew && !store.get(w.entityId));
      keep(mutation.id, "refused", reason, mutation.changes, !isGone && !isHopeless(why.code));
      return "note";
    },
    withdraw(id) {
      const { changes } = store.engine.entries.get(id) ?? {};
      if (!changes) return;
      keep(id, "plain", say("queue.cancelled"), changes, true);
      store.engine.cancel(id);
    },
    keep: (tone, title, changes, again) => keep(store.newId(), tone, title, changes, again),
    close() {
      over.abort();
      end();
      store.engine.hooks.delete(hooks);
      globalThis.removeEventListener?.("storage", heard);
      drafts.close();
      [...shown.values(), ...reminders.values()].forEach((end) => end());
    },
  };
}

/** From before a reload: who wrote it does not expect an editor to open. */
const isRestored = (m: Mutation): boolean => "restored" in m && m.restored === true;

/** What the words are about. */
function aboutWhat(store: Store, first: Words, changes: readonly Change[]): string | undefined {
  if (first.isNew) return describe(store, changes);
  return store.get(first.entityId) && say("texts.of", { what: called(store, first.entityId) });
}

/** A function that makes one thing for each key. */
function memo<T>(make: () => T): (key: string) => T {
  const all = new Map<string, T>();
  return (key) => {
    let one = all.get(key);
    if (one === undefined) all.set(key, (one = make()));
    return one;
  };
}
