import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { act, createElement, StrictMode, type ReactNode } from "react";
import { createRoot, type Root } from "react-dom/client";
import { renderToString } from "react-dom/server";

import type { Card, Offline } from "../src/index.js";
import { connect } from "../src/store.js";
import { card, column, FakeBoard } from "./fakeboard.js";
import { World } from "./world.js";

// As much of a document as React needs for components that render nothing, or text.
class FakeNode {
  readonly childNodes: FakeNode[] = [];
  readonly namespaceURI = "http://www.w3.org/1999/xhtml";
  readonly tagName: string;
  textContent = "";
  constructor(readonly nodeType: number, readonly nodeName: string) {
    this.tagName = nodeName;
  }
  get ownerDocument() {
    return page;
  }
  addEventListener() {}
  removeEventListener() {}
}
const page = Object.assign(new FakeNode(9, "#document"), { activeElement: null });
Object.assign(globalThis, { document: page, window: globalThis, HTMLIFrameElement: class {}, IS_REACT_ACT_ENVIRONMENT: true });
const {
  BoardProvider, useBoard, useBoardStore, useChildren, useEntity, useList, useMutation, usePending, usePresence,
} = await import("../src/react.js"); // it looks for a document

let root: Root | undefined;
async function render(node: ReactNode): Promise<void> {
  root ??= createRoot(new FakeNode(1, "DIV") as unknown as Element);
  await act(async () => root?.render(node));
}
async function unmount(): Promise<void> {
  await act(async () => root?.unmount());
  root = undefined;
}

/** A component that notes what a hook gave it, once for each rendering. */
function probe<T>(hook: () => T) {
  const seen: T[] = [];
  const Probe = () => {
    seen.push(hook());
    return null;
  };
  return { seen, node: createElement(Probe), last: () => seen.at(-1)! };
}

const within = (board: FakeBoard, ...children: ReactNode[]) =>
  createElement(BoardProvider, { store: board.store }, ...children);
const again = async (fn: () => void) => act(async () => fn());

test("useEntity renders when its entity changes, and only then", async () => {
  const board = new FakeBoard(card("a"), card("b"));
  const a = probe(() => useEntity<Card>("a"));
  const title = probe(() => useEntity("b", (c: Card | undefined) => c?.title));
  await render(within(board, a.node, title.node));
  await again(() => void board.mutate("b", { liked: true }));
  assert.deepEqual([a.seen.length, title.seen.length], [1, 1]);
  await again(() => void board.mutate("b", { title: "B" }));
  assert.deepEqual([a.seen.length, title.seen], [1, ["b", "B"]]);
  await again(() => void board.mutate("a", { liked: true }));
  assert.equal(a.seen.length, 2);
  assert.equal(a.last(), board.get("a"));
  board.settle({ ok: true, rev: 1, events: 1 });
  board.settle({ ok: true, rev: 2, events: 1 });
  await again(() => board.nack("forbidden"));
  assert.equal(a.last()?.liked, false);
  await unmount();
  assert.equal(board.listening, 0);
});

test("useEntity follows another id", async () => {
  const board = new FakeBoard(card("a"), card("b"));
  const seen: (string | undefined)[] = [];
  const Title = ({ id }: { id: string }) => (seen.push(useEntity<Card>(id)?.title), null);
  await render(within(board, createElement(Title, { id: "a" })));
  await render(within(board, createElement(Title, { id: "b" })));
  await again(() => void board.mutate("a", { title: "A" }));
  await again(() => void board.mutate("b", { title: "B" }));
  await render(within(board, createElement(Title, { id: "gone" })));
  assert.deepEqual(seen, ["a", "b", "B", undefined]);
  await unmount();
});

test("useChildren and useList give the same array until one of them changes", async () => {
  const board = new FakeBoard(column("next"), column("doing"), card("a"), card("b"));
  const next = probe(() => useChildren("next", "card"));
  const doing = probe(() => useChildren("doing", "card", (cards) => cards.map((c) => c.id)));
  const columns = probe(() => useList("column"));
  const archived = probe(() => useList("card", (cards) => cards.filter((c) => c.archived).length));
  await render(within(board, next.node, doing.node, columns.node, archived.node));
  const { length } = columns.seen;
  await again(() => void board.mutate("a", { columnId: "doing" }));
  assert.deepEqual(next.seen.map((l) => l.map((c) => c.id)), [["a", "b"], ["b"]]);
  assert.deepEqual(doing.last(), ["a"]);
  await again(() => void board.mutate("b", { title: "B" }));
  assert.deepEqual([next.seen.length, doing.seen.length, columns.seen.length, archived.seen.length], [3, 2, length, 1]);
  assert.equal(next.last(), board.children("next", "card"));
  await unmount();
  assert.equal(board.listening, 0);
});

test("useBoard tells how it stands, and is quiet about the rest", async () => {
  const board = new FakeBoard(card("a"));
  const state = probe(() => useBoard());
  await render(within(board, state.node));
  assert.deepEqual([state.last().status, state.last().me, state.last().board], ["connecting", undefined, undefined]);
  await again(() => board.join("s1"));
  await again(() => board.show({ b: { id: "b", kind: "board", title: "Demo" } }));
  assert.deepEqual([state.last().status, state.last().me?.user, state.last().board?.title], ["live", "ann", "Demo"]);
  const renderings = state.seen.length;
  await again(() => void board.mutate("a", { title: "A" }));
  assert.equal(state.seen.length, renderings);
  assert.equal(state.last().store, board.store);
  await unmount();
});

test("useMutation says how it goes; its functions stay the same", async () => {
  const board = new FakeBoard(card("a"));
  const m = probe(() => useMutation());
  await render(within(board, m.node));
  const first = m.last();
  assert.deepEqual([first.status, first.isPending, first.error], ["idle", false, undefined]);
  let verdict: unknown;
  await again(() => void first.mutate("a", { title: "A" }).then((v) => (verdict = v)));
  assert.deepEqual([m.last().status, m.last().isPending], ["pending", true]);
  await again(() => void first.create("card", { columnId: "next", title: "new" }));
  await again(() => board.nack("wip_limit", { limit: 3 }));
  assert.deepEqual(verdict, { ok: false, code: "wip_limit", details: { limit: 3 }, reason: "wip_limit" });
  assert.deepEqual([m.last().status, m.last().error?.code], ["pending", "wip_limit"]);
  await again(board.ack);
  assert.deepEqual([m.last().status, m.last().isError, m.last().error?.code], ["error", true, "wip_limit"]);
  await again(m.last().reset);
  assert.deepEqual([m.last().status, m.last().error], ["idle", undefined]);
  await again(() => void m.last().remove("a"));
  await again(board.ack);
  assert.equal(m.last().status, "success");
  await again(() => void m.last().transact([{ entityId: "b", patch: { title: "B" } }]));
  await again(() => board.nack("not_found"));
  await again(() => void m.last().mutate("a", {}));
  assert.deepEqual([m.last().status, m.last().error], ["pending", undefined], "the next one clears the error");
  for (const name of ["mutate", "create", "remove", "transact", "reset"] as const) assert.equal(m.last()[name], first[name]);
  await unmount();
});

test("usePending knows of every mutation that concerns the entity", async () => {
  const board = new FakeBoard(card("a"), card("b"));
  const pending = probe(() => usePending("a"));
  await render(within(board, pending.node));
  const told = (fn: () => void) => again(() => {
    fn();
    board.tell("made", {} as never);
  });
  await told(() => void board.mutate("b", { title: "B" }));
  await told(() => void board.mutate("a", { title: "A" }));
  await told(board.ack);
  await told(board.ack);
  assert.deepEqual(pending.seen, [false, true, false]);
  const { size } = board.hooks;
  await unmount();
  assert.equal(board.hooks.size, size - 1);
});

test("usePending hears of what is taken back on silence", async () => {
  const world = new World();
  const store = connect({ board: "b", env: world.env, rollbackOnSilence: true });
  const pending = probe(() => usePending("a"));
  await render(createElement(BoardProvider, { store }, pending.node));
  const socket = await act(() => world.join([card("a")]));
  await again(() => void store.mutate("a", { title: "A" }));
  for (let i = 0; i < 6; i++) {
    await act(() => world.advance(1000));
    socket.say({ type: "pong", serverTime: world.serverTime });
  }
  assert.equal(store.get("a")?.["title"], "a");
  assert.deepEqual(pending.seen, [false, true, false]);
  await unmount();
  store.close();
});

test("all components share one presence", async () => {
  const board = new FakeBoard();
  const one = probe(() => usePresence<{ x: number }>());
  const two = probe(() => usePresence<{ x: number }>());
  await render(within(board));
  board.join("s1");
  board.tell("presence", { type: "presence", session: "s9", user: "cy", data: { x: 9 } });
  await render(within(board, one.node, two.node));
  assert.deepEqual(one.last().others.map((p) => p.data.x), [9], "who was there before");
  await again(() => board.tell("presence", { type: "presence", session: "s9", user: "cy", data: null }));
  await again(() => one.last().set({ x: 1 }));
  await again(() => two.last().set({ x: 2 }));
  board.clock.advance(100);
  assert.deepEqual(board.sent.map((f) => f.data), [{ x: 1 }, { x: 2 }]);
  await again(() => board.tell("presence", { type: "presence", session: "s2", user: "bob", data: { x: 3 } }));
  assert.deepEqual(one.last().others.map((p) => p.data.x), [3]);
  assert.equal(one.last().others, two.last().others);
  assert.equal(one.last().set, two.last().set);
  await unmount();
});

test("options connect once, in StrictMode too, and unmounting closes", async () => {
  const world = new World();
  const state = probe(() => useBoard());
  let stores = 0;
  const offline = { attach: () => void stores++ } as Partial<Offline> as Offline;
  const app = (more: object) => {
    const options = { board: "b", env: world.env, offline, ...more };
    return createElement(StrictMode, null, createElement(BoardProvider, { options }, state.node));
  };
  await render(app({}));
  assert.equal(stores, 1);
  await act(() => world.join());
  assert.equal(state.last().status, "live");
  assert.equal(world.sockets.length, 1);
  await render(app({ ttl: 5000 })); // other options, the same board
  assert.equal(world.sockets.length, 1);

  const { store } = state.last();
  await render(app({ board: "c" }));
  await act(() => world.settle());
  assert.deepEqual([store.status, world.sockets[0]?.closed], ["closed", 1000]);
  assert.match(world.socket.url.pathname, /\/c\/ws$/);
  assert.equal(world.sockets.length, 2);
  await act(() => world.join());
  assert.equal(state.last().status, "live");
  assert.notEqual(state.last().store, store);

  const renderings = state.seen.length;
  await unmount();
  assert.deepEqual([state.last().store.status, world.socket.closed], ["closed", 1000]);
  assert.equal(world.sockets.length, 2);
  assert.equal(state.seen.length, renderings);
});

test("a new token is sent on the live connection and used for the next", async () => {
  const world = new World();
  const app = (token: string | (() => string)) =>
    createElement(BoardProvider, { options: { board: "b", env: world.env, token } });
  await render(app("t1"));
  await act(() => world.join());
  await render(app("t2"));
  assert.deepEqual(world.socket.sent("auth").map((f) => f["token"]), ["t1", "t2"]);
  world.socket.end(4001);
  await act(() => world.advance(1000));
  world.socket.open();
  assert.deepEqual(world.sockets[1]?.sent("auth").map((f) => f["token"]), ["t2"]);
  await render(app(() => "t3"));
  world.socket.end(4001);
  await act(() => world.advance(2000));
  world.socket.open();
  assert.deepEqual(world.sockets.map((s) => s.sent("auth").at(-1)?.["token"]), ["t2", "t2", "t3"]);
  await unmount();
});

test("on a store with a connection: a change shows, snaps back, and only what shows it renders", async () => {
  const world = new World();
  const store = connect({ board: "b", env: world.env });
  const a = probe(() => useEntity<Card>("a"));
  const cards = probe(() => useChildren("todo", "card"));
  const pending = probe(() => usePending("a"));
  const m = probe(() => useMutation());
  await render(createElement(BoardProvider, { store }, a.node, cards.node, pending.node, m.node));
  const socket = await act(() => world.join([
    { id: "todo", kind: "column", title: "To do", position: "a0", rev: 1 },
    ...["a", "b"].map((id) => ({ id, kind: "card", title: id, columnId: "todo", position: id, liked: false, likes: 0, rev: 1 })),
  ]));
  assert.deepEqual(cards.seen.map((l) => l.length), [0, 2]);
  const [, b] = cards.last();
  let id = "";
  await again(() => void ({ id } = m.last().mutate("a", { title: "A" })));
  assert.deepEqual([a.last()?.title, pending.last(), m.last().isPending], ["A", true, true]);
  assert.equal(cards.last()[1], b);
  await again(() => socket.say({ type: "nack", clientMutationId: id, code: "forbidden", reason: "", retryable: false }));
  assert.deepEqual([a.last()?.title, pending.last(), m.last().error?.code], ["a", false, "forbidden"]);
  await again(() => socket.say({ type: "sync", rev: 11, entity: { ...b, title: "B", rev: 11 } }));
  assert.deepEqual([a.seen.length, cards.last()[1]?.title, pending.seen], [4, "B", [false, true, false]]);
  await unmount();
  store.close();
});

test("a store of your own is not closed", async () => {
  const world = new World();
  const store = connect({ board: "b", env: world.env });
  const state = probe(() => useBoard().status);
  await render(createElement(BoardProvider, { store }, state.node));
  await act(() => world.join());
  await unmount();
  assert.equal(store.status, "live");
  assert.deepEqual(state.seen, ["connecting", "live"]);
  store.close();
});

test("a server renders what is known there: nothing", () => {
  const board = new FakeBoard(card("a"));
  board.join("s1");
  const All = () => {
    const [{ status, me }, a, cards, { isPending }, { others }, pending] = [
      useBoard(), useEntity("a"), useChildren("next", "card"), useMutation(), usePresence(), usePending("a"),
    ];
    return JSON.stringify([status, me ?? null, a ?? null, cards, isPending, others, pending, useEntity("a", (e) => e?.kind ?? "none")]);
  };
  const html = renderToString(within(board, createElement(All))).replaceAll("&quot;", '"');
  assert.equal(html, '["connecting",null,null,[],false,[],false,"none"]');
  const options = { options: { board: "b" }, fallback: "waits" };
  assert.equal(renderToString(createElement(BoardProvider, options, createElement(All))), "waits");
});

test("without a provider a hook says so", () => {
  const Lost = () => (useBoardStore(), null);
  assert.throws(() => renderToString(createElement(Lost)), /no BoardProvider/);
});

test("components of a server may import it: the module says that it is for the client", () => {
  assert.match(readFileSync("dist/react.js", "utf8"), /^"use client";/);
});
