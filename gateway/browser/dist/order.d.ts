import type { Entity } from "./entities.js";
/** Compares by code points, which is the order of the UTF-8 bytes. */
export declare function compare(a: string, b: string): number;
/** The id of the entity this one hangs on, "" for the board. */
export declare const parentOf: (e: Entity) => string;
/** "" if it has none. */
export declare const position: (e: Entity) => string;
/** Are entities of the kind ordered by position? */
export declare const positioned: (e: Entity) => boolean;
/** Names siblings: the entities of a kind under a parent; of all kinds, if the kind is "". */
export declare const listKey: (kind: string, parent: string) => string;
/** The list in which the entity looks for its place. */
export declare const listOf: (e: Entity) => string;
/** All lists that have the entity; the list of a kind under whatever parent has the kind as its key. */
export declare const listsOf: (e: Entity) => string[];
/** Does a look like b to whoever chooses a position among their siblings? */
export declare const sameSeat: (a: Entity, b: Entity) => boolean;
/** Does it go with the entity it is under when that is deleted? A card stays without its column. */
export declare const hangs: (e: Entity) => boolean;
export declare const isArchived: (e: Entity) => boolean;
/**
 * Orders siblings by position, then id; without positions by createdRev, pending ones last; of two pending ones a is the
 * first.
 */
export declare function compareSiblings(a: Entity, b: Entity): number;
/** The index of the first member that is not before the place looked for. */
export declare function search<T>(list: readonly T[], isBefore: (x: T) => boolean): number;
