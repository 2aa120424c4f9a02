// Several servers: who is dialled when, goaway, and what goes along from one to the other.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { connect } from "../src/store.js";
import type { Options } from "../src/types.js";
import { card, World } from "./world.js";

/** With a chance of 0.5 tried in this order: n2, n3, n1. */
const three = ["http://n1.test", "http://n2.test", "http://n3.test"];

function open(more: Partial<Options> = {}) {
  const world = new World();
  const store = connect({ board: "b", user: "ann", url: three, env: world.env, ...more });
  world.chance = 0; // pauses are the shortest from here on
  const seen: string[] = [];
  store.onStatus((status) => seen.push(status));
  return { world, store, seen };
}

const goaway = (reconnectAfterMs: unknown) => ({ type: "goaway", reconnectAfterMs });
const hosts = (world: World) => world.sockets.map((s) => s.url.hostname.split(".")[0]).join(" ");
const query = (world: World, name: string) => world.socket.url.searchParams.get(name);
const sync = (rev: number, title: string) => ({ type: "sync", rev, entity: card("c1", { rev, title }), by: "ann" });
const ack = (id: string, rev: number) => ({ type: "ack", clientMutationId: id, rev, events: 1 });

/** The milliseconds after which each further socket is opened; every one is refused. */
async function refusals(world: World, n: number): Promise<number[]> {
  const start = world.now, at: number[] = [];
  while (at.length < n) {
    const before = world.sockets.length;
    world.socket.end();
    while (world.sockets.length === before) await world.advance(125); // of which all pauses are multiples
    at.push(world.now - start);
  }
  return at;
}

describe("goaway", () => {
  test("all goes on until its time; then the next server gets what is pending, and nobody sees it offline", async () => {
    const { world, store, seen } = open();
    await world.join([card("c1")], 10);
    assert.equal(hosts(world), "n2");
    world.socket.say(goaway(2210));
    await world.advance(1000);
    const p = store.mutate("c1", { title: "still here" });
    const [sent] = world.sockets[0]!.sent("mutate");
    world.socket.say({ type: "sync", rev: 11, entity: card("c2", { rev: 11 }), by: "bob" });
    await world.advance(1209);
    assert.deepEqual([hosts(world), world.sockets[0]!.closed, store.status], ["n2", undefined, "live"]);
    await world.advance(1);
    assert.deepEqual([hosts(world), world.sockets[0]!.closed], ["n2 n3", 1000]);
    assert.deepEqual([query(world, "since"), query(world, "epoch")], ["11", "e1"]);
    world.sockets[0]!.say(sync(12, "too late")); // what still comes there is not heard
    await world.join([], 11, { resumed: true });
    assert.deepEqual(world.socket.sent("mutate"), [sent]);
    world.socket.say(sync(12, "still here"), ack(p.id, 12));
    assert.deepEqual(await p, { ok: true, rev: 12, events: 1 });
    assert.equal(store.get("c2")?.id, "c2");
    assert.deepEqual(seen, ["live", "connecting", "live"]);
  });

  test("is no failure: when the next one refuses, the pauses are those of a first round, and who left last is tried last", async () => {
    const { world } = open();
    await world.join([], 10);
    await world.advance(2000);
    world.socket.say(goaway(0));
    await world.settle();
    assert.deepEqual(await refusals(world, 5), [125, 250, 375, 625, 875]);
    assert.equal(hosts(world), "n2 n3 n1 n2 n3 n1 n2");
  });

  test("where there is one server it is dialled again, at that time and without a pause", async () => {
    const { world, seen } = open({ url: "http://n1.test" });
    await world.join([card("c1")], 10);
    world.socket.say(goaway(1300));
    await world.advance(1299);
    assert.equal(hosts(world), "n1");
    await world.advance(1);
    assert.deepEqual([hosts(world), query(world, "since")], ["n1 n1", "10"]);
    assert.deepEqual(await refusals(world, 4), [125, 375, 875, 1875]);
    assert.deepEqual(seen.slice(0, 4), ["live", "connecting", "offline", "connecting"]);
  });

  test("who is closed before his time waits for the rest of it, unless the page wakes", async () => {
    for (const wakes of [false, true]) {
      const { world, store } = open();
      await world.join();
      world.socket.say(goaway(1500));
      await world.advance(500);
      world.socket.end(1012);
      await world.advance(999);
      assert.deepEqual([hosts(world), store.status], ["n2", "offline"]);
      if (wakes) world.wake();
      else await world.advance(1);
      await world.settle();
      assert.equal(hosts(world), "n2 n3");
    }
  });

  test("during the join, too: the next server is asked for the whole board", async () => {
    const { world } = open();
    await world.settle();
    world.socket.open();
    world.socket.say(world.hello({ rev: 10 }), { type: "sync", rev: 1, entity: card("c1") }, goaway(1100));
    await world.advance(1100);
    assert.deepEqual([hosts(world), query(world, "since")], ["n2 n3", null]);
  });

  test("a page that slept over its time does not wait", async () => {
    const { world } = open();
    await world.join();
    world.socket.say(goaway(2000));
    await world.freeze(60_000);
    assert.equal(hosts(world), "n2 n3");
  });

  test("what the server refused for now, or had not answered, is sent or asked for at once by the next", async () => {
    const { world, store } = open();
    await world.join([card("c1")], 10);
    const asked = store.mutate("c1", { title: "1" }).id;
    for (let i = 0; i < 6; i++) {
      await world.advance(1000);
      world.socket.say({ type: "pong", serverTime: world.serverTime });
    }
    assert.equal(world.socket.sent("cancel").length, 1);
    const [a, b] = [store.mutate("c1", { title: "2" }).id, store.mutate("c1", { title: "3" }).id];
    const details = { retryAfterMs: 60_000 };
    world.socket.say({ type: "nack", clientMutationId: a, code: "unavailable", reason: "", retryable: true, details }, goaway(0));
    await world.join([], 10, { resumed: true });
    const frames = world.socket.frames.map((f) => [f.type, f["clientMutationId"]]);
    assert.deepEqual(frames, [["cancel", asked], ["mutate", a], ["mutate", b]]);
    assert.deepEqual(world.socket.sent("mutate"), world.sockets[0]!.sent("mutate").slice(1), "with the deadlines they had");
  });

  test("every server asks for a token of its own", async () => {
    let asked = 0;
    const { world } = open({ token: () => `t${++asked}` });
    await world.join();
    await world.advance(1000);
    world.socket.say(goaway(10));
    await world.advance(10);
    world.socket.open();
    assert.deepEqual(world.sockets.map((s) => s.frames[0]), [{ type: "auth", token: "t1" }, { type: "auth", token: "t2" }]);
  });
});

describe("turns", () => {
  test("after a failure it is the next one's; the pause doubles with every round, not with every server", async () => {
    const { world } = open();
    await world.join();
    assert.deepEqual(await refusals(world, 8), [125, 250, 375, 625, 875, 1125, 1625, 2125]);
    assert.equal(hosts(world), "n2 n3 n1 n2 n3 n1 n2 n3 n1");
  });

  test("and is five seconds at least, ten at most, when many have failed", async () => {
    const { world } = open();
    await world.join();
    const at = await refusals(world, 40);
    assert.equal(at.at(-1)! - at.at(-2)!, 5000);
  });

  test("one that comes back is joined where the store stood, and gets what is pending", async () => {
    const { world, store, seen } = open();
    await world.join([card("c1")], 10);
    store.mutate("c1", { title: "x" });
    await refusals(world, 3);
    await world.join([], 12, { resumed: true, rev: 12 });
    assert.equal(hosts(world), "n2 n3 n1 n2");
    assert.equal(query(world, "since"), "10");
    assert.deepEqual(world.socket.sent("mutate"), world.sockets[0]!.sent("mutate"));
    assert.equal(seen.at(-1), "live");
  });

  test("one that hangs is given up after 4 s while there are others to try, else after 15 s", async () => {
    const { world } = open();
    const at: number[] = [];
    const start = world.now;
    while (world.sockets.length < 5) {
      await world.advance(1);
      if (at.length < world.sockets.length) at.push(world.now - start);
    }
    assert.deepEqual(at.slice(1).map((t, i) => Math.round((t - at[i]!) / 100) / 10), [4, 4.1, 15.1, 15.3]);
    assert.equal(hosts(world), "n2 n3 n1 n2 n3");
    assert.deepEqual(world.sockets.map((s) => s.closed), [1000, 1000, 1000, 1000, undefined]);
  });

  test("one that does not answer any more is left for the next at once, and not shown as offline", async () => {
    const { world, seen } = open();
    await world.join();
    world.wake();
    await world.advance(3000);
    assert.equal(hosts(world), "n2 n3");
    assert.deepEqual(seen, ["live", "connecting"]);
  });

  test("are drawn once: each is the first for some, and each other one its next; then always in that order", async () => {
    const orders = new Map<string, number>();
    for (let i = 0; i < 120; i++) {
      const world = new World();
      const store = connect({ board: "b", url: three, env: { ...world.env, random: Math.random } });
      for (let turn = 0; turn < 6; turn++) {
        await world.advance(600); // more than the pauses of two rounds
        world.socket.end();
      }
      const order = hosts(world);
      assert.equal(order.slice(0, 8), order.slice(9));
      orders.set(order.slice(0, 8), (orders.get(order.slice(0, 8)) ?? 0) + 1);
      store.close();
    }
    assert.equal(orders.size, 6);
    for (const [order, n] of orders) assert.ok(n > 3, `${order}: ${n} of 120`);
  });

  test("are of servers that can be: none, or one that is no URL, is refused at once; the list stays the caller's", async () => {
    const bad: unknown[] = [[], [""], ["http://n1.test", ""], ["http://n1.test", "/team"], ["localhost:8080"], ["http://n1.test", undefined]];
    for (const url of bad) assert.throws(() => open({ url: url as string[] }), TypeError, JSON.stringify(url));
    const mixed = Object.freeze([new URL("https://n1.test/team"), "ws://n2.test/team/"]);
    const { world } = open({ url: mixed });
    await world.settle();
    world.socket.end();
    await world.advance(200);
    assert.deepEqual(world.sockets.map((s) => s.url.origin + s.url.pathname).sort(), [
      "ws://n2.test/team/v1/boards/b/ws", "wss://n1.test/team/v1/boards/b/ws",
    ]);
  });
});

describe("servers that do harm", () => {
  test("each says goaway 0 to whoever comes: pauses grow", async () => {
    const { world, store } = open();
    for (const end = world.now + 60_000; world.now < end; await world.advance(25)) {
      if (world.socket?.closed === undefined && world.socket?.onopen && !world.socket.frames.length && store.status === "connecting") {
        await world.join([card("c1")], 10);
        world.socket.say(goaway(0));
      }
    }
    assert.ok(world.sockets.length > 8 && world.sockets.length < 40, `${world.sockets.length}`);
  });

  const nonsense: { [what: string]: string } = {
    negative: "-5000", missing: "null", "no number": '"soon"', "a list": "[1,2]", "an object": "{}", "minus infinite": "-1e999",
  };
  for (const [what, n] of Object.entries(nonsense)) {
    test(`a time that is ${what} is now`, async () => {
      const { world, store } = open();
      await world.join([card("c1")], 10);
      await world.advance(2000);
      world.socket.onmessage!({ data: `{"type":"goaway","reconnectAfterMs":${n}}` });
      await world.settle();
      assert.equal(hosts(world), "n2 n3");
      await world.join([], 10, { resumed: true });
      await world.advance(1000);
      assert.deepEqual([hosts(world), store.status], ["n2 n3", "live"]);
    });
  }

  for (const n of ["1e12", "1e999", "9007199254740993", '"5e15"']) {
    test(`a time as far off as ${n}: nothing changes, and who is closed comes again soon`, async () => {
      const { world, store } = open();
      let timers = 0;
      const { setTimeout } = world.env;
      world.env.setTimeout = (fn, ms) => {
        assert.ok(ms >= 0 && ms < 20_000, `${ms} ms`);
        timers++;
        return setTimeout(fn, ms);
      };
      const other = connect({ board: "b", url: three, env: world.env });
      await world.join([card("c1")], 10);
      const socket = world.socket;
      socket.onmessage!({ data: `{"type":"goaway","reconnectAfterMs":${n}}` });
      for (let i = 0; i < 60; i++) {
        await world.advance(1000);
        for (const s of world.sockets) if (s.sent("ping").length && !s.closed) s.say({ type: "pong", serverTime: world.serverTime });
      }
      assert.equal(socket.closed, undefined);
      socket.end(1012);
      const before = world.sockets.length;
      await world.advance(5000);
      assert.ok(world.sockets.length > before);
      assert.ok(timers < 200, `${timers} timers`);
      store.close();
      other.close();
    });
  }

  test("many goaways: the newest counts", async () => {
    const { world } = open();
    await world.join();
    for (let i = 0; i < 1000; i++) world.socket.say(goaway(i % 2 ? 60_000 : 1), goaway(3000 + i));
    await world.advance(3998);
    assert.equal(hosts(world), "n2");
    await world.advance(1);
    assert.equal(hosts(world), "n2 n3");
  });

  test("one of another cluster: the board is taken anew, and what is pending sent to it", async () => {
    const { world, store } = open();
    await world.join([card("c1", { title: "here" }), card("c2")], 40);
    await world.advance(2000);
    const p = store.mutate("c1", { description: "mine" });
    world.socket.say(goaway(0));
    await world.join([card("c1", { title: "there" })], 7, { epoch: "e2", rev: 7, resumed: false });
    assert.deepEqual([store.get("c1")!["title"], store.get("c1")!["description"], store.get("c2")], ["there", "mine", undefined]);
    assert.deepEqual([store.rev, store.inspect().epoch], [7, "e2"]);
    assert.deepEqual(world.socket.sent("mutate").map((f) => f["clientMutationId"]), [p.id]);
    world.socket.say({ type: "sync", rev: 8, entity: card("c1", { rev: 8, title: "there", description: "mine" }), by: "ann" }, ack(p.id, 8));
    assert.equal((await p).ok, true);
  });

  test("one of another cluster that breaks off in its join is not resumed from", async () => {
    const { world, store } = open();
    await world.join([card("c1", { title: "here" })], 40);
    await world.advance(2000);
    world.socket.say(goaway(0));
    await world.settle();
    world.socket.open();
    world.socket.say(world.hello({ epoch: "e2", rev: 7, resumed: false }), { type: "sync", rev: 7, entity: card("c9") });
    world.socket.end();
    await world.advance(300);
    assert.deepEqual([hosts(world), query(world, "since"), store.get("c9")], ["n2 n3 n1", null, undefined]);
    assert.equal(store.get("c1")!["title"], "here", "the view stays until there is a whole one");
  });

  test("one that takes the user for somebody else ends the store before anything is sent to it", async () => {
    const { world, store } = open();
    await world.join([card("c1")], 10);
    await world.advance(2000);
    const p = store.mutate("c1", { title: "mine" });
    world.socket.say(goaway(0));
    await world.settle();
    world.socket.open();
    world.socket.say(world.hello({ user: "eve", rev: 10 }), { type: "ready", rev: 10 });
    assert.deepEqual([store.closeCode, world.socket.sent("mutate").length, (await p).ok], [4500, 0, false]);
  });
});
