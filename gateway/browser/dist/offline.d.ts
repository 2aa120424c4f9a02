import type { Change } from "./entities.js";
import type { Feature, Sent, Unsubscribe } from "./types.js";
export interface OfflineOptions {
    /**
     * Who is signed in, if the application knows it before the server says: what another user has left is then not even
     * shown until the first connection. Default: `user` of {@link connect}'s options.
     */
    readonly user?: string;
}
/** A mutation that was never sent and is older than a day. The view does not show it. */
export interface StaleMutation {
    readonly id: string;
    readonly changes: readonly Change[];
    /** When it was made, by the server's clock, in milliseconds since 1970. */
    readonly madeAt: number;
}
export interface Offline extends Feature {
    /** What was stored is shown, or `error` says why not. It never rejects. */
    readonly ready: Promise<void>;
    /** Another array whenever it changes. */
    readonly stale: readonly StaleMutation[];
    /** Why nothing is kept, or was not at the last try: no IndexedDB, no room, corrupt. The store works without. */
    readonly error: unknown;
    /** Calls fn when `stale` or `error` has changed. */
    subscribe(fn: () => void): Unsubscribe;
    /** Sends a stale mutation after all, unless a field it sets has changed since it was made. */
    resend(id: string): Sent | undefined;
    /** Forgets a stale mutation. */
    discard(id: string): void;
    /**
     * Closes the store and deletes what is kept of every board of this server, whoever left it; rejects if something could
     * not be deleted. The application's other tabs keep nothing from then on.
     */
    signOut(): Promise<void>;
}
/** Keeps the board and what is pending over reloads: `connect({…, offline: offline()})`. One for each store. */
export declare function offline(options?: OfflineOptions): Offline;
