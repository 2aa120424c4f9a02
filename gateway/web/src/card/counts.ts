// How much hangs on a card.

import { useEffect, useMemo, useState } from "preact/hooks";

import type { Card, Entity, EntityChange, Item, Store } from "@snapback/client";
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

/** The cards whose counts the change may alter. `store` has what is shown by now. */
export function concerned(store: Pick<Store, "get">, { id, before, after }: EntityChange): readonly string[] {
  const cardOf = (e: Entity | undefined): unknown => {
    switch (e?.kind) {
      case "card": return id;
      case "item": return store.get(String(e["checklistId"]))?.["cardId" as never]; // if that is gone, it says so itself
      case "checklist": case "comment": case "file": return e["cardId"];
      default: return undefined;
    }
  };
  const all = [cardOf(before), cardOf(after)].filter((card) => typeof card === "string");
  return all[0] === all[1] ? all.slice(0, 1) : all;
}

/** By card, who is to look again. One listener of the store's for all cards that are drawn. */
const lookers = new WeakMap<Store, Map<string, Set<() => void>>>();

function lookersOf(store: Store): Map<string, Set<() => void>> {
  const known = lookers.get(store);
  if (known) return known;
  const byCard = new Map<string, Set<() => void>>();
  lookers.set(store, byCard);
  store.subscribe((changes) => {
    for (const card of new Set(changes.flatMap((change) => concerned(store, change)))) byCard.get(card)?.forEach((look) => look());
  });
  return byCard;
}

function listen(store: Store, card: string, look: () => void): () => void {
  const all = lookersOf(store);
  const mine = all.get(card) ?? new Set();
  all.set(card, mine.add(look));
  return () => {
    mine.delete(look);
    if (!mine.size && all.get(card) === mine) all.delete(card);
  };
}

/** Renders when one of the counts changes. */
export function useCounts(id: string): Counts {
  const store = useBoardStore();
  const first = useMemo(() => countsOf(store, id), [store, id]);
  const [, again] = useState(0);
  const held = useMemo(() => ({ counts: first }), [first]);
  useEffect(() => {
    const look = () => {
      const next = countsOf(store, id);
      if (alike(held.counts, next)) return;
      held.counts = next;
      again((n) => n + 1);
    };
    look();
    return listen(store, id, look);
  }, [held]);
  return held.counts;
}
