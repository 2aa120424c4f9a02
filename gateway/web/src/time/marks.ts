// Marks on the board that is replayed: what was just changed, for a moment; what was refused, as long as one is there. The
// cards know nothing of it: they are drawn as they are on the board of now.

import { useEffect } from "preact/hooks";
import type { RefObject } from "preact";

import { ghostOf } from "../board/flight.js";
import { elementOf } from "../board/focus.js";
import { shown } from "../board/lift.js";
import { changedThings, triedOn } from "./concerned.js";
import type { Player } from "./player.js";

/** How long a change is marked, in milliseconds. */
const lasting = 1800;

/** How long a copy of a card goes where it was to go, and comes back, in milliseconds. */
const trying = 1000;

const still = matchMedia("(prefers-reduced-motion: reduce)");

/** The marks by the ids of what has them. */
function put(root: HTMLElement, marks: ReadonlyMap<string, string>): void {
  for (const e of root.querySelectorAll<HTMLElement>("[data-past]")) if (marks.get(e.dataset["id"] ?? "") !== e.dataset["past"]) delete e.dataset["past"];
  for (const [id, mark] of marks) {
    const e = elementOf(id);
    if (e && e.dataset["past"] !== mark) e.dataset["past"] = mark;
  }
}

/** For how many frames a card is waited for that is not in the page yet. */
const patience = 120;

/** What is to be seen: no earlier one is scrolled to any more. */
let wanted: string | undefined;

/** Scrolls to a card or column; of a long column not all cards are in the page, so first to about where it stands. */
function reveal(id: string): void {
  wanted = id;
  const show = () => wanted === id && elementOf(id)?.scrollIntoView({ block: "nearest", inline: "nearest" });
  if (!elementOf(id)) {
    const [column, cards] = [...shown].find(([parent, ids]) => parent && ids.includes(id)) ?? [];
    const list = column === undefined ? null : document.querySelector<HTMLElement>(`ul.cards[data-column="${CSS.escape(column)}"]`);
    if (!list || !cards) return;
    list.closest(".column")?.scrollIntoView({ inline: "nearest", block: "nearest" });
    const approach = () => (list.scrollTop = (list.scrollHeight * cards.indexOf(id)) / cards.length - list.clientHeight / 2);
    approach();
    let [left, seen] = [patience, 0];
    const wait = () => {
      if (wanted !== id || left-- <= 0) return;
      const before = elementOf(id)?.getBoundingClientRect().top;
      if (before === undefined) approach(); // the list was not as long yet
      show();
      // Until it stays: its neighbours, new in the page, are still being measured.
      seen = before !== undefined && before === elementOf(id)?.getBoundingClientRect().top ? seen + 1 : 0;
      if (seen < 3) requestAnimationFrame(wait);
    };
    requestAnimationFrame(wait);
  }
  show();
}

/** Shows what was tried: a copy of the card goes to the column and snaps back. Gives what ends it. */
function attempt(id: string, into: string, speed: number): () => void {
  const card = elementOf(id);
  const list = document.querySelector(`ul.cards[data-column="${CSS.escape(into)}"]`);
  if (still.matches || !card?.matches(".card") || !list || list.contains(card)) return () => {};
  const [from, to] = [card.getBoundingClientRect(), list.getBoundingClientRect()];
  const copy = ghostOf(card, from);
  copy.classList.add("past-attempt");
  const there = `translate(${to.left + (to.width - from.width) / 2 - from.left}px, ${to.top + 8 - from.top}px)`;
  const way = [{ transform: "none" }, { transform: there, offset: 0.45 }, { transform: there, offset: 0.65 }, { transform: "none" }];
  const end = () => copy.remove();
  copy.animate(way, { duration: trying / speed, easing: "ease-in-out" }).finished.then(end, end);
  return end;
}

export function useMarks(root: RefObject<HTMLElement | null>, player: Player): void {
  const { spot, changed, stretch, index, state, speed, past } = player;
  const { tried } = spot.value;
  const isThere = state.value === "ready";
  const changes = changed.value;
  const d = stretch.value.decisions[index.value];
  useEffect(() => {
    if (!isThere) return undefined;
    const marks = new Map<string, string>();
    const get = past.store.get;
    if (tried !== undefined && d?.id === tried) {
      const { on, into } = triedOn(d.changes ?? [], get);
      if (into) marks.set(into, "wanted");
      if (on) marks.set(on, "refused");
    } else for (const id of changedThings(d?.events ?? [], changes, get)) marks.set(id, "changed");
    const [first] = [...marks].findLast(([, mark]) => mark !== "wanted") ?? [];
    const [into] = [...marks].find(([, mark]) => mark === "wanted") ?? [];
    let tries = () => {};
    let frame = 0;
    const begin = requestAnimationFrame(() => {
      if (first !== undefined) reveal(first);
      if (first !== undefined && into !== undefined) tries = attempt(first, into, speed.peek());
      again();
    });
    const again = () => {
      cancelAnimationFrame(frame);
      frame = requestAnimationFrame(() => root.current && put(root.current, marks));
    };
    // What comes into sight by scrolling is marked, too.
    document.addEventListener("scroll", again, { capture: true, passive: true });
    const timer = tried === undefined ? setTimeout(() => {
      marks.clear();
      again();
    }, lasting) : undefined;
    return () => {
      cancelAnimationFrame(begin);
      cancelAnimationFrame(frame);
      clearTimeout(timer);
      tries();
      document.removeEventListener("scroll", again, { capture: true });
      if (root.current) put(root.current, new Map());
    };
  }, [spot.value, isThere, changes, d]);
}
