import { Listeners } from "./core.js";
import { noteEffects } from "./effect.js";
import { isSet } from "./patch.js";
import { refused } from "./view.js";
const isPlace = (name) => /^(columnId|checklistId|position)$/.test(name);
const isLate = ({ code }) => /^(expired|withdrawn)$/.test(code);
const optional = { title: null, name: null, color: null, done: null, assignee: null, due: null };
const minus = (a = [], b = []) => a.filter((s) => !b.includes(s));
function undoStack(store, { steps: most = 50 } = {}) {
  const { engine } = store;
  const { view } = engine;
  const listeners = new Listeners();
  const flights = /* @__PURE__ */ new Map();
  const states = /* @__PURE__ */ new Map();
  const placed = /* @__PURE__ */ new Map();
  let steps = [];
  let user = store.me?.user;
  let closed = false;
  let told = "";
  const statesOf = (id) => {
    const now = view.confirmed(id);
    const list = states.get(id) ?? (now ? [now] : []);
    states.set(id, list);
    return list;
  };
  const partsOf = (m, rev = 0, events = 0) => [...m.pending.effect].map(([id, { created, fields }]) => {
    const own = m.changes.filter((c) => c.entityId === id);
    const now = view.confirmed(id);
    const list = statesOf(id);
    const at = (rev2) => list.findLast((e) => e.rev <= rev2);
    const base = rev ? at(rev - events) : void 0;
    const got = rev ? at(rev) : void 0;
    const known = !events || got !== base || now === got ? got : void 0;
    const plain = {};
    const part = {
      id,
      rev: now?.rev,
      kind: created ? own.find((c) => c.patch?.kind)?.patch?.kind : void 0,
      deleted: own.some((c) => !c.patch),
      fields: [...fields].flatMap(([name, { before, after }]) => {
        if (isSet(name)) {
          const [from, to] = base && known ? [base[name], known[name]] : [before, after];
          let [gone, come] = [minus(from, to), minus(to, from)];
          if (base) {
            gone = minus(gone, minus(gone, base[name]));
            come = minus(come, base[name]);
          }
          return gone[0] || come[0] ? [[name, gone, come]] : [];
        }
        const is = plain[name] = known ? known[name] : after;
        const was = base ? base[name] : created ? void 0 : before;
        if (name === "position" && known) {
          placed.delete(id + is);
          if (m.quiet && is !== after) placed.set(id + after, is);
        }
        return was === is && name !== "position" ? [] : [[name, was, is]];
      })
    };
    if (base && !known) list.splice(list.indexOf(base) + 1, 0, { ...base, ...plain, rev });
    return part;
  });
  function changesTo(back, parts, kept = []) {
    const changes = parts.flatMap(({ id, kind, deleted, rev, fields }) => {
      if (deleted) return back ? [] : [{ entityId: id, patch: null, ...rev && { ifRev: rev } }];
      if (kind) {
        const set = fields.filter(([name]) => !back || !isPlace(name));
        const made = Object.fromEntries(set.map(([name, , to]) => [name, to]));
        if (!back) return [{ entityId: id, patch: { ...made, kind } }];
        if (/^c(ard|olumn)$/.test(kind)) return [{ entityId: id, patch: { archived: true }, if: { archived: null } }];
        if (view.children(id).every((e) => parts.some((p) => p.id === e.id))) {
          return [{ entityId: id, patch: null, if: { ...optional, ...made } }];
        }
        kept.push({ entityId: id, fields: [] });
        return [];
      }
      const patch = {};
      const expected = {};
      for (const [name, before, after] of fields) {
        const [from = null, to = null] = back ? [after, before] : [before, after];
        if (isSet(name)) {
          patch[name] = { add: to, remove: from };
        } else {
          patch[name] = to;
          expected[name] = name === "position" && placed.get(id + from) || from;
        }
      }
      return fields[0] ? [{ entityId: id, patch, if: expected }] : [];
    });
    return back ? changes.reverse() : changes;
  }
  const changesOf = (step, parts = step.parts, makes = step.makes) => changesTo(step.undone !== makes, parts, step.kept);
  const next = (undone) => undone ? steps.find((s) => s.undone) : steps.findLast((s) => !s.undone);
  function tell() {
    const now = `${!!next(false)} ${!!next(true)}`;
    if (now !== told) {
      told = now;
      listeners.tell();
    }
    if (closed && !flights.size) engine.hooks.delete(hooks);
  }
  const forget = (step) => void (steps = steps.filter((s) => s !== step));
  function drop(held) {
    if (held) engine.release(held, { verdict: refused("withdrawn", "undone") });
  }
  function end(step, result) {
    const { held, settle } = step;
    step.held = step.settle = void 0;
    drop(held);
    if (!changesTo(step.undone === step.makes, step.parts)[0]) forget(step);
    settle?.(result);
  }
  const done = ({ kept }, rev) => ({ ok: true, ...rev && { rev }, kept });
  function send(step, changes, none = done(step)) {
    if (!changes[0]) {
      forget(step);
      return end(step, none);
    }
    const { held } = step;
    const id = held ?? engine.ulid();
    step.held = void 0;
    step.flying = id;
    step.goal = step.undone;
    step.sent = changes;
    flights.set(id, step);
    if (held) {
      const { pending } = engine.entries.get(id);
      pending.effect.clear();
      Object.assign(pending, { changes, stale: true });
      engine.apply(view.load([]));
      engine.release(id, { sending: changes });
    } else {
      engine.transact(changes, { id, quiet: true });
    }
  }
  function leaveOut({ sent, kept }, { code, details }) {
    const at = Number(details["change"] ?? 0);
    const { entityId, patch, if: expected } = sent[at];
    const names = Object.keys(patch ?? {});
    let fields = names;
    if (code === "conflict") {
      const differ = details["fields"] ?? [];
      const place = differ.some(isPlace);
      fields = patch ? names.filter((n) => differ.includes(n) || place && isPlace(n)) : differ;
    } else if (code !== "not_found" || details["entityId"] !== entityId || !sent[1]) return false;
    const left = (all = {}) => Object.fromEntries(Object.entries(all).filter(([n]) => !fields.includes(n)));
    sent.splice(at, 1, ...names.length > fields.length ? [{ entityId, patch: left(patch), if: left(expected) }] : []);
    kept.push({ entityId, fields });
    return fields.length > 0;
  }
  const hooks = {
    made(m) {
      for (const id of m.pending.effect.keys()) statesOf(id);
      const parts = partsOf(m);
      if (m.quiet || m.restored || closed) return;
      steps = steps.filter((s) => !s.undone);
      if (changesTo(true, parts)[0]) {
        const step = { undone: false, flying: m.id, goal: false, parts, makes: false, sent: [], kept: [] };
        flights.set(m.id, step);
        steps = [...steps, step].slice(-most);
      }
      tell();
    },
    concluded(m, v) {
      const step = flights.get(m.id);
      const parts = v.ok ? partsOf(m, v.rev, v.events) : partsOf(m);
      flights.delete(m.id);
      if (!engine.entries.size) states.clear();
      if (!step) return;
      const wanted = step.undone === step.goal;
      step.flying = void 0;
      if (v.ok || !m.quiet) {
        step.parts = v.ok && !v.events ? [] : parts;
        step.makes = step.goal;
      }
      if (v.ok && wanted) end(step, done(step, v.rev));
      else if (v.ok) send(step, changesOf(step), v.events ? refused("empty", "deleted") : done(step));
      else if (!wanted) {
        if (!m.quiet && !isLate(v)) forget(step);
        end(step, done(step));
      } else if (m.quiet && leaveOut(step, v)) send(step, step.sent);
      else if (step.held && isLate(v)) send(step, changesOf(step));
      else {
        if (m.quiet && isLate(v)) step.undone = !step.undone;
        else forget(step);
        end(step, v);
      }
      tell();
    },
    greeted(hello) {
      if (user && user !== hello.user) steps = [];
      user = hello.user;
      tell();
    },
    closed() {
      steps = [];
      for (const step of flights.values()) step.settle?.(refused("closed", "undecided"));
      flights.clear();
      tell();
    }
  };
  function turn(step) {
    if (!step) return Promise.resolve(refused("empty", "no step"));
    step.settle?.({ ok: true, kept: [] });
    step.undone = !step.undone;
    step.kept = [];
    const result = new Promise((settle) => step.settle = settle);
    const m = engine.entries.get(step.flying);
    if (m) {
      const was = step.held;
      const changes = changesOf(step, partsOf(m), step.goal);
      step.held = changes[0] && engine.ulid();
      if (step.held) engine.transact(changes, { id: step.held, held: true, quiet: true });
      drop(was);
      engine.cancel(m.id);
    } else {
      send(step, changesOf(step));
    }
    tell();
    return result;
  }
  const clear = () => {
    steps = [];
    tell();
  };
  noteEffects(view);
  const { sync } = view;
  view.sync = (f) => {
    if (engine.entries.size && engine.hooks.has(hooks) && !f.entity.deleted) statesOf(f.entity.id).push(f.entity);
    return sync.call(view, f);
  };
  engine.hooks.add(hooks);
  return {
    undo: () => turn(next(false)),
    redo: () => turn(next(true)),
    get canUndo() {
      return !!next(false);
    },
    get canRedo() {
      return !!next(true);
    },
    subscribe: (fn) => listeners.add(fn),
    clear,
    close() {
      closed = true;
      clear();
    }
  };
}
export {
  undoStack
};
