// Which pending mutations see a difference when the ground has shifted, and their replay.

import { type Ground, type State, stateOf } from "./ground.js";
import { listsOf, sameSeat } from "./order.js";
import { alike } from "./patch.js";
import { type Made, replay, seatKey } from "./replay.js";
import type { View } from "./view.js";

/**
 * One pass over the pending mutations in the order made. A mutation is replayed if it is stale, or if one of its keys is
 * among those of the entities that are, at its turn, not what they were at its last; what it makes of them may be the same
 * as before, or different for those behind it. Gives the ids of all entities that were different anywhere. A newest
 * mutation before its first replay is all there is to do.
 */
export function rebase(ground: Ground, { user, note, pending }: View, newest?: Made): Set<string> {
  const ids = new Set<string>();
  /** What stood at this point before, of the entities that are different, and the keys of who sees that. */
  const different = new Map<string, { old: State; keys: string[] }>();

  /** Compares what stood here with what stands here now. Another seat is seen by those that look at its siblings. */
  const compare = (id: string, old: State) => {
    const is = stateOf(ground, id), isMoved = !old || !is || !sameSeat(old, is);
    const lists = (e: State) => (e && isMoved ? listsOf(e) : []);
    ids.add(id);
    if (alike(old, is)) different.delete(id);
    else different.set(id, { old, keys: [id, ...(isMoved ? [seatKey(id)] : []), ...lists(old), ...lists(is)] });
  };

  const sees = (p: Made) => {
    for (const { keys } of different.values()) for (const key of keys) if (p.keys.has(key)) return true;
  };

  if (!newest) ground.overlay = new Map();
  ground.before.forEach((old, id) => compare(id, old));
  for (const p of newest ? [newest] : pending) {
    if (!p.stale && !sees(p)) {
      p.out.forEach((state, id) => ground.overlay.set(id, state));
      continue;
    }
    const was = p.out;
    p.stale = false;
    p.out = new Map();
    p.before = new Map();
    p.keys = new Set();
    if (!p.hidden && !p.over) replay(ground, p, user);
    p.out.forEach((state, id) => note?.(p, id, p.before.get(id), state));
    for (const id of new Set([...was.keys(), ...p.out.keys()])) {
      const d = different.get(id);
      compare(id, was.has(id) ? was.get(id) : d ? d.old : p.before.get(id));
    }
  }
  ground.before = new Map();
  return ids;
}
