// Long lists are drawn only where they are seen, and a little around it. What must not go (lifted, focused, renamed) is drawn
// wherever it stands; the room of the others is left free.

import { elementScroll, observeElementOffset, observeElementRect, Virtualizer, defaultRangeExtractor, type Range } from "@tanstack/virtual-core";
import { useLayoutEffect, useMemo, useReducer, useRef } from "preact/hooks";
import type { RefObject } from "preact";

/** Lists that are longer are windowed: on a board of few columns, and of many. */
const most = 60;
const mostOfMany = 20;

/** As board.css has them, in px. */
export const gap = 7;
export const padding = 3;
/** What a card of one line takes, until it is measured. */
const usualHeight = 78;

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
  if (!first) return { rows, before: 0, after: Math.max(0, total - 2 * padding) };
  return { rows: [{ ...first, room: 0 }, ...rest], before: first.room, after: Math.max(0, total - end - padding) };
}

/** The indexes of a range with others added, in order. */
export function withPins(range: readonly number[], pins: readonly number[], count: number): number[] {
  return [...new Set([...range, ...pins.filter((i) => i >= 0 && i < count)])].sort((a, b) => a - b);
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
  const now = useRef(ids);
  now.current = ids;
  const on = isWindowed(ids.length, standing);
  const virtual = useMemo(() => (on ? virtualizer(list, now, () => redraw(undefined)) : undefined), [on]);
  // Another function says that the list or the pins are others: what is computed from them is kept.
  const getItemKey = useMemo(() => (index: number) => ids[index] ?? index, [ids]);
  const rangeExtractor = useMemo(() => (range: Range) => withPins(defaultRangeExtractor(range), pins, range.count), [pins.join()]);
  virtual?.setOptions({ ...virtual.options, count: ids.length, getItemKey, rangeExtractor });
  useLayoutEffect(() => virtual?._didMount(), [virtual]);
  useLayoutEffect(() => virtual?._willUpdate());
  if (!virtual) return { drawn: undefined, measure: undefined };
  const items = virtual.getVirtualItems(); // also keeps measures up to date
  const boxes = standing.isNear || standing.isOfFew ? items : withPins([], pins, ids.length).map((i) => virtual.measurementsCache[i]!);
  return { drawn: rooms(boxes, virtual.getTotalSize()), measure: virtual.measureElement };
}

/**
 * How high a row is as it was observed; of one that is new in the page what it is taken to be. To look would have the page
 * laid out in the midst of its drawing, and before it is painted the observer tells.
 */
function heightOf(row: HTMLElement, seen: ResizeObserverEntry | undefined, virtual: Virtualizer<HTMLElement, HTMLElement>): number {
  if (seen) return Math.round(seen.borderBoxSize[0]!.blockSize);
  const index = virtual.indexFromElement(row);
  return virtual.measurementsCache[index]?.size ?? usualHeight;
}

function virtualizer(
  list: RefObject<HTMLElement | null>, ids: { readonly current: readonly string[] }, redraw: () => void,
): Virtualizer<HTMLElement, HTMLElement> {
  const one = new Virtualizer<HTMLElement, HTMLElement>({
    count: ids.current.length,
    getScrollElement: () => list.current,
    estimateSize: () => usualHeight,
    initialRect: { width: 272, height: innerHeight },
    paddingStart: padding, paddingEnd: padding, gap, overscan: 4,
    observeElementRect, observeElementOffset, scrollToFn: elementScroll, onChange: redraw, measureElement: heightOf,
  });
  // Rows are known by their id; an attribute with the index would change with every neighbour.
  one.indexFromElement = (row) => ids.current.indexOf(row.dataset["id"] ?? "");
  return one;
}
