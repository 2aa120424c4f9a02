// The rollback lab.

export function LabPanel() {
  return null;
}
