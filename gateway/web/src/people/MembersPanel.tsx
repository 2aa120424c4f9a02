// Who is a member of the board, and as what.

export function MembersPanel() {
  return null;
}
