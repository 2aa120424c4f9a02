// What is said to the user beside the page: passing notes at its edge, and what screen readers read.

import { signal } from "@preact/signals";

export interface Note {
  readonly id: number;
  /** refused: something was taken back, stays until closed or for long; done: it worked, and can be undone; plain. */
  readonly tone: "refused" | "done" | "plain";
  readonly title: string;
  readonly text?: string;
  /** Words of the user's own that would be lost otherwise: shown, to be copied or tried again. Such a note stays. */
  readonly kept?: string;
  readonly actions?: readonly { readonly label: string; run(): void }[];
}

/** Newest last. */
export const notes = signal<readonly Note[]>([]);

let last = 0;

/** Shows a note; gives what takes it away. */
export function note(said: Omit<Note, "id">): () => void {
  const id = ++last;
  notes.value = [...notes.value, { ...said, id }];
  return () => dismiss(id);
}

export function dismiss(id: number): void {
  notes.value = notes.value.filter((n) => n.id !== id);
}

/** What is read out: politely, or at once. Another object each time, so that the same words are read again. */
export const polite = signal({ text: "" });
export const urgent = signal({ text: "" });

/** Has a screen reader say it when it has finished what it says. */
export const announce = (text: string): void => void (polite.value = { text });
/** Has it said at once: a refusal, a lost connection. */
export const interrupt = (text: string): void => void (urgent.value = { text });
