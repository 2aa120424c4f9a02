import type { Change } from "./entities.js";
import type { Env } from "./env.js";
import type { Broken, Hello, Loaded, PresenceFrame } from "./frames.js";
import type { Mutation, Options, Refusal, Sent, Verdict } from "./types.js";
import type { Effects, Pending, View } from "./view.js";
/** A mutation without a verdict, and its way over the wire. */
export interface Entry extends Mutation {
    readonly pending: Pending;
    state: Mutation["state"];
    /** Made by an opt-in part for itself: no onRollback, no onSettled. */
    readonly quiet: boolean;
    /** From before a reload. */
    readonly restored: boolean;
    /** The changes as they are sent; not touched after the first sending. */
    sending: readonly Change[];
    /** Set at the first sending and never again: one deadline for ever. RFC 3339. */
    expiresAt: string | undefined;
    /** The frame, once it was sent. */
    frame?: object;
    /** Cancel instead of mutate from now on. */
    ask: boolean;
    /** The application withdrew it itself, so it needs no toast. */
    withdrawn: boolean;
    /** Refusals still to come for sendings that the server turned away with an earlier one (law 7). */
    owed: number;
    /** Settles the promise the application holds. */
    readonly settle: (v: Verdict) => void;
}
/** What the opt-in parts are told, in this order along the way of a mutation. All are optional. */
export interface Hooks {
    /** A mutation was made and is shown. */
    made?(m: Entry): void;
    /** It is about to be written to a socket for the first time; its deadline is set. May replace `m.sending`. */
    sending?(m: Entry): void;
    /** It has its verdict and left the view. */
    concluded?(m: Entry, v: Verdict): void;
    /** The confirmed state moved on to `view.resume`. */
    confirmed?(ids: readonly string[]): void;
    /** The server said who you are; the view has not taken it yet. */
    greeted?(hello: Hello): void;
    /** hello…ready is over; mutations are sent after this. */
    live?(hello: Hello): void;
    /** The socket is gone. */
    gone?(): void;
    /** lag…ready begins. */
    lagging?(): void;
    presence?(frame: PresenceFrame): void;
    loaded?(frame: Loaded): void;
    /** One of our frames made no sense. */
    error?(frame: Broken): void;
    /** The store is closed: by `close()` with 1000, or for good with a close code of PROTOCOL.md. */
    closed?(code?: number): void;
}
/** How a mutation is made by an opt-in part. */
export interface How {
    /** A ULID of the past: a mutation from before a reload. One that is pending already is not made again. */
    readonly id?: string;
    readonly madeAt?: number;
    /** It was sent with this deadline: it is sent again as it was. */
    readonly expiresAt?: string;
    /** Not sent before `release`; those made later wait behind it. */
    readonly held?: boolean;
    readonly quiet?: boolean;
}
export interface Engine {
    readonly view: View;
    readonly options: Options;
    readonly env: Env;
    readonly hooks: Set<Hooks>;
    /** By id; those without a verdict. */
    readonly entries: ReadonlyMap<string, Entry>;
    /** Where the servers are, in the order tried; at least one, and each ends with a slash. */
    readonly servers: readonly URL[];
    /** The server's time in milliseconds since 1970, as well as it is known. */
    now(): number;
    /** A new ULID. */
    ulid(): string;
    /** Shows the changes and sends them in their turn. */
    transact(changes: readonly Change[], how?: How): Sent;
    /** Lets a held mutation go, with other changes to send if given; or ends any with a verdict of the part's own. */
    release(id: string, how: {
        readonly sending?: readonly Change[];
        readonly verdict?: Refusal;
    }): void;
    /** Withdraws: see {@link Sent.cancel}. */
    cancel(id: string): void;
    /** Carries out what follows from an input to the view. */
    apply(effects: Effects): void;
    /** Writes a frame if the store is live; false if it is not. */
    send(frame: object): boolean;
    /** Gives the socket up and joins on another. */
    restart(): void;
    close(): void;
    /** What each other session said last, by session; only what was said on this connection since its start or last lag. */
    readonly said: Map<string, PresenceFrame>;
}
