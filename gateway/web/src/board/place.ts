// Where things go: pure computations on lists of ids, without a page.

import type { Place } from "@snapback/client";

export interface Identified {
  readonly id: string;
}

/** A place in a list, kept by the neighbour above it, so that it holds while others change the list. */
export interface Spot {
  /** The column whose cards it is among; "" is the list of columns. */
  readonly parent: string;
  /** The id it is behind; null: it is the first. */
  readonly after: string | null;
  /** Its index without what is placed, for when that neighbour is gone. */
  readonly at: number;
}

/** The index of the spot in a list that has not what is placed. */
export function indexOf(list: readonly string[], { after, at }: Spot): number {
  if (after === null) return 0;
  const above = list.indexOf(after);
  return above < 0 ? Math.min(at, list.length) : above + 1;
}

/** The spot with that index, or the nearest there is, in a list that has not what is placed. */
export function spotAt(parent: string, list: readonly string[], index: number): Spot {
  const at = Math.max(0, Math.min(index, list.length));
  return { parent, at, after: list[at - 1] ?? null };
}

export const without = (list: readonly string[], id: string): readonly string[] => (list.includes(id) ? list.filter((x) => x !== id) : list);

/** Which of the shown, counted from 1, one of all is or will be: it may stand elsewhere in the page at the moment. */
export function numberOf(id: string, all: readonly string[], shown: readonly string[]): number {
  const before = new Set(all.slice(0, all.indexOf(id)));
  return shown.filter((x) => before.has(x)).length + 1;
}

/** The list as it would be with the thing at the spot; the same list if the spot is elsewhere and the thing not in it. */
export function preview<T extends Identified>(list: readonly T[], thing: T | undefined, spot: Spot, parent: string): readonly T[] {
  const id = thing?.id;
  const rest = list.some((x) => x.id === id) ? list.filter((x) => x.id !== id) : list;
  if (!thing || spot.parent !== parent) return rest;
  const ids = rest.map((x) => x.id);
  return rest.toSpliced(indexOf(ids, spot), 0, thing);
}

/**
 * What to ask the server for, when some of all in the list are shown: behind the shown neighbour above, or first. Of those
 * not shown between two neighbours none is passed.
 */
export function placeOf(all: readonly string[], shown: readonly string[], { after }: Spot): Place {
  if (after !== null) return { after };
  const [first] = shown;
  if (first === undefined) return { before: null };
  return all[0] === first ? { after: null } : { before: first };
}

export type Way = "up" | "down" | "back" | "on" | "first" | "last";

/** The way an arrow key points, where lines are written from right to left or not; "on" is towards the next column. */
export function wayOf(key: string, rtl: boolean): Way | undefined {
  switch (key) {
    case "ArrowUp": return "up";
    case "ArrowDown": return "down";
    case "ArrowLeft": return rtl ? "on" : "back";
    case "ArrowRight": return rtl ? "back" : "on";
    case "Home": return "first";
    case "End": return "last";
    default: return undefined;
  }
}

/** The spot one step further, for a card; lists have not the card itself. Undefined where there is no further. */
export function stepCard(
  columns: readonly string[], listOf: (column: string) => readonly string[], spot: Spot, way: Way,
): Spot | undefined {
  const list = listOf(spot.parent);
  const at = indexOf(list, spot);
  if (way === "back" || way === "on") {
    const to = columns[columns.indexOf(spot.parent) + (way === "on" ? 1 : -1)];
    return to === undefined ? undefined : spotAt(to, listOf(to), at);
  }
  const next = way === "up" ? at - 1 : way === "down" ? at + 1 : way === "first" ? 0 : list.length;
  return next < 0 || next > list.length || next === at ? undefined : spotAt(spot.parent, list, next);
}

/** The same for a column; up and down do nothing. */
export function stepColumn(list: readonly string[], spot: Spot, way: Way): Spot | undefined {
  const at = indexOf(list, spot);
  const next = way === "back" ? at - 1 : way === "on" ? at + 1 : way === "first" ? 0 : way === "last" ? list.length : at;
  return next < 0 || next > list.length || next === at ? undefined : spotAt("", list, next);
}

/** A box on one axis. */
export interface Span {
  readonly start: number;
  readonly size: number;
}

/** How many of the boxes, in order, have their middle before the point. */
export function slotAt(boxes: readonly Span[], point: number): number {
  const at = boxes.findIndex(({ start, size }) => point < start + size / 2);
  return at < 0 ? boxes.length : at;
}

/** The index of the box whose middle is nearest to the point; -1 if there is none. */
export function nearest(boxes: readonly Span[], point: number): number {
  let best = -1;
  let least = Infinity;
  boxes.forEach(({ start, size }, i) => {
    const far = Math.abs(start + size / 2 - point);
    if (far < least) [least, best] = [far, i];
  });
  return best;
}

/** Who comes after one that is gone from a list: the next below it that is still there, else the next above. */
export function heir(before: readonly string[], gone: string, isThere: (id: string) => boolean): string | undefined {
  const at = before.indexOf(gone);
  return before.slice(at + 1).find(isThere) ?? before.slice(0, Math.max(0, at)).findLast(isThere);
}

/** How fast an edge pulls, in px a millisecond: 0 outside of the zone, ±1 at the edge and beyond it. */
export function pull(point: number, start: number, end: number, zone = 56): number {
  const room = Math.min(zone, (end - start) / 4);
  if (point < start + room) return -Math.min(1, (start + room - point) / room);
  if (point > end - room) return Math.min(1, (point - end + room) / room);
  return 0;
}
