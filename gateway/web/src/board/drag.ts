// Dragging cards, and columns by their head, with mouse, pen or finger. A finger holds first; one that moves at once scrolls.
//
// The card stays where it would land, as a gap, by the same preview as with the keys (lift.ts): that is drawn when the place
// changes, not when the pointer moves. What follows the pointer is a copy, so the card itself may be changed, moved or deleted
// by others meanwhile, and its list be windowed.

import { useEffect } from "preact/hooks";
import type { RefObject } from "preact";

import type { Desk } from "../desk.js";
import { afterPaint } from "../frame.js";
import { flight, ghostOf } from "./flight.js";
import { elementOf } from "./focus.js";
import { aim, lift, lifted, others, putBack, putDown } from "./lift.js";
import { nearest, pull, slotAt, spotAt } from "./place.js";
import { direction } from "../words/words.js";

const far = 6; // px a mouse moves before it drags
const hold = 280; // ms a finger rests before it drags
const speed = 1.1; // px/ms at which an edge pulls at most
const line = 24; // px a wheel goes that counts in lines

const sign = direction === "rtl" ? -1 : 1;

interface Press {
  readonly thing: HTMLElement;
  readonly target: EventTarget;
  readonly pointer: number;
  readonly x: number;
  readonly y: number;
  readonly isTouch: boolean;
  readonly timer?: number;
}

interface Drag {
  readonly id: string;
  readonly kind: "card" | "column";
  readonly ghost: HTMLElement;
  /** From the pointer to the corner of the ghost. */
  readonly dx: number;
  readonly dy: number;
  /** Where the pointer was when it was looked what is under it. */
  x: number;
  y: number;
  at: number;
  frame: number;
}

/** Lets what stands on the board be dragged. */
export function useDrag(board: RefObject<HTMLElement | null>, desk: Desk, editable: boolean): void {
  useEffect(() => (editable ? draggable(board.current!, desk) : undefined), [desk, editable]);
}

function draggable(root: HTMLElement, desk: Desk): () => void {
  let press: Press | undefined;
  let drag: Drag | undefined;
  let watching: (() => void) | undefined;
  let x = 0;
  let y = 0;

  // Over the whole page, for its cursor: to give all that is there another one takes longer than to draw a move.
  const cover = document.createElement("div");
  cover.className = "drag-cover";
  cover.addEventListener("wheel", turn, { passive: true });
  cover.addEventListener("contextmenu", (e) => e.preventDefault()); // also of a finger that rests

  const prevent = (e: Event) => drag && e.cancelable && e.preventDefault();

  function down(e: PointerEvent): void {
    if (press || drag || lifted.value || e.button !== 0 || !e.isPrimary || !(e.target instanceof Element)) return;
    if (e.target.closest("button, input, textarea, select, [popover]")) return;
    const thing = e.target.closest<HTMLElement>(".card[data-id]") ?? e.target.closest(".column-head")?.closest<HTMLElement>(".column[data-id]");
    if (!thing) return;
    const isTouch = e.pointerType === "touch";
    [x, y] = [e.clientX, e.clientY];
    press = {
      thing, target: e.target, pointer: e.pointerId, x, y, isTouch,
      ...(isTouch ? { timer: window.setTimeout(begin, hold) } : {}),
    };
    // Touch events go to where the finger came down, even when that has left the page.
    e.target.addEventListener("touchmove", prevent, { passive: false });
    addEventListener("pointermove", move);
    addEventListener("pointerup", up);
    addEventListener("pointercancel", cancel);
    addEventListener("keydown", escape, true);
    addEventListener("blur", cancel);
  }

  function move(e: PointerEvent): void {
    if (!press || e.pointerId !== press.pointer) return;
    [x, y] = [e.clientX, e.clientY];
    if (drag || Math.hypot(x - press.x, y - press.y) < far) return;
    if (press.isTouch) forget();
    else begin();
  }

  function begin(): void {
    const { thing, pointer } = press!;
    const id = thing.dataset["id"]!;
    const now = elementOf(id); // it may have been drawn anew since
    if (!now || !lift(desk, id, "pointer")) return forget();
    const box = now.getBoundingClientRect();
    const ghost = ghostOf(now, box);
    ghost.classList.add("dragged");
    drag = {
      id, kind: now.matches(".card") ? "card" : "column", ghost, dx: box.left - press!.x, dy: box.top - press!.y, x: NaN, y: NaN,
      at: performance.now(), frame: requestAnimationFrame(tick),
    };
    if (root.isConnected) catching(() => root.setPointerCapture(pointer)); // the events go on when the card leaves the page
    document.body.append(cover);
    root.classList.add("dragging");
    getSelection()?.removeAllRanges();
    place();
    watching = lifted.subscribe((at) => at?.id !== id && taken());
  }

  /** It is gone, or its column. What is still pressed lifts nothing more. */
  function taken(): void {
    finish();
    forget();
  }

  function place(): void {
    const { ghost, dx, dy } = drag!;
    ghost.style.left = ghost.style.top = "0";
    ghost.style.transform = `translate(${x + dx}px, ${y + dy}px)`;
  }

  function tick(now: number): void {
    if (!drag) return;
    const ms = Math.min(50, now - drag.at);
    drag.at = now;
    drag.frame = requestAnimationFrame(tick);
    place();
    scroll(ms);
    over(drag);
  }

  function over(drag: Drag): void {
    [drag.x, drag.y] = [x, y];
    if (drag.kind === "card") overCards(drag.id);
    else overColumns(drag.id);
  }

  function scroll(ms: number): void {
    const box = root.getBoundingClientRect();
    root.scrollLeft += pull(x, box.left, box.right) * Math.min(speed, box.width / 900) * ms; // a narrow one goes column by column
    const list = drag!.kind === "card" ? listAt() : null;
    if (!list) return;
    const { top, bottom } = list.getBoundingClientRect();
    list.scrollTop += pull(y, top, bottom, 48) * speed * ms;
  }

  /** The wheel turns what is under the cover. */
  function turn({ deltaMode, deltaX, deltaY, shiftKey, ctrlKey }: WheelEvent): void {
    if (ctrlKey) return; // the page is made larger or smaller
    const unit = deltaMode === WheelEvent.DOM_DELTA_PIXEL ? 1 : deltaMode === WheelEvent.DOM_DELTA_LINE ? line : innerHeight;
    const [along, down] = shiftKey && !deltaX ? [deltaY, 0] : [deltaX, deltaY];
    root.scrollLeft += along * unit;
    listAt()?.scrollBy({ top: down * unit });
  }

  const columns = () => [...root.querySelectorAll<HTMLElement>(".columns > .column[data-id]")];

  /** The list of the column that is nearest to the pointer. */
  function listAt(): HTMLElement | null {
    const all = columns();
    const spans = all.map((li) => {
      const { left, width } = li.getBoundingClientRect();
      return { start: left, size: width };
    });
    const inside = spans.findIndex(({ start, size }) => x >= start && x < start + size);
    return all[inside < 0 ? nearest(spans, x) : inside]?.querySelector<HTMLElement>(".cards") ?? null;
  }

  function overCards(id: string): void {
    const list = listAt();
    const parent = list?.dataset["column"];
    if (!list || parent === undefined) return;
    const mounted = [...list.querySelectorAll<HTMLElement>(".card[data-id]")].filter((li) => li.dataset["id"] !== id);
    // By offsets, which a card that is flying to its place has already reached.
    const slot = slotAt(mounted.map((li) => ({ start: li.offsetTop, size: li.offsetHeight })), y - list.getBoundingClientRect().top + list.scrollTop);
    const order = others(parent, id);
    const below = mounted[slot]?.dataset["id"];
    const above = mounted[slot - 1]?.dataset["id"];
    aim(spotAt(parent, order, below !== undefined ? order.indexOf(below) : above !== undefined ? order.indexOf(above) + 1 : 0));
  }

  function overColumns(id: string): void {
    const order = others("", id);
    const spans = columns().filter((li) => li.dataset["id"] !== id).map((li) => ({ start: sign * (li.offsetLeft + li.offsetWidth / 2), size: 0 }));
    const { ghost, dx } = drag!;
    const middle = x + dx + ghost.offsetWidth / 2 - root.getBoundingClientRect().left + root.scrollLeft;
    aim(spotAt("", order, slotAt(spans, sign * middle)));
  }

  function up(e: PointerEvent): void {
    if (!press || e.pointerId !== press.pointer) return;
    if (drag) {
      [x, y] = [e.clientX, e.clientY]; // further than at the last painting, if the hand was quick
      if (x !== drag.x || y !== drag.y) over(drag);
      // The copy flies at once, to where the card stands as a gap; all that comes of it is what is under that flight.
      const { id } = drag;
      finish(() => soon(() => lifted.value?.id === id && putDown(desk)), true);
    }
    forget();
  }

  function cancel(): void {
    if (drag) finish(() => putBack(desk));
    forget();
  }

  function escape(e: KeyboardEvent): void {
    if (!drag || e.key !== "Escape") return;
    e.preventDefault();
    e.stopImmediatePropagation();
    cancel();
  }

  function finish(how?: () => void, isUp = false): void {
    const { id, ghost, frame } = drag!;
    watching?.();
    cancelAnimationFrame(frame);
    drag = undefined;
    cover.remove();
    root.classList.remove("dragging");
    flight.land(id, ghost);
    how?.();
    swallowClick(isUp);
  }

  function forget(): void {
    clearTimeout(press?.timer);
    press?.target.removeEventListener("touchmove", prevent);
    press = undefined;
    removeEventListener("pointermove", move);
    removeEventListener("pointerup", up);
    removeEventListener("pointercancel", cancel);
    removeEventListener("keydown", escape, true);
    removeEventListener("blur", cancel);
  }

  // A pen that is near says that it is one: the browser must not take its strokes for scrolling.
  const hover = (e: PointerEvent) => (root.dataset["pointer"] = e.pointerType);
  const menu = (e: Event) => (drag || press?.isTouch) && e.preventDefault();
  const native = (e: Event) => e.preventDefault();
  root.addEventListener("pointerdown", down);
  root.addEventListener("pointerover", hover);
  root.addEventListener("touchmove", prevent, { passive: false });
  root.addEventListener("contextmenu", menu);
  root.addEventListener("dragstart", native);
  return () => {
    cancel();
    root.removeEventListener("pointerdown", down);
    root.removeEventListener("pointerover", hover);
    root.removeEventListener("touchmove", prevent);
    root.removeEventListener("contextmenu", menu);
    root.removeEventListener("dragstart", native);
  };
}

/** Once: after the painting, or before whatever the user does next. */
function soon(fn: () => void): void {
  const ends = new AbortController();
  const once = () => {
    if (ends.signal.aborted) return;
    ends.abort();
    fn();
  };
  for (const type of ["pointerdown", "keydown"]) addEventListener(type, once, { capture: true, signal: ends.signal });
  afterPaint(once);
}

/** The click that follows when the button is let go, now or later, is the end of the drag and opens nothing. */
function swallowClick(isUp: boolean): void {
  const ends = new AbortController();
  const { signal } = ends;
  const swallow = (e: Event) => {
    e.preventDefault();
    e.stopPropagation();
  };
  const over = () => setTimeout(() => ends.abort());
  addEventListener("click", swallow, { capture: true, signal });
  if (isUp) return void over();
  addEventListener("pointerup", over, { signal });
  addEventListener("pointercancel", over, { signal });
  addEventListener("pointerdown", () => ends.abort(), { capture: true, signal });
}

/** A pointer that is gone already cannot be captured. */
function catching(fn: () => void): void {
  try {
    fn();
  } catch (e) {
    if (!(e instanceof DOMException)) throw e;
  }
}
