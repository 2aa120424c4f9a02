// What is said to the user beside the page: passing notes at its edge, and what screen readers read.

import { signal } from "@preact/signals";

import { afterPaint } from "./frame.js";

export interface Note {
  readonly id: number;
  /** refused: something was taken back, stays until closed or for long; done: it worked, and can be undone; plain. */
  readonly tone: "refused" | "done" | "plain";
  readonly title: string;
  readonly text?: string | undefined;
  /** Words of the user's own that would be lost otherwise: shown, to be copied or tried again. Such a note stays. */
  readonly kept?: string | undefined;
  readonly actions?: readonly NoteAction[] | undefined;
  /** Notes of one kind that come at once become one, titled by this of how many they are. */
  readonly together?: { readonly kind: string; title(count: number): string } | undefined;
  /** If it stands for several, each of them as it was said; the newest of `count`. */
  readonly parts?: readonly Pick<Note, "title" | "text">[];
  readonly count?: number;
  /** When it was said last, in milliseconds of performance.now(). */
  readonly at: number;
  /** It is gone: closed by the user, passed by itself, by one of its buttons, or taken back by who said it. */
  onEnd?(how: Ending): void;
}

export type Ending = "closed" | "passed" | "acted" | "taken";

export interface NoteAction {
  readonly label: string;
  run(): void;
  /** The note stays: copying changes nothing. */
  readonly stays?: boolean;
}

/** What is given to {@link note}. */
export type Said = Omit<Note, "id" | "at" | "parts" | "count">;

/** Notes of one kind that follow each other within so many milliseconds are one. */
const atOnce = 2000;
/** A note that is no refusal goes when as many have come after it. */
const mostPassing = 3;
/** Of what one note stands for, as many are told one by one. */
const mostParts = 50;

/** Newest last. */
export const notes = signal<readonly Note[]>([]);

let last = 0;

/** The notes with one more, which may join an earlier one. */
export function joined(all: readonly Note[], said: Said, id: number, now: number): readonly Note[] {
  const fresh: Note = { ...said, id, at: now };
  const { together: kind } = said;
  const at = kind ? all.findLastIndex((n) => n.together?.kind === kind.kind && now - n.at < atOnce) : -1;
  const before = all[at];
  if (!kind || !before) return [...all.filter((n, i) => n.tone === "refused" || i >= all.length - mostPassing), fresh];
  const count = (before.count ?? 1) + 1;
  const parts = [...(before.parts ?? [{ title: before.title, text: before.text }]), { title: said.title, text: said.text }].slice(-mostParts);
  const isSame = parts.every((p) => p.title === said.title);
  const title = isSame ? said.title : kind.title(count);
  const text = isSame ? kind.title(count) : undefined;
  return all.with(at, { ...before, title, text, count, at: now, parts });
}

/** Shows a note; gives what takes it away. One that joins another goes with that, not by what this gives. */
export function note(said: Said): () => void {
  const id = ++last;
  notes.value = joined(notes.value, said, id, performance.now());
  return () => dismiss(id, "taken");
}

export function dismiss(id: number, how: Ending = "closed"): void {
  const gone = notes.value.find((n) => n.id === id);
  notes.value = notes.value.filter((n) => n.id !== id);
  gone?.onEnd?.(how);
}

/** What is read out: politely, or at once. It has another id each time, so that the same words are read again. */
export const polite = signal({ id: 0, text: "" });
export const urgent = signal({ id: 0, text: "" });

/** Has a screen reader say it when it has finished what it says. Nobody sees it: what is seen is painted first. */
export const announce = (text: string): void => afterPaint(() => setTimeout(() => (polite.value = { id: ++last, text }))); // each by itself
/** Has it said at once: a refusal, a lost connection. */
export const interrupt = (text: string): void => void (urgent.value = { id: ++last, text });
