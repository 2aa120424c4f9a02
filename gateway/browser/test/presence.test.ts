import assert from "node:assert/strict";
import { test } from "node:test";

import type { Json } from "../src/entities.js";
import { presence, type Peer } from "../src/presence.js";
import { connect } from "../src/store.js";
import { FakeBoard } from "./fakeboard.js";
import { World } from "./world.js";

const says = (session: string, data: Json, user = session) => ({ type: "presence", session, user, data }) as const;

test("the first frame goes at once, then the newest after the rest of the interval", () => {
  const board = new FakeBoard();
  board.join("s1");
  const me = presence<{ at: number }>(board.store);
  const sent = () => board.sent.map((f) => (f.data as { at: number }).at);
  me.set({ at: 1 });
  assert.deepEqual(sent(), [1]);
  for (const at of [2, 3, 4]) me.set({ at });
  board.clock.advance(99);
  assert.deepEqual(sent(), [1]);
  board.clock.advance(1);
  assert.deepEqual(sent(), [1, 4]);
  me.set({ at: 5 });
  me.set({ at: 4 }); // what the others know already
  board.clock.advance(1000);
  assert.deepEqual(sent(), [1, 4]);
  me.set({ at: 6 });
  assert.deepEqual(sent(), [1, 4, 6]);

  board.sent.length = 0;
  const begin = board.clock.now;
  for (; board.clock.now < begin + 10_000; board.clock.advance(7)) me.set({ at: board.clock.now });
  assert.ok(board.sent.length > 80 && board.sent.length <= 100, `${board.sent.length} frames in ten seconds`);
});

test("what is said before live is remembered, and every new connection is told", () => {
  const board = new FakeBoard();
  const me = presence(board.store);
  const data = { card: "a" };
  me.set(data);
  data.card = "changed later";
  assert.equal(board.sent.length, 0);
  board.join("s1");
  board.leave();
  board.join("s2");
  assert.deepEqual(board.sent.map((f) => f.data), [{ card: "a" }, { card: "a" }]);
  me.set({ card: "b" }); // within the interval
  board.leave();
  board.clock.advance(1000);
  board.join("s3");
  assert.deepEqual(board.sent.slice(2).map((f) => f.data), [{ card: "b" }]);
});

test("null and undefined leave, and close does", () => {
  const board = new FakeBoard();
  const me = presence(board.store);
  board.join("s1");
  const say = (data: Json | undefined) => {
    board.sent.length = 0;
    me.set(data);
    board.clock.advance(100);
    return board.sent.map((f) => f.data);
  };
  assert.deepEqual(say(null), []); // nobody knows of us
  assert.deepEqual(say(1), [1]);
  assert.deepEqual(say(null), [null]);
  assert.deepEqual(say(0), [0]);
  assert.deepEqual(say(undefined), [null]);
  board.leave();
  board.sent.length = 0;
  board.join("s2");
  assert.equal(board.sent.length, 0);
  say("here");
  me.close();
  assert.deepEqual(board.sent.map((f) => f.data), ["here", null]);
  assert.equal(board.hooks.size, 0);
});

test("the limit is 1 KiB of UTF-8, and what is too long does not replace what was said", () => {
  const board = new FakeBoard();
  const me = presence(board.store);
  board.join("s1");
  me.set("é".repeat(511)); // and two quotes
  assert.throws(() => me.set("é".repeat(511) + "x"), /1025 bytes.*limit is 1024/);
  board.leave();
  board.join("s2");
  assert.equal(board.sent.length, 2);
  assert.equal(board.sent[1]?.data, "é".repeat(511));
});

test("others are sorted by session, an unchanged one keeps its object", () => {
  const board = new FakeBoard();
  const me = presence(board.store);
  board.join("s1");
  const told: (readonly Peer[])[] = [];
  me.subscribe((others) => told.push(others));
  board.tell("presence", says("s3", { x: 1 }, "cy"));
  board.tell("presence", { ...says("s2", { x: 2 }, "bob"), name: "Bob", picture: "https://example.org/b.png" });
  assert.deepEqual(me.others, [
    { session: "s2", user: "bob", name: "Bob", picture: "https://example.org/b.png", data: { x: 2 } },
    { session: "s3", user: "cy", name: undefined, picture: undefined, data: { x: 1 } },
  ]);
  const [bob, cy] = me.others;
  const before = me.others;
  board.tell("presence", says("s3", { x: 1 }, "cy"));
  assert.equal(me.others, before);
  assert.equal(told.length, 2);
  board.tell("presence", says("s3", { x: 9 }, "cy"));
  assert.equal(me.others[0], bob);
  assert.notEqual(me.others[1], cy);
  assert.equal(before[1], cy, "an array that was given away is not changed");
  board.tell("presence", says("s2", null));
  board.tell("presence", says("s9", null)); // never heard of
  assert.deepEqual(told.map((o) => o.map((p) => p.session)), [["s3"], ["s2", "s3"], ["s2", "s3"], ["s3"]]);
  assert.equal(told.at(-1), me.others);
});

test("others are forgotten with the connection and when lag begins", () => {
  const board = new FakeBoard();
  const me = presence(board.store);
  let told = 0;
  me.subscribe(() => told++);
  board.join("s1");
  for (const end of [() => board.leave(), () => board.tell("lagging"), () => board.close()]) {
    board.tell("presence", says("s2", 1));
    assert.equal(me.others.length, 1);
    told = 0;
    end();
    assert.deepEqual(me.others, []);
    assert.equal(told, 1);
  }
  assert.equal(board.hooks.size, 0);
});

test("no session of our own is among the others, not even one the server still holds for alive", () => {
  const board = new FakeBoard();
  const me = presence(board.store);
  board.join("s1");
  board.leave();
  board.join("s2");
  for (const s of ["s1", "s2", "s3"]) board.tell("presence", says(s, 1, "ann"));
  assert.deepEqual(me.others.map((p) => p.session), ["s3"]);
});

test("made on a live store it knows who is there", () => {
  const board = new FakeBoard();
  board.join("s1");
  Object.assign(board.engine, { said: new Map([says("s2", 1), says("s1", 2), says("s0", 3)].map((f) => [f.session, f])) });
  assert.deepEqual(presence(board.store).others.map((p) => [p.session, p.data]), [["s0", 3], ["s2", 1]]);
});

test("a listener that throws harms nobody else", (t) => {
  const board = new FakeBoard();
  const me = presence(board.store);
  board.join("s1");
  const heard: number[] = [];
  me.subscribe(() => {
    throw new Error("of the application");
  });
  me.subscribe((others) => heard.push(others.length));
  const late: (() => void)[] = [];
  t.mock.method(globalThis, "queueMicrotask", (fn: () => void) => void late.push(fn));
  board.tell("presence", says("s2", 1));
  assert.deepEqual(heard, [1]);
  assert.throws(() => late[0]?.(), /of the application/);
});

test("listeners end alone, and closing ends all", () => {
  const board = new FakeBoard();
  const me = presence(board.store);
  board.join("s1");
  let heard = "";
  const fn = () => (heard += "x");
  const [first] = [me.subscribe(fn), me.subscribe(fn)];
  board.tell("presence", says("s2", 1));
  first();
  first();
  board.tell("presence", says("s2", 2));
  assert.equal(heard, "xxx");
  me.close();
  assert.equal(heard, "xxxx", "told that nobody is there");
  board.tell("presence", says("s2", 3));
  assert.equal(heard, "xxxx");
});

test("on a store with a connection", async () => {
  const world = new World();
  const store = connect({ board: "b", env: world.env });
  const me = presence(store);
  me.set({ at: 1 });
  const first = await world.join();
  me.set({ at: 2 });
  assert.deepEqual(first.sent("presence").map((f) => f["data"]), [{ at: 1 }]);
  await world.advance(100);
  assert.deepEqual(first.sent("presence").map((f) => f["data"]), [{ at: 1 }, { at: 2 }]);

  first.say(says("s2", 1), says("s3", 2));
  assert.deepEqual(me.others.map((p) => p.session), ["s2", "s3"]);
  first.say({ type: "lag", rev: 10 });
  assert.equal(me.others.length, 0);
  me.set({ at: 3 }); // while lagging
  first.say({ type: "ready", rev: 12 }, says("s3", 2));
  await world.advance(100);
  assert.deepEqual(me.others.map((p) => p.session), ["s3"]);

  first.end();
  assert.equal(me.others.length, 0);
  await world.advance(1000);
  const second = await world.join([], 12, { session: "s9", resumed: true });
  second.say(says("s1", { at: 3 }, "ann"), says("s3", 2));
  assert.deepEqual(me.others.map((p) => p.session), ["s3"], "s1 was ours");
  assert.deepEqual([first, second].map((s) => s.sent("presence").at(-1)?.["data"]), [{ at: 3 }, { at: 3 }]);
  store.close();
  assert.deepEqual(me.others, []);
  me.set({ at: 4 }); // into the void
});
