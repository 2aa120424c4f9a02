import type { Change } from "./entities.js";
import type { Engine, Entry, Hooks } from "./engine.js";
import { type Link } from "./link.js";
import type { EntityChange, Mutation, Options, Refusal, Status, Verdict } from "./types.js";
/** A verdict as `inspect` tells it. */
export interface Past {
    readonly id: string;
    readonly changes: readonly Change[];
    readonly verdict: Verdict;
    readonly tookMs: number;
}
/** Functions that are called together. */
export declare class Listeners<A extends unknown[]> {
    readonly fns: Set<(...args: A) => void>;
    readonly add: (fn: (...args: A) => void) => () => undefined;
    /** A listener that throws keeps nobody else from hearing. */
    tell(...args: A): void;
}
/** The engine as link and store see it. */
export interface Core extends Engine {
    readonly link: Link;
    readonly past: readonly Past[];
    /** See {@link Store.ready}. */
    readonly ready: Promise<boolean>;
    readonly onChange: Listeners<[readonly EntityChange[]]>;
    readonly onEntity: Map<string, Listeners<[EntityChange]>>;
    readonly onStatus: Listeners<[Status]>;
    readonly onRollback: Listeners<[Mutation, Refusal]>;
    readonly onSettled: Listeners<[Mutation, Verdict]>;
    /** Works on an input; the listeners hear of it when all of it is done. */
    run(fn: () => void): void;
    /** The server's clock; it may be one that has run on since. */
    hear(serverTime: string, isLate?: boolean): void;
    /** The frame of a mutation, the same for every sending; undefined if it is too large, which ends it. */
    frame(m: Entry, limit: number): object | undefined;
    /** Its verdict is overdue. */
    silence(m: Entry): void;
    /** Tells the opt-in parts. */
    tell<K extends keyof Hooks>(what: K, ...args: Parameters<NonNullable<Hooks[K]>>): void;
    tellStatus(status: Status): void;
    /** The link has ended for good. */
    ended(): void;
}
export declare function createCore(options: Options): Core;
