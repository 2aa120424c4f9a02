// What is pending, and what became of what was.

export function InspectPanel() {
  return null;
}
