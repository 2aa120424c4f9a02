// Law 2: the syncs of our own mutations and their acks come in one flush, and are seen as one.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { connect } from "../src/store.js";
import { card, World } from "./world.js";

async function board() {
  const world = new World();
  const store = connect({ board: "b", user: "ann", env: world.env });
  await world.join([card("c1")], 10);
  const titles: unknown[] = [];
  store.subscribe((changes) => changes.forEach((c) => titles.push([c.id, c.after?.["title"]])));
  return { world, store, titles };
}

const ack = (id: string, rev: number) => ({ type: "ack", clientMutationId: id, rev, events: 1 });
const sync = (rev: number, by: string, entity: object) => ({ type: "sync", rev, by, entity: { ...entity, rev } });

describe("Law 2: several of ours in one flush", () => {
  test("each keeps the place it was shown at, until its own ack and after", async () => {
    const { world, store } = await board();
    const first = [1, 2, 3].map((n) => store.create("card", { title: `${n}`, columnId: "todo", position: { after: null } }));
    const made = first.map((p) => store.get(p.entityId)!);
    const seen: unknown[] = [];
    store.subscribe((changes) => changes.forEach((c) => seen.push(c.after!["position"] === c.before!["position"])));
    made.forEach((e, i) => world.socket.say(sync(11 + i, "ann", { ...e, createdRev: 11 + i })));
    assert.deepEqual(seen, []);
    first.forEach((p, i) => world.socket.say(ack(p.id, 11 + i)));
    assert.deepEqual(seen, [true, true, true]); // that they are confirmed
    assert.deepEqual(store.children("todo", "card").map((c) => c.title), ["3", "2", "1", "c1"]);
    assert.equal(store.rev, 13);
    assert.equal(store.inspect().pending.length, 0);
  });

  test("what others changed behind ours comes along, what they changed before does not wait", async () => {
    const { world, store, titles } = await board();
    const p = store.mutate("c1", { title: "mine" });
    world.socket.say(sync(11, "bob", card("c2", { title: "before" })), sync(12, "ann", card("c1", { title: "mine" })));
    world.socket.say(sync(13, "bob", card("c2", { title: "behind" })));
    assert.deepEqual(titles, [["c1", "mine"], ["c2", "before"]]);
    world.socket.say(ack(p.id, 12));
    assert.deepEqual(titles.slice(2), [["c2", "behind"]]);
    assert.equal(store.rev, 13);
  });

  test("of another window of ours: it is shown soon, without an ack", async () => {
    const { world, store } = await board();
    store.mutate("c2", { title: "x" });
    world.socket.say(sync(11, "ann", card("c1", { title: "elsewhere" })));
    assert.equal(store.get("c1")!["title"], "c1");
    await world.advance(25);
    assert.equal(store.get("c1")!["title"], "elsewhere");
  });

  test("a lag shows it at its end, in order", async () => {
    const { world, store } = await board();
    store.mutate("c2", { title: "x" });
    world.socket.say(sync(11, "ann", card("c1", { title: "elsewhere" })), { type: "lag", rev: 11 });
    world.socket.say(sync(40, "bob", card("c1", { title: "later" })), { type: "ready", rev: 40 });
    assert.equal(store.get("c1")!["title"], "later");
  });

  test("a cut before the ack: it resumes from before, and nothing is lost", async () => {
    const { world, store } = await board();
    const p = store.mutate("c1", { title: "mine" });
    world.socket.say(sync(11, "ann", card("c1", { title: "mine" })));
    world.socket.end();
    await world.advance(500);
    assert.equal(world.socket.url.searchParams.get("since"), "10");
    await world.join([card("c1", { title: "mine", rev: 11 })], 11, { resumed: true });
    world.socket.say(ack(p.id, 11));
    assert.deepEqual(await p, { ok: true, rev: 11, events: 1 });
    assert.equal(store.get("c1")!["title"], "mine");
  });

  test("a refusal in between takes its own back, and waits for nobody", async () => {
    const { world, store } = await board();
    const [one, two] = [store.mutate("c1", { title: "one" }), store.mutate("c1", { color: "red" })];
    world.socket.say(sync(11, "ann", card("c1", { title: "one" })));
    world.socket.say({ type: "nack", clientMutationId: two.id, code: "forbidden", reason: "", retryable: false, details: {} });
    assert.equal(store.get("c1")!["color"], undefined);
    assert.equal(store.get("c1")!["title"], "one");
    world.socket.say(ack(one.id, 11));
    assert.equal((await one).ok, true);
  });
});
