import { confirm, place, sortedList, stateOf, touched, unconfirm, untouched } from "./ground.js";
import { compare, hangs, listKey, listsOf, parentOf, positioned } from "./order.js";
import { noteEffect } from "./effect.js";
import { alike, freeze } from "./patch.js";
import { replay } from "./replay.js";
import { Shift } from "./shift.js";
const nothingNew = () => ({ changed: [], verdicts: [], confirmed: [] });
const nothing = () => ({ syncs: [], acks: [] });
class View {
  user;
  /** Undefined when the next join must start afresh. Only the view sets it. */
  resume;
  /** Those without a verdict, in the order made. Only the view changes it. */
  pending = [];
  /** Told of what a replay of a mutation makes of an entity; see {@link Effect}. */
  note = noteEffect;
  #rollbackOnSilence;
  #ground = { confirmed: /* @__PURE__ */ new Map(), lists: /* @__PURE__ */ new Map(), overlay: /* @__PURE__ */ new Map() };
  /** Ids of deleted entities: a load that was under way does not bring them back. */
  #gone = /* @__PURE__ */ new Set();
  #byId = /* @__PURE__ */ new Map();
  #shown = /* @__PURE__ */ new Map();
  /** Lists that were asked for. */
  #arrays = /* @__PURE__ */ new Map();
  #made = 0;
  #hold = nothing();
  /** Entities whose confirmed state the input that is being worked on changes, and what stood there. */
  #before = /* @__PURE__ */ new Map();
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
    const cached = this.#arrays.get(key);
    if (cached && !cached.stale) return cached.list;
    const ground = this.#ground, shown = (e) => this.#shown.get(e.id);
    const list = untouched(ground, key).map(shown);
    const made = (e) => ground.overlay.get(e.id)?.made ?? 0;
    for (const e of touched(ground, key)) list.splice(place(list, e, made), 0, shown(e));
    const isSame = cached && cached.list.length === list.length && list.every((e, i) => e === cached.list[i]);
    this.#arrays.set(key, { list: isSame ? cached.list : Object.freeze(list), stale: false });
    return this.#arrays.get(key).list;
  }
  /** Does a mutation that is shown change the entity, or delete it with what it hangs on? */
  isPending(id) {
    return this.#ground.overlay.has(id);
  }
  byId(mutation) {
    return this.#byId.get(mutation);
  }
  /** Shows a change made here. The mutation's id must be new. */
  mutate(mutation, changes) {
    const p = {
      id: mutation,
      changes: freeze(JSON.parse(JSON.stringify(changes))),
      unconfirmed: false,
      hidden: false,
      effect: /* @__PURE__ */ new Map(),
      seq: ++this.#made,
      stale: true,
      out: /* @__PURE__ */ new Map(),
      before: /* @__PURE__ */ new Map(),
      keys: /* @__PURE__ */ new Set()
    };
    this.pending = [...this.pending, p];
    this.#byId.set(mutation, p);
    return this.#finish();
  }
  /** Begins a join; until ready nothing of it is seen. Unless it resumes, the resume point is forgotten at once. */
  hello({ user, epoch, resumed }) {
    const fresh = !resumed || !this.resume;
    this.#hold = { ...nothing(), active: true, fresh, epoch };
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
    this.resume = { epoch: this.#hold.epoch ?? this.resume?.epoch ?? "", rev };
    return this.#release();
  }
  /** Drops what was received and not yet seen; the next join sends it again. */
  disconnected() {
    this.#hold = nothing();
  }
  sync({ entity, rev, more }) {
    this.#hold.syncs.push(entity);
    if (this.#hold.active || more) return nothingNew();
    if (this.resume && rev > this.resume.rev) this.resume = { ...this.resume, rev };
    return this.#release();
  }
  /** Entities fetched beside the stream (part=open); one older than the one held is ignored. */
  load(entities) {
    for (const e of entities) {
      if (this.confirmed(e.id) || !this.#gone.has(e.id) && !this.#gone.has(parentOf(e))) this.#confirm(e);
      else this.#gone.add(e.id);
    }
    return this.#finish();
  }
  /** Drops a mutation: the syncs that carry it came before (law 2). */
  ack(frame) {
    const { active, syncs, acks } = this.#hold;
    if (!active && !syncs.length) return this.#finish(this.#forgetAcked(frame));
    acks.push(frame);
    return nothingNew();
  }
  nack({ clientMutationId, code, reason, details = {} }) {
    return this.#finish(this.#forget(clientMutationId, { ok: false, code, details, reason }));
  }
  /** Marks a mutation unconfirmed; with rollbackOnSilence the view drops it as well. It stays pending until its verdict. */
  silence(mutation) {
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
  restore(at, entities) {
    this.resume = at;
    for (const e of entities) this.#confirm(e);
    return this.#finish();
  }
  /** Makes what was held back confirmed and shows the outcome in one go. */
  #release() {
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
  #confirm(e) {
    const old = this.confirmed(e.id);
    if (e.deleted) {
      this.#gone.add(e.id);
      if (old) this.#unconfirm(old);
    } else if (!old || !(e.rev < old.rev)) {
      this.#gone.delete(e.id);
      this.#moved(e.id, old);
      confirm(this.#ground, e);
    }
  }
  /** Takes an entity away, and with it what hangs on it. */
  #unconfirm(e) {
    if (this.confirmed(e.id) !== e) return;
    unconfirm(this.#ground, e.id);
    this.#gone.add(e.id);
    this.#moved(e.id, e);
    for (const child of [...sortedList(this.#ground, listKey("", e.id))]) if (hangs(child)) this.#unconfirm(child);
  }
  #moved(id, old) {
    if (!this.#before.has(id)) this.#before.set(id, old);
  }
  /** Ends a mutation; nothing if it is not pending. */
  #forget(id, verdict) {
    const pending = this.#byId.get(id);
    if (!pending) return [];
    this.#byId.delete(id);
    pending.stale = true;
    return [{ pending, verdict }];
  }
  #forgetAcked({ clientMutationId, rev, events }) {
    return this.#forget(clientMutationId, { ok: true, rev, events });
  }
  /** Replays the mutations that can see a difference and shows the outcome. */
  #finish(verdicts = []) {
    const ground = this.#ground;
    ground.overlay = /* @__PURE__ */ new Map();
    const shift = new Shift(ground);
    for (const [id, old] of this.#before) shift.set(id, old);
    for (const p of this.pending) {
      if (!p.stale && !shift.touches(p.keys)) {
        for (const [id, outcome] of p.out) ground.overlay.set(id, outcome);
        continue;
      }
      const was = p.out;
      Object.assign(p, { stale: false, out: /* @__PURE__ */ new Map(), before: /* @__PURE__ */ new Map(), keys: /* @__PURE__ */ new Set() });
      if (!p.hidden && this.#byId.has(p.id)) replay(ground, p, this.user);
      for (const [id, { state }] of p.out) this.note?.(p, id, p.before.get(id), state);
      for (const id of /* @__PURE__ */ new Set([...was.keys(), ...p.out.keys()])) {
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
  #show(id) {
    const before = this.#shown.get(id), after = stateOf(this.#ground, id) ?? void 0, isSame = alike(before, after);
    if (!isSame) {
      if (after) this.#shown.set(id, after);
      else this.#shown.delete(id);
    } else if (!before || before.createdRev || positioned(before)) return [];
    for (const e of [before, after]) {
      for (const key of e ? listsOf(e) : []) {
        const array = this.#arrays.get(key);
        if (array) array.stale = true;
      }
    }
    return isSame ? [] : [{ id, before, after }];
  }
}
export {
  View
};
