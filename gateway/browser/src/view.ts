// The pure half of the client: what is confirmed, which mutations are pending, and the view derived from both.

import type { Change, Entity, Json } from "./entities.js";
import type { Ack, Hello, Nack, Sync } from "./frames.js";
import { confirm, type Ground, place, type State, stateOf, touched, untouched } from "./ground.js";
import { compare, listKey, listsOf } from "./order.js";
import { alike, freeze } from "./patch.js";
import type { Made } from "./replay.js";
import { rebase } from "./rebase.js";
import type { EntityChange, Verdict } from "./types.js";

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
  fields: Map<string, { before: Json | undefined; after: Json | undefined }>;
}

/** A mutation without a verdict. */
export interface Pending {
  readonly id: string;
  readonly changes: readonly Change[];
  /** The verdict is overdue and has been asked for. */
  unconfirmed: boolean;
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
  readonly verdicts: readonly { readonly pending: Pending; readonly verdict: Verdict }[];
  /** Entities whose confirmed state changed, those that went included. */
  readonly confirmed: readonly string[];
}

/** Where a later connection resumes. */
export interface ResumePoint {
  readonly epoch: string;
  readonly rev: number;
}

/** What has been received and is not to be seen yet. */
interface Hold {
  /** hello…ready or lag…ready. */
  active?: boolean;
  /** At ready, what was not sent again is gone. */
  fresh?: boolean;
  readonly syncs: Sync["entity"][];
  readonly acks: Ack[];
}

const nothing = (): Hold => ({ syncs: [], acks: [] });

/** One board as one user sees it. It has no clock and does no IO; what follows from an input is its return value. */
export class View {
  user: string;
  /** Undefined when the next join must start afresh. Only the view sets it. */
  resume: ResumePoint | undefined;
  /** Those without a verdict, in the order made. Only the view changes it. */
  pending: readonly Made[] = [];
  /** Told of what a replay of a mutation makes of an entity; see {@link Effect}. */
  note?: (p: Pending, id: string, before: State, after: State) => void;
  readonly #rollbackOnSilence: boolean;
  readonly #ground: Ground = { confirmed: new Map(), before: new Map(), lists: new Map(), overlay: new Map() };
  readonly #shown = new Map<string, Entity>();
  /** Lists that were asked for since one of their members has changed. */
  readonly #arrays = new Map<string, readonly Entity[]>();
  #epoch = "";
  #hold = nothing();

  constructor(user: string, rollbackOnSilence: boolean) {
    this.user = user;
    this.#rollbackOnSilence = rollbackOnSilence;
  }

  get(id: string): Entity | undefined {
    return this.#shown.get(id);
  }

  /** Without the pending mutations. */
  confirmed(id: string): Entity | undefined {
    return this.#ground.confirmed.get(id);
  }

  all(): IterableIterator<Entity> {
    return this.#shown.values();
  }

  allConfirmed(): IterableIterator<Entity> {
    return this.#ground.confirmed.values();
  }

  /** In the order of siblings; the same array until one of them changes. */
  list(kind: string): readonly Entity[] {
    return this.#array(kind);
  }

  /** Those under a parent in order, archived ones included; of all kinds, if none is named, grouped by kind. */
  children(parent: string, kind = ""): readonly Entity[] {
    return this.#array(listKey(kind, parent));
  }

  #array(key: string): readonly Entity[] {
    let list = this.#arrays.get(key);
    if (list) return list;
    const ground = this.#ground, shown = (e: Entity) => this.#shown.get(e.id)!;
    const fresh = untouched(ground, key).map(shown);
    for (const e of touched(ground, key)) fresh.splice(place(fresh, e), 0, shown(e));
    this.#arrays.set(key, (list = Object.freeze(fresh)));
    return list;
  }

  /** Does a mutation that is shown change the entity, or delete it with what it hangs on? */
  isPending(id: string): boolean {
    return this.#ground.overlay.has(id);
  }

  byId(mutation: string): Made | undefined {
    return this.pending.find((p) => p.id === mutation && !p.over);
  }

  /** Shows a change made here. The mutation's id must be new. */
  mutate(mutation: string, changes: readonly Change[]): Effects {
    const p: Made = {
      id: mutation, changes: freeze(JSON.parse(JSON.stringify(changes))), unconfirmed: false, hidden: false,
      effect: new Map(), stale: true, over: false, out: new Map(), before: new Map(), keys: new Set(),
    };
    this.pending = [...this.pending, p];
    return this.#finish([], p);
  }

  /** Begins a join; until ready nothing of it is seen. Unless it resumes, the resume point is forgotten at once. */
  hello({ user, epoch, resumed }: Hello): Effects {
    const fresh = !resumed || !this.resume;
    this.#hold = { ...nothing(), active: true, fresh };
    this.#epoch = epoch;
    if (fresh) this.resume = undefined;
    if (user !== this.user) {
      this.user = user;
      for (const p of this.pending) p.stale = true;
    }
    return this.#finish();
  }

  lag(): void {
    this.#hold.active = true;
  }

  ready(rev: number): Effects {
    this.resume = { epoch: this.#epoch, rev };
    this.#hold.active = false;
    return this.#release();
  }

  /** Drops what was received and not yet seen; the next join sends it again. */
  disconnected(): void {
    this.#hold = nothing();
  }

  sync({ entity, rev, more }: Sync): Effects {
    this.#hold.syncs.push(entity);
    if (this.resume && !this.#hold.active && !more) this.resume = { ...this.resume, rev: Math.max(rev, this.resume.rev) };
    return this.#release(more);
  }

  /** Entities fetched beside the stream (part=open); one older than the one held is ignored. */
  load(entities: Iterable<Entity>): Effects {
    return this.#take(entities, []);
  }

  /** Starts from a stored confirmed state. Only before anything else. */
  restore(at: ResumePoint, entities: Iterable<Entity>): Effects {
    this.resume = at;
    return this.load(entities);
  }

  /** Drops a mutation: the syncs that carry it came before (law 2). */
  ack(frame: Ack): Effects {
    this.#hold.acks.push(frame);
    return this.#release(this.#hold.syncs.length > 0);
  }

  nack(
    { clientMutationId, code, reason, details = {} }: Pick<Nack, "clientMutationId" | "code" | "reason" | "details">,
  ): Effects {
    return this.#finish(this.#forget(clientMutationId, { ok: false, code, details, reason }));
  }

  /** Marks a mutation unconfirmed; with rollbackOnSilence the view drops it as well. It stays pending until its verdict. */
  silence(mutation: string): Effects {
    const p = this.byId(mutation);
    if (p) {
      p.unconfirmed = true;
      p.hidden = p.stale = this.#rollbackOnSilence;
    }
    return this.#finish();
  }

  /** Makes what was held back confirmed and shows the outcome in one go, unless there is reason to wait. */
  #release(wait = false): Effects {
    const { active, fresh, syncs, acks } = this.#hold, ground = this.#ground;
    if (active || wait) return { changed: [], verdicts: [], confirmed: [] };
    this.#hold = nothing();
    if (fresh) {
      ground.before = new Map(ground.confirmed);
      ground.confirmed.clear();
      ground.lists.clear();
    }
    return this.#take(syncs, acks);
  }

  /** Takes confirmed states, each unless it is older than the one held, and acks. */
  #take(entities: Iterable<Sync["entity"]>, acks: readonly Ack[]): Effects {
    for (const e of entities) {
      if (e.deleted) confirm(this.#ground, e.id, undefined);
      else if (!(e.rev! < this.confirmed(e.id)?.rev!)) confirm(this.#ground, e.id, e);
    }
    return this.#finish(acks.flatMap(({ clientMutationId: id, rev, events }) => this.#forget(id, { ok: true, rev, events })));
  }

  /** Ends a mutation; nothing if it is not pending. */
  #forget(id: string, verdict: Verdict): Effects["verdicts"] {
    const pending = this.byId(id);
    if (!pending) return [];
    pending.stale = pending.over = true;
    return [{ pending, verdict }];
  }

  /** Replays the mutations that can see a difference and shows the outcome. */
  #finish(verdicts: Effects["verdicts"] = [], newest?: Made): Effects {
    const confirmed = [...this.#ground.before.keys()];
    const ids = rebase(this.#ground, this, newest);
    if (verdicts[0]) this.pending = this.pending.filter((p) => !p.over);
    return { changed: [...ids].sort(compare).flatMap((id) => this.#show(id)), verdicts, confirmed };
  }

  /** Brings the view of one entity up to date. One that comes out alike stays the object it was. */
  #show(id: string): EntityChange[] {
    const before = this.#shown.get(id), after = stateOf(this.#ground, id) ?? undefined;
    if (alike(before, after)) return [];
    if (after) this.#shown.set(id, after);
    else this.#shown.delete(id);
    for (const e of [before, after]) if (e) listsOf(e).forEach((key) => this.#arrays.delete(key));
    return [{ id, before, after }];
  }
}
