// What people wrote, with its line breaks; addresses in it are links.

import { useMemo } from "preact/hooks";

import { pieces } from "./links.js";

export function Prose({ text }: { readonly text: string }) {
  const all = useMemo(() => pieces(text), [text]);
  return (
    <p class="prose" dir="auto">
      {all.map(({ text, href }, i) => (href ? <a key={i} href={href} target="_blank" rel="noopener noreferrer" dir="ltr">{text}</a> : text))}
    </p>
  );
}
