// Who else is on the board, and at which card. One component listens for all cards; a card's face reads its own signal.

import { signal, type ReadonlySignal, type Signal } from "@preact/signals";
import { useEffect } from "preact/hooks";

import type { Peer } from "@snapback/client";
import { useBoard, usePresence } from "@snapback/client/react";

import type { Here } from "../ui.js";
import { atCards, together, type AtCard, type Person } from "./gather.js";

/** Everybody else on the open board, each once. */
export const present = signal<readonly Person[]>([]);

const nobody: readonly AtCard[] = [];
const places = new Map<string, Signal<readonly AtCard[]>>();

/** Who is at a card; the same signal for the same id. */
export function at(id: string): ReadonlySignal<readonly AtCard[]> {
  let one = places.get(id);
  if (!one) places.set(id, (one = signal(nobody)));
  return one;
}

function show(others: readonly Peer<Here>[], me: string | undefined): void {
  const now = atCards(others, me);
  for (const [id, place] of places) {
    const here = now.get(id) ?? nobody;
    if (JSON.stringify(place.value) !== JSON.stringify(here)) place.value = here;
    now.delete(id);
  }
  for (const [id, here] of now) places.set(id, signal(here));
  present.value = together(others, me);
}

/** Listens. Once on a page. */
export function Listen() {
  const { others } = usePresence<Here>();
  const { me } = useBoard();
  const user = me?.user;
  useEffect(() => show(others, user), [others, user]);
  useEffect(() => () => {
    show([], undefined);
    places.clear();
  }, []);
  return null;
}
