// Which cards of a long list are in the page, and the room that the others take.

import assert from "node:assert/strict";
import test from "node:test";

import { gap, padding, rooms, type Box } from "../src/board/room.js";
import { hasty, isWindowed, moved, steady, withPins } from "../src/board/window.js";

const size = 50;
const count = 100;
const box = (index: number): Box => {
  const start = padding + index * (size + gap);
  return { index, start, end: start + size };
};
const total = 2 * padding + count * size + (count - 1) * gap;

/** As the page lays the list out: padding, room, rows with gaps and their own room before them, room, padding. */
function laidOut(indexes: readonly number[]) {
  const { rows, before, after } = rooms(indexes.map(box), total);
  let y = padding + before;
  const starts = rows.map(({ room }, i) => {
    y += (i ? gap : 0) + room;
    const start = y;
    y += size;
    return start;
  });
  return { starts, height: y + after + padding };
}

for (const [name, indexes] of Object.entries({
  "from the beginning": [0, 1, 2], "in the middle": [40, 41, 42], "at the end": [98, 99],
  "with one held above": [3, 40, 41], "with one held below": [40, 41, 99], "with the first and last held": [0, 40, 99], "all by themselves": [7],
})) {
  test(`cards ${name} stand where they would stand among all`, () => {
    const { starts, height } = laidOut(indexes);
    assert.deepEqual(starts, indexes.map((i) => box(i).start));
    assert.equal(height, total);
  });
}

test("a list of which nothing is in the page is as high as with all", () => {
  const { before, after } = rooms([], total);
  assert.equal(2 * padding + before + after, total);
});

test("what is held is drawn once, in order, and only if it is there", () => {
  assert.deepEqual(withPins([4, 5, 6], [5, 1, 99, 100, -1], 100), [1, 4, 5, 6, 99]);
});

test("long lists are windowed, sooner on boards of many columns, and there what is out of the view as a whole", () => {
  const few = { isNear: true, isOfFew: true };
  const many = { isNear: true, isOfFew: false };
  assert.deepEqual([isWindowed(60, few), isWindowed(61, few), isWindowed(60, { ...few, isNear: false })], [false, true, false]);
  assert.deepEqual([isWindowed(20, many), isWindowed(21, many), isWindowed(1, { ...many, isNear: false })], [false, true, true]);
});

test("the rows that are drawn stay while enough of them are left around those that are seen", () => {
  const first = steady(undefined, { from: 20, to: 28 }, 100);
  assert.deepEqual(first, { from: 18, to: 30 });
  assert.equal(steady(first, { from: 19, to: 27 }, 100), first);
  assert.deepEqual(steady(first, { from: 18, to: 26 }, 100), { from: 16, to: 30 }); // none is left above
  assert.deepEqual(steady(first, { from: 20, to: 23 }, 100), { from: 18, to: 25 }); // too many are left below
  assert.deepEqual(steady({ from: 0, to: 40 }, { from: 0, to: 2 }, 3), { from: 0, to: 2 }); // the list is shorter
});

test("an end of the rows stays though the other does not do", () => {
  assert.deepEqual(steady({ from: 1, to: 13 }, { from: 0, to: 8 }, 100), { from: 0, to: 13 });
  assert.deepEqual(steady({ from: 86, to: 98 }, { from: 91, to: 99 }, 100), { from: 86, to: 99 });
});

test("a list that has changed keeps its rows for a moment, and shows at once what is seen", () => {
  assert.deepEqual(hasty({ from: 1, to: 9 }, { from: 0, to: 8 }, 100), { from: 0, to: 9 }); // one more above
  assert.deepEqual(hasty({ from: 0, to: 7 }, { from: 0, to: 8 }, 100), { from: 0, to: 8 }); // one less
  assert.deepEqual(hasty({ from: 0, to: 8 }, { from: 0, to: 8 }, 5), { from: 0, to: 4 }); // the list is shorter
  assert.deepEqual(hasty({ from: 10, to: 400 }, { from: 200, to: 208 }, 500), { from: 188, to: 220 }); // no filter any more
});

test("rows of a list that has changed are the same rows", () => {
  const was = ["a", "b", "c", "d", "e"];
  assert.deepEqual(moved({ from: 1, to: 3 }, was, ["a", "b", "x", "c", "d", "e"]), { from: 1, to: 4 });
  assert.deepEqual(moved({ from: 1, to: 3 }, was, ["b", "c", "d", "e"]), { from: 0, to: 2 });
  assert.deepEqual(moved({ from: 1, to: 3 }, was, ["a", "c", "e"]), { from: 1, to: 3 }); // both are gone
});
