// The store: what is confirmed, the pending mutations in the order made, and
// the view = confirmed + pending replayed. A nack only takes its mutation out
// of pending; everything else follows. No clock, no network.

import { keyBetween } from './position.js';

const SETS = new Set(['labels', 'assignees', 'likedBy']);
const POSITIONED = new Set(['column', 'card', 'checklist', 'item', 'label']);
const PARENT = { card: 'columnId', checklist: 'cardId', comment: 'cardId', file: 'cardId', item: 'checklistId' };
const IGNORED = /^(id|rev|number|likes|kind|created.*|updated.*)$/;

const parentOf = (e) => (PARENT[e.kind] && e[PARENT[e.kind]]) || '';
const sameList = (a, b) => a.kind === b.kind && parentOf(a) === parentOf(b);
const bytes = new TextEncoder();

// byBytes compares as UTF-8 does, which differs from UTF-16 beyond the BMP.
export function byBytes(a, b) {
  const x = bytes.encode(a), y = bytes.encode(b);
  for (let i = 0; i < x.length && i < y.length; i++) if (x[i] !== y[i]) return x[i] - y[i];
  return x.length - y.length;
}

const sortedSet = (list) => [...new Set(list)].sort(byBytes);
const asList = (v) => (v === undefined ? [] : Array.isArray(v) ? v : [v]);
const isObject = (v) => typeof v === 'object' && v !== null && !Array.isArray(v);

export function equal(a, b) {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || !a || !b || Array.isArray(a) !== Array.isArray(b)) return false;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((k) => Object.hasOwn(b, k) && equal(a[k], b[k]));
}

// alike compares what a viewer sees: everything but the revision and times of the last change.
function alike(a, b) {
  if (!a || !b) return a === b;
  const strip = ({ rev, updatedAt, updatedBy, ...rest }) => rest;
  return equal(strip(a), strip(b));
}

export class Store {
  user = '';
  confirmed = new Map();
  pending = new Map(); // id -> {id, changes, unconfirmed}; a Map keeps the order made
  shown = new Map(); // the view; an entity keeps its identity until it changes
  position = null; // {epoch, rev} to resume from

  #overlay = new Map(); // id -> entity, or null when a pending mutation deleted it
  #held = null; // syncs and acks that are not to be seen yet
  #order = new Map(); // entities not confirmed, in the order made
  #lists = new Map(); // kind and parent -> {ids, sorted or null} of what is shown

  get(id) {
    return this.shown.get(id);
  }

  // children gives the entities of a kind under a parent, in order. The caller
  // must not change the list.
  children(kind, parent = '') {
    const list = this.#lists.get(`${kind} ${parent}`);
    if (!list) return [];
    list.sorted ??= [...list.ids].map((id) => this.shown.get(id)).sort((a, b) => this.#compare(a, b));
    return list.sorted;
  }

  // #enlist brings the lists up to date when an entity is no longer before but after.
  #enlist(id, before, after) {
    for (const e of [before, after]) {
      if (!e) continue;
      const name = `${e.kind} ${parentOf(e)}`;
      if (!this.#lists.has(name)) this.#lists.set(name, { ids: new Set(), sorted: null });
      const list = this.#lists.get(name);
      list.sorted = null;
      if (e === after) list.ids.add(id);
      else list.ids.delete(id);
    }
  }

  isPending(id) {
    for (const m of this.pending.values()) if (m.changes.some((c) => c.entityId === id)) return m.unconfirmed ? 'unconfirmed' : 'pending';
    return '';
  }

  #compare(a, b) {
    if (POSITIONED.has(a.kind)) {
      const x = a.position ?? '', y = b.position ?? '';
      if (x !== y) return x < y ? -1 : 1;
    } else {
      const x = a.createdRev ?? Infinity, y = b.createdRev ?? Infinity;
      if (x !== y) return x - y;
      if (x === Infinity) return this.#order.get(a.id) - this.#order.get(b.id);
    }
    return a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
  }

  // Each input returns the ids whose view changed.

  mutate(id, changes) {
    const m = { id, changes, unconfirmed: false };
    this.pending.set(id, m);
    const touched = new Set();
    this.#replay(m, touched);
    return this.#show(touched);
  }

  hello(frame) {
    const fresh = !frame.resumed || !this.position;
    this.#held = { fresh, epoch: frame.epoch, joining: true, syncs: [], acks: [] };
    if (fresh) this.position = null;
    const changed = this.user !== frame.user;
    this.user = frame.user;
    return changed ? this.#rebase(new Set()) : [];
  }

  lag() {
    this.#held ??= { syncs: [], acks: [] };
    this.#held.joining = true;
  }

  ready(rev) {
    this.position = { epoch: this.#held?.epoch ?? this.position.epoch, rev };
    return this.#release();
  }

  disconnected() {
    this.#held = null;
  }

  sync(frame) {
    this.#held ??= { syncs: [], acks: [] };
    this.#held.syncs.push(frame.entity);
    if (this.#held.joining || frame.more) return [];
    if (this.position) this.position.rev = Math.max(this.position.rev, frame.rev);
    return this.#release();
  }

  ack(id) {
    if (this.#held) {
      this.#held.acks.push(id);
      return [];
    }
    return this.nack(id);
  }

  nack(id) {
    return this.pending.delete(id) ? this.#rebase(new Set()) : [];
  }

  silence(id) {
    const m = this.pending.get(id);
    if (m) m.unconfirmed = true;
  }

  #release() {
    const { fresh, syncs = [], acks = [] } = this.#held ?? {};
    this.#held = null;
    const touched = new Set();
    if (fresh) {
      for (const id of this.confirmed.keys()) touched.add(id);
      this.confirmed.clear();
    }
    for (const e of syncs) {
      if (e.deleted) this.#gone(e.id, touched);
      else if (!(this.confirmed.get(e.id)?.rev > e.rev)) this.confirmed.set(e.id, e);
      touched.add(e.id);
    }
    for (const id of acks) this.pending.delete(id);
    return this.#rebase(touched);
  }

  #gone(id, touched) {
    if (!this.confirmed.delete(id)) return;
    touched.add(id);
    for (const e of [...this.confirmed.values()]) if (e.kind !== 'card' && parentOf(e) === id) this.#gone(e.id, touched);
  }

  #rebase(touched) {
    for (const id of this.#overlay.keys()) touched.add(id);
    this.#overlay.clear();
    for (const m of this.pending.values()) this.#replay(m, touched);
    return this.#show(touched);
  }

  #show(touched) {
    const changed = [];
    for (const id of touched) {
      const before = this.shown.get(id), after = this.#current(id) ?? undefined;
      if (alike(before, after)) continue;
      if (after) this.shown.set(id, after);
      else this.shown.delete(id);
      this.#enlist(id, before, after);
      changed.push(id);
    }
    return changed;
  }

  #current(id) {
    return this.#overlay.has(id) ? this.#overlay.get(id) : this.confirmed.get(id);
  }

  *#all() {
    for (const [id, e] of this.confirmed) if (!this.#overlay.has(id)) yield e;
    for (const e of this.#overlay.values()) if (e) yield e;
  }

  #replay(m, touched) {
    for (const c of m.changes) {
      touched.add(c.entityId);
      if (this.#overlay.get(c.entityId) === null) continue; // deleted by an earlier one
      const old = this.#current(c.entityId);
      if (c.patch === null) {
        if (old) this.#remove(old, touched);
        continue;
      }
      const kind = typeof c.patch.kind === 'string' ? c.patch.kind : '';
      if (old ? kind && kind !== old.kind : !kind) continue;
      if (!old && !this.#order.has(c.entityId)) this.#order.set(c.entityId, this.#order.size);
      this.#overlay.set(c.entityId, this.#merge(old, old ?? { id: c.entityId, kind, createdBy: this.user }, c.patch));
    }
  }

  #remove(e, touched) {
    this.#overlay.set(e.id, null);
    touched.add(e.id);
    for (const child of [...this.#all()]) if (child.kind !== 'card' && parentOf(child) === e.id) this.#remove(child, touched);
  }

  #merge(old, base, patch) {
    const next = { ...base };
    for (const [name, v] of Object.entries(patch)) {
      if (IGNORED.test(name) || name === 'liked') continue;
      if (v === null) delete next[name];
      else if (name === 'position' && isObject(v)) continue;
      else if (SETS.has(name) && Array.isArray(v)) next[name] = sortedSet(v);
      else if (SETS.has(name) && isObject(v)) {
        const less = new Set(asList(v.remove));
        next[name] = sortedSet([...(next[name] ?? []), ...asList(v.add)]).filter((x) => !less.has(x));
      } else next[name] = v;
    }
    if (typeof patch.liked === 'boolean') {
      const others = (next.likedBy ?? []).filter((u) => u !== this.user);
      next.likedBy = patch.liked ? sortedSet([...others, this.user]) : others;
    }
    if (next.kind === 'card') {
      next.liked = (next.likedBy ?? []).includes(this.user);
      next.likes = (next.likedBy ?? []).length;
    }
    if (POSITIONED.has(next.kind)) this.#place(old, next, patch.position);
    return next;
  }

  // #place gives next the position asked for, from what the view shows; who
  // comes new to a list without one is the last.
  #place(old, next, want) {
    const due = !old || !sameList(old, next);
    if (!isObject(want)) {
      if (!due || (old ? want != null : next.position !== undefined)) return;
      want = { before: null };
    }
    const siblings = [];
    for (const e of this.#all()) if (e.id !== next.id && sameList(e, next) && !e.archived && e.position) siblings.push(e.position);
    siblings.sort((a, b) => (a < b ? -1 : 1));
    const anchorId = want.after ?? want.before;
    let anchor = anchorId ? this.#current(anchorId) : null;
    if (anchorId) {
      const known = anchor && anchor.kind === next.kind;
      if (!due && (!known || anchorId === next.id)) return;
      if (!known || anchorId === next.id || !sameList(anchor, next) || !anchor.position) {
        want = { before: null };
        anchor = null;
      }
    }
    let low = '', high = '';
    if (anchor) {
      low = siblings.findLast((k) => k < anchor.position) ?? '';
      high = siblings.find((k) => k > anchor.position) ?? '';
      if (!anchor.archived && want.after) low = anchor.position;
      else if (!anchor.archived) high = anchor.position;
    } else if (want.after === null) high = siblings[0] ?? '';
    else low = siblings.at(-1) ?? '';
    if (!due && !old.archived && (old.position ?? '') > low && (!high || old.position < high)) return;
    try {
      next.position = keyBetween(low, high);
    } catch {
      next.position = low; // a sibling's key is none: beside it until the server answers
    }
  }
}
