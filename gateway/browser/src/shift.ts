// Which entities are not what they were when the pending mutations were last replayed, at one point of their order.

import { type Ground, type State, stateOf } from "./ground.js";
import { listsOf, sameSeat } from "./order.js";
import { seatKey } from "./replay.js";

export class Shift {
  /** All that were different anywhere. */
  readonly ids = new Set<string>();
  readonly #ground: Ground;
  /** What stood here before, of those that are different, and the keys of who sees that. */
  readonly #different = new Map<string, { old: State; keys: string[] }>();
  /** How many of the different ones have the key. */
  readonly #counts = new Map<string, number>();

  constructor(ground: Ground) {
    this.#ground = ground;
  }

  /** What stood here before; the same as now, if the entity is not different. */
  old(id: string, now: State): State {
    const d = this.#different.get(id);
    return d ? d.old : now;
  }

  touches(keys: Set<string>): boolean {
    for (const key of keys) if (this.#counts.get(key)) return true;
    return false;
  }

  /** Compares what stood here before with what stands here now. Another seat is seen by those that look at its siblings. */
  set(id: string, old: State): void {
    this.ids.add(id);
    this.#count(id, -1);
    this.#different.delete(id);
    const is = stateOf(this.#ground, id);
    if (old === is) return;
    const keys = [id];
    if (!old || !is || !sameSeat(old, is)) keys.push(seatKey(id), ...[old, is].flatMap((e) => (e ? listsOf(e) : [])));
    this.#different.set(id, { old, keys });
    this.#count(id, 1);
  }

  #count(id: string, by: number): void {
    for (const key of this.#different.get(id)?.keys ?? []) this.#counts.set(key, (this.#counts.get(key) ?? 0) + by);
  }
}
