import type { Entity } from "./entities.js";
/** null: deleted by a pending mutation, so that a create has no effect on it; undefined: unknown. */
export type State = Entity | null | undefined;
export interface Ground {
    /** By id. */
    readonly confirmed: Map<string, Entity>;
    /** Entities whose confirmed state has changed since the last pass over the pending mutations, and what stood there. */
    before: Map<string, State>;
    /** The same by the keys of their lists; in order once somebody has asked for it. */
    readonly lists: Map<string, {
        members: Entity[];
        sorted?: boolean;
    }>;
    /** What the pending mutations have made of entities so far; those they made anew in the order made. */
    overlay: Map<string, Entity | null>;
}
/** Confirms e in place of what stood there; undefined: the entity is gone, and with it what hangs on it. */
export declare function confirm(ground: Ground, id: string, e: Entity | undefined): void;
/** The confirmed members of a list in order. */
export declare function sortedList({ lists }: Ground, key: string): readonly Entity[];
/** The entity as confirmed and the mutations so far make it. */
export declare function stateOf({ overlay, confirmed }: Ground, id: string): State;
/** The members of a list that no mutation has changed so far, in order. */
export declare const untouched: (ground: Ground, key: string) => Entity[];
/** The members of a list that mutations have changed so far, new ones in the order made. */
export declare const touched: ({ overlay }: Ground, key: string) => Entity[];
/** Where e goes in a sorted list. */
export declare const place: (list: readonly Entity[], e: Entity) => number;
