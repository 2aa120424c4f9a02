// The store an application holds.

import { createCore, Listeners, type Past } from "./core.js";
import type { Engine } from "./engine.js";
import type { Change, Entity, EntityOf, Kind, Patch } from "./entities.js";
import type {
  EntityChange, Me, Mutation, Options, Preconditions, Refusal, Sent, Status, Unsubscribe, Verdict,
} from "./types.js";

/** What {@link Store.inspect} tells. */
export interface Inspection {
  readonly board: string;
  readonly status: Status;
  readonly me: Me | undefined;
  readonly epoch: string | undefined;
  readonly rev: number;
  readonly entities: number;
  readonly pending: readonly Mutation[];
  /** The newest 50 verdicts, oldest first, with the milliseconds from the making to the verdict. */
  readonly verdicts: readonly Past[];
  /** Milliseconds of the newest ping's round trip. */
  readonly latencyMs: number | undefined;
}

/** One board as one user sees it: what is confirmed and, replayed on top, what is pending. Made by {@link connect}. */
export interface Store {
  /** @internal */
  readonly engine: Engine;
  /** Resolves when the board is there for the first time; false if the store is closed before. */
  readonly ready: Promise<boolean>;
  readonly status: Status;
  /** Why the store is closed: 1000, or a close code of PROTOCOL.md. */
  readonly closeCode: number | undefined;
  /** Whom the server takes you for, by its newest hello. */
  readonly me: Me | undefined;
  /** The board's rev up to which the confirmed part goes. */
  readonly rev: number;

  /** The entity as shown. The same object comes back until one of its fields changes. */
  get<E extends Entity = EntityOf>(id: string): E | undefined;
  /** All of a kind as shown, ordered like siblings; the same array until one of them changes. */
  list<K extends Kind>(kind: K): readonly EntityOf<K>[];
  /** What stands under a parent ("" is the board) in order, archived ones included; the same array until one of them changes. */
  children<K extends Kind>(parentId: string, kind: K): readonly EntityOf<K>[];
  children(parentId: string): readonly EntityOf[];
  /** Without the pending mutations, with its newest `rev` and `updatedBy`. */
  confirmed<E extends Entity = EntityOf>(id: string): E | undefined;
  /** Does a mutation that is shown and has no verdict concern the entity? */
  pending(id: string): boolean;

  /** Calls fn with what changed in the view, once for each thing that happened. */
  subscribe(fn: (changes: readonly EntityChange<EntityOf>[]) => void): Unsubscribe;
  subscribe(id: string, fn: (now: EntityOf | undefined, before: EntityOf | undefined) => void): Unsubscribe;
  onStatus(fn: (status: Status) => void): Unsubscribe;
  /** A mutation was refused and left the view: the place for a toast. Not told of what you cancelled yourself. */
  onRollback(fn: (mutation: Mutation, why: Refusal) => void): Unsubscribe;
  /** A mutation has its verdict, also one from before a reload. */
  onSettled(fn: (mutation: Mutation, verdict: Verdict) => void): Unsubscribe;

  /** Changes fields of one entity. */
  mutate(id: string, patch: Patch, only?: Preconditions): Sent;
  /** Makes an entity under a new id, {@link Sent.entityId}; without a position it comes last. */
  create(kind: Kind, patch: Patch): Sent;
  /** Deletes an entity and what hangs on it. */
  remove(id: string, only?: Preconditions): Sent;
  /** Several changes in order, all or nothing, one verdict; 1 to 100. */
  transact(changes: readonly Change[]): Sent;
  /** An id for a new entity of a {@link Store.transact}: a ULID of the server's time. */
  newId(): string;

  /** A fresh token for the live connection; later ones ask `Options.token`. */
  authenticate(token: string): void;
  /** How everything stands, for people who look. */
  inspect(): Inspection;
  /** Ends the connection. What is pending gets the verdict `closed`. */
  close(): void;
}

type Heard<E extends Entity> = (changes: readonly EntityChange<E>[]) => void;

/**
 * Opens a board. Returns at once; the store fills as the server answers. Throws on options that can not be (no board, a
 * url that is none, a ttl out of range), and where there is no WebSocket.
 */
export function connect(options: Options): Store {
  const core = createCore(options);
  const { view, link, onEntity, entries, past, transact } = core;
  return {
    engine: core,
    ready: core.ready,
    get status() { return link.status; },
    get closeCode() { return link.closeCode; },
    get me() { return link.hello; },
    get rev() { return view.resume?.rev ?? 0; },
    get: view.get as Store["get"],
    list: view.list as Store["list"],
    children: view.children as Store["children"],
    confirmed: view.confirmed as Store["confirmed"],
    pending: view.isPending,
    subscribe(first: string | Heard<EntityOf>, fn?: (now?: EntityOf, before?: EntityOf) => void) {
      if (typeof first !== "string") return core.onChange.add(first as Heard<Entity>);
      const listeners = onEntity.get(first) ?? new Listeners();
      onEntity.set(first, listeners);
      const end = listeners.add(({ after, before }) => fn!(after as EntityOf, before as EntityOf));
      return () => {
        end();
        if (!listeners.fns.size && onEntity.get(first) === listeners) onEntity.delete(first);
      };
    },
    onStatus: core.onStatus.add,
    onRollback: core.onRollback.add,
    onSettled: core.onSettled.add,
    mutate: (id, patch, only) => transact([{ ...only, entityId: id, patch }]),
    create: (kind, patch) => transact([{ entityId: core.ulid(), patch: { ...patch, kind }, ifRev: 0 }]),
    remove: (id, only) => transact([{ ...only, entityId: id, patch: null }]),
    transact: (changes) => transact(changes),
    newId: core.ulid,
    authenticate: (token) => void core.send({ type: "auth", token }),
    inspect: () => ({
      board: options.board, status: link.status, me: link.hello, epoch: view.resume?.epoch, rev: view.resume?.rev ?? 0,
      entities: [...view.all()].length, pending: [...entries.values()], verdicts: [...past], latencyMs: link.latency,
    }),
    close: core.close,
  };
}
