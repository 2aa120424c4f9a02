import assert from "node:assert/strict";
import { test } from "node:test";
import { generateKeyBetween } from "fractional-indexing";
import { keyBetween } from "../src/key.js";
import { chance } from "./vectors.js";

test("keys are those of the npm package fractional-indexing", () => {
  for (let seed = 1; seed <= 20; seed++) {
    const r = chance(seed), list: string[] = [];
    // a list that grows at its ends, anywhere, or in one narrow place
    const where = r.of([() => r.below(list.length + 1), () => r.of([0, list.length]), () => list.length >> 1, () => Math.min(1, list.length)]);
    for (let n = 0; n < 300; n++) {
      const at = where(), a = list[at - 1], b = list[at];
      const key = keyBetween(a ?? "", b ?? "");
      assert.equal(key, generateKeyBetween(a, b), `seed ${seed}: between ${a} and ${b}`);
      list.splice(at, 0, key!);
    }
    assert.deepEqual(list, [...list].sort());
  }
});

test("what is no key, or no room, gives none, as there", () => {
  const r = chance(7), pick = () => Array.from({ length: 1 + r.below(5) }, () => r.of([..."aZb0z1A_é"])).join("");
  let refused = 0;
  for (let n = 0; n < 5000; n++) {
    const a = r.below(3) ? pick() : null, b = r.below(3) ? pick() : null;
    let want: string | undefined;
    try {
      want = generateKeyBetween(a, b);
    } catch {
      refused++;
    }
    // the package looks neither at digits it need not count nor, unless it must, at the order
    if (/[_é]/.test(`${a}${b}`) || (a && b && a >= b)) want = undefined;
    assert.equal(keyBetween(a ?? "", b ?? ""), want, `between ${a} and ${b}`);
  }
  assert.ok(refused > 1000 && refused < 5000);
});
