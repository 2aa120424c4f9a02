// Offline: what outlives a page, whose it is, who sends it, and under which conditions.

import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { load } from "../src/load.js";
import { calm, Machine, type Tab, until } from "./machine.js";
import { card } from "./world.js";

let machine: Machine;
beforeEach(() => (machine = new Machine()));
afterEach(() => machine.end());

const minute = 60_000;
const day = 24 * 60 * minute;
const sync = (rev: number, entity: object) => ({ type: "sync", rev, entity });
const ack = (id: unknown, rev = 11) => ({ type: "ack", clientMutationId: id, rev, events: 1 });
const mutates = (tab: Tab) => tab.world.socket.sent("mutate");
const title = (tab: Tab, id = "c1") => tab.store.get(id)?.["title"];

/** A tab with card c1, joined as ann. */
async function joined(more: object = {}): Promise<Tab> {
  const tab = machine.tab();
  await tab.join([card("c1", more)]);
  return tab;
}

/** The page is gone, and so much later another one has shown what was stored. */
async function reload(tab: Tab, ms = 1000): Promise<Tab> {
  tab.crash();
  machine.elapsed += ms;
  return machine.loaded();
}

describe("the confirmed board", () => {
  test("is painted by the next page before it connects, which then resumes", async () => {
    const tab = await joined();
    tab.world.socket.say(sync(11, card("c1", { rev: 11, title: "x" })), sync(12, card("c2", { rev: 12 })));
    await tab.stored();
    const next = await reload(tab);
    assert.equal(title(next), "x");
    assert.equal(next.store.list("card").length, 2);
    assert.equal(next.store.rev, 12);
    const { searchParams } = next.world.socket.url;
    assert.equal(searchParams.get("since"), "12");
    assert.equal(searchParams.get("epoch"), "e1");
    assert.equal(next.offline.error, undefined);
  });

  test("loses what was deleted, with what hung on it", async () => {
    const tab = await joined();
    tab.world.socket.say(sync(11, { id: "k1", kind: "comment", cardId: "c1", rev: 11, createdRev: 11, text: "t" }));
    await tab.stored();
    assert.equal((await machine.stored()).entities.length, 2);
    tab.world.socket.say(sync(12, { id: "c1", kind: "card", rev: 12, deleted: true }));
    await tab.stored();
    assert.deepEqual(await machine.stored(), { meta: { user: "ann", epoch: "e1", rev: 12 }, entities: [], pending: [] });
  });

  test("is written after a moment, or at once when the page is hidden", async () => {
    const tab = await joined();
    tab.world.socket.say(sync(11, card("c1", { rev: 11, title: "x" })));
    await calm();
    assert.equal((await machine.stored()).meta!.rev, 10);
    tab.world.wake();
    await calm();
    assert.equal((await machine.stored()).meta!.rev, 11);
  });

  test("starts anew in another epoch", async () => {
    const tab = await joined();
    const next = await reload(tab);
    await next.join([card("c9")], 3, { epoch: "e2" });
    const { meta, entities } = await machine.stored();
    assert.deepEqual(meta, { user: "ann", epoch: "e2", rev: 3 });
    assert.deepEqual(entities.map(({ id }) => id), ["c9"]);
  });

  test("starts anew when the board was set back in the same epoch", async () => {
    const tab = await joined();
    tab.world.socket.say(sync(11, card("c1", { rev: 11, title: "lost" })));
    await tab.stored();
    const other = await machine.loaded();
    const next = await reload(tab);
    for (const t of [next, other]) {
      await t.join([card("c9")], 9);
      const { meta, entities } = await machine.stored();
      assert.deepEqual(meta, { user: "ann", epoch: "e1", rev: 9 });
      assert.deepEqual(entities.map(({ id }) => id), ["c9"]);
    }
  });

  test("is written by two tabs at different revs: the stored one never goes back", async () => {
    const one = await joined();
    const other = await machine.loaded();
    await other.join([], 10, { resumed: true });
    const more = [sync(11, card("c1", { rev: 11, title: "x" })), sync(12, card("c2", { rev: 12 }))];
    other.world.socket.say(...more);
    await other.stored();
    one.world.socket.say(more[0]!);
    await one.stored();
    assert.equal((await machine.stored()).meta!.rev, 12);
    one.world.socket.say(more[1]!, sync(13, card("c3", { rev: 13 })));
    await one.stored();
    const { meta, entities } = await machine.stored();
    assert.equal(meta!.rev, 13);
    assert.deepEqual(entities.map((e) => [e.id, e.rev]), [["c1", 11], ["c2", 12], ["c3", 13]]);
  });

  test("has what was loaded beside the stream, though the board stood still", async () => {
    const tab = await joined();
    const page = load(tab.store, { card: "c1" });
    const { id } = tab.world.socket.sent("load")[0]!;
    const comment = { id: "k1", kind: "comment", cardId: "c1", rev: 5, createdRev: 5, text: "t" };
    tab.world.socket.say({ type: "loaded", id, rev: 10, entities: [comment], before: null });
    await page;
    await tab.stored();
    const next = await reload(tab);
    assert.equal(next.store.get("k1")?.["text"], "t");
    assert.equal(next.store.rev, 10);
  });

  test("of another part of the board is another", async () => {
    await joined();
    const part = await machine.loaded({ part: "open" });
    assert.equal(part.store.list("card").length, 0);
  });
});

describe("what is pending", () => {
  test("is shown again after a reload, in the order made, before what is made then, and sent", async () => {
    const tab = await joined();
    tab.world.socket.end();
    const made = [tab.store.mutate("c1", { title: "x" }), tab.store.create("card", { columnId: "todo", title: "new" })];
    made.push(tab.store.mutate(made[1]!.entityId, { title: "newer" }));
    await calm();
    const next = await reload(tab);
    const later = next.store.mutate("c1", { title: "z" });
    assert.equal(title(next), "z");
    assert.equal(title(next, made[1]!.entityId), "newer");
    assert.deepEqual(next.ids, [...made, later].map(({ id }) => id));
    await next.join([], 10, { resumed: true });
    assert.deepEqual(mutates(next).map((f) => f["clientMutationId"]), next.ids);
    assert.ok(mutates(next).every((f) => f["if"] === undefined), "younger than a minute");
  });

  test("is forgotten with its verdict", async () => {
    const tab = await joined();
    const good = tab.store.mutate("c1", { title: "x" });
    const bad = tab.store.mutate("c1", { title: "y" });
    await calm();
    assert.equal((await machine.stored()).pending.length, 2);
    tab.world.socket.say(sync(11, card("c1", { rev: 11, title: "x" })), ack(good.id));
    tab.world.socket.say({ type: "nack", clientMutationId: bad.id, code: "forbidden", reason: "", retryable: false });
    await calm();
    assert.deepEqual((await machine.stored()).pending.map((row) => row.id), [good.id]); // until its outcome is written
    await tab.stored();
    assert.equal((await machine.stored()).pending.length, 0);
  });

  test("and took effect just before the page ended: the next one shows it, and asks again", async () => {
    const tab = await joined();
    const good = tab.store.mutate("c1", { title: "x" });
    await calm();
    tab.world.socket.say(sync(11, card("c1", { rev: 11, title: "x" })), ack(good.id));
    assert.equal((await good).ok, true);
    const next = await reload(tab);
    assert.equal(title(next), "x");
    assert.deepEqual(next.ids, [good.id]);
    await next.join([card("c1", { rev: 11, title: "x" })], 11, { resumed: true });
    next.world.socket.say(ack(good.id));
    await next.stored();
    assert.equal(title(next), "x");
    assert.equal((await machine.stored()).pending.length, 0);
  });

  test("and took effect sooner than it was stored: the next one shows it, too", async () => {
    const tab = await joined();
    const good = tab.store.mutate("c1", { title: "x" });
    tab.world.socket.say(sync(11, card("c1", { rev: 11, title: "x" })), ack(good.id));
    assert.equal((await good).ok, true);
    await calm();
    const next = await reload(tab);
    assert.equal(title(next), "x");
    assert.deepEqual(next.ids, [good.id]);
  });

  test("outlives store.close, which is no verdict", async () => {
    const tab = await joined();
    const m = tab.store.mutate("c1", { title: "x" });
    const [entry] = tab.store.engine.entries.values();
    for (const part of tab.store.engine.hooks) part.concluded?.(entry!, { ok: false, code: "closed", details: {}, reason: "" });
    tab.store.close();
    assert.equal((await m).ok, false);
    const next = await machine.loaded();
    assert.deepEqual(next.ids, [m.id]);
  });

  test("and was sent: it is sent again as it was, with its deadline, even a day later", async () => {
    const tab = await joined();
    const m = tab.store.mutate("c1", { title: "x" });
    await calm();
    const [sent] = mutates(tab);
    const next = await reload(tab, 2 * day);
    assert.deepEqual(next.offline.stale, []);
    const verdicts: unknown[] = [];
    next.store.onSettled((which, v) => verdicts.push(which.id, v.ok));
    await next.join([], 10, { resumed: true });
    assert.deepEqual(mutates(next), [sent]);
    next.world.socket.say({ type: "nack", clientMutationId: m.id, code: "expired", reason: "", retryable: false });
    await calm();
    assert.deepEqual(verdicts, [m.id, false]);
    assert.deepEqual(next.rollbacks, ["expired"]);
    assert.equal(title(next), "c1");
    assert.equal((await machine.stored()).pending.length, 0);
  });

  test("never sent and older than a minute: it carries what stood before, after a reload", async () => {
    const tab = await joined({ color: "red" });
    tab.world.socket.end();
    tab.store.mutate("c1", { title: "x", due: "2026-02-01", labels: { add: "l1" } });
    await calm();
    const next = await reload(tab, 2 * minute);
    next.store.mutate("c1", { color: "blue" });
    await next.join([sync(11, card("c1", { rev: 11, title: "bob's", color: "red" })).entity], 11, { resumed: true });
    const [first, second] = mutates(next);
    assert.deepEqual(first!["if"], { title: "c1", due: null });
    assert.equal(second!["if"], undefined);
    await calm();
    const { pending } = await machine.stored();
    const again = await reload(next);
    await again.join([], 11, { resumed: true });
    assert.deepEqual(mutates(again)[0], first, "the same content under the same id");
    assert.deepEqual(pending[0]!.changes[0]!.if, { title: "c1", due: null });
  });

  test("never sent and older than a minute: it carries it without a reload too", async () => {
    const tab = await joined();
    tab.world.socket.end();
    await tab.world.freeze(1);
    tab.store.mutate("c1", { title: "x" });
    tab.store.remove("c1");
    tab.world.sleep(2 * minute); // the monotonic clock stood still
    await tab.world.advance(20_000);
    await tab.join([], 10, { resumed: true });
    assert.deepEqual(mutates(tab).map((f) => f["if"]), [{ title: "c1" }, { title: "x", columnId: "todo" }]);
  });

  test("a like is shown as yours before the server has said who you are", async () => {
    const tab = await joined({ liked: true, likes: 1, likedBy: ["ann"] });
    tab.world.socket.end();
    tab.store.mutate("c1", { liked: false });
    await calm();
    const { liked, likes } = (await reload(tab)).store.get("c1")!;
    assert.deepEqual([liked, likes], [false, 0]);
  });

  test("an undo that waits for its original is kept once it is sent", async () => {
    const tab = await joined();
    const { id } = tab.store.engine.transact([{ entityId: "c1", patch: { title: "back" } }], { held: true });
    await calm();
    assert.equal((await machine.stored()).pending.length, 0);
    tab.store.engine.release(id, { sending: [{ entityId: "c1", patch: { title: "far back" } }] });
    await calm();
    const [row] = (await machine.stored()).pending;
    assert.deepEqual(row!.changes[0]!.patch, { title: "far back" });
    assert.equal(row!.expiresAt, mutates(tab)[0]!["expiresAt"]);
  });

  test("made before the stored board was read", async () => {
    const tab = await joined();
    tab.crash();
    const next = machine.tab();
    const m = next.store.mutate("c1", { title: "early" });
    await until(() => title(next) === "early");
    await next.join([], 10, { resumed: true });
    assert.equal(mutates(next).length, 1);
    const { pending } = await machine.stored();
    assert.deepEqual(pending.map(({ id, user }) => [id, user]), [[m.id, "ann"]]);
  });
});

describe("older than a day and never sent", () => {
  async function stale(): Promise<Tab> {
    const tab = await joined();
    tab.world.socket.end();
    tab.store.mutate("c1", { title: "old words" });
    await calm();
    return reload(tab, day + minute);
  }

  test("it is listed with its text, neither shown nor sent", async () => {
    const tab = await stale();
    assert.deepEqual(tab.offline.stale.map((m) => m.changes), [[{ entityId: "c1", patch: { title: "old words" } }]]);
    assert.equal(title(tab), "c1");
    await tab.join([], 10, { resumed: true });
    assert.equal(mutates(tab).length, 0);
    const next = await reload(tab);
    assert.equal(next.offline.stale.length, 1);
  });

  test("resend sends it with its guards, in a later page too; discard forgets it", async () => {
    const tab = await stale();
    let told = 0;
    tab.offline.subscribe(() => told++);
    const { id } = tab.offline.stale[0]!;
    assert.equal(tab.offline.resend(id)!.id, id);
    assert.equal(tab.offline.resend(id), undefined);
    assert.deepEqual(tab.offline.stale, []);
    assert.equal(title(tab), "old words");
    assert.ok(told > 0);
    await calm();
    const next = await reload(tab);
    await next.join([], 10, { resumed: true });
    assert.deepEqual(mutates(next).map((f) => f["if"]), [{ title: "c1" }]);
  });

  test("discard forgets it", async () => {
    const tab = await stale();
    tab.offline.discard(tab.offline.stale[0]!.id);
    await calm();
    assert.deepEqual(tab.offline.stale, []);
    assert.equal((await machine.stored()).pending.length, 0);
  });

  test("a page that stays open lists it when it connects", async () => {
    const tab = await joined();
    tab.world.socket.end();
    const m = tab.store.mutate("c1", { title: "old words" });
    tab.world.sleep(2 * day);
    await tab.world.advance(20_000);
    await tab.join([], 10, { resumed: true });
    assert.deepEqual(tab.offline.stale.map(({ id }) => id), [m.id]);
    assert.equal(mutates(tab).length, 0);
    assert.deepEqual(tab.rollbacks, []);
    assert.equal((await machine.stored()).pending.length, 1);
    tab.offline.resend(m.id);
    assert.deepEqual(mutates(tab).map((f) => f["if"]), [{ title: "c1" }]);
  });
});
