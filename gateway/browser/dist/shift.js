import { stateOf } from "./ground.js";
import { listsOf, sameSeat } from "./order.js";
import { seatKey } from "./replay.js";
class Shift {
  /** All that were different anywhere. */
  ids = /* @__PURE__ */ new Set();
  #ground;
  /** What stood here before, of those that are different, and the keys of who sees that. */
  #different = /* @__PURE__ */ new Map();
  /** How many of the different ones have the key. */
  #counts = /* @__PURE__ */ new Map();
  constructor(ground) {
    this.#ground = ground;
  }
  /** What stood here before; the same as now, if the entity is not different. */
  old(id, now) {
    const d = this.#different.get(id);
    return d ? d.old : now;
  }
  touches(keys) {
    for (const key of keys) if (this.#counts.get(key)) return true;
    return false;
  }
  /** Compares what stood here before with what stands here now. Another seat is seen by those that look at its siblings. */
  set(id, old) {
    this.ids.add(id);
    this.#count(id, -1);
    this.#different.delete(id);
    const is = stateOf(this.#ground, id);
    if (old === is) return;
    const keys = [id];
    if (!old || !is || !sameSeat(old, is)) keys.push(seatKey(id), ...[old, is].flatMap((e) => e ? listsOf(e) : []));
    this.#different.set(id, { old, keys });
    this.#count(id, 1);
  }
  #count(id, by) {
    for (const key of this.#different.get(id)?.keys ?? []) this.#counts.set(key, (this.#counts.get(key) ?? 0) + by);
  }
}
export {
  Shift
};
