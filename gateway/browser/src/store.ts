// The store an application holds.

import type { Change, Entity, EntityOf, Kind, Patch } from "./entities.js";
import type { Engine } from "./engine.js";
import type {
  EntityChange, Me, Mutation, Options, Preconditions, Refusal, Sent, Status, Unsubscribe, Verdict,
} from "./types.js";

/** A page of what `part: "open"` leaves out. */
export interface Page {
  readonly entities: readonly Entity[];
  /** Where the next older page begins; null: there is none. */
  readonly before: string | null;
}

/** What {@link Store.inspect} tells. */
export interface Inspection {
  readonly board: string;
  readonly status: Status;
  readonly me: Me | undefined;
  readonly epoch: string | undefined;
  readonly rev: number;
  readonly entities: number;
  readonly pending: readonly Mutation[];
  /** The newest 50 verdicts, oldest first. */
  readonly verdicts: readonly {
    readonly id: string;
    readonly changes: readonly Change[];
    readonly verdict: Verdict;
    /** Milliseconds from its making to its verdict. */
    readonly tookMs: number;
  }[];
  /** Milliseconds of the newest round trip of a ping or a mutation. */
  readonly latencyMs: number | undefined;
}

/** Opens a board. Returns at once; the store fills as the server answers. */
export declare function connect(options: Options): Store;

export declare class Store {
  /** @internal */
  readonly engine: Engine;

  get<E extends Entity = Entity>(id: string): E | undefined;
  list<K extends Kind>(kind: K): readonly EntityOf<K>[];
  children<K extends Kind>(parentId: string, kind: K): readonly EntityOf<K>[];
  children(parentId: string): readonly Entity[];
  /** Without the pending mutations, with its newest `rev` and `updatedBy`. */
  confirmed(id: string): Entity | undefined;

  /** Calls fn with what changed in the view, once for each thing that happened. */
  subscribe(fn: (changes: readonly EntityChange[]) => void): Unsubscribe;
  subscribe(id: string, fn: (now: Entity | undefined, before: Entity | undefined) => void): Unsubscribe;

  mutate(id: string, patch: Patch, only?: Preconditions): Sent;
  /** Makes an entity under a new id, {@link Sent.entityId}; or under `patch.id`. */
  create<K extends Kind>(kind: K, patch: Patch): Sent;
  remove(id: string, only?: Preconditions): Sent;
  /** Several changes in order, all or nothing, one verdict; 1 to 100. */
  transact(changes: readonly Change[]): Sent;

  /** Does a mutation without a verdict concern the entity? */
  pending(id: string): boolean;
  readonly status: Status;
  onStatus(fn: (status: Status) => void): Unsubscribe;
  /** Why it is closed: a close code of PROTOCOL.md. */
  readonly closeCode: number | undefined;
  readonly me: Me | undefined;
  /** The board's rev up to which the confirmed part goes. */
  readonly rev: number;
  /** Resolves when the board is there for the first time, false if the store is closed before. */
  readonly ready: Promise<boolean>;

  /** A mutation was refused and left the view: the place for a toast. */
  onRollback(fn: (mutation: Mutation, why: Refusal) => void): Unsubscribe;
  /** A mutation has its verdict, also one from before a reload. */
  onSettled(fn: (mutation: Mutation, verdict: Verdict) => void): Unsubscribe;

  /** With `part: "open"`: a card's comments, or archived cards, newest first. They join the view. Rejects when not live. */
  load(what: { readonly card: string; readonly before?: string } | { readonly archive: true; readonly before?: string }): Promise<Page>;
  /** A fresh token for the live connection. */
  authenticate(token: string): void;
  inspect(): Inspection;
  /** Ends the connection. What is pending gets the verdict `closed`. */
  close(): void;
}
