// What an application sees: listeners, promises, identity.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { load } from "../src/load.js";
import { presence } from "../src/presence.js";
import { connect } from "../src/store.js";
import type { Options } from "../src/types.js";
import { card, World } from "./world.js";

async function board(more: Partial<Options> = {}, entities: object[] = [card("c1"), card("c2", { position: "a1" })]) {
  const world = new World();
  const store = connect({ board: "b", user: "ann", env: world.env, ...more });
  await world.join(entities, 10);
  return { world, store };
}

const sync = (rev: number, entity: object) => ({ type: "sync", rev, entity });
const ack = (id: string, rev: number) => ({ type: "ack", clientMutationId: id, rev, events: 1 });
const nack = (id: string, code: string, details: object = {}) => ({
  type: "nack", clientMutationId: id, code, reason: "why", retryable: false, details,
});

describe("a mutation", () => {
  test("shows before the call returns, whoever listens hears once, and its promise tells the verdict", async () => {
    const { world, store } = await board();
    const heard: string[] = [];
    store.subscribe((changes) => heard.push(changes.map((c) => `${c.id}:${c.before?.["title"]}>${c.after?.["title"]}`).join()));
    const p = store.mutate("c1", { title: "x" });
    assert.equal(store.get("c1")!["title"], "x");
    assert.deepEqual(heard, ["c1:c1>x"]);
    assert.equal(p.entityId, "c1");
    assert.ok(store.pending("c1") && !store.pending("c2"));
    world.socket.say(sync(11, card("c1", { rev: 11, title: "x" })), ack(p.id, 11));
    assert.deepEqual(await p, { ok: true, rev: 11, events: 1 });
    assert.deepEqual(heard, ["c1:c1>x"]);
    assert.ok(!store.pending("c1"));
    assert.equal(store.confirmed("c1")!.rev, 11);
  });

  test("Law 10: refused, it alone goes; the toast has mutation, code and details", async () => {
    const { world, store } = await board();
    const one = store.mutate("c1", { title: "1" });
    const two = store.mutate("c2", { title: "2" });
    const three = store.mutate("c1", { description: "3" });
    const toasts: unknown[] = [];
    store.onRollback((m, why) => toasts.push([m.id, m.changes, why.code, why.details]));
    world.socket.say(nack(one.id, "wip_limit", { columnId: "doing", limit: 3, count: 3 }));
    assert.equal(store.get("c1")!["title"], "c1");
    assert.equal(store.get("c1")!["description"], "3");
    assert.equal(store.get("c2")!["title"], "2");
    assert.deepEqual(toasts, [
      [one.id, [{ entityId: "c1", patch: { title: "1" } }], "wip_limit", { columnId: "doing", limit: 3, count: 3 }],
    ]);
    const v = await one;
    assert.ok(!v.ok && v.code === "wip_limit" && v.reason === "why");
    assert.equal(await Promise.race([two, three, Promise.resolve("open")]), "open");
  });

  test("create gives the new id, remove deletes, transact is one frame", async () => {
    const { world, store } = await board();
    const p = store.create("card", { title: "new", columnId: "todo" });
    assert.equal(store.get(p.entityId)!["createdBy"], "ann");
    assert.deepEqual(store.children("todo", "card").map((c) => c.title), ["c1", "c2", "new"]);
    store.remove("c2", { ifRev: 1 });
    assert.equal(store.get("c2"), undefined);
    store.transact([{ entityId: "c1", patch: { title: "a" } }, { entityId: "c1", patch: { color: "red" }, if: { title: "a" } }]);
    const [made, removed, both] = world.socket.sent("mutate");
    assert.equal(made!["ifRev"], 0);
    assert.equal(removed!["patch"], null);
    assert.equal(removed!["ifRev"], 1);
    assert.equal((both!["changes"] as unknown[]).length, 2);
    assert.equal("entityId" in both!, false);
  });

  test("mutation ids are ULIDs of the server's time", async () => {
    const { world, store } = await board();
    const { id } = store.mutate("c1", { title: "x" });
    assert.match(id, /^[0-9A-HJKMNP-TV-Z]{26}$/);
    let ms = 0;
    for (const c of id.slice(0, 10)) ms = ms * 32 + "0123456789ABCDEFGHJKMNPQRSTVWXYZ".indexOf(c);
    assert.equal(ms, Date.parse(world.serverTime));
  });
});

describe("listeners", () => {
  test("of one entity hear of it alone", async () => {
    const { world, store } = await board();
    const heard: unknown[] = [];
    const end = store.subscribe("c1", (now, before) => heard.push([before?.["title"], now?.["title"]]));
    world.socket.say(sync(11, card("c2", { rev: 11, title: "other" })));
    world.socket.say(sync(12, card("c1", { rev: 12, title: "x" })));
    world.socket.say(sync(13, { id: "c1", kind: "card", rev: 13, columnId: "todo", deleted: true }));
    assert.deepEqual(heard, [["c1", "x"], ["x", undefined]]);
    end();
    end();
    store.mutate("c1", { kind: "card", title: "again", columnId: "todo" });
    assert.equal(heard.length, 2);
  });

  test("one that throws keeps nobody from hearing", async () => {
    const { world, store } = await board();
    const thrown: unknown[] = [];
    const keep = process.listeners("uncaughtException");
    process.removeAllListeners("uncaughtException");
    process.once("uncaughtException", (e) => thrown.push(e));
    let heard = 0;
    store.subscribe(() => { throw new Error("mine"); });
    store.subscribe(() => heard++);
    const p = store.mutate("c1", { title: "x" });
    world.socket.say(sync(11, card("c1", { rev: 11, title: "x" })), ack(p.id, 11));
    assert.equal((await p).ok, true);
    assert.equal(heard, 1);
    await new Promise((r) => setImmediate(r));
    keep.forEach((fn) => process.on("uncaughtException", fn));
    assert.equal((thrown[0] as Error).message, "mine");
  });

  test("one that mutates is heard after the others have heard of the first", async () => {
    const { store } = await board();
    const order: unknown[] = [];
    store.subscribe((changes) => {
      order.push(["first", changes[0]!.after!["title"]]);
      if (store.get("c1")!["title"] === "x") store.mutate("c1", { title: "y" });
    });
    store.subscribe((changes) => order.push(["second", changes[0]!.after!["title"]]));
    store.mutate("c1", { title: "x" });
    assert.deepEqual(order, [["first", "x"], ["second", "x"], ["first", "y"], ["second", "y"]]);
  });

  test("one that closes the store in the middle does no harm", async () => {
    const { world, store } = await board();
    store.subscribe(() => store.close());
    world.socket.say(sync(11, card("c1", { rev: 11, title: "x" })), sync(12, card("c1", { rev: 12, title: "y" })));
    assert.equal(store.status, "closed");
    assert.equal(store.get("c1")!["title"], "x");
    await world.advance(60000);
    assert.equal(world.sockets.length, 1);
  });

  test("the view is told before the verdict, the promise last", async () => {
    const { world, store } = await board();
    const order: string[] = [];
    const p = store.mutate("c1", { title: "x" });
    store.subscribe(() => order.push("view"));
    store.onRollback(() => order.push("rollback"));
    store.onSettled(() => order.push("settled"));
    void p.then(() => order.push("promise"));
    world.socket.say(nack(p.id, "forbidden"));
    await p;
    assert.deepEqual(order, ["view", "rollback", "settled", "promise"]);
  });
});

describe("Law 11: identity", () => {
  test("what did not change keeps it, entities and lists", async () => {
    const { world, store } = await board({}, [card("c1"), card("c2", { position: "a1" }), card("d1", { columnId: "done" })]);
    const [c2, todo, done] = [store.get("c2"), store.children("todo", "card"), store.children("done", "card")];
    world.socket.say(sync(11, card("c1", { rev: 11, title: "x" })));
    assert.equal(store.get("c2"), c2);
    assert.equal(store.children("done", "card"), done);
    assert.notEqual(store.children("todo", "card"), todo);
    const after = store.children("todo", "card");
    world.socket.say(sync(12, card("c1", { rev: 12, title: "x", updatedBy: "zoe" })));
    assert.equal(store.children("todo", "card"), after);
    assert.ok(Object.isFrozen(store.get("c1")));
  });
});

describe("what a store tells of itself", () => {
  test("inspect lists pending, verdicts, revs and latency", async () => {
    const { world, store } = await board();
    const p = store.mutate("c1", { title: "x" });
    const q = store.mutate("c2", { title: "y" });
    await world.advance(40);
    world.socket.say(sync(11, card("c1", { rev: 11, title: "x" })), ack(p.id, 11));
    const seen = store.inspect();
    assert.deepEqual([seen.board, seen.status, seen.epoch, seen.rev, seen.entities], ["b", "live", "e1", 11, 2]);
    assert.deepEqual(seen.pending.map((m) => [m.id, m.state]), [[q.id, "sent"]]);
    assert.deepEqual(seen.verdicts.map((v) => [v.id, v.verdict.ok, v.tookMs]), [[p.id, true, 40]]);
    world.wake();
    await world.advance(30);
    world.socket.say({ type: "pong", serverTime: world.serverTime });
    assert.equal(store.inspect().latencyMs, 30);
  });

  test("only the newest 50 verdicts", async () => {
    const { world, store } = await board();
    for (let i = 0; i < 60; i++) world.socket.say(nack(store.mutate("c1", { title: `${i}` }).id, "forbidden"));
    assert.equal(store.inspect().verdicts.length, 50);
  });

  test("me is whom the server takes you for", async () => {
    const { store } = await board();
    assert.deepEqual([store.me!.user, store.me!.role, store.me!.session], ["ann", "editor", "s1"]);
  });
});

describe("presence made late", () => {
  test("who left is forgotten", async () => {
    const { world, store } = await board();
    world.socket.say({ type: "presence", session: "s2", user: "bob", data: 1 });
    world.socket.say({ type: "presence", session: "s2", user: "bob", data: null });
    assert.equal(store.engine.said.size, 0);
  });

  test("knows who has spoken before, and not who was there before a lag", async () => {
    const { world, store } = await board();
    world.socket.say({ type: "presence", session: "s2", user: "bob", data: 1 });
    assert.deepEqual(presence(store).others.map((p) => p.user), ["bob"]);
    world.socket.say({ type: "lag", rev: 10 }, { type: "ready", rev: 12 });
    assert.deepEqual(presence(store).others, []);
  });
});

describe("load", () => {
  test("brings what part=open leaves out, and fails with the connection", async () => {
    const { world, store } = await board({ part: "open" });
    const page = load(store, { card: "c1" });
    assert.deepEqual(world.socket.sent("load"), [{ type: "load", id: world.socket.frames.at(-1)!["id"], card: "c1" }]);
    const comment = { id: "k", kind: "comment", rev: 2, createdRev: 2, cardId: "c1", text: "hi" };
    world.socket.say({ type: "loaded", id: world.socket.frames.at(-1)!["id"], rev: 10, entities: [comment], before: "older" });
    assert.equal((await page).before, "older");
    assert.equal(store.children("c1", "comment")[0]!.text, "hi");
    const bad = load(store, { archive: true, before: "?" });
    world.socket.say({ type: "error", code: "invalid", reason: "before: not a cursor", id: world.socket.frames.at(-1)!["id"] });
    await assert.rejects(bad, /before: not a cursor/);
    const lost = load(store, { archive: true });
    world.socket.end();
    await assert.rejects(lost, /connection lost/);
    await assert.rejects(load(store, { card: "c1" }), /not live/);
  });
});
