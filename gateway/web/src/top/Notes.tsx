// The notes at the edge of the page, and the voice for screen readers. Both stand in the dialog that is open, if one is:
// what is outside of it can be neither pressed nor heard.

import { effect } from "@preact/signals";
import { createPortal } from "preact/compat";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";

import { elementOf, focusOn, ownerOf } from "../board/focus.js";
import { dialogs } from "../parts/Dialog.js";
import { Icon } from "../parts/Icon.js";
import { dismiss, interrupt, notes, polite, urgent, type Note } from "../say.js";
import { say } from "../words/words.js";

/** How long a note stays at least, in milliseconds; one with words of the user's own stays until it is closed. */
const stay = { refused: 9000, done: 7000, plain: 5000 };
/** What reading a character takes, and how long a note stays at most, in milliseconds. */
const reading = 45;
const longest = 40_000;
/** As many are shown. */
const most = 4;
/** When no more join a note, in milliseconds, its sum is read out. */
const quiet = 2100;

const stayOf = ({ tone, title, text = "", parts = [] }: Note): number => {
  const length = title.length + text.length + parts.reduce((sum, p) => sum + p.title.length, 0);
  return Math.min(longest, stay[tone] + Math.max(0, length - 60) * reading);
};

const beside = document.createElement("div");
effect(() => (dialogs.value.at(-1) ?? document.body).append(beside));

export function Notes() {
  const [all, showAll] = useState(false);
  const [paused, pause] = useState(false);
  const ref = useRef<HTMLElement>(null);
  const before = useRef<{ readonly element: HTMLElement; readonly id: string | undefined }>(undefined);
  useKey(ref);
  const { value: list } = notes;
  const shown = all ? list : list.slice(-most);
  const hidden = list.length - shown.length;
  const close = (note: Note) => {
    const at = shown.indexOf(note);
    const next = shown[at + 1] ?? shown[at - 1];
    if (next) ref.current?.querySelector<HTMLElement>(`[data-note="${next.id}"] .note-close`)?.focus();
    dismiss(note.id);
  };
  /** A note that had the focus is gone: back to where it came from, even if that was drawn anew, unless it is elsewhere by now. */
  const leave = () => {
    if (!document.activeElement?.matches("body, dialog")) return;
    const { element, id } = before.current ?? {};
    if (element?.isConnected) element.focus({ preventScroll: true });
    else if (id !== undefined && elementOf(id)) focusOn(id);
  };
  const newest = list.at(-1)?.id;
  useLayoutEffect(() => { // where not all have room, the one that has come is in sight
    if (!paused) ref.current!.scrollTop = ref.current!.scrollHeight;
  }, [newest]);
  useEffect(() => {
    if (list.length <= most) showAll(false);
    if (!list.length) pause(false);
  }, [list.length]);
  return createPortal(
    <section
      ref={ref} class="notes" aria-label={say("notes.label")} tabIndex={-1}
      onMouseEnter={() => pause(true)} onMouseLeave={() => pause(!!ref.current?.contains(document.activeElement))}
      onFocusIn={(e) => {
        pause(true);
        const { relatedTarget: element } = e;
        if (element instanceof HTMLElement && !ref.current?.contains(element)) before.current = { element, id: ownerOf(element)?.id };
      }}
      onFocusOut={() => pause(!!ref.current?.matches(":hover"))}
    >
      {hidden > 0 && <button type="button" class="second notes-more" onClick={() => showAll(true)}>{say("notes.more", { count: hidden })}</button>}
      {shown.map((n) => <One key={n.id} note={n} paused={paused} close={() => close(n)} leave={leave} />)}
    </section>,
    beside,
  );
}

function One({ note, paused, close, leave }: { readonly note: Note; readonly paused: boolean; close(): void; leave(): void }) {
  const { id, tone, title, text, kept, actions = [], parts, count = 1 } = note;
  const ref = useRef<HTMLDivElement>(null);
  useStay(note, paused);
  useLayoutEffect(() => {
    const own = ref.current!;
    return () => void (own.contains(document.activeElement) && queueMicrotask(leave));
  }, []);
  useEffect(() => {
    if (count === 1) return undefined; // an alert is read when it comes
    const timer = setTimeout(() => interrupt(text === undefined ? title : `${title}. ${text}`), quiet);
    return () => clearTimeout(timer);
  }, [count]);
  return (
    <div
      ref={ref} class="note" data-note={id} data-tone={tone} data-kept={kept === undefined ? undefined : true}
      role={tone === "refused" ? "alert" : undefined} aria-atomic={tone === "refused" ? "false" : undefined}
      aria-relevant={tone === "refused" ? "additions" : undefined}
      onKeyDown={(e) => {
        if (e.key !== "Escape") return;
        e.preventDefault();
        e.stopPropagation();
        close();
      }}
    >
      <p class="note-title">{title}</p>
      {text && <p>{text}</p>}
      {parts && <Parts note={note} />}
      {kept !== undefined && <blockquote dir="auto" tabIndex={0} class="note-kept">{kept}</blockquote>}
      {actions.length > 0 && (
        <p class="note-actions">
          {actions.map(({ label, run, stays }) => (
            <button
              key={label} type="button"
              onClick={() => {
                if (!stays) dismiss(id, "acted");
                run();
              }}
            >
              {label}
            </button>
          ))}
        </p>
      )}
      <button type="button" class="tool note-close" aria-label={say("top.close")} onClick={close}><Icon name="close" /></button>
    </div>
  );
}

function Parts({ note: { parts = [], count = 0 } }: { readonly note: Note }) {
  const isSame = parts.every((p) => p.title === parts[0]?.title);
  return (
    <details class="note-parts">
      <summary>{say("notes.each")}</summary>
      <ul>
        {parts.map((p, i) => <li key={i}>{(isSame ? p.text : undefined) ?? p.title}</li>)}
        {count > parts.length && <li>{say("notes.earlier", { count: count - parts.length })}</li>}
      </ul>
    </details>
  );
}

/** Takes the note away when it has been there for long enough; not while somebody is at it, or the page is not seen. */
function useStay(note: Note, paused: boolean): void {
  const left = useRef(0);
  const whole = stayOf(note);
  useEffect(() => void (left.current = whole), [whole, note.at]);
  useEffect(() => {
    if (note.kept !== undefined || paused) return undefined;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let since = 0;
    const look = () => {
      if (timer !== undefined) left.current -= performance.now() - since;
      clearTimeout(timer);
      timer = undefined;
      if (document.hidden) return;
      since = performance.now();
      timer = setTimeout(() => dismiss(note.id, "passed"), Math.max(1500, left.current));
    };
    look();
    document.addEventListener("visibilitychange", look);
    return () => {
      document.removeEventListener("visibilitychange", look);
      if (timer !== undefined) left.current -= performance.now() - since;
      clearTimeout(timer);
    };
  }, [note.id, note.at, note.kept, paused]);
}

/** F8 goes to the newest note. */
function useKey(ref: { readonly current: HTMLElement | null }): void {
  useEffect(() => {
    const go = (e: KeyboardEvent) => {
      const newest = [...(ref.current?.querySelectorAll<HTMLElement>(".note") ?? [])].at(-1);
      if (e.key !== "F8" || !newest) return;
      e.preventDefault();
      newest.querySelector<HTMLElement>(".note-actions button, .note-close")?.focus();
    };
    addEventListener("keydown", go);
    return () => removeEventListener("keydown", go);
  }, []);
}

export function Voice() {
  return createPortal(
    <>
      <p class="unseen" role="status" aria-live="polite"><span key={polite.value.id}>{polite.value.text}</span></p>
      <p class="unseen" role="alert"><span key={urgent.value.id}>{urgent.value.text}</span></p>
    </>,
    beside,
  );
}
