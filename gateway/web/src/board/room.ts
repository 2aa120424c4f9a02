// What a list leaves free for the rows that are not in the page.

/** As board.css has them, in px. */
export const gap = 7;
export const padding = 3;

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

/** Are the same rows drawn, whatever room they leave? */
export const sameRows = (a: Rows, b: Rows | undefined): boolean =>
  b !== undefined && a.rows.length === b.rows.length && a.rows.every(({ index }, i) => index === b.rows[i]!.index);

/** No view is as high, in px: so high does a longer list say it is, and a card more or less in it changes nothing around it. */
const highest = 10_000;

/**
 * Leaves the others' room, and says on the rows which of how many they are, where not all are in the page. Only what has become
 * another is touched, and no row is drawn anew because another has come. What is around a list may say how high it would like
 * to be.
 */
export function mark(list: HTMLElement, drawn: Rows | undefined, count: number): void {
  const attribute = (li: Element, name: string, value: number | undefined) => {
    const text = value === undefined ? null : String(value);
    if (text === li.getAttribute(name)) return;
    if (text === null) li.removeAttribute(name);
    else li.setAttribute(name, text);
  };
  const style = (e: HTMLElement, name: string, value: number | undefined) => {
    const text = value === undefined ? "" : `${value}px`;
    if (e.style.getPropertyValue(name) !== text) e.style.setProperty(name, text);
  };
  style(list, "--before", drawn?.before);
  style(list, "--after", drawn?.after);
  const around = list.parentElement;
  if (around?.matches("[data-windowed]")) style(around, "contain-intrinsic-block-size", drawn && Math.min(drawn.total, highest));
  [...list.children].forEach((li, i) => {
    const row = drawn?.rows[i];
    attribute(li, "aria-posinset", row && row.index + 1);
    attribute(li, "aria-setsize", row && count);
    if (li instanceof HTMLElement) style(li, "margin-block-start", row?.room ? row.room + gap : undefined); // of two margins the greater counts
  });
}
