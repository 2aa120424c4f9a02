// Undo and redo, on the real store against a server in memory: the values that come back, and those that stay.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Json } from "../src/entities.js";
import type { UndoResult } from "../src/undo.js";
import { bare, card, fine, now, open, usual } from "./undoing.js";

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

  test("a place that the server chose is not expected where the same key had been before", async () => {
    const { undo, acked, store, is, ann } = await open();
    await acked("c1", { columnId: "done", position: "a1" });
    await acked("c1", { columnId: "todo" });
    store.mutate("c2", { columnId: "done" }, { if: { title: "not so" } });
    store.mutate("c1", { columnId: "done" }); // behind c2, as far as can be seen
    await ann.flush();
    assert.equal(is("c1", "position"), "a0");
    const results = [undo.undo(), undo.undo(), undo.undo()];
    await ann.flush();
    for (const r of results) assert.deepEqual(bare(await now(r)), fine());
    assert.deepEqual([is("c1", "columnId"), is("c1", "position")], ["todo", "a0"]);
  });

  test("what changed nothing says nothing of where things stand", async () => {
    const { undo, store, is, all, ann } = await open();
    store.mutate("c1", { columnId: "done", position: "a3" });
    store.mutate("c1", { columnId: "done", title: "c1" });
    store.mutate("c1", { columnId: "todo", position: "a7" });
    await ann.flush();
    assert.equal(is("c1", "position"), "a7");
    await all(undo.undo());
    assert.deepEqual([is("c1", "columnId"), is("c1", "position")], ["done", "a3"]);
    assert.deepEqual(bare(await all(undo.undo())), fine());
    assert.deepEqual([is("c1", "columnId"), is("c1", "position")], ["todo", "a0"]);
  });

  test("of a set changed twice in one flush, each step is what the server did for it", async () => {
    const { undo, store, is, all, ann } = await open();
    store.mutate("c1", { labels: ["a"] });
    store.mutate("c1", { labels: ["b"] });
    await ann.flush();
    for (const result of [undo.undo(), undo.undo()]) void result;
    await ann.flush();
    assert.deepEqual(is("c1", "labels"), []);
    for (const result of [undo.redo(), undo.redo()]) void result;
    await ann.flush();
    assert.deepEqual(is("c1", "labels"), ["b"]);
    await all(undo.undo());
    assert.deepEqual(is("c1", "labels"), ["a"]);
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

  test("what another had done before it took effect, it did not do", async () => {
    const entities = [...usual(), card("c3", { labels: ["a", "b"] })];
    const { undo, store, is, all, server, ann } = await open({ entities });
    store.mutate("c3", { labels: { add: "new", remove: ["a"] }, title: "same", color: "red" });
    server.mutate("bob", "c3", { labels: { add: "new", remove: ["a"] }, title: "same" });
    await ann.flow();
    assert.deepEqual(bare(await all(undo.undo())), fine());
    assert.deepEqual(ann.read.at(-1)!["patch"], { color: null });
    assert.deepEqual([is("c3", "labels"), is("c3", "title")], [["b", "new"], "same"]);
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
    const { undo, store, got, is, ann, server, all } = await open();
    store.mutate("c1", { title: "mine" });
    server.mutate("bob", "c1", { title: "bob's" });
    ann.up();
    const undone = undo.undo();
    while (ann.down()); // bob's, and the ack
    assert.equal(got("c1", "title"), "bob's"); // at once, not with the ack of the undo
    assert.deepEqual(bare(await all(undone)), fine());
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
          { entityId: "c1", patch: { title: "new" } },
          { entityId: "c3", patch: { kind: "card", columnId: "todo", title: "made" } },
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

  test("redone offline, over what the server is still to trim", async () => {
    const { undo, store, is, ann } = await open();
    ann.cut();
    store.mutate("c1", { title: " one " });
    store.mutate("c1", { title: "two" });
    void undo.undo();
    const redone = undo.redo();
    await ann.back();
    assert.deepEqual(bare(await now(redone)), fine());
    assert.equal(is("c1", "title"), "two");
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

  test("two that took effect while the connection was gone are undone one by one", async () => {
    const { undo, store, is, ann, all } = await open();
    store.mutate("c1", { title: "one" });
    store.mutate("c1", { title: "two" });
    while (ann.up());
    ann.cut();
    await ann.back();
    await all(undo.undo());
    assert.equal(is("c1", "title"), "one");
    assert.deepEqual(bare(await all(undo.undo())), fine());
    assert.equal(is("c1", "title"), "c1");
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
