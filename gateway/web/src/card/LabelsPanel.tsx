// The labels of the board.

export function LabelsPanel() {
  return null;
}
