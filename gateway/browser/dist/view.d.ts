import type { Change, Entity, Json } from "./entities.js";
import type { Ack, Hello, Nack, Sync } from "./frames.js";
import { type State } from "./ground.js";
import type { Made } from "./replay.js";
import type { EntityChange, Refusal, Verdict } from "./types.js";
/** What a pending mutation changes of one entity, for its inverse; noted if somebody asked for it, see effect.ts. */
export interface Effect {
    /** It made the entity. */
    created: boolean;
    /** It deletes it. */
    deleted: boolean;
    /**
     * The fields it changes, `likes`, `liked` and what only the server sets left out; absent is undefined. Kept up to date
     * by every replay in which the field comes out changed; a replay that finds the field already so keeps what stood before.
     * A move to another list has the position too, also if it is the same.
     */
    fields: Map<string, {
        before: Json | undefined;
        after: Json | undefined;
    }>;
}
/** A mutation without a verdict. */
export interface Pending {
    readonly id: string;
    readonly changes: readonly Change[];
    /** Rolled back on silence: the view no longer shows it. */
    hidden: boolean;
    /** By entity id. */
    readonly effect: Map<string, Effect>;
}
/** The consequences of one input. */
export interface Effects {
    /** By id; only entities whose view changed (law 11). */
    readonly changed: readonly EntityChange[];
    /** Of mutations that were pending until now. */
    readonly verdicts: readonly {
        readonly pending: Pending;
        readonly verdict: Verdict;
    }[];
    /** Entities whose confirmed state changed, those that went included. */
    readonly confirmed: readonly string[];
}
/** Where a later connection resumes. */
export interface ResumePoint {
    readonly epoch: string;
    readonly rev: number;
}
export declare const refused: (code: string, reason?: string, details?: Nack["details"]) => Refusal;
/** One board as one user sees it. It has no clock and does no IO; what follows from an input is its return value. */
export interface View {
    /** Only the view sets it, as the next two. */
    user: string;
    /** Undefined when the next join must start afresh. */
    resume: ResumePoint | undefined;
    /** Those without a verdict, in the order made. */
    pending: readonly Made[];
    /** Told of what a replay of a mutation makes of an entity; see {@link Effect}. */
    note?: (p: Pending, id: string, before: State, after: State) => void;
    get(id: string): Entity | undefined;
    /** Without the pending mutations. */
    confirmed(id: string): Entity | undefined;
    all(): IterableIterator<Entity>;
    allConfirmed(): IterableIterator<Entity>;
    /** In the order of siblings; the same array until one of them changes. */
    list(kind: string): readonly Entity[];
    /** Those under a parent in order, archived ones included; of all kinds, if none is named, grouped by kind. */
    children(parent: string, kind?: string): readonly Entity[];
    /** Does a mutation that is shown change the entity, or delete it with what it hangs on? */
    isPending(id: string): boolean;
    byId(mutation: string): Pending | undefined;
    /** Shows a change made here. The mutation's id must be new. Throws, and does nothing, if the changes are no JSON. */
    mutate(mutation: string, changes: readonly Change[]): Effects;
    /** Begins a join; until ready nothing of it is seen. Unless it resumes, the resume point is forgotten at once. */
    hello(frame: Hello): Effects;
    lag(): void;
    ready(rev: number): Effects;
    /** Drops what was received and not yet seen; the next join sends it again. */
    disconnected(): void;
    sync(frame: Sync): Effects;
    /** Entities fetched beside the stream (part=open), or stored; one older than the one held is ignored. */
    load(entities: Iterable<Entity>): Effects;
    /** Drops a mutation: the syncs that carry it came before (law 2). */
    ack(frame: Ack): Effects;
    nack(frame: Pick<Nack, "clientMutationId" | "code" | "reason" | "details">): Effects;
    /** A mutation is unconfirmed: with rollbackOnSilence the view drops it. It stays pending until its verdict. */
    silence(mutation: string): Effects;
}
export declare function createView(user: string, rollbackOnSilence: boolean): View;
