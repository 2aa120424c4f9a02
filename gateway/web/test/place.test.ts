// Where things go when they are carried, dragged, or lost.

import assert from "node:assert/strict";
import test from "node:test";

import { heir, indexOf, nearest, numberOf, placeOf, preview, pull, slotAt, spotAt, stepCard, stepColumn, wayOf } from "../src/board/place.js";

const cards: { readonly [column: string]: readonly string[] } = { a: ["a1", "a2", "a3"], b: [], c: ["c1"] };
const columns = ["a", "b", "c"];
const listOf = (column: string) => cards[column] ?? [];
const things = (...ids: string[]) => ids.map((id) => ({ id }));

test("a spot holds by its neighbour while others change the list", () => {
  const spot = spotAt("a", cards["a"]!, 2);
  assert.deepEqual(spot, { parent: "a", after: "a2", at: 2 });
  assert.equal(indexOf(["new", "a1", "a2", "a3"], spot), 3);
  assert.equal(indexOf(["a2"], spot), 1);
  assert.equal(indexOf(["a1", "a3", "a4"], spot), 2, "the neighbour is gone: the index counts");
  assert.equal(indexOf(["a1"], spot), 1, "as far as there are so many");
  assert.equal(indexOf(["new", "a1"], spotAt("a", cards["a"]!, 0)), 0, "first stays first");
  assert.deepEqual(spotAt("b", [], 7), { parent: "b", after: null, at: 0 });
});

test("a list is shown with what is lifted where it would land, and without where it was", () => {
  const list = things("x", "y", "z");
  const [, y] = list;
  const ids = (all: readonly { readonly id: string }[]) => all.map((t) => t.id).join("");
  assert.equal(ids(preview(list, y, { parent: "a", after: "z", at: 2 }, "a")), "xzy");
  assert.equal(ids(preview(list, y, { parent: "a", after: null, at: 0 }, "a")), "yxz");
  assert.equal(ids(preview(list, y, { parent: "b", after: null, at: 0 }, "a")), "xz");
  assert.equal(ids(preview(list, { id: "n" }, { parent: "a", after: "x", at: 1 }, "a")), "xnyz");
  assert.equal(preview(list, { id: "n" }, { parent: "b", after: null, at: 0 }, "a"), list, "the same where nothing changes");
  assert.equal(preview(list, undefined, { parent: "a", after: null, at: 0 }, "a"), list, "what is lifted is gone");
});

test("the server is asked for a place that fits what is shown", () => {
  const spot = (after: string | null) => ({ parent: "a", after, at: 0 });
  assert.deepEqual(placeOf(["a1", "a2"], ["a1", "a2"], spot("a1")), { after: "a1" });
  assert.deepEqual(placeOf(["a1", "a2"], ["a1", "a2"], spot(null)), { after: null });
  assert.deepEqual(placeOf(["hidden", "a2"], ["a2"], spot(null)), { before: "a2" }, "the filter hides the first");
  assert.deepEqual(placeOf(["hidden"], [], spot(null)), { before: null }, "it hides them all");
  assert.deepEqual(placeOf([], [], spot(null)), { before: null });
});

test("arrow keys point where they are seen to point", () => {
  assert.deepEqual(["ArrowLeft", "ArrowRight", "ArrowUp", "x"].map((key) => wayOf(key, false)), ["back", "on", "up", undefined]);
  assert.deepEqual(["ArrowLeft", "ArrowRight", "ArrowDown"].map((key) => wayOf(key, true)), ["on", "back", "down"]);
});

test("a card is carried within its column and to the next, and no further than there is room", () => {
  const step = (at: number, way: Parameters<typeof stepCard>[3], column = "a") => stepCard(columns, listOf, spotAt(column, listOf(column), at), way);
  assert.equal(step(0, "up"), undefined);
  assert.deepEqual(step(0, "down"), { parent: "a", after: "a1", at: 1 });
  assert.equal(step(3, "down"), undefined);
  assert.deepEqual(step(1, "last"), { parent: "a", after: "a3", at: 3 });
  assert.deepEqual(step(1, "first"), { parent: "a", after: null, at: 0 });
  assert.equal(step(0, "back"), undefined);
  assert.deepEqual(step(2, "on"), { parent: "b", after: null, at: 0 });
  assert.deepEqual(step(0, "on", "b"), { parent: "c", after: null, at: 0 });
  assert.equal(step(0, "on", "c"), undefined);
});

test("a column is carried along the board", () => {
  const step = (at: number, way: Parameters<typeof stepColumn>[2]) => stepColumn(["b", "c"], spotAt("", ["b", "c"], at), way)?.at;
  assert.deepEqual([step(0, "back"), step(0, "on"), step(2, "on"), step(0, "last"), step(2, "first"), step(1, "up")], [undefined, 1, undefined, 2, 0, undefined]);
});

test("the pointer is between the middles of two", () => {
  const boxes = [{ start: 0, size: 40 }, { start: 50, size: 100 }];
  assert.deepEqual([-5, 19, 21, 99, 101, 1000].map((y) => slotAt(boxes, y)), [0, 0, 1, 1, 2, 2]);
  assert.equal(slotAt([], 5), 0);
  assert.deepEqual([0, 59, 61, 500].map((y) => nearest(boxes, y)), [0, 0, 1, 1]);
  assert.equal(nearest([], 5), -1);
});

test("an edge pulls the more the nearer it is, and the middle does not", () => {
  assert.deepEqual([-50, 0, 28, 56, 500, 972, 1000, 2000].map((x) => pull(x, 0, 1000) + 0), [-1, -1, -0.5, 0, 0, 0.5, 1, 1]);
  assert.equal(pull(50, 0, 100), 0, "there is a middle in what is small, too");
});

test("the neighbour below inherits, else the one above", () => {
  const list = ["a", "b", "c", "d"];
  const there = (...ids: string[]) => (id: string) => ids.includes(id);
  assert.equal(heir(list, "b", there("a", "c", "d")), "c");
  assert.equal(heir(list, "b", there("a", "d")), "d");
  assert.equal(heir(list, "d", there("a", "b")), "b");
  assert.equal(heir(list, "a", there()), undefined);
});

test("what is put back is counted where it stands, though the page has it elsewhere still", () => {
  assert.equal(numberOf("b", ["a", "b", "c"], ["a", "c"]), 2);
  assert.equal(numberOf("a", ["a", "b", "c"], ["b", "c"]), 1);
  assert.equal(numberOf("d", ["a", "b", "c", "d"], ["b"]), 2, "of those that are shown");
});
