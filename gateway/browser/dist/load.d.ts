import type { EntityOf } from "./entities.js";
import type { Store } from "./store.js";
/** A page of what `part: "open"` leaves out. */
export interface Page {
    /** As the server had them; the view may be further. Without what was deleted since. */
    readonly entities: readonly EntityOf[];
    /** Where the next older page begins; null: there is none. */
    readonly before: string | null;
}
/**
 * Fetches a card with its comments, newest first (if it is archived, also what else hangs on it), or the archived columns
 * and cards. They join the view and stay up to date. Rejects when the store is not live, when the connection is lost, and
 * on a cursor that is none.
 */
export declare function load(store: Store, what: {
    readonly card: string;
    readonly before?: string;
} | {
    readonly archive: true;
    readonly before?: string;
}): Promise<Page>;
