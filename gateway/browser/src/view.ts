// The pure half of the client: what is confirmed, which mutations are pending, and the view derived from both.

import type { Change, Entity, Json } from "./entities.js";
import type { Ack, Hello, Nack, Sync } from "./frames.js";
import { confirm, type Ground, place, type State, stateOf, touched, untouched } from "./ground.js";
import { compare, listKey, listsOf } from "./order.js";
import { alike, freeze } from "./patch.js";
import type { Made } from "./replay.js";
import { rebase } from "./rebase.js";
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
  fields: Map<string, { before: Json | undefined; after: Json | undefined }>;
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

export const refused = (code: string, reason = "", details: Nack["details"] = {}): Refusal => ({
  ok: false, code, reason, details,
});

const nothing = (): Hold => ({ syncs: [], acks: [] });

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

export function createView(user: string, rollbackOnSilence: boolean): View {
  const ground: Ground = { confirmed: new Map(), before: new Map(), lists: new Map(), overlay: new Map() };
  const shown = new Map<string, Entity>();
  /** Lists that were asked for since one of their members has changed. */
  const arrays = new Map<string, readonly Entity[]>();
  let epoch = "";
  let hold = nothing();

  function list(key: string): readonly Entity[] {
    let list = arrays.get(key);
    if (list) return list;
    const asShown = (e: Entity) => shown.get(e.id)!;
    const fresh = untouched(ground, key).map(asShown);
    for (const e of touched(ground, key)) fresh.splice(place(fresh, e), 0, asShown(e));
    arrays.set(key, (list = Object.freeze(fresh)));
    return list;
  }

  const byId = (mutation: string) => view.pending.find((p) => p.id === mutation && !p.over);

  const load = (entities: Iterable<Entity>) => take(entities, []);

  /** Makes what was held back confirmed and shows the outcome in one go, unless there is reason to wait. */
  function release(wait = false): Effects {
    const { active, fresh, syncs, acks } = hold;
    if (active || wait) return { changed: [], verdicts: [], confirmed: [] };
    hold = nothing();
    if (fresh) {
      ground.before = new Map(ground.confirmed);
      ground.confirmed.clear();
      ground.lists.clear();
    }
    return take(syncs, acks);
  }

  /** Takes confirmed states, each unless it is older than the one held, and acks. */
  function take(entities: Iterable<Sync["entity"]>, acks: readonly Ack[]): Effects {
    for (const e of entities) {
      if (e.deleted) confirm(ground, e.id, undefined);
      else if (!(e.rev! < ground.confirmed.get(e.id)?.rev!)) confirm(ground, e.id, e);
    }
    return finish(acks.flatMap(({ clientMutationId: id, rev, events }) => forget(id, { ok: true, rev, events })));
  }

  /** Ends a mutation; nothing if it is not pending. */
  function forget(id: string, verdict: Verdict): Effects["verdicts"] {
    const pending = byId(id);
    if (!pending) return [];
    pending.stale = pending.over = true;
    return [{ pending, verdict }];
  }

  /** Replays the mutations that can see a difference and shows the outcome. */
  function finish(verdicts: Effects["verdicts"] = [], newest?: Made): Effects {
    const confirmed = [...ground.before.keys()];
    const ids = rebase(ground, view, newest);
    if (verdicts[0]) view.pending = view.pending.filter((p) => !p.over);
    return { changed: [...ids].sort(compare).flatMap(show), verdicts, confirmed };
  }

  /** Brings the view of one entity up to date. One that comes out alike stays the object it was. */
  function show(id: string): EntityChange[] {
    const before = shown.get(id), after = stateOf(ground, id) ?? undefined;
    if (alike(before, after)) return [];
    if (after) shown.set(id, after);
    else shown.delete(id);
    for (const e of [before, after]) if (e) listsOf(e).forEach((key) => arrays.delete(key));
    return [{ id, before, after }];
  }

  const view: View = {
    user,
    resume: undefined,
    pending: [],
    get: (id) => shown.get(id),
    confirmed: (id) => ground.confirmed.get(id),
    all: () => shown.values(),
    allConfirmed: () => ground.confirmed.values(),
    list,
    children: (parent, kind = "") => list(listKey(kind, parent)),
    isPending: (id) => ground.overlay.has(id),
    byId,
    mutate(id, changes) {
      const p: Made = {
        id, changes: freeze(JSON.parse(JSON.stringify(changes))), hidden: false,
        effect: new Map(), stale: true, over: false, out: new Map(), before: new Map(), keys: new Set(),
      };
      view.pending = [...view.pending, p];
      return finish([], p);
    },
    hello(f) {
      const fresh = !f.resumed || !view.resume;
      hold = { ...nothing(), active: true, fresh };
      epoch = f.epoch;
      if (fresh) view.resume = undefined;
      if (f.user !== view.user) {
        view.user = f.user;
        for (const p of view.pending) p.stale = true;
      }
      return finish();
    },
    lag() {
      hold.active = true;
    },
    ready(rev) {
      view.resume = { epoch, rev };
      hold.active = false;
      return release();
    },
    disconnected() {
      hold = nothing();
    },
    sync({ entity, rev, more }) {
      hold.syncs.push(entity);
      if (view.resume && !hold.active && !more) view.resume = { ...view.resume, rev: Math.max(rev, view.resume.rev) };
      return release(more);
    },
    load,
    ack(frame) {
      hold.acks.push(frame);
      return release(hold.syncs.length > 0);
    },
    nack: ({ clientMutationId, code, reason, details }) => finish(forget(clientMutationId, refused(code, reason, details))),
    silence(mutation) {
      const p = byId(mutation);
      if (p) p.hidden = p.stale = rollbackOnSilence;
      return finish();
    },
  };
  return view;
}
