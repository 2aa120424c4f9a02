// The files of the board.

export function FilesPanel() {
  return null;
}
