// Finding a card by its title.

import type { Card } from "@snapback/client";

import { matches } from "../people/candidates.js";

/** The open cards that have all the words in their title; those that begin with them come first. */
export function matching(cards: readonly Card[], text: string, not: string | undefined): readonly Card[] {
  const typed = text.trim().toLocaleLowerCase();
  const found = cards.filter((c) => !c.archived && c.id !== not && (!typed || matches(typed, c.title)));
  const late = (c: Card) => Number(!c.title.toLocaleLowerCase().startsWith(typed));
  return typed ? found.sort((a, b) => late(a) - late(b)) : found;
}
