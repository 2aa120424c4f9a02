// How much hangs on a card.

import { useEffect, useMemo, useState } from "preact/hooks";

import type { Card, EntityChange, Item, Store } from "@snapback/client";
import { useBoardStore } from "@snapback/client/react";

export interface Counts {
  readonly items: number;
  readonly done: number;
  readonly comments: number;
  readonly files: number;
}

const none: Counts = { items: 0, done: 0, comments: 0, files: 0 };

/** How many of the items are done. */
export const doneOf = (items: readonly Item[]): number => items.reduce((n, { done }) => n + (done ? 1 : 0), 0);

/** Own comments count as soon as they are shown, the others as the server counts them. */
export function commentsOf(store: Store, card: Card): number {
  let count = card.comments ?? 0;
  for (const { rev } of store.children(card.id, "comment")) if (rev === undefined) count++;
  return count;
}

export function countsOf(store: Store, id: string): Counts {
  const card = store.get(id);
  if (card?.kind !== "card") return none;
  let items = 0;
  let done = 0;
  for (const list of store.children(id, "checklist")) {
    const all = store.children(list.id, "item");
    items += all.length;
    done += doneOf(all);
  }
  return { items, done, comments: commentsOf(store, card), files: store.children(id, "file").length };
}

const alike = (a: Counts, b: Counts) => a.items === b.items && a.done === b.done && a.comments === b.comments && a.files === b.files;

/** May the change alter the counts of the card? Asked by every card in sight of every change on the board. */
export function concerns(card: string, { id, before, after }: EntityChange): boolean {
  switch ((after ?? before)?.kind) {
    case "card": return id === card;
    case "item": return true; // whose it is, its checklist knows
    case "checklist": case "comment": case "file": return after?.["cardId"] === card || before?.["cardId"] === card;
    default: return false;
  }
}

/** Renders when one of the counts changes. */
export function useCounts(id: string): Counts {
  const store = useBoardStore();
  const first = useMemo(() => countsOf(store, id), [store, id]);
  const [, again] = useState(0);
  const held = useMemo(() => ({ counts: first }), [first]);
  useEffect(() => {
    const look = (changes?: readonly EntityChange[]) => {
      if (changes && !changes.some((change) => concerns(id, change))) return;
      const next = countsOf(store, id);
      if (alike(held.counts, next)) return;
      held.counts = next;
      again((n) => n + 1);
    };
    look();
    return store.subscribe(look);
  }, [held]);
  return held.counts;
}
