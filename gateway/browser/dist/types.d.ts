import type { Change, Entity, Json, Role } from "./entities.js";
import type { Offline } from "./offline.js";
/** Nack codes (PROTOCOL.md). A server may know more than this list. */
export type Code = "invalid" | "not_found" | "conflict" | "forbidden" | "name_taken" | "wip_limit" | "limit" | "not_empty" | "archived" | "expired" | "withdrawn" | "id_reused" | "too_large" | "lab" | "rate_limited" | "unavailable"
/** Only with `rollbackOnSilence`: taken back because no verdict came in time; a late ack brings it forward again. */
 | "silence"
/** The store was closed before a verdict came: the change may or may not have taken effect. */
 | "closed" | (string & {});
/** What became of a mutation. */
export type Verdict = {
    readonly ok: true;
    /** The board's rev of its last event. */
    readonly rev: number;
    /** How many events it made; 0 if it changed nothing. */
    readonly events: number;
} | {
    readonly ok: false;
    readonly code: Code;
    /** What the code is about, for words to the user: `limit`, `count`, `columnId`, … */
    readonly details: {
        readonly [name: string]: Json;
    };
    /** English, for logs. */
    readonly reason: string;
};
/** A refusal. */
export type Refusal = Extract<Verdict, {
    ok: false;
}>;
/** A change made here. It never rejects. */
export interface Sent extends Promise<Verdict> {
    /** The clientMutationId. */
    readonly id: string;
    /** The first entity it changes: of `create`, the new one's id. */
    readonly entityId: string;
    /** Withdraws it if it is undecided; the verdict says whether that came in time. */
    cancel(): void;
}
/** A mutation as listeners and `inspect` see it. */
export interface Mutation {
    /** The clientMutationId. */
    readonly id: string;
    readonly changes: readonly Change[];
    /** When it was made, by the server's clock, in milliseconds since 1970. */
    readonly madeAt: number;
    /** queued: never written to a socket; sent; unconfirmed: overdue and asked for; held: an undo that waits for its original. */
    readonly state: "queued" | "sent" | "unconfirmed" | "held";
}
/** An entity whose view changed; `before` or `after` is absent for one that came or went. */
export interface EntityChange<E extends Entity = Entity> {
    readonly id: string;
    readonly before: E | undefined;
    readonly after: E | undefined;
}
/**
 * How the store stands to the server. connecting: dialling or joining; live; offline: no connection, the next attempt
 * is planned; lagging: live, but behind; closed: by `close()`, or refused for good (`Store.closeCode`).
 */
export type Status = "connecting" | "live" | "offline" | "lagging" | "closed";
/** Whom the server takes you for. */
export interface Me {
    readonly user: string;
    readonly role: Role;
    readonly session: string;
}
/** Preconditions of a mutation of one entity. */
export interface Preconditions {
    readonly if?: {
        readonly [field: string]: Json;
    };
    readonly ifRev?: number;
}
/** Ends a subscription. */
export type Unsubscribe = () => void;
/** What {@link connect} needs. */
export interface Options {
    /**
     * The server: http, https, ws or wss. Several are nodes of one cluster, any of which serves the board: they are tried in an
     * order of the store's own, and after a failure, or when one is to stop, it is the next one's turn. Default: where the
     * page came from.
     */
    readonly url?: string | URL | readonly (string | URL)[] | undefined;
    readonly board: string;
    /**
     * The bearer token, or where to get one; asked for before every connection. One that fails (throws, rejects) counts as no
     * connection: it is asked again later. Without one none is sent.
     */
    readonly token?: string | (() => string | undefined | Promise<string | undefined>) | undefined;
    /** Who you are, on a server without keys. */
    readonly user?: string | undefined;
    /** "open": without archived columns and cards and without comments, which `load` fetches. */
    readonly part?: "open" | undefined;
    /** Take a change back as soon as its verdict is overdue, forward again on a late ack. Default: mark it unconfirmed. */
    readonly rollbackOnSilence?: boolean | undefined;
    /** Milliseconds a mutation may take to take effect, 1000 to 60000. Default 4000. */
    readonly ttl?: number | undefined;
    /** Keeps the board and what is pending over reloads: `offline()`. */
    readonly offline?: Offline | undefined;
}
/** An opt-in part of the client. */
export interface Feature {
}
