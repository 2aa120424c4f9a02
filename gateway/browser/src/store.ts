// The store an application holds.

import { Core, Listeners, type Past } from "./core.js";
import type { Engine } from "./engine.js";
import type { Change, Entity, EntityOf, Kind, Patch } from "./entities.js";
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
  /** The newest 50 verdicts, oldest first, with the milliseconds from the making to the verdict. */
  readonly verdicts: readonly Past[];
  /** Milliseconds of the newest round trip of a ping or a mutation. */
  readonly latencyMs: number | undefined;
}

/**
 * Opens a board. Returns at once; the store fills as the server answers. Throws on options that can not be: no board, an
 * url that is none, a ttl out of range.
 */
export function connect(options: Options): Store {
  return new Store(options);
}

/** One board as one user sees it: what is confirmed and, replayed on top, what is pending. Made by {@link connect}. */
export class Store {
  /** @internal */
  readonly engine: Engine;
  #core: Core;
  /** Resolves when the board is there for the first time; false if the store is closed before. */
  readonly ready: Promise<boolean>;

  /** @internal */
  constructor(options: Options) {
    this.engine = this.#core = new Core(options);
    this.ready = this.#core.ready;
  }

  /** The entity as shown. The same object comes back until one of its fields changes. */
  get<E extends Entity = Entity>(id: string): E | undefined {
    return this.#core.view.get(id) as E | undefined;
  }

  /** All of a kind as shown, ordered like siblings; the same array until one of them changes. */
  list<K extends Kind>(kind: K): readonly EntityOf<K>[] {
    return this.#core.view.list(kind) as readonly EntityOf<K>[];
  }

  /** What stands under a parent ("" is the board) in order, archived ones included; the same array until one of them changes. */
  children<K extends Kind>(parentId: string, kind: K): readonly EntityOf<K>[];
  children(parentId: string): readonly Entity[];
  children(parentId: string, kind?: Kind): readonly Entity[] {
    return this.#core.view.children(parentId, kind);
  }

  /** Without the pending mutations, with its newest `rev` and `updatedBy`. */
  confirmed(id: string): Entity | undefined {
    return this.#core.view.confirmed(id);
  }

  /** Calls fn with what changed in the view, once for each thing that happened. */
  subscribe(fn: (changes: readonly EntityChange[]) => void): Unsubscribe;
  subscribe(id: string, fn: (now: Entity | undefined, before: Entity | undefined) => void): Unsubscribe;
  subscribe(
    first: string | ((changes: readonly EntityChange[]) => void),
    fn?: (now: Entity | undefined, before: Entity | undefined) => void,
  ): Unsubscribe {
    if (typeof first !== "string") return this.#core.onChange.add(first);
    const { onEntity } = this.#core;
    let listeners = onEntity.get(first);
    if (!listeners) onEntity.set(first, (listeners = new Listeners()));
    const end = listeners.add(({ after, before }) => fn!(after, before));
    return () => {
      end();
      if (!listeners.size && onEntity.get(first) === listeners) onEntity.delete(first);
    };
  }

  /** Changes fields of one entity. */
  mutate(id: string, patch: Patch, only?: Preconditions): Sent {
    return this.transact([{ ...only, entityId: id, patch }]);
  }

  /** Makes an entity under a new id, {@link Sent.entityId}; without a position it comes last. */
  create<K extends Kind>(kind: K, patch: Patch): Sent {
    return this.transact([{ entityId: this.#core.ulid(), patch: { ...patch, kind }, ifRev: 0 }]);
  }

  /** Deletes an entity and what hangs on it. */
  remove(id: string, only?: Preconditions): Sent {
    return this.transact([{ ...only, entityId: id, patch: null }]);
  }

  /** Several changes in order, all or nothing, one verdict; 1 to 100. */
  transact(changes: readonly Change[]): Sent {
    return this.#core.transact(changes);
  }

  /** Does a mutation without a verdict concern the entity? */
  pending(id: string): boolean {
    return this.#core.view.isPending(id);
  }

  get status(): Status {
    return this.#core.link.status;
  }

  onStatus(fn: (status: Status) => void): Unsubscribe {
    return this.#core.onStatus.add(fn);
  }

  /** Why the store is closed: 1000, or a close code of PROTOCOL.md. */
  get closeCode(): number | undefined {
    return this.#core.link.closeCode;
  }

  /** Whom the server takes you for, by its newest hello. */
  get me(): Me | undefined {
    return this.#core.link.hello;
  }

  /** The board's rev up to which the confirmed part goes. */
  get rev(): number {
    return this.#core.view.resume?.rev ?? 0;
  }

  /** A mutation was refused and left the view: the place for a toast. Not told of what you cancelled yourself. */
  onRollback(fn: (mutation: Mutation, why: Refusal) => void): Unsubscribe {
    return this.#core.onRollback.add(fn);
  }

  /** A mutation has its verdict, also one from before a reload. */
  onSettled(fn: (mutation: Mutation, verdict: Verdict) => void): Unsubscribe {
    return this.#core.onSettled.add(fn);
  }

  /**
   * With `part: "open"`: a card with its comments, newest first (the card itself, and if it is archived what hangs on it,
   * are among the entities), or the archived columns and cards. They join the view. Rejects when the store is not live,
   * and when the connection is lost.
   */
  load(what: { readonly card: string; readonly before?: string } | { readonly archive: true; readonly before?: string }): Promise<Page> {
    return this.#core.load(what);
  }

  /** A fresh token for the live connection; later ones ask `Options.token`. */
  authenticate(token: string): void {
    this.#core.send({ type: "auth", token });
  }

  /** How everything stands, for people who look. */
  inspect(): Inspection {
    const { options, view, entries, past, link } = this.#core;
    return {
      board: options.board, status: this.status, me: this.me, epoch: view.resume?.epoch, rev: this.rev,
      entities: [...view.all()].length, pending: [...entries.values()], verdicts: [...past], latencyMs: link.latency,
    };
  }

  /** Ends the connection. What is pending gets the verdict `closed`. */
  close(): void {
    this.#core.close();
  }
}
