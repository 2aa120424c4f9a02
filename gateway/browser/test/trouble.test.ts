// What goes wrong: frames that make no sense, surroundings that fail, a page that hangs or is rarely let run.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { connect } from "../src/store.js";
import type { Options } from "../src/types.js";
import { card, World } from "./world.js";

async function board(more: Partial<Options> = {}) {
  const world = new World();
  const store = connect({ board: "b", user: "ann", env: world.env, ...more });
  await world.join([card("c1")], 10);
  return { world, store };
}

const sync = (rev: number, title: string) => ({ type: "sync", rev, entity: card("c1", { rev, title }) });
const pong = (serverTime: string) => ({ type: "pong", serverTime });

describe("a frame that makes no sense", () => {
  const frames: { [what: string]: unknown } = {
    "is no JSON": "{", "is empty": "", "is null": "null", "is no text": new ArrayBuffer(2),
    "has no entity": JSON.stringify({ type: "sync", rev: 11 }),
  };
  for (const [what, data] of Object.entries(frames)) {
    test(`one that ${what}: the board is joined afresh, and what is pending sent again`, async () => {
      const { world, store } = await board();
      store.mutate("c1", { description: "mine" });
      const [sent] = world.socket.sent("mutate");
      world.socket.onmessage!({ data });
      assert.equal(world.sockets[0]!.closed, 1000);
      await world.settle();
      assert.equal(world.sockets.length, 2);
      assert.equal(world.socket.url.searchParams.get("since"), null);
      await world.join([card("c1", { rev: 11, title: "x" })], 11);
      assert.deepEqual(world.socket.sent("mutate"), [sent]);
      assert.deepEqual([store.get("c1")!["title"], store.get("c1")!["description"], store.status], ["x", "mine", "live"]);
    });
  }

  test("after every join: there are pauses in between", async () => {
    const { world } = await board();
    for (const end = world.now + 10_000; world.now < end; await world.advance(20)) {
      if (world.socket.closed || world.socket.frames.length) continue;
      await world.join([card("c1")], 10);
      world.socket.onmessage!({ data: "?" });
    }
    assert.ok(world.sockets.length > 3 && world.sockets.length < 90, `${world.sockets.length}`);
  });

  test("what is meant for somebody else, or not known, changes nothing", async () => {
    const { world, store } = await board();
    const told: unknown[] = [];
    for (const fn of [store.onRollback, store.onSettled, store.subscribe]) fn((e: unknown) => void told.push(e));
    const [id, more] = ["never-sent", { code: "rate_limited", reason: "", details: {} }];
    world.socket.say(
      { type: "ack", clientMutationId: id, rev: 10, events: 1 },
      { type: "nack", clientMutationId: id, retryable: false, ...more },
      { type: "nack", clientMutationId: id, retryable: true, ...more },
      { type: "error", code: "invalid", reason: "" }, { type: "of tomorrow", rev: 99 },
    );
    assert.deepEqual(told, []);
    assert.deepEqual([store.status, store.rev, world.sockets.length], ["live", 10, 1]);
    store.mutate("c1", { title: "x" });
    assert.equal(world.socket.sent("mutate").length, 1);
  });
});

describe("surroundings that fail", () => {
  test("where there is no WebSocket connect says so at once", () => {
    const socket = Object.getOwnPropertyDescriptor(globalThis, "WebSocket")!;
    delete (globalThis as { WebSocket?: unknown }).WebSocket;
    try {
      assert.throws(() => connect({ board: "b", url: "http://x.test" }), /WebSocket/);
    } finally {
      Object.defineProperty(globalThis, "WebSocket", socket);
    }
  });

  test("a socket that can not be made is an attempt that failed", async () => {
    const world = new World();
    let tries = 0;
    const socket = () => { tries++; throw new SyntaxError("refused"); };
    const store = connect({ board: "b", env: { ...world.env, socket } });
    await world.advance(10_000);
    assert.equal(store.status, "offline");
    assert.ok(tries > 3 && tries < 20, `${tries}`);
  });

  test("a token that comes after close opens nothing", async () => {
    const world = new World();
    let give!: (token: string) => void;
    const store = connect({ board: "b", env: world.env, token: () => new Promise<string>((done) => (give = done)) });
    await world.settle();
    store.close();
    give("late");
    await world.advance(60_000);
    assert.equal(world.sockets.length, 0);
  });

  test("a token that never comes is asked for again", async () => {
    const world = new World();
    let asked = 0;
    connect({ board: "b", env: world.env, token: () => new Promise<string>(() => asked++) });
    await world.advance(40_000);
    assert.ok(asked >= 2 && asked <= 4, `${asked}`);
  });
});

describe("a page that hangs", () => {
  test("a hello that lay about: its time is old, so what is sent waits for a newer one", async () => {
    const world = new World();
    const store = connect({ board: "b", user: "ann", env: world.env });
    store.mutate("c1", { title: "x" });
    await world.settle();
    const hello = world.hello({ rev: 10 });
    world.now += 4500; // it does not run
    world.socket.open();
    world.socket.say(hello, { type: "sync", rev: 1, entity: card("c1") }, { type: "ready", rev: 10 });
    assert.equal(store.status, "live");
    assert.equal(world.socket.sent("mutate").length, 0);
    for (const _ of world.socket.sent("ping")) world.socket.say(pong(world.serverTime));
    const [frame] = world.socket.sent("mutate");
    assert.equal(Date.parse(String(frame!["expiresAt"])), Date.parse(world.serverTime) + 4000);
  });

  test("a pong that lay about does not set the clock back", async () => {
    const { world, store } = await board();
    await world.advance(5000);
    assert.equal(world.socket.sent("ping").length, 1);
    const old = pong(world.serverTime);
    world.now += 2900; // it does not run, too short to be noticed
    world.socket.say(old);
    store.mutate("c1", { title: "x" });
    const [frame] = world.socket.sent("mutate");
    assert.equal(Date.parse(String(frame!["expiresAt"])), Date.parse(world.serverTime) + 4000);
  });

  test("nor does a slow one keep the clock from being set forward", async () => {
    const { world, store } = await board();
    world.sleep(3600_000);
    world.wake();
    world.now += 2000;
    world.socket.say(pong(world.serverTime));
    store.mutate("c1", { title: "x" });
    const [frame] = world.socket.sent("mutate");
    assert.equal(Date.parse(String(frame!["expiresAt"])), Date.parse(world.serverTime) + 4000);
  });

  test("let run once a minute it finds a dead connection", async () => {
    const { world } = await board();
    for (let i = 0; i < 8 && world.sockets.length === 1; i++) await world.freeze(60_000);
    assert.equal(world.sockets.length, 2);
  });

  test("and keeps one that answers", async () => {
    const { world, store } = await board();
    for (let i = 0; i < 8; i++) {
      const was = world.socket.sent("ping").length;
      await world.freeze(60_000);
      for (const _ of world.socket.sent("ping").slice(was)) world.socket.say(pong(world.serverTime));
    }
    assert.deepEqual([world.sockets.length, store.status], [1, "live"]);
  });

  test("frozen for hours and thawed on a dead connection: one ping, then another connection, and no verdict of its own", async () => {
    const { world, store } = await board();
    const p = store.mutate("c1", { title: "x" });
    let settled = false;
    void p.then(() => (settled = true));
    await world.freeze(5 * 3600_000);
    world.wake();
    world.wake();
    assert.equal(world.socket.sent("ping").length, 1);
    await world.advance(3100);
    assert.equal(world.sockets.length, 2);
    assert.equal(world.sockets[0]!.sent("cancel").length, 0);
    await world.join([], 10, { resumed: true });
    assert.deepEqual(world.socket.sent("mutate"), world.sockets[0]!.sent("mutate"));
    assert.equal(settled, false);
    world.socket.say(sync(11, "x"), { type: "ack", clientMutationId: p.id, rev: 11, events: 1 });
    assert.equal((await p).ok, true);
  });

  test("a clock that is set forward or back costs a ping and nothing else", async () => {
    const { world, store } = await board();
    for (const ms of [3600_000, -7200_000]) {
      const p = store.mutate("c1", { title: `${ms}` });
      world.offset += ms;
      await world.advance(1000);
      world.socket.say(pong(world.serverTime));
      assert.deepEqual([store.status, world.sockets.length, world.socket.sent("cancel").length], ["live", 1, 0]);
      const rev = store.rev + 1;
      world.socket.say(sync(rev, `${ms}`), { type: "ack", clientMutationId: p.id, rev, events: 1 });
      assert.equal((await p).ok, true);
    }
  });
});
