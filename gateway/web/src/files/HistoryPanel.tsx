// What happened on the board, in words.

export function HistoryPanel() {
  return null;
}
