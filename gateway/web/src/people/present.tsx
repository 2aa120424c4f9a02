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
/** Of the cards that were drawn, however many others speak of. */
const places = new Map<string, Signal<readonly AtCard[]>>();
let told: ReadonlyMap<string, readonly AtCard[]> = new Map();

/** Who is at a card; the same signal for the same id. */
export function at(id: string): ReadonlySignal<readonly AtCard[]> {
  let one = places.get(id);
  if (!one) places.set(id, (one = signal(told.get(id) ?? nobody)));
  return one;
}

function show(others: readonly Peer<Here>[], me: string | undefined): void {
  const now = atCards(others, me);
  for (const id of new Set([...told.keys(), ...now.keys()])) {
    const place = places.get(id);
    const here = now.get(id) ?? nobody;
    if (place && JSON.stringify(place.peek()) !== JSON.stringify(here)) place.value = here;
  }
  told = now;
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
