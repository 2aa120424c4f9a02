// What the gateway does to this window's mutations, as it was asked to: the server misbehaves, not the page.

import { signal } from "@preact/signals";

import type { Store } from "@snapback/client";

import type { Desk } from "../desk.js";
import { address, Problem, request } from "../session.js";

export type Fate = "pass" | "refuse" | "swallow";

/** Milliseconds before a mutation goes on, and shares from 0 to 1 of those refused and those lost. */
export interface Setting {
  readonly delayMs: number;
  readonly jitterMs: number;
  readonly refuse: number;
  readonly swallow: number;
  /** What becomes of the next ones, before the shares apply. */
  readonly plan: readonly Fate[];
}

export const nothing: Setting = { delayMs: 0, jitterMs: 0, refuse: 0, swallow: 0, plan: [] };
/** What the lab begins with: the third of all mutations that a mock server fails. */
export const usual: Setting = { ...nothing, delayMs: 600, jitterMs: 300, refuse: 0.3 };

/** What is chosen, and whether it is in force. */
export const chosen = signal<Setting>(usual);
export const isOn = signal(false);

const place = (board: string, session: string): URL => {
  const url = address(`/v1/boards/${encodeURIComponent(board)}/lab`);
  url.searchParams.set("session", session);
  return url;
};

/** Has the gateway of this session do so. Rejects with a Problem. */
export async function put({ board, store }: Desk, setting: Setting): Promise<void> {
  const { session } = store.me ?? {};
  if (!session) throw new Problem("offline", 0, {});
  await request(place(board, session), { method: "PUT", headers: { "Content-Type": "application/json" }, body: JSON.stringify(setting) });
}

/** Has the server a lab? Known with its first word. */
export const hasLab = signal(false);

/** Listens for it. Gives what ends that. */
export function whetherThereIsALab({ engine }: Store): () => void {
  const own = { greeted: ({ lab }: { readonly lab?: boolean }) => void (hasLab.value = lab === true) };
  engine.hooks.add(own);
  return () => void engine.hooks.delete(own);
}

/** The setting that is to be in force now. */
export const wanted = (): Setting => (isOn.value ? chosen.value : nothing);

/** Keeps a desk's sessions at what is wanted: a new connection is a new session. Gives what ends it. */
export function keepSetting(desk: Desk, failed: (problem: Problem) => void): () => void {
  let session = "";
  return desk.store.onStatus((status) => {
    if (status !== "live" || desk.store.me?.session === session) return;
    session = desk.store.me?.session ?? "";
    if (isOn.value) put(desk, chosen.value).catch(failed);
  });
}
