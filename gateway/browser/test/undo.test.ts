// Undo and redo, on the real store against a server in memory.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Entity, Json, Patch } from "../src/entities.js";
import { connect } from "../src/store.js";
import { type Kept, undoManager, type UndoResult } from "../src/undo.js";
import { Client, FakeServer } from "./fakeserver.js";

const column = (id: string, more: object = {}): Entity => ({ id, kind: "column", title: id, position: "a0", ...more });
const card = (id: string, more: object = {}): Entity => ({
  id, kind: "card", createdBy: "bob", columnId: "todo", position: "a0", title: id, ...more,
});
const usual = () => [column("todo"), column("done", { position: "a1" }), card("c1"), card("c2", { position: "a1" })];

/** A board with ann, who undoes. Nothing arrives before `flow`. */
async function open({ entities = usual(), steps }: { entities?: Entity[]; steps?: number } = {}) {
  const server = new FakeServer(...entities);
  const ann = new Client(server, "ann");
  const store = connect({ board: "b", user: "ann", env: ann.env });
  const toasts: string[] = [];
  store.onRollback((_, why) => toasts.push(why.code));
  await ann.flow();
  const undo = undoManager(store, steps === undefined ? {} : { steps });
  const got = (id: string, name: string) => store.get(id)?.[name];
  const is = (id: string, name: string) => server.entities.get(id)?.[name];
  const acked = async (id: string, patch: Patch) => {
    const sent = store.mutate(id, patch);
    await ann.flow();
    return sent;
  };
  /** Undoes or redoes, and lets everything arrive. */
  const all = async (result: Promise<UndoResult>) => {
    await ann.flow();
    return now(result);
  };
  return { server, ann, store, undo, toasts, got, is, acked, all };
}

/** What the promise holds already. */
async function now<T>(promise: Promise<T>): Promise<T> {
  const open = Symbol("open");
  const result = await Promise.race([promise, new Promise((done) => setImmediate(() => done(open)))]);
  assert.notEqual(result, open, "the promise is still open");
  return result as T;
}

const fine = (kept: readonly Kept[] = []) => ({ ok: true, kept });
const bare = (result: UndoResult) => (result.ok ? { ok: true, kept: result.kept } : { ok: false, code: result.code });

describe("of an acked step", () => {
  test("undo and redo show at once, and are sent with the value they expect", async () => {
    const { undo, acked, got, is, ann, all } = await open();
    await acked("c1", { title: "new", done: "2026-01-01" });
    const undone = undo.undo();
    assert.equal(got("c1", "title"), "c1");
    assert.equal(got("c1", "done"), undefined);
    assert.deepEqual(await all(undone), { ok: true, rev: 6, kept: [] });
    const { entityId, patch, if: expected } = ann.read.at(-1)!;
    assert.deepEqual({ entityId, patch, if: expected }, {
      entityId: "c1", patch: { title: "c1", done: null }, if: { title: "new", done: "2026-01-01" },
    });
    assert.equal(is("c1", "done"), undefined);
    const redone = undo.redo();
    assert.equal(got("c1", "title"), "new");
    assert.deepEqual(await all(redone), { ok: true, rev: 7, kept: [] });
    assert.deepEqual(ann.read.at(-1)!["if"], { title: "c1", done: null });
    assert.equal(is("c1", "done"), "2026-01-01");
    assert.deepEqual([undo.canUndo, undo.canRedo], [true, false]);
  });

  test("it expects what the server made of the value", async () => {
    const { undo, acked, is, ann, all } = await open();
    await acked("c1", { title: " new " });
    assert.deepEqual(bare(await all(undo.undo())), fine());
    assert.deepEqual(ann.read.at(-1)!["if"], { title: "new" });
    assert.equal(is("c1", "title"), "c1");
  });

  test("a position that the server moved goes back to where it was, though its sync came before the ack", async () => {
    const { undo, acked, is, all } = await open();
    await acked("c1", { position: "a1" }); // c2 has it
    assert.equal(is("c1", "position"), "a2");
    assert.deepEqual(bare(await all(undo.undo())), fine());
    assert.equal(is("c1", "position"), "a0");
  });

  test("a position that the undo did not get back does not keep the steps before from being undone", async () => {
    const { undo, acked, is, all, server, ann } = await open();
    await acked("c1", { position: "a5" });
    await acked("c1", { position: "a3" });
    server.mutate("bob", "c2", { position: "a5" });
    await ann.flow();
    await all(undo.undo());
    assert.equal(is("c1", "position"), "a6");
    assert.deepEqual(bare(await all(undo.undo())), fine());
    assert.equal(is("c1", "position"), "a0");
    await all(undo.redo());
    assert.deepEqual(bare(await all(undo.redo())), fine());
    assert.equal(is("c1", "position"), "a3");
  });

  test("of a set, the elements added go and the removed come back; another's stay", async () => {
    const { undo, acked, is, all, server, ann } = await open({ entities: [...usual(), card("c3", { labels: ["a", "b"] })] });
    await acked("c3", { labels: { add: "c", remove: ["a"] } });
    server.mutate("bob", "c3", { labels: { add: "z" } });
    await ann.flow();
    assert.deepEqual(bare(await all(undo.undo())), fine());
    assert.deepEqual(is("c3", "labels"), ["a", "b", "z"]);
    await all(undo.redo());
    assert.deepEqual(is("c3", "labels"), ["b", "c", "z"]);
  });

  test("of a set in flight while another's element comes, only one's own goes", async () => {
    const { undo, store, is, all, server, ann } = await open();
    store.mutate("c1", { labels: { add: "a" } });
    ann.up();
    server.mutate("bob", "c1", { labels: { add: "z" } });
    await ann.flow();
    await all(undo.undo());
    assert.deepEqual(is("c1", "labels"), ["z"]);
  });

  test("a like is taken back", async () => {
    const { undo, acked, is, all } = await open({ entities: [...usual(), card("c3", { likedBy: ["bob"] })] });
    await acked("c3", { liked: true });
    assert.deepEqual(is("c3", "likedBy"), ["ann", "bob"]);
    await all(undo.undo());
    assert.deepEqual(is("c3", "likedBy"), ["bob"]);
  });

  test("undo, undo, redo, redo without waiting", async () => {
    const { undo, acked, got, is, ann } = await open();
    await acked("c1", { title: "one" });
    await acked("c1", { title: "two" });
    const titles: (Json | undefined)[] = [];
    const results = [undo.undo, undo.undo, undo.redo, undo.redo].map((turn) => {
      const result = turn();
      titles.push(got("c1", "title"));
      return result;
    });
    assert.deepEqual(titles, ["one", "c1", "one", "two"]);
    await ann.flow();
    for (const r of results) assert.deepEqual(bare(await now(r)), fine());
    assert.equal(is("c1", "title"), "two");
    assert.equal(got("c1", "title"), "two");
  });

  test("what is archived is restored", async () => {
    const { undo, acked, is, all } = await open();
    await acked("c1", { archived: true, title: "gone" });
    assert.deepEqual(bare(await all(undo.undo())), fine());
    assert.equal(is("c1", "archived"), undefined);
    assert.equal(is("c1", "title"), "c1");
  });
});

describe("of a pending step", () => {
  test("withdrawn in time: nothing else is sent, and redo makes it again", async () => {
    const { undo, store, toasts, got, is, ann, all } = await open();
    const sent = store.mutate("c1", { title: "new" });
    const said = [...ann.line!.up];
    ann.line!.up.length = 0; // it is slow
    const undone = undo.undo();
    assert.equal(got("c1", "title"), "c1");
    assert.equal(ann.line!.up[0]!.type, "cancel");
    assert.deepEqual(await all(undone), { ok: true, kept: [] });
    ann.line!.up.push(...said);
    await ann.flow();
    assert.equal((await sent).ok, false);
    assert.deepEqual(toasts, []);
    assert.equal(got("c1", "title"), "c1");
    assert.equal(store.inspect().pending.length, 0);
    assert.equal(ann.read.length, 1);
    const redone = undo.redo();
    assert.equal(got("c1", "title"), "new");
    assert.deepEqual(await all(redone), { ok: true, rev: 5, kept: [] });
    assert.equal(is("c1", "title"), "new");
    await all(undo.undo());
    assert.equal(is("c1", "title"), "c1");
  });

  test("too late to withdraw: the inverse goes when the ack comes", async () => {
    const { undo, store, got, is, ann } = await open();
    const sent = store.mutate("c1", { title: " new " });
    ann.up();
    const seen: (Json | undefined)[] = [];
    store.subscribe("c1", (e) => seen.push(e?.["title"]));
    const undone = undo.undo();
    assert.equal(ann.read.length, 1);
    await ann.flow();
    assert.deepEqual(await now(undone), { ok: true, rev: 6, kept: [] });
    assert.deepEqual(ann.read.at(-1)!["if"], { title: "new" });
    assert.equal((await sent).ok, true);
    assert.deepEqual(seen, ["c1"]);
    assert.deepEqual([is("c1", "title"), got("c1", "title")], ["c1", "c1"]);
    assert.equal(undo.canRedo, true);
  });

  test("what others had changed before it took effect comes back, not what stood there when it was made", async () => {
    const { undo, store, is, ann, server, all } = await open();
    store.mutate("c1", { title: "mine" });
    server.mutate("bob", "c1", { title: "bob's" });
    ann.up();
    assert.deepEqual(bare(await all(undo.undo())), fine());
    assert.equal(is("c1", "title"), "bob's");
    await all(undo.redo());
    assert.equal(is("c1", "title"), "mine");
  });

  test("two steps undone in a row, both undecided", async () => {
    for (const late of [true, false]) {
      const { undo, store, got, is, ann } = await open();
      store.mutate("c1", { title: "one" });
      store.mutate("c1", { title: "two" });
      if (late) while (ann.up());
      else ann.line!.up.length = 0;
      const second = undo.undo();
      assert.equal(got("c1", "title"), "one");
      const first = undo.undo();
      assert.equal(got("c1", "title"), "c1");
      await ann.flow();
      assert.deepEqual([bare(await now(second)), bare(await now(first))], [fine(), fine()]);
      assert.deepEqual([is("c1", "title"), got("c1", "title")], ["c1", "c1"]);
      await Promise.all([undo.redo(), undo.redo(), ann.flow()]);
      assert.equal(is("c1", "title"), "two");
    }
  });

  test("undo and redo, and undo again, before any verdict", async () => {
    for (const turns of [2, 3, 4]) {
      for (const late of [true, false]) {
        const { undo, store, got, is, ann } = await open();
        store.transact([
          { entityId: "c1", patch: { title: "new" } }, { entityId: "c3", patch: { kind: "card", columnId: "todo", title: "made" } },
        ]);
        if (late) ann.up();
        else ann.line!.up.length = 0;
        const results: Promise<UndoResult>[] = [];
        for (let i = 0; i < turns; i++) results.push(i % 2 ? undo.redo() : undo.undo());
        const title = turns % 2 ? "c1" : "new";
        const there = () => got("c3", "title") === "made" && got("c3", "archived") !== true;
        assert.equal(got("c1", "title"), title);
        assert.equal(there(), turns % 2 === 0);
        await ann.flow();
        for (const r of results) assert.deepEqual(bare(await now(r)), fine());
        assert.deepEqual([is("c1", "title"), got("c1", "title")], [title, title]);
        assert.equal(there(), turns % 2 === 0);
        assert.equal(store.inspect().pending.length, 0);
        assert.equal(undo.canUndo, turns % 2 === 0);
      }
    }
  });

  test("offline, never sent: it is as if it had not been", async () => {
    const { undo, store, got, ann } = await open();
    ann.cut();
    store.mutate("c1", { title: "new" });
    const undone = undo.undo();
    assert.deepEqual(await now(undone), { ok: true, kept: [] });
    assert.equal(got("c1", "title"), "c1");
    assert.equal(store.inspect().pending.length, 0);
    const redone = undo.redo();
    assert.equal(got("c1", "title"), "new");
    await ann.back();
    assert.deepEqual(bare(await now(redone)), fine());
  });

  test("sent, then offline: the join brings the verdict, and the undo goes", async () => {
    const { undo, store, is, ann } = await open();
    store.mutate("c1", { title: "new" });
    ann.up();
    ann.cut();
    const undone = undo.undo();
    store.mutate("c2", { title: "waits behind it" });
    await ann.back();
    assert.deepEqual(bare(await now(undone)), fine());
    assert.deepEqual([is("c1", "title"), is("c2", "title")], ["c1", "waits behind it"]);
  });

  test("refused by a rule while it is being undone: nothing is left of it", async () => {
    const { undo, store, server, ann, got } = await open();
    server.wipLimit = 2;
    store.create("card", { columnId: "todo", title: "third" });
    ann.up();
    const undone = undo.undo();
    await ann.flow();
    assert.deepEqual(bare(await now(undone)), fine());
    assert.deepEqual([undo.canUndo, undo.canRedo], [false, false]);
    assert.equal(got("c1", "title"), "c1");
    assert.equal(store.list("card").length, 2);
  });
});

describe("what others changed since", () => {
  test("stays and is named; the rest goes back", async () => {
    const { undo, acked, is, got, ann, server, toasts, all } = await open();
    await acked("c1", { title: "mine", color: "red", description: "d" });
    server.mutate("bob", "c1", { title: "bob's" });
    assert.deepEqual(await all(undo.undo()), { ok: true, rev: 7, kept: [{ entityId: "c1", fields: ["title"] }] });
    assert.deepEqual([is("c1", "title"), is("c1", "color"), is("c1", "description")], ["bob's", undefined, undefined]);
    assert.equal(got("c1", "title"), "bob's");
    assert.deepEqual(toasts, []);
    assert.deepEqual(bare(await all(undo.redo())), fine());
    assert.deepEqual([is("c1", "title"), is("c1", "color")], ["bob's", "red"]);
    assert.equal(ann.read.length, 4);
  });

  test("column and position stay together", async () => {
    for (const theirs of [{ position: "a7" }, { columnId: "todo", position: "a4" }]) {
      const { undo, acked, is, server, all } = await open();
      await acked("c1", { columnId: "done", position: "a4", title: "new" });
      server.mutate("bob", "c1", theirs);
      assert.deepEqual(bare(await all(undo.undo())), fine([{ entityId: "c1", fields: ["columnId", "position"] }]));
      const at = { columnId: "done", ...theirs };
      assert.deepEqual([is("c1", "columnId"), is("c1", "position"), is("c1", "title")], [at.columnId, at.position, "c1"]);
    }
  });

  test("of several entities each is named, and one that is gone is left out", async () => {
    const { undo, store, ann, is, server, all } = await open({ entities: [...usual(), card("c3", { position: "a2" })] });
    store.transact(["c1", "c2", "c3"].map((id) => ({ entityId: id, patch: { title: "t", color: "red" } })));
    await ann.flow();
    server.mutate("bob", "c1", { title: "bob's" });
    server.mutate("bob", "c2", null);
    assert.deepEqual(bare(await all(undo.undo())), fine([
      { entityId: "c2", fields: ["title", "color"] }, { entityId: "c1", fields: ["title"] },
    ]));
    assert.deepEqual([is("c1", "title"), is("c1", "color"), is("c3", "title")], ["bob's", undefined, "c3"]);
  });

  test("nothing is left to undo: all is named, and the step is over", async () => {
    const { undo, acked, is, server, all } = await open();
    await acked("c1", { title: "mine" });
    server.mutate("bob", "c1", { title: "bob's" });
    assert.deepEqual(await all(undo.undo()), { ok: true, kept: [{ entityId: "c1", fields: ["title"] }] });
    assert.equal(is("c1", "title"), "bob's");
    assert.deepEqual([undo.canUndo, undo.canRedo], [false, false]);
  });
});

describe("refusals", () => {
  test("a rule of the board: told, and the step is given up", async () => {
    const { undo, acked, got, server, ann, all, toasts } = await open();
    await acked("c2", { title: "before" });
    await acked("c1", { columnId: "done" });
    server.mutate("bob", "x", { kind: "card", columnId: "todo", title: "x" });
    server.wipLimit = 2;
    await ann.flow();
    const result = await all(undo.undo());
    assert.ok(!result.ok);
    assert.deepEqual([result.code, result.details["columnId"]], ["wip_limit", "todo"]);
    assert.equal(got("c1", "columnId"), "done");
    assert.deepEqual(toasts, []);
    assert.equal(undo.canRedo, false);
    assert.deepEqual(bare(await all(undo.undo())), fine());
    assert.equal(got("c2", "title"), "c2");
  });

  test("the entity is gone", async () => {
    const { undo, acked, server, all } = await open();
    await acked("c1", { title: "new" });
    server.mutate("bob", "c1", null);
    assert.deepEqual(bare(await all(undo.undo())), { ok: false, code: "not_found" });
    assert.deepEqual([undo.canUndo, undo.canRedo], [false, false]);
  });

  test("too late: the step is there to be tried again", async () => {
    const { undo, acked, got, is, ann } = await open();
    await acked("c1", { title: "new" });
    for (const turn of [undo.undo, undo.redo]) {
      const was = got("c1", "title");
      const result = turn();
      ann.line!.up.length = 0; // lost, and asked for when it is overdue
      for (let i = 0; i < 8; i++) {
        await ann.advance(1000);
        await ann.flow();
      }
      assert.deepEqual(bare(await now(result)), { ok: false, code: "withdrawn" });
      assert.equal(got("c1", "title"), was);
      const retry = turn();
      await ann.flow();
      assert.deepEqual(bare(await now(retry)), fine());
      assert.equal(is("c1", "title"), was === "new" ? "c1" : "new");
    }
  });

  test("nothing to undo or redo", async () => {
    const { undo } = await open();
    assert.deepEqual([bare(await undo.undo()), bare(await undo.redo())], [{ ok: false, code: "empty" }, { ok: false, code: "empty" }]);
  });

  test("the store is closed", async () => {
    const { undo, store, acked } = await open();
    await acked("c1", { title: "one" });
    store.mutate("c1", { title: "two" });
    const results = [undo.undo(), undo.undo()];
    store.close();
    for (const r of results) assert.deepEqual(bare(await now(r)), { ok: false, code: "closed" });
    assert.deepEqual(bare(await now(undo.redo())), { ok: false, code: "empty" });
  });
});

describe("what was made", () => {
  test("a card is archived, and restored by redo", async () => {
    const { undo, store, got, is, ann, all } = await open();
    const { entityId } = store.create("card", { columnId: "todo", title: "made" });
    await ann.flow();
    await all(undo.undo());
    assert.equal(is(entityId, "archived"), true);
    await all(undo.redo());
    assert.ok(!is(entityId, "archived"));
    assert.equal(got(entityId, "title"), "made");
    await all(undo.undo());
    assert.equal(got(entityId, "archived"), true);
  });

  test("an item that was ticked and unticked is deleted again, without redo", async () => {
    const list: Entity = { id: "l1", kind: "checklist", cardId: "c1", position: "a0" };
    const { undo, store, is, ann, acked, all } = await open({ entities: [...usual(), list] });
    const { entityId } = store.create("item", { checklistId: "l1", text: " buy milk " });
    await ann.flow();
    await acked(entityId, { done: true });
    await all(undo.undo());
    assert.deepEqual(bare(await all(undo.undo())), fine());
    assert.equal(is(entityId, "text"), undefined);
    assert.deepEqual([undo.canUndo, undo.canRedo], [false, true]); // the tick; the item is gone
    assert.deepEqual(bare(await all(undo.redo())), { ok: false, code: "not_found" });
    assert.equal(undo.canRedo, false);
  });

  test("one that another changed since stays", async () => {
    const { undo, store, is, ann, server, all } = await open();
    const { entityId } = store.create("comment", { cardId: "c1", text: "hello" });
    await ann.flow();
    server.mutate("bob", entityId, { text: "hallo" });
    assert.deepEqual(bare(await all(undo.undo())), fine([{ entityId, fields: ["text"] }]));
    assert.equal(is(entityId, "text"), "hallo");
  });

  test("a checklist is deleted with its own items, but not with others'", async () => {
    const { undo, store, is, ann, server, all } = await open();
    const make = async () => {
      store.transact([
        { entityId: "l1", patch: { kind: "checklist", cardId: "c1" } }, { entityId: "i1", patch: { kind: "item", checklistId: "l1", text: "i" } },
      ]);
      await ann.flow();
    };
    await make();
    server.mutate("bob", "i2", { kind: "item", checklistId: "l1", text: "bob's" });
    await ann.flow();
    assert.deepEqual(bare(await all(undo.undo())), fine([{ entityId: "l1", fields: [] }]));
    assert.deepEqual([is("l1", "kind"), is("i1", "kind"), is("i2", "kind")], ["checklist", undefined, "item"]);

    const other = await open();
    other.store.transact([
      { entityId: "l1", patch: { kind: "checklist", cardId: "c1" } }, { entityId: "i1", patch: { kind: "item", checklistId: "l1", text: "i" } },
    ]);
    await other.ann.flow();
    assert.deepEqual(bare(await other.all(other.undo.undo())), fine());
    assert.deepEqual([other.is("l1", "kind"), other.is("i1", "kind")], [undefined, undefined]);
  });

  test("withdrawn before it was made, it comes back by redo as it was", async () => {
    const { undo, store, got, is, ann, all } = await open();
    const { entityId } = store.create("comment", { cardId: "c1", text: "hello" });
    ann.line!.up.length = 0;
    await all(undo.undo());
    assert.equal(got(entityId, "text"), undefined);
    assert.deepEqual(bare(await all(undo.redo())), fine());
    assert.equal(is(entityId, "text"), "hello");
    await all(undo.undo());
    assert.equal(is(entityId, "text"), undefined);
  });
});

describe("steps", () => {
  test("a deletion is none; what else is in its mutation can be undone", async () => {
    const { undo, store, is, ann, all } = await open();
    store.remove("c2");
    await ann.flow();
    assert.equal(undo.canUndo, false);
    store.transact([{ entityId: "c1", patch: { columnId: "done" } }, { entityId: "todo", patch: null }]);
    await ann.flow();
    assert.equal(undo.canUndo, true);
    assert.deepEqual(bare(await all(undo.undo())), { ok: false, code: "not_found" });

    const other = await open();
    other.store.transact([{ entityId: "c1", patch: { title: "new" } }, { entityId: "c2", patch: null }]);
    await other.ann.flow();
    assert.deepEqual(bare(await other.all(other.undo.undo())), fine());
    assert.deepEqual([other.is("c1", "title"), other.is("c2", "title")], ["c1", undefined]);
    assert.deepEqual(bare(await other.all(other.undo.redo())), fine());
    assert.equal(is("c2", "title"), undefined);
  });

  test("a withdrawn deletion is redone, unless the entity was changed since", async () => {
    for (const bob of [false, true]) {
      const { undo, store, got, is, ann, server, all } = await open();
      store.transact([{ entityId: "c1", patch: { title: "new" } }, { entityId: "c2", patch: null }]);
      ann.line!.up.length = 0;
      const undone = undo.undo();
      await all(undone);
      assert.equal(got("c2", "title"), "c2");
      if (bob) server.mutate("bob", "c2", { title: "bob's" });
      assert.deepEqual(bare(await all(undo.redo())), fine(bob ? [{ entityId: "c2", fields: ["rev"] }] : []));
      assert.deepEqual([is("c1", "title"), is("c2", "title")], ["new", bob ? "bob's" : undefined]);
    }
  });

  test("what changes nothing, here or at the server, is none", async () => {
    const { undo, acked, store, server, ann } = await open();
    await acked("c1", { title: "c1" });
    assert.equal(undo.canUndo, false);
    store.mutate("c1", { title: "same" });
    server.mutate("bob", "c1", { title: "same" });
    await ann.flow();
    assert.equal(undo.canUndo, false);
  });

  test("a refused one goes, a new one takes what could be redone", async () => {
    const { undo, store, acked, all, server, ann } = await open();
    server.wipLimit = 2;
    store.create("card", { columnId: "todo", title: "third" });
    assert.equal(undo.canUndo, true);
    await ann.flow();
    assert.equal(undo.canUndo, false);
    await acked("c1", { title: "one" });
    await acked("c1", { title: "two" });
    await all(undo.undo());
    assert.deepEqual([undo.canUndo, undo.canRedo], [true, true]);
    await acked("c2", { title: "other" });
    assert.deepEqual([undo.canUndo, undo.canRedo], [true, false]);
  });

  test("not those of opt-in parts, nor those from before a reload", async () => {
    const { undo, store, ann } = await open();
    store.engine.transact([{ entityId: "c1", patch: { title: "quiet" } }], { quiet: true });
    store.engine.transact([{ entityId: "c1", patch: { title: "old" } }], { id: store.engine.ulid() });
    await ann.flow();
    assert.equal(undo.canUndo, false);
  });

  test("50, or as many as said", async () => {
    for (const steps of [undefined, 3]) {
      const { undo, acked, got, all } = await open(steps ? { steps } : {});
      for (let i = 1; i <= 52; i++) await acked("c1", { title: `t${i}` });
      let n = 0;
      for (; undo.canUndo; n++) await all(undo.undo());
      assert.equal(n, steps ?? 50);
      assert.equal(got("c1", "title"), `t${52 - n}`);
      for (; undo.canRedo; n--) await all(undo.redo());
      assert.equal(n, 0);
      assert.equal(got("c1", "title"), "t52");
    }
  });

  test("subscribers hear of what changes, once", async () => {
    const { undo, acked, all } = await open();
    const heard: boolean[][] = [];
    const end = undo.subscribe(() => heard.push([undo.canUndo, undo.canRedo]));
    await acked("c1", { title: "one" });
    await acked("c1", { title: "two" });
    await all(undo.undo());
    await all(undo.undo());
    undo.clear();
    end();
    await acked("c1", { title: "three" });
    assert.deepEqual(heard, [[true, false], [true, true], [false, true], [false, false]]);
  });

  test("close makes no more steps and lets an undo under way go on", async () => {
    const { undo, store, acked, got, ann } = await open();
    const hooks = store.engine.hooks.size;
    await acked("c1", { title: "one" });
    store.mutate("c1", { title: "two" });
    ann.up();
    const undone = undo.undo();
    undo.close();
    assert.deepEqual([undo.canUndo, undo.canRedo], [false, false]);
    await acked("c2", { title: "later" });
    assert.deepEqual(bare(await now(undone)), fine());
    assert.deepEqual([got("c1", "title"), got("c2", "title"), undo.canUndo], ["one", "later", false]);
    assert.equal(store.engine.hooks.size, hooks - 1);
  });

  test("another user begins with none", async () => {
    const { undo, acked, ann } = await open();
    await acked("c1", { title: "new" });
    ann.cut();
    Object.assign(ann, { user: "eve" });
    await ann.back();
    assert.equal(undo.canUndo, false);
  });
});
