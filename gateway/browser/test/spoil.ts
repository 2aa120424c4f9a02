// Breaks a store in one way each, so that the tests that should find it can be seen to.

import type { Entity } from "../src/entities.js";
import type { Store } from "../src/index.js";

export type Breakage =
  /** Some syncs are not taken. */
  | "deaf"
  /** Listeners are told of entities that have not changed. */
  | "chatty"
  /** Some acks are taken for refusals. */
  | "fearful"
  /** Some refusals are taken for acks. */
  | "bold"
  /** Views are new objects every time. */
  | "forgetful";

const every = 3;

export function spoil(store: Store, how: Breakage): void {
  const view = store.engine.view;
  const { sync, ack, nack, get } = view;
  let n = 0;
  const hit = () => ++n % every === 0;
  switch (how) {
    case "deaf":
      view.sync = (f) => (f.entity.kind === "card" && hit() ? { changed: [], verdicts: [], confirmed: [] } : sync.call(view, f));
      break;
    case "chatty":
      view.sync = (f) => {
        const effects = sync.call(view, f);
        const same: Entity | undefined = hit() ? view.list("column")[0] : undefined;
        return same ? { ...effects, changed: [...effects.changed, { id: same.id, before: same, after: same }] } : effects;
      };
      break;
    case "fearful":
      view.ack = (f) => (hit() ? nack.call(view, { clientMutationId: f.clientMutationId, code: "limit", reason: "" }) : ack.call(view, f));
      break;
    case "bold":
      view.nack = (f) =>
        f.code ? ack.call(view, { type: "ack", clientMutationId: f.clientMutationId, rev: 1, events: 0 }) : nack.call(view, f);
      break;
    case "forgetful":
      view.get = (id) => {
        const e = get.call(view, id);
        return e && { ...e };
      };
  }
}
