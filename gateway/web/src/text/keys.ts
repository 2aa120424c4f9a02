// The keys for undo and redo, as every editor has them.

/** What the keys ask for. */
export function turnOf(e: Pick<KeyboardEvent, "key" | "ctrlKey" | "metaKey" | "shiftKey" | "altKey">): "undo" | "redo" | undefined {
  if (!(e.ctrlKey || e.metaKey) || e.altKey) return undefined;
  const key = e.key.toLowerCase();
  if (key === "z") return e.shiftKey ? "redo" : "undo";
  return key === "y" && e.ctrlKey && !e.shiftKey ? "redo" : undefined;
}
