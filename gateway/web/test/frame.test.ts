import assert from "node:assert/strict";
import { test } from "node:test";

import { options } from "preact";

import { afterPaint, doNow, socket, whenDrawn } from "../src/frame.js";

/** A browser with one socket, whose frames come when the test says so. */
function browser() {
  let frames: (() => void)[] = [];
  const real: { onmessage?: (e: unknown) => void } = {};
  Object.assign(globalThis, {
    WebSocket: function () {
      return real;
    },
    requestAnimationFrame: (fn: () => void) => frames.push(fn),
    cancelAnimationFrame: (n: number) => n && (frames[n - 1] = () => {}),
  });
  return {
    real,
    paint() {
      const due = frames;
      frames = [];
      due.forEach((fn) => fn());
    },
  };
}

/** As Preact does when something is to be drawn. */
const ask = (draw: () => void) => (options.debounceRendering as (draw: () => void) => void)(draw);

test("what the server sends is drawn after the next frame, together; what the user does at once", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { real, paint } = browser();
  const one = socket("ws://x", []);
  let drawn = 0;
  one.onmessage = () => ask(() => drawn++);
  real.onmessage!({});
  real.onmessage!({});
  await null;
  t.mock.timers.tick(1);
  assert.equal(drawn, 0);
  paint();
  assert.equal(drawn, 0); // the frame is not held up
  t.mock.timers.tick(1);
  assert.equal(drawn, 1);
  ask(() => drawn++);
  await null;
  assert.equal(drawn, 2);
  paint();
  t.mock.timers.tick(200);
  assert.equal(drawn, 2);
});

test("what is to be done when it is drawn is done once, in the same task; for what the user does before the next frame", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { real, paint } = browser();
  const one = socket("ws://x", []);
  const done: string[] = [];
  const fly = () => done.push("fly");
  one.onmessage = () => {
    ask(() => done.push("draw"));
    whenDrawn(fly);
    whenDrawn(fly);
  };
  real.onmessage!({});
  paint();
  assert.deepEqual(done, []); // the frame is not held up
  t.mock.timers.tick(1);
  assert.deepEqual(done, ["draw", "fly"]);
  whenDrawn(fly);
  paint();
  assert.deepEqual(done, ["draw", "fly", "fly"]);
  real.onmessage!({});
  whenDrawn(fly); // the user's: what waits is drawn for it
  paint();
  assert.deepEqual(done.slice(3), ["draw", "fly"]);
  t.mock.timers.tick(200);
  assert.equal(done.length, 5);
});

test("what the user does draws what waits, too, and nothing of it is painted before it flies", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { real, paint } = browser();
  const one = socket("ws://x", []);
  const done: string[] = [];
  one.onmessage = () => {
    ask(() => done.push("theirs"));
    whenDrawn(() => done.push("fly"));
  };
  real.onmessage!({});
  ask(() => done.push("own"));
  await null;
  assert.deepEqual(done, ["own", "theirs", "fly"]);
  paint();
  t.mock.timers.tick(200);
  assert.equal(done.length, 3);
});

test("a page that is not painted is drawn all the same", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { real } = browser();
  const one = socket("ws://x", []);
  let drawn = 0;
  one.onmessage = () => ask(() => drawn++);
  real.onmessage!({});
  t.mock.timers.tick(100);
  assert.equal(drawn, 1);
});

test("a handler that throws does not make all that follows wait", async () => {
  const { real } = browser();
  const one = socket("ws://x", []);
  one.onmessage = () => {
    throw new Error("odd");
  };
  assert.throws(() => real.onmessage!({}));
  let drawn = 0;
  ask(() => drawn++);
  await null;
  assert.equal(drawn, 1);
});

test("what nobody sees is done when the page is painted, in order, also if one of it throws; or before", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { paint } = browser();
  let done = "";
  afterPaint(() => (done += "a"));
  afterPaint(() => {
    throw new Error("odd");
  });
  afterPaint(() => (done += "b"));
  paint();
  assert.equal(done, "");
  assert.throws(() => t.mock.timers.tick(0));
  t.mock.timers.tick(0);
  assert.equal(done, "ab");
  afterPaint(() => (done += "c"));
  doNow();
  assert.equal(done, "abc");
  afterPaint(() => (done += "d")); // a page that is not painted
  t.mock.timers.tick(100);
  assert.equal(done, "abcd");
});
