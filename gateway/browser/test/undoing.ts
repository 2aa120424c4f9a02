// A board with ann, who undoes, for the tests of undo.

import assert from "node:assert/strict";
import type { Entity, Patch } from "../src/entities.js";
import { connect } from "../src/store.js";
import { type Kept, undoStack, type UndoResult } from "../src/undo.js";
import { Client, FakeServer } from "./fakeserver.js";

export const column = (id: string, more: object = {}): Entity => ({ id, kind: "column", title: id, position: "a0", ...more });
export const card = (id: string, more: object = {}): Entity => ({
  id, kind: "card", createdBy: "bob", columnId: "todo", position: "a0", title: id, ...more,
});
export const usual = () => [column("todo"), column("done", { position: "a1" }), card("c1"), card("c2", { position: "a1" })];

/** A board with ann, who undoes. Nothing arrives before `flow`. */
export async function open({ entities = usual(), steps }: { entities?: Entity[]; steps?: number } = {}) {
  const server = new FakeServer(...entities);
  const ann = new Client(server, "ann");
  const store = connect({ url: "http://board.test", board: "b", user: "ann", env: ann.env });
  const toasts: string[] = [];
  store.onRollback((_, why) => toasts.push(why.code));
  await ann.flow();
  const undo = undoStack(store, steps === undefined ? {} : { steps });
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
export async function now<T>(promise: Promise<T>): Promise<T> {
  const open = Symbol("open");
  const result = await Promise.race([promise, new Promise((done) => setImmediate(() => done(open)))]);
  assert.notEqual(result, open, "the promise is still open");
  return result as T;
}

export const fine = (kept: readonly Kept[] = []) => ({ ok: true, kept });
export const bare = (result: UndoResult) => (result.ok ? { ok: true, kept: result.kept } : { ok: false, code: result.code });
