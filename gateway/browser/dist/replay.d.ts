import type { Entity } from "./entities.js";
import { type Ground, type State } from "./ground.js";
import type { Pending } from "./view.js";
/** A pending mutation as the view keeps it. */
export interface Made extends Pending {
    /** To be replayed in any case. */
    stale: boolean;
    /** It has its verdict, and leaves the view with the next pass. */
    over: boolean;
    /** What the last replay made of entities. */
    out: Map<string, Entity | null>;
    /** What stood there before. */
    before: Map<string, State>;
    /** What the last replay read or wrote: ids of entities, keys of lists, {@link seatKey}s of siblings. */
    keys: Set<string>;
}
/** The key of a sibling beside which a mutation looked for its place. */
export declare const seatKey: (id: string) => string;
/** Applies the mutation to what it finds. */
export declare function replay(ground: Ground, p: Made, user: string): void;
