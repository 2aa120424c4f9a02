// What is out of sight, in order.

import type { Card, Column } from "@snapback/client";

import { matches } from "../people/candidates.js";

export interface Archived {
  readonly entity: Card | Column;
  /** The card's column, if that is archived: the card went with it. */
  readonly column: Column | undefined;
}

/** Archived columns, archived cards and the cards in archived columns, those changed last first. */
export function archived(columns: readonly Column[], cards: readonly Card[], pending: (id: string) => boolean): readonly Archived[] {
  const away = new Map(columns.filter((c) => c.archived).map((c) => [c.id, c]));
  const all: Archived[] = [...away.values()].map((entity) => ({ entity, column: undefined }));
  for (const entity of cards) {
    const column = away.get(entity.columnId);
    if (entity.archived || column) all.push({ entity, column });
  }
  // What is being archived just now will have the newest rev.
  const age = ({ entity: e }: Archived) => (e.rev === undefined || pending(e.id) ? Infinity : e.rev);
  const keyed = all.map((one) => ({ one, rev: age(one) }));
  return keyed.sort((a, b) => (a.rev === b.rev ? 0 : b.rev - a.rev)).map(({ one }) => one);
}

/** Those that have all the words in the title or the number. */
export const matchingWords = (all: readonly Archived[], text: string): readonly Archived[] =>
  (text.trim() ? all.filter(({ entity: e }) => matches(text, e.title, e.kind === "card" ? `#${e.number ?? ""}` : "")) : all);
