// Move…: a card to a column and a place in it, a column to a place, without dragging.

export function MoveDialog() {
  return null;
}
