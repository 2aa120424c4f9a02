// Several items at once.

/** How many changes one mutation takes. */
const most = 100;

/** The lines that say something, without the bullets and boxes that lists have elsewhere. */
export function linesOf(text: string): readonly string[] {
  return text.split(/\r\n|[\n\r\u2028\u2029]/).map((line) => line.replace(/^\s*(?:[-*•‣]\s+)?(?:\[[ xX]?\]\s+)?/u, "").trim()).filter(Boolean);
}

/** In portions of one mutation each. */
export function portions<T>(all: readonly T[]): readonly (readonly T[])[] {
  const out: T[][] = [];
  for (let i = 0; i < all.length; i += most) out.push(all.slice(i, i + most));
  return out;
}
