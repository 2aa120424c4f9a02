// Undo and redo, on the real store against a server in memory: which steps there are, and what refuses them.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Entity } from "../src/entities.js";
import { bare, fine, now, open, usual } from "./undoing.js";

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
    for (const turn of [undo.undo, undo.redo]) assert.deepEqual(bare(await turn()), { ok: false, code: "empty" });
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

  test("a file goes again also under the name that the server gave it", async () => {
    const { undo, store, is, ann, all } = await open({ entities: [...usual(), { id: "f1", kind: "file", cardId: "c1", name: "a" }] });
    const { entityId } = store.create("file", { cardId: "c1", name: "a" });
    await ann.flow();
    assert.equal(is(entityId, "name"), "a (2)");
    assert.deepEqual(bare(await all(undo.undo())), fine());
    assert.equal(is(entityId, "name"), undefined);
  });

  test("one that another changed since stays", async () => {
    const { undo, store, is, ann, server, all } = await open();
    const { entityId } = store.create("comment", { cardId: "c1", text: "hello" });
    await ann.flow();
    server.mutate("bob", entityId, { text: "hallo" });
    assert.deepEqual(bare(await all(undo.undo())), fine([{ entityId, fields: ["text"] }]));
    assert.equal(is(entityId, "text"), "hallo");
  });

  test("one that another put elsewhere goes all the same", async () => {
    const { undo, store, is, ann, server, all } = await open();
    const { entityId } = store.create("label", { name: "bug" });
    await ann.flow();
    server.mutate("bob", entityId, { position: "a9" });
    assert.deepEqual(bare(await all(undo.undo())), fine());
    assert.equal(is(entityId, "name"), undefined);
  });

  test("one that another added to stays", async () => {
    const { undo, store, is, ann, server, all } = await open();
    const { entityId } = store.create("label", { name: "bug" });
    await ann.flow();
    server.mutate("bob", entityId, { color: "red" });
    assert.deepEqual(bare(await all(undo.undo())), fine([{ entityId, fields: ["color"] }]));
    assert.equal(is(entityId, "name"), "bug");
  });

  test("a checklist is deleted with its own items, but not with others'", async () => {
    for (const others of [false, true]) {
      const { undo, store, is, ann, server, all } = await open();
      store.transact([
        { entityId: "l1", patch: { kind: "checklist", cardId: "c1" } },
        { entityId: "i1", patch: { kind: "item", checklistId: "l1", text: "i" } },
      ]);
      await ann.flow();
      if (others) server.mutate("bob", "i2", { kind: "item", checklistId: "l1", text: "bob's" });
      await ann.flow();
      assert.deepEqual(bare(await all(undo.undo())), fine(others ? [{ entityId: "l1", fields: [] }] : []));
      assert.equal(is("i1", "kind"), undefined);
      assert.deepEqual([is("l1", "kind"), is("i2", "kind")], others ? ["checklist", "item"] : [undefined, undefined]);
    }
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
    store.mutate("c1", { position: "a5" });
    server.mutate("bob", "c1", { position: "a5" });
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
