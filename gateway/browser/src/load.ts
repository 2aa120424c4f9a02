// What `part: "open"` leaves out, on demand.

import type { EntityOf } from "./entities.js";
import type { Hooks } from "./engine.js";
import { parentOf } from "./order.js";
import type { Store } from "./store.js";

/** A page of what `part: "open"` leaves out. */
export interface Page {
  /** As the server had them; the view may be further. Without what was deleted since. */
  readonly entities: readonly EntityOf[];
  /** Where the next older page begins; null: there is none. */
  readonly before: string | null;
}

let loads = 0;

/**
 * Fetches a card with its comments, newest first (if it is archived, also what else hangs on it), or the archived columns
 * and cards. They join the view and stay up to date. Rejects when the store is not live, when the connection is lost, and
 * on a cursor that is none.
 */
export function load(
  store: Store, what: { readonly card: string; readonly before?: string } | { readonly archive: true; readonly before?: string },
): Promise<Page> {
  const { engine } = store, id = ++loads, gone = new Set<string>(); // deleted since it was asked for
  return new Promise((done, failed) => {
    const end = (error?: string) => {
      engine.hooks.delete(hooks);
      if (error) failed(new Error(error));
    };
    const hooks: Hooks = {
      confirmed: (ids) => ids.forEach((id) => engine.view.confirmed(id) || gone.add(id)),
      loaded(f) {
        if (f.id !== id) return;
        end();
        const entities = f.entities.filter((e) => {
          if (engine.view.confirmed(e.id) || !gone.has(e.id) && !gone.has(parentOf(e))) return true;
          gone.add(e.id); // and with it what hangs on it
        });
        engine.apply(engine.view.load(entities));
        done({ entities: entities as EntityOf[], before: f.before });
      },
      error: (f) => f.id === id && end(f.reason),
      gone: () => end("connection lost"),
    };
    engine.hooks.add(hooks);
    if (!engine.send({ type: "load", id, ...what })) end("not live");
  });
}
