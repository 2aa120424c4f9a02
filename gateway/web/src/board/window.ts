// Long lists are drawn only where they are seen, and a little around it. What must not go (lifted, focused, renamed) is drawn
// wherever it stands; the room of the others is left free.

import { elementScroll, observeElementOffset, observeElementRect, Virtualizer, type Range } from "@tanstack/virtual-core";
import { useLayoutEffect, useMemo, useReducer, useRef } from "preact/hooks";
import type { RefObject } from "preact";

import { afterPaint } from "../frame.js";
import { gap, mark, padding, rooms, sameRows, type Rows } from "./room.js";

type Virtual = Virtualizer<HTMLElement, HTMLElement>;

/** Lists that are longer are windowed: on a board of few columns, and of many. */
const most = 60;
const mostOfMany = 20;

/** What a card of one line takes, until it is measured. */
const usualHeight = 78;
/** What was observed, by id and in whatever list: a card that is drawn in another one is as high there. */
const heights = new Map<string, number>();

/** The indexes of a range with others added, in order. */
export function withPins(range: readonly number[], pins: readonly number[], count: number): number[] {
  return [...new Set([...range, ...pins.filter((i) => i >= 0 && i < count)])].sort((a, b) => a - b);
}

export interface Span {
  readonly from: number;
  readonly to: number;
}

/** So many rows are drawn before and after those that are seen; others when fewer or more than these are left. */
const beside = 2;
const atLeast = 1;
const atMost = 6;
/** A list that has changed keeps at most so many for a moment, until the page is painted. */
const far = 12;
/** So many milliseconds the room of rows that are not seen may be that of before. */
const patience = 100;

/** Which rows to draw where those from `from` to `to` are seen; at each end what was drawn last, while that does as well. */
export function steady(was: Span | undefined, { from, to }: Span, count: number): Span {
  const reach = (n: number): Span => ({ from: Math.max(0, from - n), to: Math.min(count - 1, to + n) });
  const [least, usual, most] = [reach(atLeast), reach(beside), reach(atMost)];
  const now = {
    from: was && was.from <= least.from && was.from >= most.from ? was.from : usual.from,
    to: was && was.to >= least.to && was.to <= most.to ? was.to : usual.to,
  };
  return was && was.from === now.from && was.to === now.to ? was : now;
}

/** Which rows to draw at first where the list has changed: those that there were, if they are not far off, and all that are seen. */
export function hasty(was: Span, { from, to }: Span, count: number): Span {
  return { from: Math.max(0, from - far, Math.min(was.from, from)), to: Math.min(count - 1, to + far, Math.max(was.to, to)) };
}

/** The same rows where the list has become another; an end that is gone stays at its index. */
export function moved({ from, to }: Span, was: readonly string[], ids: readonly string[]): Span {
  const at = (i: number) => {
    const now = ids[i] === was[i] ? i : ids.indexOf(was[i] ?? "");
    return now < 0 ? i : now;
  };
  return was === ids ? { from, to } : { from: at(from), to: at(to) };
}

/** How a list stands in the view: in or near it, on a board of few columns or many. */
export interface Standing {
  readonly isNear: boolean;
  readonly isOfFew: boolean;
}

/** Is a list of so many drawn in part only? */
export const isWindowed = (count: number, { isNear, isOfFew }: Standing): boolean => !(isNear || isOfFew) || count > (isOfFew ? most : mostOfMany);

/** Which rows of the list to draw; undefined: all of them. measure is a ref for the rows. */
export function useWindow(list: RefObject<HTMLElement | null>, ids: readonly string[], pins: readonly number[], standing: Standing): {
  readonly drawn: Rows | undefined;
  readonly measure: ((row: HTMLElement | null) => void) | undefined;
} {
  const [, redraw] = useReducer((n: number) => n + 1, 0);
  const now = useRef(ids);
  now.current = ids;
  const last = useRef<Rows>(undefined);
  const on = isWindowed(ids.length, standing);
  const isSeen = standing.isNear || standing.isOfFew;
  /** Nothing of it is in the page, and was not before: its room is not looked for with each change. */
  const isAway = !isSeen && pins.length === 0 && last.current?.rows.length === 0;
  const boxesOf = (virtual: Virtual): Rows => {
    const items = virtual.getVirtualItems(); // also keeps measures up to date
    const boxes = isSeen ? items : withPins([], pins, ids.length).map((i) => virtual.measurementsCache[i]!);
    return rooms(boxes, virtual.getTotalSize());
  };
  const newest = useRef(boxesOf);
  newest.current = boxesOf;
  const late = useRef<ReturnType<typeof setTimeout>>(undefined);
  const virtual = useMemo(() => {
    // It tells of more than the rows: that scrolling has begun, a height that is as it was taken to be.
    const look = (v: Virtual) => {
      clearTimeout(late.current);
      late.current = undefined;
      const [rows, was] = [newest.current(v), last.current];
      if (!sameRows(rows, was)) redraw(undefined);
      else if (list.current) mark(list.current, (last.current = rows), now.current.length);
    };
    const isBare = ({ endIndex }: { readonly endIndex: number }) => !last.current?.rows.some(({ index }) => index === endIndex);
    // Another height is told in the midst of a frame, and mostly changes only the room of what is not seen.
    return on ? virtualizer(list, now, (v, isScroll) => {
      const range = v.calculateRange();
      if (isScroll || (range && isBare(range))) look(v);
      else late.current ??= setTimeout(look, patience, v);
    }) : undefined;
  }, [on]);
  useLayoutEffect(() => () => {
    clearTimeout(late.current);
    late.current = undefined;
  }, [virtual]);
  // Another function says that the list or the pins are others: what is computed from them is kept.
  const getItemKey = useMemo(() => (index: number) => ids[index] ?? index, [ids]);
  const rangeExtractor = useSpan(now, pins);
  if (!isAway) virtual?.setOptions({ ...virtual.options, count: ids.length, getItemKey, rangeExtractor });
  const drawn = virtual && (isAway ? last.current : boxesOf(virtual));
  last.current = drawn;
  useLayoutEffect(() => mark(list.current!, drawn, ids.length));
  useLayoutEffect(() => virtual?._didMount(), [virtual]);
  useLayoutEffect(() => virtual?._willUpdate());
  return { drawn, measure: virtual?.measureElement };
}

/** Gives the virtualizer its rows. What is drawn in haste is put in order when the page has been painted. */
function useSpan(now: { readonly current: readonly string[] }, pins: readonly number[]): (range: Range) => number[] {
  const [tidied, tidy] = useReducer((n: number) => n + 1, 0);
  const isUntidy = useRef(false);
  const span = useRef<{ readonly ids: readonly string[]; readonly span: Span }>(undefined);
  const rows = useMemo(() => ({ startIndex, endIndex, count }: Range) => {
    const last = span.current;
    const was = last && moved(last.span, last.ids, now.current);
    const seen = { from: startIndex, to: endIndex };
    const usual = steady(was, seen, count);
    // A row more is a card more to make: when somebody waits for what he did to be painted, that can come after it.
    const { from, to } = was && last.ids !== now.current ? hasty(was, seen, count) : usual;
    isUntidy.current = from !== usual.from || to !== usual.to;
    span.current = { ids: now.current, span: { from, to } };
    return withPins(Array.from({ length: to - from + 1 }, (_, i) => from + i), pins, count);
  }, [pins.join(), tidied]);
  useLayoutEffect(() => {
    if (!isUntidy.current) return;
    isUntidy.current = false;
    afterPaint(() => tidy(undefined));
  });
  return rows;
}

/**
 * How high a row is as it was observed; of one that is new in the page what it is taken to be. To look would have the page
 * laid out in the midst of its drawing, and before it is painted the observer tells.
 */
function heightOf(row: HTMLElement, seen: ResizeObserverEntry | undefined, virtual: Virtual): number {
  if (seen) {
    const height = seen.borderBoxSize[0]!.blockSize; // not rounded: of a hundred rows it would be a line
    heights.set(row.dataset["id"] ?? "", height);
    return height;
  }
  const index = virtual.indexFromElement(row);
  return virtual.measurementsCache[index]?.size ?? usualHeight;
}

function virtualizer(
  list: RefObject<HTMLElement | null>, ids: { readonly current: readonly string[] }, changed: (virtual: Virtual, isScroll: boolean) => void,
): Virtual {
  // A list that was drawn whole, and is not from now on, stays where it is scrolled to: its rows are as high as they are.
  for (const row of list.current?.children ?? []) if (row instanceof HTMLElement) heights.set(row.dataset["id"] ?? "", row.getBoundingClientRect().height);
  const one: Virtual = new Virtualizer<HTMLElement, HTMLElement>({
    count: ids.current.length,
    getScrollElement: () => list.current,
    estimateSize: (i) => heights.get(ids.current[i] ?? "") ?? usualHeight,
    initialOffset: () => list.current?.scrollTop ?? 0,
    initialRect: { width: 272, height: innerHeight },
    paddingStart: padding, paddingEnd: padding, gap, overscan: 0,
    observeElementRect, observeElementOffset, scrollToFn: elementScroll, onChange: changed, measureElement: heightOf,
  });
  // Rows are known by their id; an attribute with the index would change with every neighbour.
  one.indexFromElement = (row) => ids.current.indexOf(row.dataset["id"] ?? "");
  return one;
}
