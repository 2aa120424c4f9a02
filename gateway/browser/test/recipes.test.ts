import assert from "node:assert/strict";
import { test } from "node:test";
import { createApp, effectScope, ref, watchEffect } from "vue";

import type { Card } from "../src/index.js";
import * as redux from "../recipes/redux.js";
import * as vue from "../recipes/vue.js";
import { card, column, FakeBoard } from "./fakeboard.js";

test("Redux: the slice shows what the board shows, snap-backs too", async () => {
  const board = new FakeBoard(column("next"), column("doing"), card("a"), card("b"));
  const store = redux.createBoardStore(board.store);
  const ids = (columnId: string) => redux.selectCards(store.getState(), columnId).map((c) => c.id);
  assert.deepEqual([ids("next"), ids("doing"), redux.selectStatus(store.getState())], [["a", "b"], [], "connecting"]);
  board.turn("live");
  assert.equal(redux.selectStatus(store.getState()), "live");
  assert.deepEqual(redux.selectColumns(store.getState()).map((c) => c.id), ["doing", "next"]);

  const before = store.getState();
  const sent = store.dispatch(redux.moveCard("a", "doing", null));
  assert.deepEqual([ids("next"), ids("doing")], [["b"], ["a"]]);
  assert.equal(before.cards["next"]?.length, 2, "an older state is not changed");
  board.nack("wip_limit", { limit: 3 });
  assert.deepEqual([ids("next"), ids("doing")], [["a", "b"], []]);
  assert.equal((await sent).ok, false);
  const refusal = redux.selectRefusal(store.getState());
  assert.deepEqual([refusal?.code, refusal?.details["limit"], refusal?.entityId], ["wip_limit", 3, "a"]);
  store.dispatch({ type: "board/refusalDismissed" });
  assert.equal(redux.selectRefusal(store.getState()), undefined);

  const { entityId } = store.dispatch(redux.addCard("doing", "new"));
  assert.deepEqual(ids("doing"), [entityId]);
  board.show({ [entityId]: undefined });
  assert.equal(store.getState().entities[entityId], undefined);
});

test("Redux: what did not change keeps its identity; a like goes to and fro", () => {
  const board = new FakeBoard(column("next"), column("doing"), card("a"), card("b", { columnId: "doing" }));
  const store = redux.createBoardStore(board.store);
  const doing = redux.selectCards(store.getState(), "doing");
  store.dispatch(redux.toggleLike("a"));
  store.dispatch(redux.toggleLike("a"));
  store.dispatch(redux.toggleLike("a"));
  const [a] = redux.selectCards(store.getState(), "next");
  assert.deepEqual([a?.liked, a?.likes], [true, 1]);
  assert.deepEqual(board.flights.map((m) => m.changes[0]?.patch?.liked), [true, false, true]);
  assert.equal(redux.selectCards(store.getState(), "doing"), doing);
  assert.equal(redux.selectCards(store.getState(), "none"), redux.selectCards(store.getState(), "other"));
  assert.equal(store.dispatch(redux.toggleLike("gone")), undefined);
});

test("Redux: the mirror ends", () => {
  const board = new FakeBoard(card("a"));
  let heard = 0;
  const end = redux.mirror(board.store, () => heard++);
  board.mutate("a", { title: "A" });
  assert.equal(heard, 3, "the status, what was there, the change");
  end();
  board.mutate("a", { title: "B" });
  assert.deepEqual([heard, board.listening], [3, 0]);
});

/** Runs setup as a component would, on a board. */
function inVue<T>(board: FakeBoard, setup: () => T): { value: T; stop: () => void } {
  const scope = effectScope();
  const app = createApp({}).provide(vue.boardKey, board.store);
  return { value: app.runWithContext(() => scope.run(setup)) as T, stop: () => scope.stop() };
}

test("Vue: refs follow the board, and what did not change triggers nothing", () => {
  const board = new FakeBoard(column("next"), card("a"), card("b"));
  const id = ref("a");
  const titles: (string | undefined)[] = [];
  const { value, stop } = inVue(board, () => {
    const entity = vue.useEntity<Card>(id);
    watchEffect(() => titles.push(entity.value?.title), { flush: "sync" });
    return { entity, cards: vue.useChildren("next", "card"), columns: vue.useList("column"), status: vue.useStatus(), pending: vue.usePending(id) };
  });
  const columns = value.columns.value;
  board.mutate("b", { title: "B" });
  assert.deepEqual([titles, value.cards.value.map((c) => c.title)], [["a"], ["a", "B"]]);
  assert.equal(value.columns.value, columns);
  board.mutate("a", { title: "A" });
  assert.deepEqual([value.pending.value, value.entity.value?.title], [true, "A"]);
  board.ack();
  board.nack("forbidden");
  assert.deepEqual([value.pending.value, titles], [false, ["a", "A", "a"]]);
  board.mutate("a", { due: "2026-11-22" });
  assert.equal(value.pending.value, true);
  board.ack();
  assert.equal(value.pending.value, false, "an ack changes no view, and is heard of all the same");
  id.value = "b";
  assert.equal(value.entity.value, board.get("b"));
  board.mutate("a", { title: "A" });
  assert.deepEqual([titles, value.pending.value], [["a", "A", "a", "a", "B"], false]);
  board.turn("live");
  assert.equal(value.status.value, "live");
  stop();
  assert.equal(board.listening, 0);
});

test("Vue: a mutation says how it goes", async () => {
  const board = new FakeBoard(card("a"));
  const { value, stop } = inVue(board, () => vue.useMutation());
  const like = value.run((store) => store.mutate("a", { liked: true }));
  assert.equal(value.isPending.value, true);
  board.nack("archived");
  await like;
  assert.deepEqual([value.isPending.value, value.refusal.value?.code, board.get("a")?.["likes"]], [false, "archived", 0]);
  value.run((store) => store.mutate("a", { liked: true }));
  assert.deepEqual([value.isPending.value, value.refusal.value], [true, undefined]);
  stop();
});

test("Vue: without a board a composable says so", () => {
  assert.throws(() => createApp({}).runWithContext(() => vue.useBoard()), /no provideBoard/);
});
