// Finding a card by its title.

import type { Card } from "@snapback/client";

/** The open cards that have all the words in their title; those that begin with them come first. */
export function matching(cards: readonly Card[], text: string, not: string | undefined): readonly Card[] {
  const words = text.toLocaleLowerCase().split(/\s+/).filter(Boolean);
  const found = cards.filter((c) => {
    const title = c.title.toLocaleLowerCase();
    return !c.archived && c.id !== not && words.every((w) => title.includes(w));
  });
  const first = (c: Card) => (words[0] && c.title.toLocaleLowerCase().startsWith(words[0]) ? 0 : 1);
  return words.length ? found.sort((a, b) => first(a) - first(b)) : found;
}
