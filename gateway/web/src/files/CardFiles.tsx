// The files of a card.

export function CardFiles({ cardId }: { readonly cardId: string }) {
  void cardId;
  return null;
}
