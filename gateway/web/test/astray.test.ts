import assert from "node:assert/strict";
import { test } from "node:test";

import { following, type Stroke } from "../src/text/astray.js";

const field = { isConnected: true };
const stroke = (key: string, at: number, isInField: boolean, held: Partial<Stroke> = {}): Stroke =>
  ({ key, timeStamp: at, target: isInField ? ({} as EventTarget) : null, ctrlKey: false, altKey: false, metaKey: false, ...held });

function typedAndGone(last = "a", held: Partial<Stroke> = {}) {
  field.isConnected = true;
  const { astray, pressed } = following((target) => (target ? field : null));
  assert.equal(astray(stroke(last, 0, true, held)), false);
  field.isConnected = false;
  return { astray, pressed };
}

test("letters for a field that has gone are astray, until a pause", () => {
  const { astray } = typedAndGone();
  for (const [i, key] of ["b", " ", "Shift", "C", "Backspace", "Enter", "d"].entries()) assert.equal(astray(stroke(key, i * 1000 + 900, false)), true, key);
  assert.equal(astray(stroke("e", 9000, false)), false);
  assert.equal(astray(stroke("f", 9100, false)), false);
  assert.equal(typedAndGone("ł", { altKey: true }).astray(stroke("c", 20, false)), true); // by Option
});

test("other keys, a pointer and what is typed elsewhere end it", () => {
  for (const key of ["Escape", "Tab", "ArrowDown", "F2"]) {
    const { astray } = typedAndGone();
    assert.equal(astray(stroke(key, 10, false)), false, key);
    assert.equal(astray(stroke("c", 20, false)), false, key);
  }
  const shortcut = typedAndGone();
  assert.equal(shortcut.astray(stroke("z", 10, false, { ctrlKey: true })), false);
  assert.equal(shortcut.astray(stroke("c", 20, false)), false);
  const clicked = typedAndGone();
  clicked.pressed();
  assert.equal(clicked.astray(stroke("c", 20, false)), false);
});

test("who has ended the field himself is at the next thing", () => {
  for (const key of ["Enter", "Escape", "Tab"]) assert.equal(typedAndGone(key).astray(stroke("c", 20, false)), false, key);
  assert.equal(typedAndGone("Enter", { ctrlKey: true }).astray(stroke("c", 20, false)), false);
});

test("a field that is still there keeps nothing from anybody", () => {
  field.isConnected = true;
  const { astray } = following((target) => (target ? field : null));
  astray(stroke("a", 0, true));
  assert.equal(astray(stroke("c", 20, false)), false);
});
