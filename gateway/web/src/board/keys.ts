// The keys of the board. On a card (its title) or a column (its head): arrows go from one to the other, Space lifts, then
// arrows carry; letters do what the menu does. They do nothing where somebody types, nor with the browser's modifiers.

import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { RefObject } from "preact";

import type { Card, Column } from "@snapback/client";

import { archive, cardsIn, columnsOf } from "../actions.js";
import { nameOf, type Desk } from "../desk.js";
import { announce } from "../say.js";
import { moving, renaming } from "../ui.js";
import { direction, say } from "../words/words.js";
import { elementOf, focusOn, focused, letGo, look, ownerOf } from "./focus.js";
import { aim, isFullFor, lift, lifted, others, putBack, putDown, shown } from "./lift.js";
import { indexOf, nearest, numberOf, stepCard, stepColumn, wayOf, type Way } from "./place.js";

/** Is the list of all keys open? */
export const helping = signal(false);
/** The column in which a card is to be added. */
export const adding = signal<string | undefined>(undefined);

const rtl = direction === "rtl";

const typing = (target: EventTarget | null) =>
  target instanceof Element && !!target.closest("input, textarea, select, [contenteditable], dialog, [popover], [role=menu]");

/** Where what is lifted would land, in words. */
function whereabouts(desk: Desk): string {
  const now = lifted.value!;
  const list = others(now.parent, now.id);
  const params = { what: nameOf(desk.store.get(now.id)) ?? "", place: indexOf(list, now) + 1, count: list.length + 1 };
  if (now.kind === "column") return say("board.columnAt", params);
  const column = desk.store.get<Column>(now.parent);
  const said = say("board.cardAt", { ...params, column: column?.title ?? "" });
  const count = cardsIn(desk, now.parent).length;
  const foreign = desk.store.get<Card>(now.id)?.columnId !== now.parent;
  if (!column || !foreign || !isFullFor(column, count)) return said;
  return `${said}. ${say("board.isFull", { column: column.title, count, limit: column.wipLimit! })}`;
}

/** The same for the place where it stands, in the page as soon as that is drawn. */
function standing(desk: Desk, id: string): string {
  const thing = desk.store.get<Card | Column>(id);
  const what = nameOf(thing) ?? "";
  const parent = thing?.kind === "card" ? thing.columnId : "";
  if (parent && !shown.has(parent)) return say("board.liftedGone", { what }); // its column was archived
  const list = others(parent, id);
  const all = parent ? cardsIn(desk, parent) : columnsOf(desk);
  const params = { what, place: numberOf(id, all.map((e) => e.id), list), count: list.length + 1 };
  return parent ? say("board.cardAt", { ...params, column: nameOf(desk.store.get(parent)) ?? "" }) : say("board.columnAt", params);
}

function carry(desk: Desk, way: Way): void {
  const now = lifted.value!;
  const next = now.kind === "card"
    ? stepCard(shown.get("") ?? [], (column) => others(column, now.id), now, way)
    : stepColumn(others("", now.id), now, way);
  if (next) {
    if (now.kind === "card" && next.parent !== now.parent) letGo();
    aim(next);
    look(now.id);
  }
  announce(whereabouts(desk));
}

/** Keys while something is lifted by key; all are its own. */
function whileLifted(desk: Desk, e: KeyboardEvent): void {
  const { id } = lifted.value!;
  const way = wayOf(e.key, rtl);
  if (way) carry(desk, way);
  else if (e.key === " " || e.key === "Enter") {
    const where = whereabouts(desk);
    putDown(desk);
    announce(say("board.putDown", { where }));
  } else if (e.key === "Escape") {
    putBack(desk);
    requestAnimationFrame(() => announce(say("board.putBack", { where: standing(desk, id) }))); // when it stands there
  } else if (e.key === "Tab") {
    putBack(desk);
    return;
  }
  e.preventDefault();
  e.stopPropagation();
}

/** Moves the focus from a card or column to the next. */
function go(id: string, kind: "card" | "column", element: HTMLElement, way: Way): void {
  const columns = shown.get("") ?? [];
  const column = kind === "card" ? element.closest<HTMLElement>(".column")?.dataset["id"] ?? "" : id;
  const cards = shown.get(column) ?? [];
  if (way === "back" || way === "on") {
    const to = columns[columns.indexOf(column) + (way === "on" ? 1 : -1)];
    if (to !== undefined) focusOn(kind === "column" ? to : beside(element, to));
    return;
  }
  const at = kind === "card" ? cards.indexOf(id) : -1;
  const next = way === "up" ? at - 1 : way === "down" ? at + 1 : way === "first" ? 0 : cards.length - 1;
  if (next === -1) focusOn(column);
  else if (next >= 0 && cards[next] !== undefined) focusOn(cards[next]);
}

/** The card of that column that stands beside the element, else the column. */
function beside(element: HTMLElement, column: string): string {
  const span = (e: Element) => {
    const box = e.getBoundingClientRect();
    return { start: box.top, size: box.height };
  };
  const cards = [...(elementOf(column)?.querySelectorAll<HTMLElement>(".cards > .card") ?? [])];
  const { start, size } = span(element);
  return cards[nearest(cards.map(span), start + size / 2)]?.dataset["id"] ?? shown.get(column)?.[0] ?? column;
}

function act(desk: Desk, key: string, id: string, kind: "card" | "column", element: HTMLElement, editable: boolean): boolean {
  const column = element.closest<HTMLElement>(".column")?.dataset["id"] ?? "";
  if (key === "l" && kind === "card") {
    element.querySelector<HTMLButtonElement>(".like")?.click();
    return true;
  }
  if (!editable) return false;
  switch (key) {
    case " ":
      if (lift(desk, id, "keys")) announce(say("board.lifted", { where: whereabouts(desk) }));
      return true;
    case "f2": case "e": renaming.value = id; return true;
    case "m": moving.value = id; return true;
    case "c": archive(desk, id); return true;
    case "n": adding.value = column; return true;
    default: return false;
  }
}

/** Has the board listen to keys. */
export function useKeys(board: RefObject<HTMLElement | null>, desk: Desk, editable: boolean): void {
  useEffect(() => {
    const root = board.current!;
    const pressed = (e: KeyboardEvent) => {
      if (e.defaultPrevented || e.ctrlKey || e.metaKey || e.altKey || e.isComposing || typing(e.target)) return;
      if (lifted.value?.by === "keys") return whileLifted(desk, e);
      if (lifted.value) return;
      const owner = ownerOf(e.target);
      // A button in the card has Space and Enter for itself; letters and arrows are the card's there as well.
      const onIt = e.target instanceof Element && e.target.matches(".card-title, .column-head");
      if (!owner || (!onIt && (e.key === " " || e.key === "Enter"))) return;
      const { id, kind, element } = owner;
      const way = wayOf(e.key, rtl);
      if (way) go(id, kind, element, way);
      else if (kind === "column" && e.key === "Enter" && editable) renaming.value = id;
      else if (!act(desk, e.key.toLowerCase(), id, kind, element, editable)) return;
      e.preventDefault();
    };
    // From anywhere: who looks for the keys is at none of them yet.
    const asked = (e: KeyboardEvent) => {
      if (e.key !== "?" || e.defaultPrevented || e.ctrlKey || e.metaKey || e.altKey || e.isComposing || typing(e.target) || lifted.value) return;
      if (document.querySelector("dialog:modal")) return;
      helping.value = true;
      e.preventDefault();
    };
    // Whoever goes elsewhere lets go of it.
    const strayed = () => {
      const now = lifted.value;
      if (now?.by === "keys" && focused.value !== now.id) putBack(desk);
    };
    root.addEventListener("keydown", pressed);
    addEventListener("keydown", asked);
    const end = focused.subscribe(strayed);
    return () => {
      root.removeEventListener("keydown", pressed);
      removeEventListener("keydown", asked);
      end();
      if (lifted.value) putBack(desk);
    };
  }, [desk, editable]);
}
