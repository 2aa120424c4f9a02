// What becomes visible when the server takes something back.

import { signal } from "@preact/signals";

import type { Mutation, Refusal } from "@snapback/client";

import { nameOf, type Desk } from "./desk.js";
import { note } from "./say.js";
import { wording } from "./words/refusal.js";
import { say } from "./words/words.js";

/** Entities that were taken back just now, and how often that happened; they show it for a moment. */
export const refused = signal<ReadonlyMap<string, number>>(new Map());

/** How long that is, in milliseconds. */
const shown = 1600;
let times = 0;

function show(ids: readonly string[]): void {
  const now = ++times;
  const next = new Map(refused.value);
  for (const id of ids) next.set(id, now);
  refused.value = next;
  setTimeout(() => {
    const left = new Map(refused.value);
    for (const id of ids) if (left.get(id) === now) left.delete(id);
    refused.value = left;
  }, shown);
}

/** Says of everything that is refused why. Gives what ends it. */
export function whatIsRefused({ store }: Desk): () => void {
  return store.onRollback((mutation: Mutation, why: Refusal) => {
    const ids = mutation.changes.map((c) => c.entityId);
    show(ids);
    const change = mutation.changes[0];
    const asked = nameOf(change?.patch as never);
    const what = nameOf(store.get(ids[0] ?? "")) ?? asked;
    note({
      tone: "refused",
      title: wording(why, (id) => nameOf(store.get(id)), what, asked),
      ...(what !== undefined && store.get(ids[0] ?? "") ? { text: say("refused.restored", { what }) } : {}),
    });
  });
}
