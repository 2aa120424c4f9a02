import type { Entity } from "./entities.js";
/** null: deleted by a pending mutation, so that a create has no effect on it; undefined: unknown. */
export type State = Entity | null | undefined;
/** What a mutation makes of an entity. */
export interface Outcome {
    readonly state: Entity | null;
    /** Order among entities not confirmed yet; 0 for others. */
    readonly made: number;
}
export interface Ground {
    /** By id. */
    readonly confirmed: Map<string, Entity>;
    /** The same by the keys of their lists; in order once somebody has asked for it. */
    readonly lists: Map<string, {
        members: Entity[];
        sorted?: boolean;
    }>;
    /** What the pending mutations have made of entities so far. */
    overlay: Map<string, Outcome>;
}
/** Confirms the entity in place of what stood there. */
export declare function confirm(ground: Ground, e: Entity): void;
export declare function unconfirm(ground: Ground, id: string): void;
/** The confirmed members of a list in order. */
export declare function sortedList({ lists }: Ground, key: string): readonly Entity[];
/** The entity as confirmed and the mutations so far make it. */
export declare function stateOf({ overlay, confirmed }: Ground, id: string): State;
/** The members of a list that no mutation has changed so far, in order. */
export declare const untouched: (ground: Ground, key: string) => Entity[];
/** The members of a list that mutations have changed so far, in no particular order. */
export declare const touched: ({ overlay }: Ground, key: string) => Entity[];
/** Where e goes in a sorted list. */
export declare const place: (list: readonly Entity[], e: Entity, made?: (e: Entity) => number) => number;
