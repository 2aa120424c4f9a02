// Links in what people write.

/** A piece of a text; what has an href is a link. */
export interface Piece {
  readonly text: string;
  readonly href?: string;
}

const address = /\bhttps?:\/\/[^\s<>"“”«»]+/giu;
/** What ends a sentence rather than an address. */
const trailing = /[.,;:!?'’…*_]$/u;

/** The text in pieces, addresses of http and https apart. */
export function pieces(text: string): readonly Piece[] {
  const all: Piece[] = [];
  let from = 0;
  for (const { 0: found, index } of text.matchAll(address)) {
    const link = trimmed(found);
    if (!URL.canParse(link)) continue;
    if (index > from) all.push({ text: text.slice(from, index) });
    all.push({ text: link, href: link });
    from = index + link.length;
  }
  if (from < text.length) all.push({ text: text.slice(from) });
  return all;
}

/** Without the punctuation of the sentence around it; a bracket belongs to it if it was opened in it. */
function trimmed(link: string): string {
  let end = link.length;
  for (;;) {
    const last = link[end - 1]!;
    const opening = { ")": "(", "]": "[", "}": "{" }[last];
    const isOpen = opening && count(link, last, end) > count(link, opening, end);
    if (!isOpen && !trailing.test(link.slice(0, end))) return link.slice(0, end);
    end--;
  }
}

function count(text: string, letter: string, end: number): number {
  let n = 0;
  for (let i = 0; i < end; i++) if (text[i] === letter) n++;
  return n;
}
