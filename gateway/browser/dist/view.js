import { confirm, place, stateOf, touched, untouched } from "./ground.js";
import { compare, listKey, listsOf } from "./order.js";
import { alike, freeze } from "./patch.js";
import { rebase } from "./rebase.js";
const nothing = () => ({ syncs: [], acks: [] });
class View {
  user;
  /** Undefined when the next join must start afresh. Only the view sets it. */
  resume;
  /** Those without a verdict, in the order made. Only the view changes it. */
  pending = [];
  /** Told of what a replay of a mutation makes of an entity; see {@link Effect}. */
  note;
  #rollbackOnSilence;
  #ground = { confirmed: /* @__PURE__ */ new Map(), before: /* @__PURE__ */ new Map(), lists: /* @__PURE__ */ new Map(), overlay: /* @__PURE__ */ new Map() };
  #shown = /* @__PURE__ */ new Map();
  /** Lists that were asked for since one of their members has changed. */
  #arrays = /* @__PURE__ */ new Map();
  #epoch = "";
  #hold = nothing();
  constructor(user, rollbackOnSilence) {
    this.user = user;
    this.#rollbackOnSilence = rollbackOnSilence;
  }
  get(id) {
    return this.#shown.get(id);
  }
  /** Without the pending mutations. */
  confirmed(id) {
    return this.#ground.confirmed.get(id);
  }
  all() {
    return this.#shown.values();
  }
  allConfirmed() {
    return this.#ground.confirmed.values();
  }
  /** In the order of siblings; the same array until one of them changes. */
  list(kind) {
    return this.#array(kind);
  }
  /** Those under a parent in order, archived ones included; of all kinds, if none is named, grouped by kind. */
  children(parent, kind = "") {
    return this.#array(listKey(kind, parent));
  }
  #array(key) {
    let list = this.#arrays.get(key);
    if (list) return list;
    const ground = this.#ground, shown = (e) => this.#shown.get(e.id);
    const fresh = untouched(ground, key).map(shown);
    for (const e of touched(ground, key)) fresh.splice(place(fresh, e), 0, shown(e));
    this.#arrays.set(key, list = Object.freeze(fresh));
    return list;
  }
  /** Does a mutation that is shown change the entity, or delete it with what it hangs on? */
  isPending(id) {
    return this.#ground.overlay.has(id);
  }
  byId(mutation) {
    return this.pending.find((p) => p.id === mutation && !p.over);
  }
  /** Shows a change made here. The mutation's id must be new. */
  mutate(mutation, changes) {
    const p = {
      id: mutation,
      changes: freeze(JSON.parse(JSON.stringify(changes))),
      unconfirmed: false,
      hidden: false,
      effect: /* @__PURE__ */ new Map(),
      stale: true,
      over: false,
      out: /* @__PURE__ */ new Map(),
      before: /* @__PURE__ */ new Map(),
      keys: /* @__PURE__ */ new Set()
    };
    this.pending = [...this.pending, p];
    return this.#finish([], p);
  }
  /** Begins a join; until ready nothing of it is seen. Unless it resumes, the resume point is forgotten at once. */
  hello({ user, epoch, resumed }) {
    const fresh = !resumed || !this.resume;
    this.#hold = { ...nothing(), active: true, fresh };
    this.#epoch = epoch;
    if (fresh) this.resume = void 0;
    if (user !== this.user) {
      this.user = user;
      for (const p of this.pending) p.stale = true;
    }
    return this.#finish();
  }
  lag() {
    this.#hold.active = true;
  }
  ready(rev) {
    this.resume = { epoch: this.#epoch, rev };
    this.#hold.active = false;
    return this.#release();
  }
  /** Drops what was received and not yet seen; the next join sends it again. */
  disconnected() {
    this.#hold = nothing();
  }
  sync({ entity, rev, more }) {
    this.#hold.syncs.push(entity);
    if (this.resume && !this.#hold.active && !more) this.resume = { ...this.resume, rev: Math.max(rev, this.resume.rev) };
    return this.#release(more);
  }
  /** Entities fetched beside the stream (part=open); one older than the one held is ignored. */
  load(entities) {
    return this.#take(entities, []);
  }
  /** Starts from a stored confirmed state. Only before anything else. */
  restore(at, entities) {
    this.resume = at;
    return this.load(entities);
  }
  /** Drops a mutation: the syncs that carry it came before (law 2). */
  ack(frame) {
    this.#hold.acks.push(frame);
    return this.#release(this.#hold.syncs.length > 0);
  }
  nack({ clientMutationId, code, reason, details = {} }) {
    return this.#finish(this.#forget(clientMutationId, { ok: false, code, details, reason }));
  }
  /** Marks a mutation unconfirmed; with rollbackOnSilence the view drops it as well. It stays pending until its verdict. */
  silence(mutation) {
    const p = this.byId(mutation);
    if (p) {
      p.unconfirmed = true;
      p.hidden = p.stale = this.#rollbackOnSilence;
    }
    return this.#finish();
  }
  /** Makes what was held back confirmed and shows the outcome in one go, unless there is reason to wait. */
  #release(wait = false) {
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
  #take(entities, acks) {
    for (const e of entities) {
      if (e.deleted) confirm(this.#ground, e.id, void 0);
      else if (!(e.rev < this.confirmed(e.id)?.rev)) confirm(this.#ground, e.id, e);
    }
    return this.#finish(acks.flatMap(({ clientMutationId: id, rev, events }) => this.#forget(id, { ok: true, rev, events })));
  }
  /** Ends a mutation; nothing if it is not pending. */
  #forget(id, verdict) {
    const pending = this.byId(id);
    if (!pending) return [];
    pending.stale = pending.over = true;
    return [{ pending, verdict }];
  }
  /** Replays the mutations that can see a difference and shows the outcome. */
  #finish(verdicts = [], newest) {
    const confirmed = [...this.#ground.before.keys()];
    const ids = rebase(this.#ground, this, newest);
    if (verdicts[0]) this.pending = this.pending.filter((p) => !p.over);
    return { changed: [...ids].sort(compare).flatMap((id) => this.#show(id)), verdicts, confirmed };
  }
  /** Brings the view of one entity up to date. One that comes out alike stays the object it was. */
  #show(id) {
    const before = this.#shown.get(id), after = stateOf(this.#ground, id) ?? void 0;
    if (alike(before, after)) return [];
    if (after) this.#shown.set(id, after);
    else this.#shown.delete(id);
    for (const e of [before, after]) if (e) listsOf(e).forEach((key) => this.#arrays.delete(key));
    return [{ id, before, after }];
  }
}
export {
  View
};
