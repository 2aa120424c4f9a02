// What a card says of itself in small: due date, checklists, comments, files, people.

import type { Card } from "@snapback/client";

export function Badges({ card }: { readonly card: Card }) {
  void card;
  return null;
}
