import { Listeners, refused } from "./core.js";
const isSet = (name) => /^(labels|assignees|likedBy)$/.test(name);
const isPlace = (name) => /^(columnId|checklistId|position)$/.test(name);
const isLate = ({ code }) => /^(expired|withdrawn)$/.test(code);
const optional = { title: null, name: null, color: null, done: null, assignee: null, due: null };
const minus = (a = [], b = []) => a.filter((s) => !b.includes(s));
function undoManager(store, { steps: most = 50 } = {}) {
  const { engine } = store;
  const { view } = engine;
  const listeners = new Listeners();
  const flights = /* @__PURE__ */ new Map();
  const firsts = /* @__PURE__ */ new Map();
  const placed = /* @__PURE__ */ new Map();
  let steps = [];
  let user = store.me?.user;
  let closed = false;
  let told = "";
  const partsOf = (m, rev = -1) => [...m.pending.effect].map(([id, { created, fields }]) => {
    const own = m.changes.filter((c) => c.entityId === id);
    const now = view.confirmed(id);
    return {
      id,
      rev: now?.rev,
      kind: created ? own.find((c) => c.patch?.kind)?.patch?.kind : void 0,
      deleted: own.some((c) => !c.patch),
      fields: [...fields].map(([name, { before, after }]) => {
        if (!now || now.rev > rev || isSet(name)) return [name, before, after];
        const got = now[name];
        if (name === "position") {
          placed.delete(id + after);
          if (got !== after) placed.set(id + after, got);
        }
        const first = got === before && firsts.get(m.id)?.find((p) => p.id === id)?.fields.find((f) => f[0] === name);
        return [name, first ? first[1] : before, got];
      })
    };
  });
  function move(id, fields) {
    const patch = {};
    const expected = {};
    for (const [name, from, to] of fields) {
      if (isSet(name)) {
        patch[name] = { add: minus(to, from), remove: minus(from, to) };
      } else {
        patch[name] = to ?? null;
        expected[name] = name === "position" && placed.get(id + from) || (from ?? null);
      }
    }
    return fields.length ? [{ entityId: id, patch, if: expected }] : [];
  }
  const again = (parts) => parts.flatMap(({ id, kind, deleted, rev, fields }) => {
    if (deleted) return [{ entityId: id, patch: null, ...rev && { ifRev: rev } }];
    const [change] = move(id, fields.map(([name, , to]) => [name, void 0, to]));
    return kind ? [{ entityId: id, patch: { ...change.patch, kind } }] : move(id, fields);
  });
  const inverse = (parts, kept = []) => parts.flatMap(({ id, kind, deleted, fields }) => {
    if (deleted) return [];
    if (!kind) return move(id, fields.map(([name, before, after]) => [name, after, before]));
    if (kind === "card" || kind === "column") return [{ entityId: id, patch: { archived: true }, if: { archived: null } }];
    if (view.children(id).some((e) => parts.every((p) => p.id !== e.id))) {
      kept.push({ entityId: id, fields: [] });
      return [];
    }
    const made = fields.filter(([name]) => !isPlace(name)).map(([name, , to]) => [name, to]);
    return [{ entityId: id, patch: null, if: { ...optional, ...Object.fromEntries(made) } }];
  }).reverse();
  const changesOf = (step, parts = step.parts, makes = step.makes) => step.undone === makes ? again(parts) : inverse(parts, step.kept = []);
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
    if (!(step.undone === step.makes ? inverse : again)(step.parts).length) forget(step);
    settle?.(result);
  }
  const done = ({ kept }, rev) => ({ ok: true, ...rev && { rev }, kept });
  function send(step, changes, none = done(step)) {
    if (!changes.length) {
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
    if (held) engine.release(id, { sending: changes });
    else engine.transact(changes, { id, quiet: true });
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
      const parts = partsOf(m);
      firsts.set(m.id, parts);
      if (m.quiet || m.restored || closed) return;
      steps = steps.filter((s) => !s.undone);
      if (inverse(parts).length) {
        const step = { undone: false, flying: m.id, goal: false, parts, makes: false, sent: [], kept: [] };
        flights.set(m.id, step);
        steps = [...steps, step].slice(-most);
      }
      tell();
    },
    concluded(m, v) {
      const step = flights.get(m.id);
      const parts = partsOf(m, v.ok ? v.rev : -1);
      flights.delete(m.id);
      firsts.delete(m.id);
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
      step.held = changes.length ? engine.ulid() : void 0;
      if (step.held) engine.transact(changes, { id: step.held, held: true, quiet: true });
      drop(was);
      engine.cancel(m.id);
    } else {
      send(step, changesOf(step));
    }
    tell();
    return result;
  }
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
    clear() {
      steps = [];
      tell();
    },
    close() {
      closed = true;
      this.clear();
    }
  };
}
export {
  undoManager
};
