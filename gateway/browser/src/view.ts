// The pure half of the client: what is confirmed, which mutations are pending, and the view derived from both.

import type { Change, Entity, Json } from "./entities.js";
import type { Ack, Hello, Nack, Sync } from "./frames.js";
import { confirm, type Ground, place, sortedList, type State, stateOf, touched, unconfirm, untouched } from "./ground.js";
import { compare, hangs, listKey, listsOf, parentOf, positioned } from "./order.js";
import { noteEffect } from "./effect.js";
import { alike, freeze } from "./patch.js";
import { type Made, replay } from "./replay.js";
import { Shift } from "./shift.js";
import type { EntityChange, Verdict } from "./types.js";

/** What a pending mutation changes of one entity, for its inverse. */
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
  epoch?: string;
  readonly syncs: Sync["entity"][];
  readonly acks: Ack[];
}

const nothingNew = (): Effects => ({ changed: [], verdicts: [], confirmed: [] });

const nothing = (): Hold => ({ syncs: [], acks: [] });

/** One board as one user sees it. It has no clock and does no IO; what follows from an input is its return value. */
export class View {
  user: string;
  /** Undefined when the next join must start afresh. Only the view sets it. */
  resume: ResumePoint | undefined;
  /** Those without a verdict, in the order made. Only the view changes it. */
  pending: readonly Made[] = [];
  /** Told of what a replay of a mutation makes of an entity; see {@link Effect}. */
  note?: (p: Pending, id: string, before: State, after: State) => void = noteEffect;
  readonly #rollbackOnSilence: boolean;
  readonly #ground: Ground = { confirmed: new Map(), lists: new Map(), overlay: new Map() };
  /** Ids of deleted entities: a load that was under way does not bring them back. */
  readonly #gone = new Set<string>();
  readonly #byId = new Map<string, Made>();
  readonly #shown = new Map<string, Entity>();
  /** Lists that were asked for. */
  readonly #arrays = new Map<string, { list: readonly Entity[]; stale: boolean }>();
  #made = 0;
  #hold = nothing();

  /** Entities whose confirmed state the input that is being worked on changes, and what stood there. */
  readonly #before = new Map<string, State>();

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
    const cached = this.#arrays.get(key);
    if (cached && !cached.stale) return cached.list;
    const ground = this.#ground, shown = (e: Entity) => this.#shown.get(e.id)!;
    const list = untouched(ground, key).map(shown);
    const made = (e: Entity) => ground.overlay.get(e.id)?.made ?? 0;
    for (const e of touched(ground, key)) list.splice(place(list, e, made), 0, shown(e));
    const isSame = cached && cached.list.length === list.length && list.every((e, i) => e === cached.list[i]);
    this.#arrays.set(key, { list: isSame ? cached.list : Object.freeze(list), stale: false });
    return this.#arrays.get(key)!.list;
  }

  /** Does a mutation that is shown change the entity, or delete it with what it hangs on? */
  isPending(id: string): boolean {
    return this.#ground.overlay.has(id);
  }

  byId(mutation: string): Pending | undefined {
    return this.#byId.get(mutation);
  }

  /** Shows a change made here. The mutation's id must be new. */
  mutate(mutation: string, changes: readonly Change[]): Effects {
    const p: Made = {
      id: mutation, changes: freeze(JSON.parse(JSON.stringify(changes))), unconfirmed: false, hidden: false,
      effect: new Map(), seq: ++this.#made, stale: true, out: new Map(), before: new Map(), keys: new Set(),
    };
    this.pending = [...this.pending, p];
    this.#byId.set(mutation, p);
    return this.#finish();
  }

  /** Begins a join; until ready nothing of it is seen. Unless it resumes, the resume point is forgotten at once. */
  hello({ user, epoch, resumed }: Hello): Effects {
    const fresh = !resumed || !this.resume;
    this.#hold = { ...nothing(), active: true, fresh, epoch };
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
    this.resume = { epoch: this.#hold.epoch ?? this.resume?.epoch ?? "", rev };
    return this.#release();
  }

  /** Drops what was received and not yet seen; the next join sends it again. */
  disconnected(): void {
    this.#hold = nothing();
  }

  sync({ entity, rev, more }: Sync): Effects {
    this.#hold.syncs.push(entity);
    if (this.#hold.active || more) return nothingNew();
    if (this.resume && rev > this.resume.rev) this.resume = { ...this.resume, rev };
    return this.#release();
  }

  /** Entities fetched beside the stream (part=open); one older than the one held is ignored. */
  load(entities: readonly Entity[]): Effects {
    for (const e of entities) {
      if (this.confirmed(e.id) || !this.#gone.has(e.id) && !this.#gone.has(parentOf(e))) this.#confirm(e);
      else this.#gone.add(e.id); // and with it what hangs on it
    }
    return this.#finish();
  }

  /** Drops a mutation: the syncs that carry it came before (law 2). */
  ack(frame: Ack): Effects {
    const { active, syncs, acks } = this.#hold;
    if (!active && !syncs.length) return this.#finish(this.#forgetAcked(frame));
    acks.push(frame);
    return nothingNew();
  }

  nack({ clientMutationId, code, reason, details = {} }: Pick<Nack, "clientMutationId" | "code" | "reason" | "details">): Effects {
    return this.#finish(this.#forget(clientMutationId, { ok: false, code, details, reason }));
  }

  /** Marks a mutation unconfirmed; with rollbackOnSilence the view drops it as well. It stays pending until its verdict. */
  silence(mutation: string): Effects {
    const p = this.#byId.get(mutation);
    if (p && !p.unconfirmed) {
      p.unconfirmed = true;
      if (this.#rollbackOnSilence) {
        p.hidden = p.stale = true;
      }
    }
    return this.#finish();
  }

  /** Starts from a stored confirmed state. Only before anything else. */
  restore(at: ResumePoint, entities: Iterable<Entity>): Effects {
    this.resume = at;
    for (const e of entities) this.#confirm(e);
    return this.#finish();
  }

  /** Makes what was held back confirmed and shows the outcome in one go. */
  #release(): Effects {
    const { fresh, syncs, acks } = this.#hold;
    this.#hold = nothing();
    if (fresh) {
      const { confirmed, lists } = this.#ground;
      for (const [id, e] of confirmed) this.#moved(id, e);
      confirmed.clear();
      lists.clear();
      this.#gone.clear();
    }
    for (const e of syncs) this.#confirm(e);
    return this.#finish(acks.flatMap((f) => this.#forgetAcked(f)));
  }

  /** Takes one confirmed state, unless it is older than the one held. */
  #confirm(e: Sync["entity"]): void {
    const old = this.confirmed(e.id);
    if (e.deleted) {
      this.#gone.add(e.id);
      if (old) this.#unconfirm(old);
    } else if (!old || !(e.rev! < old.rev!)) {
      this.#gone.delete(e.id);
      this.#moved(e.id, old);
      confirm(this.#ground, e);
    }
  }

  /** Takes an entity away, and with it what hangs on it. */
  #unconfirm(e: Entity): void {
    if (this.confirmed(e.id) !== e) return;
    unconfirm(this.#ground, e.id);
    this.#gone.add(e.id);
    this.#moved(e.id, e);
    for (const child of [...sortedList(this.#ground, listKey("", e.id))]) if (hangs(child)) this.#unconfirm(child);
  }

  #moved(id: string, old: State): void {
    if (!this.#before.has(id)) this.#before.set(id, old);
  }

  /** Ends a mutation; nothing if it is not pending. */
  #forget(id: string, verdict: Verdict): Effects["verdicts"] {
    const pending = this.#byId.get(id);
    if (!pending) return [];
    this.#byId.delete(id);
    pending.stale = true;
    return [{ pending, verdict }];
  }

  #forgetAcked({ clientMutationId, rev, events }: Ack): Effects["verdicts"] {
    return this.#forget(clientMutationId, { ok: true, rev, events });
  }

  /** Replays the mutations that can see a difference and shows the outcome. */
  #finish(verdicts: Effects["verdicts"] = []): Effects {
    const ground = this.#ground;
    ground.overlay = new Map();
    const shift = new Shift(ground);
    for (const [id, old] of this.#before) shift.set(id, old);
    for (const p of this.pending) {
      if (!p.stale && !shift.touches(p.keys)) {
        for (const [id, outcome] of p.out) ground.overlay.set(id, outcome);
        continue;
      }
      const was = p.out;
      Object.assign(p, { stale: false, out: new Map(), before: new Map(), keys: new Set() });
      if (!p.hidden && this.#byId.has(p.id)) replay(ground, p, this.user);
      for (const [id, { state }] of p.out) this.note?.(p, id, p.before.get(id), state);
      for (const id of new Set([...was.keys(), ...p.out.keys()])) {
        const old = was.get(id);
        shift.set(id, old ? old.state : shift.old(id, p.before.get(id)));
      }
    }
    if (verdicts.length) this.pending = this.pending.filter((p) => this.#byId.has(p.id));
    const changed = [...shift.ids].flatMap((id) => this.#show(id)).sort((a, b) => compare(a.id, b.id));
    const confirmed = [...this.#before.keys()];
    this.#before.clear();
    return { changed, verdicts, confirmed };
  }

  /** Brings the view of one entity up to date. One that comes out alike stays the object it was. */
  #show(id: string): EntityChange[] {
    const before = this.#shown.get(id), after = stateOf(this.#ground, id) ?? undefined, isSame = alike(before, after);
    if (!isSame) {
      if (after) this.#shown.set(id, after);
      else this.#shown.delete(id);
    } else if (!before || before.createdRev || positioned(before)) return []; // else its place among the pending may be another
    for (const e of [before, after]) {
      for (const key of e ? listsOf(e) : []) {
        const array = this.#arrays.get(key);
        if (array) array.stale = true;
      }
    }
    return isSame ? [] : [{ id, before, after }];
  }
}
