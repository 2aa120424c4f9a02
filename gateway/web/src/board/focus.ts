// The focus stays on a card while the card is drawn anew: in another column, at another place, after a snap-back. If the card
// is gone, it goes to its neighbour.

import { effect, signal } from "@preact/signals";
import { useLayoutEffect } from "preact/hooks";
import type { RefObject } from "preact";

import { route } from "../route.js";
import { renaming } from "../ui.js";
import { heir } from "./place.js";
import { shown } from "./lift.js";
import { useTold } from "./told.js";

/** The card or column that has the focus, or had it before it was drawn anew. It stays mounted. */
export const focused = signal<string | undefined>(undefined);

/** Which part of it; "" is the card's title or the column's head. */
let part = "";
/** Where it stood before it went, among whom, and among which columns. */
let left: { readonly parent: string; readonly list: readonly string[]; readonly columns: readonly string[] } | undefined;
/** The columns before the newest change of them: one may be gone before its cards are. */
let columnsWere: readonly string[] = [];
/** What is to have the focus as soon as it is mounted. */
let wanted: string | undefined;
/** What is to be seen as soon as all is drawn. */
let looked: string | undefined;
let asked = false;

const parts = [".like", ".card [aria-haspopup]", ".column-head [aria-haspopup]", ".adder"];

export const elementOf = (id: string): HTMLElement | null => document.querySelector(`:is(.card, .column)[data-id="${CSS.escape(id)}"]`);

function targetIn(element: Element, which = ""): HTMLElement | null {
  return (which && element.querySelector<HTMLElement>(which)) || element.querySelector<HTMLElement>(element.matches(".column") ? ".column-head" : ".edit, .card-title");
}

/** The card or column whose keys are meant when the focus is there. */
export function ownerOf(target: EventTarget | null): { readonly id: string; readonly kind: "card" | "column"; readonly element: HTMLElement } | undefined {
  if (!(target instanceof Element)) return undefined;
  const element = target.closest<HTMLElement>(".card[data-id]") ?? target.closest(".column-head")?.closest<HTMLElement>(".column[data-id]");
  const id = element?.dataset["id"];
  return element && id ? { id, kind: element.matches(".card") ? "card" : "column", element } : undefined;
}

/** Gives it the focus, now or as soon as it is mounted. */
export function focusOn(id: string): void {
  part = "";
  wanted = id;
  focused.value = id;
  if (elementOf(id)) settle();
}

/** Has just come to stand in the page. Who takes the focus has the page laid out: that is not for the midst of its drawing. */
export function mounted(id: string): void {
  if (wanted === id || focused.peek() === id) askToSettle();
}

/** What has the focus is about to be drawn in another list: where it goes by itself, the browser styles what is half drawn. */
export function letGo(): void {
  if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
}

/** Scrolls to where it can be seen as soon as all is drawn. */
export function look(id: string): void {
  looked = id;
  askToSettle();
}

/** Scrolls to where it can be seen; once more when its neighbours, new in the page, are measured. */
function reveal(id: string): void {
  const go = () => elementOf(id)?.scrollIntoView({ block: "nearest", inline: "nearest" });
  go();
  requestAnimationFrame(() => requestAnimationFrame(() => focused.peek() === id && go()));
}

/** Nothing has the focus, or what has it is about to go. */
function lost(id: string): boolean {
  const { activeElement } = document;
  return !activeElement || activeElement === document.body || activeElement.closest<HTMLElement>(".card")?.dataset["id"] === id;
}

/** What stands under the parent is now this, in the page as well. */
export function stands(parent: string, list: readonly string[] | undefined): void {
  const was = shown.get(parent);
  if (was && !parent) columnsWere = was;
  if (list) shown.set(parent, list);
  else shown.delete(parent);
  const id = focused.peek();
  if (id === undefined || !was) return;
  if (was.includes(id) && !list?.includes(id)) left = { parent, list: was, columns: columnsShown().includes(parent) ? columnsShown() : columnsWere };
  askToSettle();
}

/** When all that belongs together is drawn. */
function askToSettle(): void {
  if (asked) return;
  asked = true;
  queueMicrotask(settle);
}

/** Is its title edited where it stands? When that is over, the card or column has the focus that its field had. */
export function useRenamed(id: string): boolean {
  const is = useTold(() => renaming.value === id);
  useLayoutEffect(() => (is ? askToSettle : undefined), [is]);
  return is;
}

function settle(): void {
  asked = false;
  const seen = looked;
  looked = undefined;
  if (seen !== undefined) reveal(seen);
  const id = focused.peek();
  if (wanted !== undefined && wanted === id) return take(id);
  if (document.activeElement?.closest("dialog")) return; // it gives the focus back, and then this is asked again
  const from = left;
  left = undefined;
  if (id === undefined || !lost(id)) return;
  const element = elementOf(id);
  if (element?.contains(document.activeElement)) return;
  if (element) return void targetIn(element, part)?.focus({ preventScroll: true });
  if (!from || [...shown.values()].some((list) => list.includes(id))) return;
  const now = shown.get(from.parent) ?? [];
  const isColumn = (x: string) => columnsShown().includes(x);
  const next = heir(from.list, id, (x) => now.includes(x)) ?? (isColumn(from.parent) ? from.parent : heir(from.columns, from.parent, isColumn));
  if (next !== undefined) focusOn(next);
}

/** Gives it the focus that it is to have, if it is mounted. */
function take(id: string): void {
  const element = elementOf(id);
  if (!element) return;
  wanted = undefined;
  reveal(id); // first: where the page is laid out already, the focus has nothing to wait for
  targetIn(element, part)?.focus({ preventScroll: true });
}

const columnsShown = () => shown.get("") ?? [];

const inDialog = (target: EventTarget | null) => target instanceof Element && !!target.closest("dialog");

/** For how many frames a dialog is waited for that is about to go. */
const going = 60;

/** The card's dialog is closed; the card it was opened from may be drawn anew since, or never had the focus. */
function comeBack(card: string, left = going): void {
  const { activeElement } = document;
  if (inDialog(activeElement) && left > 0) return void requestAnimationFrame(() => comeBack(card, left - 1)); // it is not drawn without it yet
  if (activeElement && activeElement !== document.body) return;
  if ([...shown.values()].some((list) => list.includes(card))) focusOn(card);
  else settle();
}

/** Follows the focus on the board. */
export function useFocus(board: RefObject<HTMLElement | null>): void {
  useLayoutEffect(() => { // not later: a dialog that is there from the start may be closed as soon as it is seen
    const come = ({ target }: FocusEvent) => {
      wanted = undefined;
      if (inDialog(target)) return; // what had the focus before gets it back
      const owner = board.current?.contains(target as Node) ? ownerOf(target) : undefined;
      focused.value = owner?.id;
      part = owner && target instanceof Element ? (parts.find((p) => target.matches(p)) ?? "") : "";
    };
    const away = ({ target }: Event) => {
      if (!ownerOf(target) && !inDialog(target)) focused.value = undefined;
    };
    let open: string | undefined;
    const end = effect(() => {
      const was = open;
      open = route.value.page === "board" ? route.value.card : undefined;
      if (was !== undefined && open === undefined) requestAnimationFrame(() => comeBack(was));
    });
    document.addEventListener("focusin", come);
    document.addEventListener("pointerdown", away, true);
    return () => {
      end();
      document.removeEventListener("focusin", come);
      document.removeEventListener("pointerdown", away, true);
      focused.value = undefined;
      shown.clear();
    };
  }, []);
}
