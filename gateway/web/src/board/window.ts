// Long lists are drawn only where they are seen, and a little around it. What must not go (lifted, focused, renamed) is drawn
// wherever it stands; the room of the others is left free.

import { elementScroll, observeElementOffset, observeElementRect, Virtualizer, type Range } from "@tanstack/virtual-core";
import { useLayoutEffect, useMemo, useReducer, useRef } from "preact/hooks";
import type { RefObject } from "preact";

import { afterPaint } from "../frame.js";

type Virtual = Virtualizer<HTMLElement, HTMLElement>;

/** Lists that are longer are windowed: on a board of few columns, and of many. */
const most = 60;
const mostOfMany = 20;

/** As board.css has them, in px. */
export const gap = 7;
export const padding = 3;
/** What a card of one line takes, until it is measured. */
const usualHeight = 78;
/** What was observed, by id and in whatever list: a card that is drawn in another one is as high there. */
const heights = new Map<string, number>();

export interface Row {
  readonly index: number;
  /** Room to leave before it, in px, beside the usual gap. */
  readonly room: number;
}

export interface Rows {
  readonly rows: readonly Row[];
  /** Room at the beginning and end of the list, in px, within its padding. */
  readonly before: number;
  readonly after: number;
  /** How high all of it is with its padding, in px. */
  readonly total: number;
}

export interface Box {
  readonly index: number;
  readonly start: number;
  readonly end: number;
}

/** What the list leaves free between the boxes that are drawn, which are in order. */
export function rooms(boxes: readonly Box[], total: number): Rows {
  let [end, last] = [padding, -1];
  const rows = boxes.map(({ index, start, end: its }) => {
    // Where some are left out, the gap stands before and after the room.
    const room = index === last + 1 ? 0 : start - end - (last < 0 ? 0 : gap);
    [end, last] = [its, index];
    return { index, room: Math.max(0, room) };
  });
  const [first, ...rest] = rows;
  if (!first) return { rows, before: 0, after: Math.max(0, total - 2 * padding), total };
  return { rows: [{ ...first, room: 0 }, ...rest], before: first.room, after: Math.max(0, total - end - padding), total };
}

/** The indexes of a range with others added, in order. */
export function withPins(range: readonly number[], pins: readonly number[], count: number): number[] {
  return [...new Set([...range, ...pins.filter((i) => i >= 0 && i < count)])].sort((a, b) => a - b);
}

export interface Span {
  readonly from: number;
  readonly to: number;
}

/** So many rows are drawn before and after those that are seen, and so many of them have to be left before others are drawn. */
const beside = 4;
const atLeast = 2;
/** A list that has changed keeps at most so many for a moment, until the page is painted. */
const far = 12;

/** Which rows to draw where those from `from` to `to` are seen; at each end what was drawn last, while that does as well. */
export function steady(was: Span | undefined, { from, to }: Span, count: number): Span {
  const reach = (n: number): Span => ({ from: Math.max(0, from - n), to: Math.min(count - 1, to + n) });
  const [least, usual, most] = [reach(atLeast), reach(beside), reach(beside + atLeast)];
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

/**
 * Which rows of the list to draw; undefined: all of them. measure is a ref for the rows.
 */
export function useWindow(list: RefObject<HTMLElement | null>, ids: readonly string[], pins: readonly number[], standing: Standing): {
  readonly drawn: Rows | undefined;
  readonly measure: ((row: HTMLElement | null) => void) | undefined;
} {
  const [, redraw] = useReducer((n: number) => n + 1, 0);
  const [tidied, tidy] = useReducer((n: number) => n + 1, 0);
  const isUntidy = useRef(false);
  const now = useRef(ids);
  now.current = ids;
  const last = useRef<Rows>(undefined);
  const span = useRef<{ readonly ids: readonly string[]; readonly span: Span }>(undefined);
  const on = isWindowed(ids.length, standing);
  const boxesOf = (virtual: Virtual): Rows => {
    const items = virtual.getVirtualItems(); // also keeps measures up to date
    const boxes = standing.isNear || standing.isOfFew ? items : withPins([], pins, ids.length).map((i) => virtual.measurementsCache[i]!);
    return rooms(boxes, virtual.getTotalSize());
  };
  const newest = useRef(boxesOf);
  newest.current = boxesOf;
  // It tells of more than the rows: that scrolling has begun, a height that is as it was taken to be.
  const virtual = useMemo(() => (on ? virtualizer(list, now, (v) => alike(newest.current(v), last.current) || redraw(undefined)) : undefined), [on]);
  // Another function says that the list or the pins are others: what is computed from them is kept.
  const getItemKey = useMemo(() => (index: number) => ids[index] ?? index, [ids]);
  const rangeExtractor = useMemo(() => ({ startIndex, endIndex, count }: Range) => {
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
  virtual?.setOptions({ ...virtual.options, count: ids.length, getItemKey, rangeExtractor });
  useLayoutEffect(() => virtual?._didMount(), [virtual]);
  useLayoutEffect(() => virtual?._willUpdate());
  useLayoutEffect(() => {
    if (!isUntidy.current) return;
    isUntidy.current = false;
    afterPaint(() => tidy(undefined));
  });
  if (!virtual) return { drawn: undefined, measure: undefined };
  last.current = boxesOf(virtual);
  return { drawn: last.current, measure: virtual.measureElement };
}

/**
 * How high a row is as it was observed; of one that is new in the page what it is taken to be. To look would have the page
 * laid out in the midst of its drawing, and before it is painted the observer tells.
 */
function heightOf(row: HTMLElement, seen: ResizeObserverEntry | undefined, virtual: Virtual): number {
  if (seen) {
    const height = Math.round(seen.borderBoxSize[0]!.blockSize);
    heights.set(row.dataset["id"] ?? "", height);
    return height;
  }
  const index = virtual.indexFromElement(row);
  return virtual.measurementsCache[index]?.size ?? usualHeight;
}

const alike = (a: Rows, b: Rows | undefined): boolean =>
  b !== undefined && a.before === b.before && a.after === b.after && a.total === b.total && a.rows.length === b.rows.length
  && a.rows.every(({ index, room }, i) => index === b.rows[i]!.index && room === b.rows[i]!.room);

function virtualizer(
  list: RefObject<HTMLElement | null>, ids: { readonly current: readonly string[] }, changed: (virtual: Virtual) => void,
): Virtual {
  const one: Virtual = new Virtualizer<HTMLElement, HTMLElement>({
    count: ids.current.length,
    getScrollElement: () => list.current,
    estimateSize: (i) => heights.get(ids.current[i] ?? "") ?? usualHeight,
    initialRect: { width: 272, height: innerHeight },
    paddingStart: padding, paddingEnd: padding, gap, overscan: 0,
    observeElementRect, observeElementOffset, scrollToFn: elementScroll, onChange: changed, measureElement: heightOf,
  });
  // Rows are known by their id; an attribute with the index would change with every neighbour.
  one.indexFromElement = (row) => ids.current.indexOf(row.dataset["id"] ?? "");
  return one;
}
