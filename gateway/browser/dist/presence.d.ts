import type { Json } from "./entities.js";
import type { Store } from "./store.js";
import type { Unsubscribe } from "./types.js";
/** What a session may say of itself: T, if that is JSON, an interface too; what is undefined is left out. */
export type Saying<T> = Json | {
    readonly [K in keyof T]: Said<T[K]>;
};
type Said<T> = T extends Json | undefined ? T : T extends bigint | symbol | Date | ((...args: never) => unknown) ? never : {
    readonly [K in keyof T]: Said<T[K]>;
};
/** Another session on the board: the same person may have several. The same object comes back until it says something else. */
export interface Peer<T = Json> {
    readonly session: string;
    readonly user: string;
    readonly name: string | undefined;
    readonly picture: string | undefined;
    /** As it was sent; that it is a T is a promise between your own pages. */
    readonly data: T;
}
export interface Presence<T = Json> {
    /**
     * Tells the others something passing (where your cursor is), at most 1 KiB of JSON. Later data replaces earlier, ten
     * times a second at most; every new connection is told again. `null` or `undefined` leaves.
     */
    set(data: T | null | undefined): void;
    /** Everybody else who has said something, by session; the same array until that changes. Empty while not connected. */
    readonly others: readonly Peer<T>[];
    subscribe(fn: (others: readonly Peer<T>[]) => void): Unsubscribe;
    /** Leaves, and hears no more. */
    close(): void;
}
/**
 * Presence on the store's board. Make it beside the store: others are told of when they say something. One for each store
 * is enough, and two would speak over each other.
 */
export declare function presence<T extends Saying<T> = Json>(store: Store): Presence<T>;
export {};
