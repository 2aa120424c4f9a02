// The search field in the bar: "/" goes to it, what is typed narrows the board, Enter goes to the first card, Escape back.

import { useEffect, useId, useRef, useState } from "preact/hooks";

import { cardsIn, columnsOf } from "../actions.js";
import { focusOn } from "../board/focus.js";
import { useDesk, type Desk } from "../desk.js";
import { Icon } from "../parts/Icon.js";
import { announce } from "../say.js";
import { filter } from "../ui.js";
import { say } from "../words/words.js";
import { filterNow, narrow } from "./filter.js";

/** The board follows what is typed so much later, in milliseconds: typing itself waits for nothing. */
const pause = 90;

export function Search() {
  const desk = useDesk();
  const [typed, setTyped] = useState(filter.value.words);
  const input = useRef<HTMLInputElement>(null);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const id = useId();
  const { words } = filter.value;
  useEffect(() => {
    if (timer.current === undefined) setTyped(words); // cleared elsewhere
  }, [words]);
  useEffect(() => onSlash(() => input.current), []);
  useEffect(() => () => clearTimeout(timer.current), []);
  const settle = (text: string) => {
    clearTimeout(timer.current);
    timer.current = undefined;
    if (filter.value.words !== text) narrow({ words: text });
  };
  const type = (text: string) => {
    setTyped(text);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => settle(text), pause);
  };
  return (
    <div class="search-field">
      <Icon name="search" />
      <input
        ref={input} type="search" dir="auto" aria-label={say("search.label")} placeholder={say("search.placeholder")} title={say("search.hint")}
        aria-describedby={id} aria-keyshortcuts="/" autocomplete="off" enterkeyhint="search" value={typed} onInput={(e) => type(e.currentTarget.value)}
        onKeyDown={(e) => {
          if (e.isComposing) return;
          if (e.key === "Escape") {
            e.preventDefault();
            e.stopPropagation();
            if (!typed) return input.current?.blur();
            setTyped("");
            settle("");
          } else if (e.key === "Enter") {
            e.preventDefault();
            settle(typed);
            requestAnimationFrame(() => goToFirst(desk));
          }
        }}
      />
      {!typed && <kbd aria-hidden="true">/</kbd>}
      <span id={id} class="unseen">{say("search.hint")}</span>
    </div>
  );
}

/**
 * Gives the field the focus at "/", unless somebody types or something lies over the page. As long as the key is down it is
 * not meant as text: not every keyboard takes the character back with the key.
 */
function onSlash(field: () => HTMLInputElement | null): () => void {
  const end = new AbortController();
  const { signal } = end;
  let isDown = false;
  const over = "dialog[open], .menu:popover-open, .pop:popover-open";
  document.addEventListener("keydown", (e) => {
    if (e.key !== "/" || e.defaultPrevented || e.ctrlKey || e.metaKey || e.altKey || document.querySelector(over)) return;
    if (e.target instanceof Element && e.target.closest("input, textarea, select, [contenteditable]")) return;
    e.preventDefault();
    isDown = true;
    field()?.focus();
    field()?.select();
  }, { signal });
  document.addEventListener("beforeinput", (e) => isDown && e.data === "/" && e.preventDefault(), { signal });
  document.addEventListener("keyup", () => (isDown = false), { signal });
  return () => end.abort();
}

/** The focus to the first card shown, from the first column on. */
function goToFirst(desk: Desk): void {
  const matches = filterNow(desk.store);
  for (const { id } of columnsOf(desk)) {
    const card = cardsIn(desk, id).find(matches);
    if (card) return focusOn(card.id);
  }
  announce(say("search.nothing"));
}
