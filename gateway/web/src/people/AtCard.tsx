// Who else is at a card right now: looking, dragging, editing.

export function AtCard({ id }: { readonly id: string }) {
  void id;
  return null;
}
