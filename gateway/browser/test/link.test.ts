// The connection: law 5 to 7 and 9, deadlines, sleep, reconnects.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { connect } from "../src/store.js";
import type { Options, Verdict } from "../src/types.js";
import { card, World } from "./world.js";

function open(more: Partial<Options> = {}) {
  const world = new World();
  const store = connect({ board: "b", user: "ann", env: world.env, ...more });
  const rollbacks: string[] = [];
  store.onRollback((_, why) => rollbacks.push(why.code));
  return { world, store, rollbacks };
}

const ack = (id: unknown, rev = 11) => ({ type: "ack", clientMutationId: id, rev, events: 1 });
const nack = (id: unknown, code: string, more: object = {}) => ({
  type: "nack", clientMutationId: id, code, reason: "", retryable: false, details: {}, ...more,
});

async function settled(p: Promise<Verdict>): Promise<Verdict | undefined> {
  return Promise.race([p, new Promise<undefined>((r) => setImmediate(() => r(undefined)))]);
}

describe("connecting", () => {
  test("url, subprotocol and user of open mode", async () => {
    const { world } = open({ url: "https://x.test/team", part: "open", board: "a b" });
    await world.settle();
    assert.equal(world.socket.url.href, "wss://x.test/team/v1/boards/a%20b/ws?part=open&user=ann");
    assert.deepEqual(world.socket.protocols, ["snapback.v1"]);
  });

  test("the token is the first frame, never in the url, and asked for every connection", async () => {
    let asked = 0;
    const { world } = open({ token: async () => `t${++asked}` });
    await world.settle();
    world.socket.open();
    assert.deepEqual(world.socket.frames, [{ type: "auth", token: "t1" }]);
    world.socket.end();
    await world.advance(20000);
    world.socket.open();
    assert.deepEqual(world.socket.frames[0], { type: "auth", token: `t${asked}` });
    assert.ok(asked > 1);
    assert.ok(!world.socket.url.href.includes("t2"));
  });

  test("a token that is not to be had is asked for again with growing pauses", async () => {
    let asked = 0;
    const { world, store } = open({ token: () => { asked++; throw new Error("no"); } });
    await world.advance(60000);
    assert.equal(store.status, "offline");
    assert.ok(asked > 5 && asked < 20, `${asked}`);
  });

  test("options that can not be", () => {
    assert.throws(() => connect({ board: "" }), /board/);
    assert.throws(() => connect({ board: "b", url: "http://[", env: new World().env }), TypeError);
    assert.throws(() => connect({ board: "b", url: "localhost:8080", env: new World().env }), TypeError);
    assert.throws(() => connect({ board: "b", ttl: 999 }), /1000 to 60000/);
  });

  test("status from connecting to live, offline after a loss, live again with since and epoch", async () => {
    const { world, store } = open();
    const seen: string[] = [];
    store.onStatus((s) => seen.push(s));
    assert.equal(store.status, "connecting");
    await world.join([card("c1")], 10);
    world.socket.say({ type: "sync", rev: 11, entity: card("c1", { rev: 11, title: "x" }) });
    world.socket.end();
    assert.equal(store.status, "offline");
    await world.advance(400);
    assert.equal(world.sockets.length, 2);
    assert.equal(world.socket.url.searchParams.get("since"), "11");
    assert.equal(world.socket.url.searchParams.get("epoch"), "e1");
    await world.join([], 11, { resumed: true });
    assert.equal(store.get("c1")!["title"], "x");
    assert.deepEqual(seen, ["live", "offline", "connecting", "live"]);
  });

  test("pauses double up to ten seconds, with chance in their upper half", async () => {
    const { world } = open();
    world.chance = 0;
    const at: number[] = [];
    for (let i = 0; i < 9; i++) {
      await world.settle();
      at.push(world.now);
      const n = world.sockets.length;
      world.socket.end();
      while (world.sockets.length === n) await world.advance(25);
    }
    const pauses = at.slice(1).map((t, i) => t - at[i]!);
    assert.deepEqual(pauses.slice(0, 4), [125, 250, 500, 1000]);
    assert.equal(pauses.at(-1), 5000);
  });

  test("an attempt that hangs is given up after 15 s", async () => {
    const { world } = open();
    await world.advance(14900);
    assert.equal(world.sockets.length, 1);
    await world.advance(1000);
    assert.equal(world.sockets[0]!.closed, 1000);
    assert.ok(world.sockets.length > 1);
  });

  test("a connection as another user ends the store: what is pending is not his", async () => {
    const { world, store } = open();
    await world.join([card("c1")]);
    const p = store.mutate("c1", { title: "x" });
    world.socket.end();
    await world.advance(500);
    world.socket.open();
    world.socket.say(world.hello({ user: "eve" }), { type: "ready", rev: 10 });
    assert.equal(store.closeCode, 4500);
    assert.equal(world.socket.sent("mutate").length, 0);
    assert.equal((await p).ok, false);
  });

  test("a refusal for good closes the store and settles what is pending", async () => {
    const { world, store } = open();
    await world.join([card("c1")]);
    const p = store.mutate("c1", { title: "x" });
    world.socket.end(4502);
    assert.equal(store.status, "closed");
    assert.equal(store.closeCode, 4502);
    assert.deepEqual(await p, { ok: false, code: "closed", reason: "", details: {} });
    await world.advance(60000);
    assert.equal(world.sockets.length, 1);
    assert.equal((await store.mutate("c1", { title: "y" })).ok, false);
    assert.equal(world.listening, 0);
  });

  test("ready tells that the board is there, or never will be", async () => {
    const one = open();
    await one.world.join();
    assert.equal(await one.store.ready, true);
    const other = open();
    other.store.close();
    assert.equal(await other.store.ready, false);
  });

  test("Law 1: a rev that is missing makes it join again at once", async () => {
    const { world, store } = open();
    await world.join([card("c1")], 10);
    world.socket.say({ type: "sync", rev: 12, entity: card("c1", { rev: 12, title: "late" }) });
    await world.settle();
    assert.equal(world.sockets.length, 2);
    assert.equal(world.sockets[0]!.closed, 1000);
    assert.equal(world.socket.url.searchParams.get("since"), "10");
    assert.equal(store.get("c1")!["title"], "c1");
  });

  test("lag shows as a status and revs may skip in it", async () => {
    const { world, store } = open();
    await world.join([card("c1")], 10);
    world.socket.say({ type: "lag", rev: 10 });
    assert.equal(store.status, "lagging");
    world.socket.say({ type: "sync", rev: 40, entity: card("c1", { rev: 40, title: "x" }) });
    assert.equal(store.get("c1")!["title"], "c1");
    world.socket.say({ type: "ready", rev: 40 }, { type: "sync", rev: 41, entity: card("c1", { rev: 41, title: "y" }) });
    assert.equal(store.status, "live");
    assert.equal(store.get("c1")!["title"], "y");
    assert.equal(world.sockets.length, 1);
  });
});

describe("Law 5: silence is no verdict", () => {
  test("after ackTimeoutMs it is unconfirmed, asked for, and stays in the view until the answer", async () => {
    const { world, store, rollbacks } = open();
    await world.join([card("c1")]);
    const p = store.mutate("c1", { title: "x" });
    await world.advance(4900);
    world.socket.say({ type: "pong", serverTime: world.serverTime });
    assert.equal(world.socket.sent("cancel").length, 0);
    await world.advance(200);
    assert.deepEqual(world.socket.sent("cancel"), [{ type: "cancel", clientMutationId: p.id }]);
    assert.equal(store.inspect().pending[0]!.state, "unconfirmed");
    assert.equal(store.get("c1")!["title"], "x");
    assert.equal(await settled(p), undefined);
    world.socket.say(nack(p.id, "withdrawn"));
    assert.equal(store.get("c1")!["title"], "c1");
    assert.equal((await p).ok, false);
    assert.deepEqual(rollbacks, ["withdrawn"]);
  });

  test("a late ack of what took effect in time keeps it", async () => {
    const { world, store, rollbacks } = open();
    await world.join([card("c1")]);
    const p = store.mutate("c1", { title: "x" });
    await world.advance(5100);
    world.socket.say({ type: "sync", rev: 11, entity: card("c1", { rev: 11, title: "x" }) }, ack(p.id));
    assert.deepEqual(await p, { ok: true, rev: 11, events: 1 });
    assert.equal(store.get("c1")!["title"], "x");
    assert.deepEqual(rollbacks, []);
  });

  test("rollbackOnSilence: back at once, forward again on a late ack", async () => {
    const { world, store, rollbacks } = open({ rollbackOnSilence: true });
    await world.join([card("c1")]);
    const p = store.mutate("c1", { title: "x" });
    await world.advance(5100);
    assert.equal(store.get("c1")!["title"], "c1");
    assert.deepEqual(rollbacks, ["silence"]);
    world.socket.say({ type: "sync", rev: 11, entity: card("c1", { rev: 11, title: "x" }) }, ack(p.id));
    assert.equal(store.get("c1")!["title"], "x");
    assert.deepEqual(rollbacks, ["silence"]);
    assert.equal((await p).ok, true);
  });

  test("it asks again and again while the connection is open, and again on the next", async () => {
    const { world, store } = open();
    await world.join([card("c1")]);
    const p = store.mutate("c1", { title: "x" });
    const first = world.socket;
    for (let i = 0; i < 11; i++) {
      await world.advance(1000);
      first.say({ type: "pong", serverTime: world.serverTime });
    }
    assert.equal(first.sent("cancel").length, 2);
    first.end();
    await world.advance(500);
    await world.join([], 10, { resumed: true });
    assert.deepEqual(world.socket.sent("cancel"), [{ type: "cancel", clientMutationId: p.id }]);
    assert.equal(world.socket.sent("mutate").length, 0);
  });

  test("time without a connection does not count; after the next ready the same frame goes out again", async () => {
    const { world, store } = open();
    await world.join([card("c1")]);
    store.mutate("c1", { title: "x" });
    const [frame] = world.socket.sent("mutate");
    world.socket.end();
    await world.advance(200);
    await world.advance(9000);
    assert.equal(store.inspect().pending[0]!.state, "sent");
    await world.join([], 10, { resumed: true });
    assert.deepEqual(world.socket.sent("mutate"), [frame]);
  });
});

describe("a page that slept", () => {
  test("a frozen minute is not silence: it pings first and judges after the pong", async () => {
    const { world, store, rollbacks } = open();
    await world.join([card("c1")]);
    const p = store.mutate("c1", { title: "x" });
    await world.advance(1000);
    await world.freeze(60000);
    assert.deepEqual(world.socket.frames.slice(-1), [{ type: "ping" }]);
    assert.equal(world.socket.sent("cancel").length, 0);
    assert.equal(store.inspect().pending[0]!.state, "sent");
    world.socket.say({ type: "sync", rev: 11, entity: card("c1", { rev: 11, title: "x" }) }, ack(p.id));
    world.socket.say({ type: "pong", serverTime: world.serverTime });
    assert.equal((await p).ok, true);
    assert.deepEqual(rollbacks, []);
  });

  test("after the pong the rest of its time goes on", async () => {
    const { world, store } = open();
    await world.join([card("c1")]);
    store.mutate("c1", { title: "x" });
    await world.advance(2000);
    await world.freeze(60000);
    world.socket.say({ type: "pong", serverTime: world.serverTime });
    await world.advance(1500);
    assert.equal(world.socket.sent("cancel").length, 0);
    await world.advance(2000);
    assert.equal(world.socket.sent("cancel").length, 1);
  });

  test("no pong in 3 s: a new connection at once", async () => {
    const { world } = open();
    await world.join();
    world.wake();
    assert.deepEqual(world.socket.frames, [{ type: "ping" }]);
    await world.advance(2900);
    assert.equal(world.sockets.length, 1);
    await world.advance(150);
    assert.equal(world.sockets.length, 2);
    assert.equal(world.sockets[0]!.closed, 1000);
  });

  test("what is made before the pong waits for it, and gets the server's time of then", async () => {
    const { world, store } = open();
    await world.join([card("c1")]);
    world.sleep(8 * 3600_000); // the monotonic clock slept along
    store.mutate("c1", { title: "x" });
    assert.equal(world.socket.sent("mutate").length, 0);
    assert.equal(world.socket.sent("ping").length, 1);
    world.socket.say({ type: "pong", serverTime: world.serverTime });
    const [frame] = world.socket.sent("mutate");
    assert.equal(Date.parse(String(frame!["expiresAt"])), Date.parse(world.serverTime) + 4000);
  });

  test("waking while offline dials at once", async () => {
    const { world, store } = open();
    for (let i = 0; i < 8; i++) {
      await world.settle();
      world.socket.end();
      if (i < 7) await world.advance(11000);
    }
    assert.equal(store.status, "offline");
    const n = world.sockets.length;
    world.wake();
    await world.settle();
    assert.equal(world.sockets.length, n + 1);
  });

  test("quiet for five seconds: a ping; a dead connection is found without sleep too", async () => {
    const { world } = open();
    await world.join();
    await world.advance(5100);
    assert.equal(world.socket.sent("ping").length, 1);
    await world.advance(3000);
    assert.equal(world.sockets.length, 2);
  });

  test("frames that keep coming keep a connection whose pong is queued behind them", async () => {
    const { world } = open();
    await world.join([card("c1")], 10);
    world.wake();
    for (let rev = 11; rev < 20; rev++) {
      await world.advance(2500);
      world.socket.say({ type: "sync", rev, entity: card("c1", { rev, title: `${rev}` }) });
    }
    assert.equal(world.sockets.length, 1);
  });
});

describe("sending", () => {
  test("is done when what was made is painted, in the order made; it is shown before", async () => {
    const world = new World();
    const waiting: (() => void)[] = [];
    const store = connect({ board: "b", user: "ann", env: { ...world.env, afterPaint: (fn) => void waiting.push(fn) } });
    await world.join([card("c1")]);
    const a = store.mutate("c1", { title: "x" });
    const b = store.mutate("c1", { title: "y" });
    assert.equal(store.get("c1")!["title"], "y");
    assert.deepEqual(world.socket.sent("mutate"), []);
    waiting.splice(0).forEach((fn) => fn());
    assert.deepEqual(world.socket.sent("mutate").map((f) => f["clientMutationId"]), [a.id, b.id]);
  });

  test("a deadline of four seconds by the server's clock, one for ever", async () => {
    const { world, store } = open();
    await world.settle();
    store.mutate("c1", { title: "x" });
    world.socket.open();
    const server = Date.parse("2030-06-01T12:00:00Z");
    world.socket.say({ ...world.hello(), serverTime: new Date(server).toISOString() }, { type: "ready", rev: 0 });
    const [frame] = world.socket.sent("mutate");
    assert.equal(frame!["expiresAt"], "2030-06-01T12:00:04.000Z");
    world.socket.end();
    await world.advance(30000);
    await world.join([], 0, { resumed: true });
    assert.deepEqual(world.socket.sent("mutate"), [frame]);
  });

  test("Law 6: in the order made, one frame each, and no more in flight than allowed", async () => {
    const { world, store } = open();
    await world.settle();
    for (let i = 0; i < 5; i++) store.mutate("c1", { title: `${i}` });
    const limits = { frameBytes: 262144, inFlight: 2, ackTimeoutMs: 5000 };
    await world.join([card("c1")], 10, { limits });
    const titles = () => world.socket.sent("mutate").map((f) => (f["patch"] as { title: string }).title);
    assert.deepEqual(titles(), ["0", "1"]);
    world.socket.say(nack(world.socket.sent("mutate")[0]!["clientMutationId"], "forbidden"));
    assert.deepEqual(titles(), ["0", "1", "2"]);
  });

  test("Law 7: a refusal for now holds everything later back until it is sent again", async () => {
    const { world, store } = open();
    await world.join([card("c1")]);
    const ids = [1, 2, 3].map((n) => store.mutate("c1", { title: `${n}` }).id);
    const later = { retryable: true, details: { retryAfterMs: 300 } };
    for (const id of ids) world.socket.say(nack(id, "rate_limited", later));
    store.mutate("c1", { title: "4" });
    await world.advance(250);
    assert.equal(world.socket.sent("mutate").length, 3);
    await world.advance(100);
    const again = world.socket.sent("mutate").slice(3).map((f) => (f["patch"] as { title: string }).title);
    assert.deepEqual(again, ["1", "2", "3", "4"]);
    assert.equal(store.get("c1")!["title"], "4");
  });

  test("larger than a frame may be: refused here, and the next goes on", async () => {
    const { world, store, rollbacks } = open();
    await world.join([card("c1")]);
    const v = await store.mutate("c1", { description: "ü".repeat(140_000) });
    assert.deepEqual(v, { ok: false, code: "too_large", reason: "", details: { limit: 262144 } });
    assert.deepEqual(rollbacks, ["too_large"]);
    store.mutate("c1", { title: "x" });
    assert.equal(world.socket.sent("mutate").length, 1);
  });

  test("cancel: withdrawn at once if never sent, else asked for, and no toast either way", async () => {
    const { world, store, rollbacks } = open();
    await world.settle();
    const early = store.mutate("c1", { title: "x" });
    early.cancel();
    const { reason: _, ...verdict } = (await early) as Verdict & { reason: string };
    assert.deepEqual(verdict, { ok: false, code: "withdrawn", details: {} });
    await world.join([card("c1")]);
    const p = store.mutate("c1", { title: "y" });
    p.cancel();
    p.cancel();
    assert.equal(world.socket.sent("cancel").length, 1);
    world.socket.say(nack(p.id, "withdrawn"));
    assert.equal(store.get("c1")!["title"], "c1");
    assert.deepEqual(rollbacks, []);
  });

  test("a toast for none that was cancelled, also if it had been asked for already", async () => {
    const { world, store, rollbacks } = open();
    await world.join([card("c1")]);
    const p = store.mutate("c1", { title: "x" });
    await world.advance(5100);
    p.cancel();
    world.socket.say(nack(p.id, "withdrawn"));
    await p;
    assert.deepEqual(rollbacks, []);
  });

  test("what can not be sent is refused in words, and shows nothing", async () => {
    const { world, store } = open();
    await world.join([card("c1")]);
    const none = await store.transact([]);
    assert.deepEqual(none.ok ? none : none.details, { field: "changes", limit: 100 });
    const loop: { [k: string]: never } = {};
    (loop as { [k: string]: unknown })["x-me"] = loop;
    const circular = await store.mutate("c1", loop);
    assert.equal(circular.ok ? "" : circular.code, "invalid");
    assert.equal(world.socket.sent("mutate").length, 0);
  });

  test("the caller may change his patch afterwards", async () => {
    const { world, store } = open();
    await world.settle();
    const patch = { title: "mine" };
    store.transact([{ entityId: "c1", patch }]);
    patch.title = "other";
    await world.join([card("c1")]);
    assert.equal((world.socket.sent("mutate")[0]!["patch"] as { title: string }).title, "mine");
  });
});
