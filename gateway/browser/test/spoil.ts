// Breaks a store in one way each, so that the tests that should find it can be seen to.

import type { Entity } from "../src/entities.js";
import type { Store } from "../src/index.js";
import type { Effects } from "../src/view.js";

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
  const { sync, ack, nack, ready } = view;
  const refused: Effects[] = [];
  let n = 0;
  const hit = () => ++n % every === 0;
  switch (how) {
    case "deaf":
      view.sync = (f) => (f.entity.kind === "card" && hit() ? { changed: [], verdicts: [], confirmed: [] } : sync(f));
      break;
    case "chatty":
      view.sync = (f) => {
        const effects = sync(f);
        const same: Entity | undefined = hit() ? view.list("column")[0] : undefined;
        return same ? { ...effects, changed: [...effects.changed, { id: same.id, before: same, after: same }] } : effects;
      };
      break;
    case "fearful":
      view.ack = (f) => {
        if (!hit()) return ack(f);
        refused.push(nack({ clientMutationId: f.clientMutationId, code: "limit", reason: "" }));
        return { changed: [], verdicts: [], confirmed: [] };
      };
      view.ready = (rev) => // acks are held until then
        [ready(rev), ...refused.splice(0)].reduce((a, b) => ({
          changed: [...a.changed, ...b.changed], verdicts: [...a.verdicts, ...b.verdicts], confirmed: [...a.confirmed, ...b.confirmed],
        }));
      break;
    case "bold":
      view.nack = (f) =>
        f.code ? ack({ type: "ack", clientMutationId: f.clientMutationId, rev: 1, events: 0 }) : nack(f);
      break;
    case "forgetful":
      Object.assign(store, {
        get: (id: string) => {
          const e = view.get(id);
          return e && { ...e };
        },
      });
  }
}
