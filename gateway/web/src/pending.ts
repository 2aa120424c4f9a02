// What takes long enough to be marked as pending.
//
// Most mutations have their verdict after a few milliseconds; a mark that comes and goes as fast is noise. So an entity is
// marked when a mutation of it has been without verdict for a moment, and only then.

import { signal, type ReadonlySignal, type Signal } from "@preact/signals";

import type { Store } from "@snapback/client";

/** How long a verdict may take before its entity is marked, in milliseconds. */
const moment = 300;

export interface Slow {
  /** Has the entity a change that has been waiting for its verdict for a moment? The same signal for the same id. */
  of(id: string): ReadonlySignal<boolean>;
}

export function slowly(store: Store): Slow {
  const marks = new Map<string, Signal<boolean>>();
  const mark = (id: string) => {
    let one = marks.get(id);
    if (!one) marks.set(id, (one = signal(false)));
    return one;
  };
  store.engine.hooks.add({
    made: (m) => {
      const ids = m.changes.map((c) => c.entityId);
      setTimeout(() => {
        for (const id of ids) if (store.pending(id)) mark(id).value = true;
      }, moment);
    },
    concluded: (m) => queueMicrotask(() => {
      for (const { entityId } of m.changes) {
        const one = marks.get(entityId);
        if (one && !store.pending(entityId)) one.value = false;
      }
    }),
  });
  return { of: mark };
}
