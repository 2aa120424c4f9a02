// A made-up language: English between marks, longer, and written from right to left. A text on the page that has no marks
// does not come from the catalogue; a place that is too narrow for it is too narrow for German.

const RLO = "\u202e"; // what follows is shown from right to left, as Arabic would be
const PDF = "\u202c";

/** The text as the made-up language has it; what stands in {braces} stays. */
export function pseudo(text: string): string {
  const parts = text.split(/(\{\w+\})/).map((part) => (part.startsWith("{") || !part ? part : RLO + part + PDF));
  return `⟦${parts.join("")}${"·".repeat(Math.ceil(text.length / 4))}⟧`;
}
