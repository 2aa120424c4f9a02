// Texts that were sent by a page that is gone. Most of them offline() sends again and tells the verdict of. Of the others
// nobody knows: the verdict came while no page was there, or what was pending could not be kept. The server is asked.

import type { Offline, Store } from "@snapback/client";

import { of, Problem, request } from "../session.js";
import type { Drafts } from "./drafts.js";

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
