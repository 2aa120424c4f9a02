// How a text is stored (DOMAIN.md): so it is sent, and so a precondition is held against it.

/** Fields of one line. A comment's text has several, an item's has one. */
export const isLine = (field: string, kind: string | undefined): boolean =>
  field === "title" || field === "name" || (field === "text" && kind === "item");

/** Fields that are never without a text. */
export const isRequired = (field: string, kind: string | undefined): boolean =>
  field === "text" || (field === "title" && kind !== "checklist") || (field === "name" && kind !== "label" && kind !== "member");

/** What is typed, as it is stored. What is pasted into one line is one line; of several lines only the end is trimmed. */
export function stored(text: string, oneLine: boolean): string {
  const whole = text.replace(/\r\n?/g, "\n").normalize();
  return oneLine ? whole.replace(/[\n\t\u2028\u2029]+/g, " ").trim() : whole.trimEnd();
}
