// Offline: several tabs, several users, and databases that fail.

import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { connect } from "../src/store.js";
import { calm, Machine, type Tab, until } from "./machine.js";
import { card } from "./world.js";

let machine: Machine;
beforeEach(() => (machine = new Machine()));
afterEach(() => machine.end());

const sync = (rev: number, entity: object) => ({ type: "sync", rev, entity });
const mutates = (tab: Tab) => tab.world.sockets.flatMap((s) => s.sent("mutate"));
const title = (tab: Tab) => tab.store.get("c1")?.["title"];

async function joined(options = {}, hello = {}): Promise<Tab> {
  const tab = await machine.loaded(options);
  await tab.join([card("c1")], 10, hello);
  return tab;
}

/** Ann's tab with a mutation never sent, gone. */
async function left(): Promise<string> {
  const tab = await joined();
  tab.world.socket.end();
  const m = tab.store.mutate("c1", { title: "ann's" });
  await calm();
  tab.crash();
  return m.id;
}

describe("tabs", () => {
  test("each sends its own; what a dead one leaves goes to exactly one of three", async () => {
    const dying = await joined();
    const others = [await joined(), await joined(), await joined()];
    dying.world.socket.end();
    const m = dying.store.mutate("c1", { title: "orphan" }); // after the others have come: they hear of it
    await calm();
    assert.equal(others.filter((t) => t.ids.length).length, 0);
    dying.crash();
    await until(() => others.some((t) => t.ids.length === 1), "taken over");
    await calm();
    assert.deepEqual(others.flatMap((t) => t.ids), [m.id]);
    assert.deepEqual(others.flatMap(mutates).map((f) => f["clientMutationId"]), [m.id]);
    // And when that one dies before the verdict, to one of the rest.
    const first = others.find((t) => t.ids.length)!;
    first.crash();
    const rest = others.filter((t) => t !== first);
    await until(() => rest.some((t) => t.ids.length === 1), "taken over again");
    await calm();
    assert.deepEqual(rest.flatMap((t) => t.ids), [m.id]);
    assert.equal(new Set(others.flatMap(mutates).map((f) => JSON.stringify(f))).size, 1, "sent again as it was");
  });

  test("what a tab made before it had read what is stored is heard of too", async () => {
    const other = await joined();
    const dying = machine.tab();
    const m = dying.store.create("card", { title: "early" });
    await calm(100);
    dying.crash();
    await until(() => other.ids.length === 1, "taken over");
    assert.deepEqual(other.ids, [m.id]);
  });

  test("a tab that comes later takes over from one that lives on, once that is gone", async () => {
    const dying = await joined();
    const m = dying.store.mutate("c1", { title: "x" });
    await calm();
    const later = await joined();
    assert.deepEqual(later.ids, []);
    dying.store.close();
    await until(() => later.ids.length === 1, "taken over");
    assert.deepEqual(later.ids, [m.id]);
  });

  test("one that dies while it takes over leaves it to the next", async () => {
    const id = await left();
    for (let ticks = 0; ticks < 25; ticks++) {
      const tab = machine.tab();
      await calm(ticks);
      tab.crash();
    }
    const last = await machine.loaded();
    assert.deepEqual(last.ids, [id]);
    const { pending } = await machine.stored();
    assert.equal(pending.length, 1);
  });

  test("one that does not know yet whose it is waits with what it has taken over", async () => {
    const early = await machine.loaded();
    const id = await left();
    await calm();
    assert.deepEqual(early.ids, []);
    await early.join([card("c1")]);
    assert.deepEqual(early.ids, [id]);
  });

  test("what two dead tabs left comes in the order made", async () => {
    const tabs = [await joined(), await joined()];
    const made = [];
    for (const i of [0, 1, 0, 1]) {
      tabs.forEach((t) => t.world.socket.end());
      tabs.forEach((t) => (t.world.offset += 10));
      made.push(tabs[i]!.store.create("card", { columnId: "todo", title: String(i) }).id);
    }
    await calm();
    tabs.forEach((t) => t.crash());
    assert.deepEqual((await machine.loaded()).ids, made);
  });

  test("between two servers: what a page that ends there had sent, a tab of another order sends again as it was, once", async () => {
    const url = ["http://n2.test", "http://h.test", "http://n1.test"];
    const dying = await joined({ url });
    const other = await joined({ url: [...url].reverse() });
    assert.deepEqual((await machine.factory.databases()).map(({ name }) => name), ["snapback:http://h.test/b"]);
    const first = dying.world.socket;
    first.say({ type: "goaway", reconnectAfterMs: 2000 });
    await dying.world.advance(1000);
    const m = dying.store.mutate("c1", { title: "moving" });
    await dying.world.advance(1000);
    assert.deepEqual([first.closed, dying.world.sockets.length], [1000, 2]);
    await calm();
    dying.crash();
    await until(() => other.ids.length === 1, "taken over");
    assert.deepEqual(other.ids, [m.id]);
    assert.deepEqual(mutates(other), first.sent("mutate"));
    assert.equal(mutates(dying).length, 1);
  });

  test("without Web Locks the next page takes over", async () => {
    const none = { surroundings: { locks: undefined } };
    const one = await machine.loaded({}, none);
    await one.join([card("c1")]);
    one.world.socket.end();
    const m = one.store.mutate("c1", { title: "x" });
    await calm();
    one.crash();
    const next = await machine.loaded({}, none);
    assert.deepEqual(next.ids, [m.id]);
  });
});

describe("users", () => {
  test("a store that opens without IndexedDB signs out as well", async () => {
    const tab = await machine.loaded({}, { surroundings: { indexedDB: undefined as unknown as IDBFactory } });
    await tab.offline.signOut();
    assert.equal(tab.store.status, "closed");
  });

  test("another user's board and mutations are neither sent nor kept, nor shown once the server has said who it is", async () => {
    await left();
    const bob = await machine.loaded();
    assert.equal(title(bob), "ann's"); // nobody knows yet
    await until(() => bob.world.sockets.length === 1);
    bob.world.socket.open();
    bob.world.socket.say(bob.world.hello({ user: "bob", resumed: true, rev: 11 }));
    assert.equal(bob.store.list("card").length, 0);
    await until(() => bob.world.sockets.length === 2, "a fresh join");
    assert.equal(bob.world.socket.url.searchParams.get("since"), null);
    await bob.join([card("c1", { title: "bob sees" })], 11, { user: "bob" });
    assert.equal(mutates(bob).length, 0);
    assert.equal(title(bob), "bob sees");
    const { meta, entities, pending } = await machine.stored();
    assert.deepEqual(meta, { user: "bob", epoch: "e1", rev: 11 });
    assert.deepEqual([entities.length, pending.length], [1, 0]);
    assert.equal(entities[0]!["title"], "bob sees");
  });

  for (const how of ["connect", "offline"]) {
    test(`nor shown at all where ${how} was told who it is`, async () => {
      await left();
      const bob = how === "connect" ? await machine.loaded({ user: "bob" }) : await machine.loaded({}, { user: "bob" });
      assert.equal(bob.store.list("card").length, 0);
      assert.deepEqual(bob.ids, []);
      const { meta, entities, pending } = await machine.stored();
      assert.deepEqual([meta, entities, pending], [undefined, [], []]);
    });
  }

  test("another user in the same page", async () => {
    const tab = await joined();
    tab.world.socket.end();
    const m = tab.store.mutate("c1", { title: "ann's" });
    await tab.world.advance(20_000);
    tab.world.socket.open();
    tab.world.socket.say(tab.world.hello({ user: "bob", resumed: true }));
    assert.equal((await m).ok, false);
    assert.equal(tab.store.closeCode, 4500);
    assert.equal(mutates(tab).length, 0);
    await calm();
    assert.equal((await machine.stored()).pending.length, 1); // for when she comes back
    const bob = machine.tab({}, { user: "bob" });
    await bob.join([card("c1")], 11, { user: "bob" });
    assert.equal(mutates(bob).length, 0);
    await calm();
    const { meta, pending } = await machine.stored();
    assert.deepEqual([meta!.user, pending.length], ["bob", 0]);
  });

  test("where another tab has signed in as somebody else, nothing of ours is mixed in", async () => {
    const ann = await joined();
    const bob = machine.tab({}, { user: "bob" });
    await bob.join([card("c1", { title: "bob sees" })], 10, { user: "bob" });
    ann.world.socket.say(sync(11, card("c1", { rev: 11, title: "ann sees" })));
    ann.store.mutate("c1", { title: "ann's" });
    await ann.stored();
    const { meta, entities } = await machine.stored();
    assert.deepEqual([meta!.user, entities[0]!["title"]], ["bob", "bob sees"]);
    ann.crash();
    await until(() => true);
    await calm();
    assert.deepEqual(bob.ids, []);
  });

  test("who may not see the board any more keeps none of it, but his unsent words", async () => {
    const id = await left();
    const tab = await machine.loaded();
    await until(() => tab.world.sockets.length > 0);
    tab.world.socket.end(4502);
    await calm();
    const { meta, entities } = await machine.stored();
    assert.deepEqual([meta, entities], [{ user: "ann" }, []]);
    const next = await machine.loaded();
    assert.equal(next.store.list("card").length, 0);
    assert.deepEqual(next.ids, [id]);
  });

  test("sign-out closes the store, wipes every board of the server and no other server's", async () => {
    const tab = await joined();
    const board = machine.tab({ board: "other" });
    await board.join([card("c1")]);
    const server = machine.tab({ url: "http://else.test" });
    await server.join([card("c1")]);
    tab.store.mutate("c1", { title: "x" });
    await tab.offline.signOut();
    assert.equal(tab.store.status, "closed");
    const names = (await machine.factory.databases()).map(({ name }) => name);
    assert.deepEqual(names, ["snapback:http://else.test/b"]);
    // What another tab still has open keeps nothing from then on.
    board.world.socket.say(sync(11, card("c1", { rev: 11 })));
    await board.stored();
    assert.ok(board.offline.error);
    assert.equal((await machine.factory.databases()).length, 1);
    assert.equal(board.store.get("c1")?.id, "c1");
  });
});

describe("a database that fails", () => {
  /** The store works, offline.error says why it does not keep anything. */
  async function works(tab: Tab, why: RegExp): Promise<void> {
    await tab.join([card("c1")]);
    const m = tab.store.mutate("c1", { title: "x" });
    assert.deepEqual(mutates(tab).map((f) => f["clientMutationId"]), [m.id]);
    await until(() => tab.offline.error !== undefined, "an error");
    assert.match(String(tab.offline.error), why);
  }

  test("there is none", async () => {
    const indexedDB = undefined as unknown as IDBFactory;
    await works(await machine.loaded({}, { surroundings: { indexedDB } }), /TypeError/);
  });

  test("opening is refused", async () => {
    const open = () => {
      throw new DOMException("no", "SecurityError");
    };
    await works(await machine.loaded({}, { surroundings: { indexedDB: { open } as unknown as IDBFactory } }), /SecurityError/);
  });

  test("opening never ends: the store goes on after five seconds", async () => {
    const request = {} as IDBOpenDBRequest;
    const tab = machine.tab({}, { surroundings: { indexedDB: { open: () => request } as unknown as IDBFactory } });
    await calm();
    assert.equal(tab.world.sockets.length, 0);
    await tab.world.advance(5000);
    await works(tab, /no answer/);
  });

  test("it is for one store: a second is refused, and told so where the first is closed", async () => {
    const tab = await machine.loaded();
    const second = () => connect({ board: "other", url: "http://h.test", env: tab.world.env, offline: tab.offline });
    assert.throws(second, /one for each store/);
    tab.store.close();
    const store = second();
    assert.match(String(tab.offline.error), /one for each store/);
    store.close();
  });

  test("opening ends too late: nobody is in the way of who deletes it", async () => {
    const late = {} as { open?: () => void };
    const open = (name: string) => {
      const request = {} as { onsuccess?: () => void; result?: IDBDatabase };
      machine.factory.open(name, 1).onsuccess = function () {
        request.result = this.result;
        late.open = () => request.onsuccess!();
      };
      return request;
    };
    const tab = machine.tab({}, { surroundings: { indexedDB: { open } as unknown as IDBFactory } });
    await until(() => late.open !== undefined);
    await tab.world.advance(5000);
    late.open!();
    await works(tab, /no answer/);
    let isDeleted = false;
    machine.factory.deleteDatabase("snapback:http://h.test/b").onsuccess = () => (isDeleted = true);
    await until(() => isDeleted, "deleted");
  });

  test("reading never ends", async () => {
    await joined();
    const tab = machine.tab();
    machine.spoil = (tx) => (tx.objectStore = () => ({ get: () => ({}) }) as unknown as IDBObjectStore);
    await calm();
    machine.spoil = undefined;
    await tab.world.advance(5000);
    await works(tab, /no answer/);
  });

  test("a database of a later version is left alone", async () => {
    await new Promise((done) => (machine.factory.open("snapback:http://h.test/b", 9).onsuccess = done));
    machine.tabs.length = 0;
    await works(machine.tab(), /VersionError/);
  });

  test("its stores are missing", async () => {
    await new Promise((done) => (machine.factory.open("snapback:http://h.test/b", 1).onsuccess = done));
    await works(machine.tab(), /NotFoundError/);
  });

  test("nonsense in it is not believed", async () => {
    const tab = await joined();
    tab.crash();
    const db = await new Promise<IDBDatabase>((done) => {
      const request = machine.factory.open("snapback:http://h.test/b");
      request.onsuccess = () => done(request.result);
    });
    const tx = db.transaction(["meta", "pending"], "readwrite");
    tx.objectStore("meta").put({ user: "ann", epoch: "e1" }, 0);
    tx.objectStore("pending").put({ id: "m1", tab: "gone", user: "ann" });
    await new Promise((done) => (tx.oncomplete = done));
    db.close();
    const next = await machine.loaded();
    assert.deepEqual([next.store.list("card").length, next.ids.length], [0, 0]);
    await next.join([card("c1")]);
    const { meta, pending } = await machine.stored();
    assert.deepEqual([meta!.rev, pending.length], [10, 0]);
  });

  test("no room: what was stored stays true, and is written when there is room", async () => {
    const tab = await joined();
    machine.spoil = (tx) => {
      const { objectStore } = tx;
      tx.objectStore = (name) => {
        const store = objectStore.call(tx, name);
        store.put = () => {
          throw new DOMException("no room", "QuotaExceededError");
        };
        return store;
      };
    };
    tab.world.socket.say(sync(11, card("c1", { rev: 11, title: "y" })), sync(12, card("c2", { rev: 12 })));
    tab.store.mutate("c1", { title: "x" });
    await tab.stored();
    assert.match(String(tab.offline.error), /no room/);
    assert.deepEqual((await machine.stored()).meta!.rev, 10);
    assert.equal(mutates(tab).length, 1);
    machine.spoil = undefined;
    tab.world.socket.say(sync(13, card("c3", { rev: 13 })));
    tab.world.wake();
    await calm();
    const { meta, entities } = await machine.stored();
    assert.equal(meta!.rev, 13);
    assert.deepEqual(entities.map((e) => [e.id, e.rev]), [["c1", 11], ["c2", 12], ["c3", 13]]);
    assert.equal(tab.offline.error, undefined);
  });
});
