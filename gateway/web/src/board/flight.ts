// Cards that change place fly there: measured before the page is drawn anew, and after, and moved from the one to the other
// by a transform. Nothing in the card changes for it. What cannot be seen costs nothing.

import type { Card, Entity, Store } from "@snapback/client";

import { afterPaint, whenDrawn } from "../frame.js";

/** Milliseconds: a move, and a way home. */
const usual = 180;
const home = 340;

/**
 * So many at most make room by sliding: each becomes a layer of its own, and twenty of them cost as much as all the rest of
 * a move. When there are more, only what is moved flies.
 */
const mostSliding = 8;

interface Seen {
  readonly box: DOMRect;
  readonly parent: Element | null;
}

const reduced = typeof matchMedia === "undefined" ? undefined : matchMedia("(prefers-reduced-motion: reduce)");
/** Without frames nothing would ever arrive. */
const isUnseen = () => reduced?.matches || document.hidden;

/** Where the cards stood at the last painting, of the columns in which something is about to change. */
let before = new Map<string, Seen>();
let measured = new Set<string>();
/** Those that fly home. */
let homing = new Set<string>();
/** Those that were let go, and what was under the pointer there: it flies on, with the card itself unseen. */
interface Thrown {
  readonly box: DOMRect;
  readonly ghost: HTMLElement;
  readonly unseen: Animation | undefined;
}
let thrown = new Map<string, Thrown>();
let slowly = false;
let isStill = false;

const selector = (parent: string) => (parent ? `ul.cards[data-column="${CSS.escape(parent)}"] > .card` : ".columns > .column[data-id]");
const standing = (id: string) => `[data-id="${CSS.escape(id)}"]:is(.card, .column)`;
const inView = (b: DOMRect) => b.bottom > 0 && b.right > 0 && b.top < innerHeight && b.left < innerWidth;

function measure(parent: string): void {
  if (measured.has(parent)) return;
  measured.add(parent);
  for (const li of document.querySelectorAll<HTMLElement>(selector(parent))) {
    const box = li.getBoundingClientRect();
    if (inView(box)) before.set(li.dataset["id"]!, { box, parent: li.parentElement });
  }
}

/** Something changes in these columns (under "": the order of the columns): what is seen of it will move. */
function over(parents: readonly string[], { slow = false } = {}): void {
  if (isUnseen()) return;
  for (const parent of new Set(parents)) measure(parent);
  slowly ||= slow;
  whenDrawn(play);
}

/** What is done in there moves nothing that is seen: it is where it is already. */
function still<T>(fn: () => T): T {
  isStill = true;
  try {
    return fn();
  } finally {
    isStill = false;
  }
}

/** It is let go: the copy that was under the pointer flies on, to where the thing is drawn next time. */
function land(id: string, ghost: HTMLElement): void {
  if (isUnseen()) return afterPaint(() => ghost.remove()); // with the gap
  const box = ghost.getBoundingClientRect();
  ghost.classList.remove("dragged");
  const li = document.querySelector<HTMLElement>(standing(id));
  thrown.set(id, { box, ghost, unseen: li ? hide(li) : undefined }); // now, and not when the page is laid out anew
  over([]);
}

function play(): void {
  const [was, columns, letGo, back, slow] = [before, measured, thrown, homing, slowly];
  [before, measured, thrown, homing, slowly] = [new Map(), new Set(), new Map(), new Set(), false];
  const flying: (() => void)[] = [];
  const sliding: (() => void)[] = [];
  const seen = new Set<string>();
  const look = (li: HTMLElement) => {
    const id = li.dataset["id"]!;
    if (seen.has(id)) return;
    seen.add(id);
    const box = li.getBoundingClientRect();
    const thrown = letGo.get(id);
    const old = thrown?.box ?? was.get(id)?.box;
    if (!old || !inView(box) || (!thrown && li.dataset["lifted"] === "pointer")) return; // what is under the pointer is only a gap here
    const [x, y] = [old.left - box.left, old.top - box.top];
    if (Math.abs(x) < 1 && Math.abs(y) < 1) return;
    const duration = slow || back.has(id) ? home : usual;
    letGo.delete(id);
    if (thrown) flying.push(() => flyOn(li, box, duration, thrown));
    else if (was.get(id)?.parent !== li.parentElement) flying.push(() => fly(li, box, x, y, duration));
    else sliding.push(() => slide(li, x, y, duration));
  };
  // All is read first, then all is set in motion.
  for (const parent of columns) document.querySelectorAll<HTMLElement>(selector(parent)).forEach(look);
  for (const id of [...letGo.keys()]) document.querySelectorAll<HTMLElement>(standing(id)).forEach(look);
  for (const { ghost, unseen } of letGo.values()) { // there already, or nowhere
    afterPaint(() => { // with the gap
      unseen?.cancel();
      ghost.remove();
    });
  }
  for (const move of sliding.length > mostSliding ? flying : [...flying, ...sliding]) move();
}

const easing = "cubic-bezier(.2, .8, .3, 1)";

function slide(li: HTMLElement, x: number, y: number, duration: number): void {
  li.animate([{ transform: `translate(${x}px, ${y}px)` }, { transform: "none" }], { duration, easing });
}

const hide = (li: HTMLElement): Animation => li.animate({ opacity: [0, 0] }, { duration: 10 * home });

/** Over the edges of the lists: as a copy above them all, the card itself stays unseen meanwhile. */
function fly(li: HTMLElement, box: DOMRect, x: number, y: number, duration: number): void {
  carry(hide(li), ghostOf(li, box), [`translate(${x}px, ${y}px)`, "none"], duration);
}

/** The same with the copy there is: it is placed by its transform alone. */
function flyOn(li: HTMLElement, to: DOMRect, duration: number, { box, ghost, unseen }: Thrown): void {
  const isIt = unseen?.effect instanceof KeyframeEffect && unseen.effect.target === li;
  if (!isIt) unseen?.cancel(); // drawn anew since
  carry(isIt ? unseen : hide(li), ghost, [`translate(${box.left}px, ${box.top}px)`, `translate(${to.left}px, ${to.top}px)`], duration);
}

function carry(unseen: Animation, copy: HTMLElement, transform: string[], duration: number): void {
  const end = () => {
    unseen.cancel();
    copy.remove();
  };
  copy.animate({ transform }, { duration, easing }).finished.then(end, end);
}

/** A copy of what stands there, above all, that neither keys nor screen readers find. */
export function ghostOf(li: HTMLElement, box: DOMRect): HTMLElement {
  const copy = li.cloneNode(true) as HTMLElement;
  for (const e of [copy, ...copy.querySelectorAll<HTMLElement>("[id], [data-id]")]) {
    e.removeAttribute("id");
    e.removeAttribute("data-id");
  }
  if (copy.dataset["lifted"] === "keys") copy.classList.add("carried");
  copy.removeAttribute("data-lifted");
  copy.inert = true;
  copy.setAttribute("aria-hidden", "true");
  const layer = document.createElement(li.tagName === "LI" ? "ul" : "div");
  layer.className = "ghost";
  layer.style.cssText = `left: ${box.left}px; top: ${box.top}px; width: ${box.width}px; height: ${box.height}px`;
  layer.append(copy);
  document.body.append(layer);
  return layer;
}

const parentIn = (e: Entity | undefined): string | undefined =>
  e?.kind === "card" ? (e as Card).columnId : e?.kind === "column" ? "" : undefined;

/** So many moves by others in so many milliseconds are followed by the eye; what is more is shown at once. */
const most = 3;
const span = 600;

/** Watches what the store changes. Gives what ends it. */
function watch(store: Store): () => void {
  let times: number[] = [];
  const isTooMuch = () => {
    const now = performance.now();
    times = [...times.filter((t) => t > now - span), now].slice(-most - 1);
    return times.length > most;
  };
  const ends = [
    store.subscribe((changes) => {
      const parents: string[] = [];
      for (const { before, after } of changes) {
        const [a, b] = [parentIn(before), parentIn(after)];
        if (a === undefined && b === undefined) continue;
        if (a === b && before?.["position"] === after?.["position"] && before?.["archived"] === after?.["archived"]) continue;
        if (a !== undefined) parents.push(a);
        if (b !== undefined) parents.push(b);
      }
      if (parents[0] !== undefined && !isStill && !isTooMuch()) over(parents);
    }),
    // The view is as it was, the page is drawn after this: what is refused flies home even when much else moves.
    store.onRollback(({ changes }) => {
      for (const { entityId: id } of changes) {
        const li = document.querySelector(`.card[data-id="${CSS.escape(id)}"]`);
        const from = li?.closest<HTMLElement>(".cards")?.dataset["column"];
        const to = parentIn(store.get(id));
        if (from === undefined || to === undefined) continue;
        homing.add(id);
        over([from, to]);
      }
    }),
  ];
  return () => ends.forEach((end) => end());
}

export const flight = { over, land, still, watch };
