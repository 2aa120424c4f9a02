// A text that is edited where it stands.
//
// Enter sends what has one line, Ctrl+Enter or the button what has several. It is sent with the text it was written upon
// (`if`), so that nobody's words are overwritten unseen, and shown at once.
//
//   leaving the field    one line is sent, as in a table; of several lines the editor stays
//   leaving the window   sends nothing
//   Escape               gives up: a note offers the words back; of several lines they stay unfinished, too
//   dialog closed, page left, crash, card gone from sight
//                        the text stays unfinished: it is there when it is edited anew, and a mark or a note says so until then
//   somebody changes it  is said quietly, typing goes on; at sending both texts stand there, and one chooses
//   refused: conflict    the same
//   refused: otherwise   the editor opens again with the words and the reason; if it can not, a note keeps them
//   the entity is deleted  a note keeps the words

import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";

import type { Entity } from "@snapback/client";
import { useEntity } from "@snapback/client/react";

import { nameOf, useDesk, type Desk } from "../desk.js";
import { announce, note } from "../say.js";
import { here } from "../ui.js";
import { say } from "../words/words.js";
import { Choice } from "./Choice.js";
import type { Words } from "./mutation.js";
import { isLine, isRequired, stored } from "./stored.js";
import { keyOf, type Editor, type Trouble } from "./texts.js";

interface Props {
  readonly id: string;
  /** title, description, text or name. */
  readonly field: string;
  /** What the field is called. */
  readonly label: string;
  readonly multiline?: boolean;
  /** The editor is to be closed: sent, or given up. */
  onDone(): void;
}

/** Is the text being edited; where this is used, refused words can open the editor again. */
export function useEditing(id: string, field: string): readonly [boolean, (is: boolean) => void] {
  const { texts } = useDesk();
  const key = keyOf(id, field);
  const is = texts.editing(key);
  useLayoutEffect(() => {
    const gone = texts.place(key);
    return () => {
      gone();
      is.value = false;
    };
  }, [texts, key]);
  return [is.value, (now) => void (is.value = now)];
}

const textIn = (e: Entity | undefined, field: string): string => {
  const value = e?.[field];
  return typeof value === "string" ? value : "";
};

/** What stands there now, and whose it is: as it is shown, or as the refusal has it where that is newer. */
function presentOf({ store }: Desk, { id, field }: Pick<Props, "id" | "field">, trouble: Trouble | undefined): { text: string; by: string | undefined } {
  const confirmed = store.confirmed(id);
  const told = trouble?.present;
  if (told && !((confirmed?.rev ?? 0) >= (told.rev ?? 0))) return { text: textIn(told, field), by: told.updatedBy };
  const text = textIn(store.get(id), field);
  return { text, by: text === textIn(confirmed, field) ? confirmed?.updatedBy : store.me?.user };
}

/** What an editor holds beside the rendering. */
interface Held {
  /** The text it was written upon. */
  from: string;
  readonly oneLine: boolean;
  over: boolean;
  /** Takes over refused words, as it is rendered now. */
  take: Editor["take"];
  put: Editor["put"];
}

export function EditText(props: Props) {
  const { id, field, label, multiline = false, onDone } = props;
  const desk = useDesk();
  const { store, texts } = desk;
  const key = keyOf(id, field);
  const entity = useEntity(id);
  const trouble = texts.trouble(key).value;
  const present = presentOf(desk, props, trouble);
  const ref = useRef<HTMLTextAreaElement>(null);
  const [begun] = useState(() => begin(desk, props));
  const held = useRef<Held>({ from: begun.from, oneLine: isLine(field, entity?.kind), over: false, take: () => false, put: () => {} }).current;
  const [choosing, choose] = useState(begun.isDraft && begun.from !== present.text);
  const [, draw] = useState(0);
  const typed = () => stored(ref.current?.value ?? begun.text, held.oneLine);
  const changed = present.text !== held.from && present.text !== typed();

  const end = () => {
    held.over = true;
    onDone();
  };
  const leave = () => {
    texts.drafts.clear(key);
    texts.trouble(key).value = undefined;
    end();
  };
  /** What stands there at this moment, which may be newer than what is drawn. */
  const now = () => presentOf(desk, props, texts.trouble(key).value).text;
  const send = (from: string) => {
    if (held.over) return;
    const text = typed();
    if (text === now() || (!text && isRequired(field, entity?.kind))) return leave();
    texts.send(id, field, text || null, from);
    end();
  };
  const save = () => {
    if (held.over) return;
    const text = typed();
    const there = now();
    if (text === held.from && !texts.trouble(key).value) return leave();
    if (there !== held.from && text !== there) choose(true);
    else send(held.from);
  };
  const putAside = () => {
    const text = typed();
    const { from } = held;
    texts.trouble(key).value = undefined;
    if (!text || text === now() || text === from) return leave();
    offerBack(desk, props, text, from, !held.oneLine);
    end();
  };
  const useTheirs = () => {
    const text = typed();
    const mine = { entityId: id, patch: { [field]: text }, if: { [field]: present.text || null } };
    if (text && text !== present.text) texts.keep("refused", say("texts.yours"), [mine], true);
    leave();
  };

  const fill = ({ text, from }: Words, why: Trouble | undefined) => {
    ref.current!.value = text;
    held.from = from;
    texts.drafts.set(key, text, from);
    texts.trouble(key).value = why;
    draw((n) => n + 1);
  };

  useFocus(ref, begun.isDraft);
  useAt(store.get(id));
  held.take = (words, why) => {
    const mine = typed();
    if (held.over) held.over = false; // sent just now, and refused before the next rendering
    else if (mine !== words.text && mine !== present.text && mine !== now() && mine !== held.from) return false;
    fill(words, why);
    choose(why.code === "conflict");
    return true;
  };
  held.put = (words) => {
    held.over = false;
    fill(words, undefined);
    choose(words.from !== now() && words.text !== now());
    ref.current!.focus();
  };
  useLayoutEffect(() => texts.opened(key, { isSent: () => held.over, take: (words, why) => held.take(words, why), put: (words) => held.put(words) }), []);
  useEffect(() => {
    if (!entity && !held.over) end(); // a note has the words
  }, [!entity]);
  useEffect(() => {
    const area = ref.current!;
    if (held.over) return;
    if (changed && area.value === held.from && !trouble) { // nothing typed yet: it goes along
      area.value = held.from = present.text;
      draw((n) => n + 1);
    } else if (changed && !trouble && !choosing) announce(changedBy(desk, present.by));
  }, [present.text]);
  useLayoutEffect(() => () => {
    if (!held.over) texts.left(id, field);
    held.over = true;
    texts.drafts.flush();
  }, []);

  const whole = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (choosing || trouble) whole.current?.scrollIntoView({ block: "nearest" });
  }, [choosing, trouble]);
  return (
    <div ref={whole} class="edit-text" data-state={choosing ? "choosing" : trouble ? "refused" : changed ? "changed" : undefined}>
      <textarea
        ref={ref} class="edit" dir="auto" aria-label={label} rows={multiline ? 6 : 1} defaultValue={begun.text}
        aria-invalid={trouble && !choosing ? true : undefined}
        onInput={() => texts.drafts.set(key, typed(), held.from)}
        onBlur={() => held.oneLine && !choosing && !trouble && document.hasFocus() && save()}
        onKeyDown={(e) => {
          e.stopPropagation();
          if (e.key === "Escape" && !e.isComposing) { // else it is the input method's
            e.preventDefault(); // the dialog around it stays open
            putAside();
          } else if (e.key === "Enter" && !e.isComposing && (!multiline || e.ctrlKey || e.metaKey)) {
            e.preventDefault();
            if (choosing) send(present.text);
            else save();
          }
        }}
      />
      {trouble && !choosing && <p class="edit-trouble" role="alert">{say("texts.notSaved", { why: trouble.reason })}</p>}
      {choosing && (
        <Choice
          theirs={present.text} mine={ref.current?.value ?? begun.text} by={changedBy(desk, present.by)}
          onMine={() => send(present.text)} onTheirs={useTheirs} onAside={putAside}
        />
      )}
      {!choosing && (multiline || trouble) && (
        <p class="edit-buttons">
          <button type="button" class="primary" onMouseDown={(e) => e.preventDefault()} onClick={save}>{trouble ? say("texts.again") : say("texts.save")}</button>
          <button type="button" class="second" onMouseDown={(e) => e.preventDefault()} onClick={putAside}>{say("texts.cancel")}</button>
        </p>
      )}
      {changed && !choosing && ( // below the buttons: it comes while somebody aims at them
        <p class="edit-changed">
          <span role="status">{changedBy(desk, present.by)}</span>
          <button type="button" class="link" onMouseDown={(e) => e.preventDefault()} onClick={() => choose(true)}>{say("texts.compare")}</button>
        </p>
      )}
    </div>
  );
}

/** The text to begin with: an unfinished one, or what stands there. */
function begin({ store, texts }: Desk, { id, field }: Props): { readonly text: string; readonly from: string; readonly isDraft: boolean } {
  const entity = store.get(id);
  const now = stored(textIn(entity, field), isLine(field, entity?.kind)); // as it will be stored, if it is pending
  const draft = texts.drafts.get(keyOf(id, field));
  if (!draft || draft.sent !== undefined) return { text: now, from: now, isDraft: false };
  const isSaved = draft.text === textIn(store.confirmed(id), field);
  return { text: draft.text, from: isSaved ? now : draft.from, isDraft: draft.text !== now };
}

const changedBy = ({ store }: Desk, by: string | undefined): string => {
  if (by === undefined) return say("texts.changed");
  if (by === store.me?.user) return say("texts.changed.self");
  return say("texts.changed.by", { who: nameOf(store.get(`member:${by}`)) ?? by });
};

/** Given up; the words are there as long as the note, and those of several lines for longer. */
function offerBack({ texts }: Desk, { id, field }: Props, text: string, from: string, stays: boolean): void {
  const key = keyOf(id, field);
  texts.drafts.set(key, text, from);
  note({
    tone: "plain", title: say("texts.aside"), text,
    actions: [
      { label: say("texts.edit"), run: () => texts.edit({ entityId: id, field, text, from, isNew: false }) },
      { label: say("texts.discard"), run: () => texts.drafts.clear(key) },
    ],
    onEnd: (how) => void (how !== "acted" && !stays && texts.drafts.get(key)?.text === text && texts.drafts.clear(key)),
  });
}

/** Into the field, but not away from another one that somebody writes in. */
function useFocus(ref: { readonly current: HTMLTextAreaElement | null }, isDraft: boolean): void {
  useLayoutEffect(() => { // before anything is typed
    const field = ref.current!;
    if (document.activeElement instanceof HTMLElement && document.activeElement.matches("input, textarea, select, [contenteditable]")) return;
    field.focus();
    if (isDraft) field.setSelectionRange(field.value.length, field.value.length);
    else field.select();
  }, []);
}

/** The others see who edits which card. */
function useAt(e: Entity | undefined): void {
  const card = e?.kind === "card" ? e.id : e?.["cardId"];
  useEffect(() => {
    if (typeof card !== "string") return undefined;
    const before = here.value;
    const now = (here.value = { ...before, card, doing: "edit" });
    return () => {
      if (here.value === now) here.value = before;
    };
  }, [card]);
}
