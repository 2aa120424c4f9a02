// Two texts where there is room for one: mine in the editor above, theirs here, and what can be done about it.

import { useMemo } from "preact/hooks";

import { say } from "../words/words.js";
import { differ } from "./differ.js";

export function Choice({ theirs, mine, by, onMine, onTheirs, onAside }: {
  readonly theirs: string;
  readonly mine: string;
  /** Who has changed it, in words. */
  readonly by: string;
  onMine(): void;
  onTheirs(): void;
  onAside(): void;
}) {
  const pieces = useMemo(() => differ(theirs, mine), [theirs, mine]);
  const keepFocus = (e: MouseEvent) => e.preventDefault();
  return (
    <div class="edit-choice" role="group" aria-label={by}>
      <p class="edit-trouble" role="alert">{by}. {say("texts.choose")}</p>
      <p class="edit-whose">{say("texts.theirs")}</p>
      <blockquote dir="auto" tabIndex={0} class="edit-theirs" aria-label={say("texts.theirs")}>
        {theirs ? pieces.map(({ text, isNew }, i) => (isNew ? <mark key={i}>{text}</mark> : text)) : <em>{say("texts.empty")}</em>}
      </blockquote>
      <p class="edit-buttons">
        <button type="button" class="primary" onMouseDown={keepFocus} onClick={onMine}>{say("texts.useMine")}</button>
        <button type="button" class="second" onMouseDown={keepFocus} onClick={onTheirs}>{say("texts.useTheirs")}</button>
        <button type="button" class="second" onMouseDown={keepFocus} onClick={onAside}>{say("texts.cancel")}</button>
      </p>
    </div>
  );
}
