// What was taken out of sight, to be brought back or deleted.

export function ArchivePanel() {
  return null;
}
