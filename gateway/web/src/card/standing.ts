// What may be done with a card, by one's role and by what is archived. The server decides; this only spares what it would
// refuse.

import type { Board, Card, Column, Role } from "@snapback/client";

export interface Rights {
  /** What is archived, if anything is: then nothing may be changed. */
  readonly archived: "board" | "card" | "column" | undefined;
  readonly edit: boolean;
  /** Comments and likes. */
  readonly comment: boolean;
  /** Bringing it back, or into another column. */
  readonly restore: boolean;
}

/** A column that is not there is archived: only then an open part has the card, and not the column. */
export function rightsOf(card: Card, column: Column | undefined, board: Board | undefined, may: (needed: Role) => boolean): Rights {
  const archived = board?.archived ? "board" : card.archived ? "card" : !column || column.archived ? "column" : undefined;
  const editor = may("editor");
  return { archived, edit: !archived && editor, comment: !archived && may("commenter"), restore: editor && archived !== "board" };
}
