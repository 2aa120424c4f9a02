// Which words of one text another does not have.

export interface Piece {
  readonly text: string;
  /** Not in the other text. */
  readonly isNew: boolean;
}

/** Comparisons at most; beyond that, all between the common beginning and the common end counts as new. */
const mostSteps = 2_000_000;

const wordsOf = (text: string): string[] => text.match(/\s+|[^\s]+/gu) ?? [];

/** `text` in pieces, those marked that `other` lacks. */
export function differ(text: string, other: string): readonly Piece[] {
  const a = wordsOf(text), b = wordsOf(other);
  let start = 0, end = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start++;
  while (end < a.length - start && end < b.length - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end++;
  const middle = a.slice(start, a.length - end);
  const kept = common(middle, b.slice(start, b.length - end));
  const marks = [...a.slice(0, start).map(() => false), ...kept.map((is) => !is), ...a.slice(a.length - end).map(() => false)];
  const out: { text: string; isNew: boolean }[] = [];
  a.forEach((word, i) => {
    const last = out.at(-1);
    // A blank between two new words belongs to them.
    const isNew = marks[i]! || (!word.trim() && !!last?.isNew && !!marks[i + 1]);
    if (last?.isNew === isNew) last.text += word;
    else out.push({ text: word, isNew });
  });
  return out;
}

/** Which words of a are in a longest common subsequence with b. */
function common(a: readonly string[], b: readonly string[]): boolean[] {
  const is = a.map(() => false);
  if (!a.length || !b.length || a.length * b.length > mostSteps) return is;
  const width = b.length + 1;
  const most = new Uint16Array((a.length + 1) * width); // of a from i and b from j on
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      most[i * width + j] = a[i] === b[j] ? most[(i + 1) * width + j + 1]! + 1 : Math.max(most[(i + 1) * width + j]!, most[i * width + j + 1]!);
    }
  }
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    if (a[i] === b[j]) is[i++] = !!++j;
    else if (most[(i + 1) * width + j]! >= most[i * width + j + 1]!) i++;
    else j++;
  }
  return is;
}
