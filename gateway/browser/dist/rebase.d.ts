import { type Ground } from "./ground.js";
import { type Made } from "./replay.js";
import type { View } from "./view.js";
/**
 * One pass over the pending mutations in the order made. A mutation is replayed if it is stale, or if one of its keys is
 * among those of the entities that are, at its turn, not what they were at its last; what it makes of them may be the same
 * as before, or different for those behind it. Gives the ids of all entities that were different anywhere. A newest
 * mutation before its first replay is all there is to do.
 */
export declare function rebase(ground: Ground, { user, note, pending }: View, newest?: Made): Set<string>;
