// What becomes visible when the server takes something back.

import { signal } from "@preact/signals";

import type { Mutation, Refusal } from "@snapback/client";

import { nameOf, type Desk } from "./desk.js";
import { note } from "./say.js";
import { clip, creates } from "./text/mutation.js";
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

/** Says of everything that is refused why; words of the user's own find their place. Gives what ends it. */
export function whatIsRefused({ store, texts }: Desk): () => void {
  return store.onRollback((mutation: Mutation, why: Refusal) => {
    const { changes } = mutation;
    const at = Number(why.details["change"] ?? 0);
    const change = changes[at] ?? changes[0];
    show(changes.map((c) => c.entityId));
    const entity = store.get(change?.entityId ?? "");
    const asked = nameOf(change?.patch as never);
    const what = nameOf(entity) ?? asked;
    const kind = change?.patch?.kind ?? entity?.kind;
    const clipped = what === undefined ? undefined : clip(what);
    const title = wording(why, (id) => clipName(nameOf(store.get(id))), clipped, clipName(asked) ?? clipped, kind);
    const place = texts.takeBack(mutation, why, title);
    if (place) return; // both tell why themselves
    const restored = clipped !== undefined && entity && change && !creates(change);
    note({
      tone: "refused", title, text: restored ? say("refused.restored", { what: clipped }) : undefined,
      together: { kind: why.code, title: (count) => say("refused.several", { count }) },
    });
  });
}

const clipName = (name: string | undefined) => (name === undefined ? undefined : clip(name));
