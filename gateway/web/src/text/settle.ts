// Texts that were sent by a page that is gone. Most of them offline() sends again and tells the verdict of. Of the others
// nobody knows: the verdict came while no page was there, or what was pending could not be kept. The server is asked.

import type { Offline, Store } from "@snapback/client";

import { of, Problem, request } from "../session.js";
import { placeOf, type Drafts } from "./drafts.js";

export async function settleOld({ board, store, offline, drafts, signal }: {
  readonly board: string;
  readonly store: Store;
  readonly offline: Offline;
  readonly drafts: Drafts;
  readonly signal: AbortSignal;
}): Promise<void> {
  const left = drafts.keys().filter((key) => drafts.get(key)?.sent !== undefined);
  if (!left.length || !(await store.ready)) return;
  for (const key of left) {
    const { sent } = drafts.get(key) ?? {};
    if (signal.aborted) return;
    if (sent === undefined || store.engine.entries.has(sent) || offline.stale.some((m) => m.id === sent)) continue;
    const took = await effectOf(board, sent);
    if (drafts.get(key)?.sent !== sent) continue;
    if (took) drafts.clear(key);
    else if (took === false) drafts.send(key, undefined);
  }
}

/** Did the mutation take effect; undefined if that is not to be learned now. */
async function effectOf(board: string, mutation: string): Promise<boolean | undefined> {
  try {
    const frame = (await (await request(of(board, "mutations", mutation))).json()) as { type?: string };
    return frame.type === "ack";
  } catch (e) {
    return e instanceof Problem && e.status === 404 ? false : undefined;
  }
}

/** Tells of texts whose place was deleted while no page was there. What is not in the open part may be there still. */
export async function findGone({ board, store, drafts, signal, lost }: {
  readonly board: string;
  readonly store: Store;
  readonly drafts: Drafts;
  readonly signal: AbortSignal;
  lost(key: string, id: string): void;
}): Promise<void> {
  const unplaced = () => drafts.keys().flatMap((key) => {
    const id = placeOf(key);
    return id === undefined || store.get(id) || drafts.get(key)?.sent !== undefined ? [] : [{ key, id }];
  });
  if (!drafts.keys().length || !(await store.ready) || !unplaced().length) return;
  const all = await entitiesOf(board);
  if (!all || signal.aborted) return;
  for (const { key, id } of unplaced()) if (!all.has(id)) lost(key, id);
}

/** The ids of all that the board has; undefined if that is not to be learned now. */
async function entitiesOf(board: string): Promise<ReadonlySet<string> | undefined> {
  try {
    const { entities } = (await (await request(of(board))).json()) as { readonly entities: readonly { readonly id: string }[] };
    return new Set(entities.map(({ id }) => id));
  } catch {
    return undefined;
  }
}
