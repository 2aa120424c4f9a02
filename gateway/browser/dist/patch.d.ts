import type { Entity, Patch } from "./entities.js";
/** An entity that is being made. */
export type Draft = {
    -readonly [K in keyof Entity]: Entity[K];
};
/** A place in a list: after or before a sibling; id "" is first with after, last without. */
export interface Seat {
    readonly after: boolean;
    readonly id: string;
}
/** Only the server sets these: a patch that names them is read as if it did not. */
export declare const isOwned: (field: string) => boolean;
/** The list, if it is one of strings. */
export declare const strings: (v: unknown) => string[] | undefined;
/** Reads {"after":id} and {"before":id}. */
export declare function seatOf(v: unknown): Seat | undefined;
/** Is the field a set, of which members come and go for themselves? */
export declare const isSet: (field: string) => boolean;
/**
 * Gives the entity with the patch applied, by the table "Applying a patch" of PROTOCOL.md; user is who `liked` stands
 * for. It judges nothing. A place is left out: whoever knows the siblings sets the key.
 */
export declare function merge(old: Entity, patch: Patch, user: string): Draft;
/** Are a and b the same JSON value? */
export declare function same(a: unknown, b: unknown): boolean;
/** Does a viewer see no difference? When and by whom it was last changed is no matter, that it is confirmed is one. */
export declare const alike: (a: Entity | null | undefined, b: Entity | null | undefined) => boolean;
/** Freezes a JSON value through and through. */
export declare function freeze<T>(v: T): T;
