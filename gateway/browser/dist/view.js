import { confirm, place, stateOf, touched, untouched } from "./ground.js";
import { compare, listKey, listsOf } from "./order.js";
import { alike, freeze } from "./patch.js";
import { rebase } from "./rebase.js";
const refused = (code, reason = "", details = {}) => ({
  ok: false,
  code,
  reason,
  details
});
const nothing = () => ({ syncs: [], acks: [] });
function createView(user, rollbackOnSilence) {
  const ground = { confirmed: /* @__PURE__ */ new Map(), before: /* @__PURE__ */ new Map(), lists: /* @__PURE__ */ new Map(), overlay: /* @__PURE__ */ new Map() };
  const shown = /* @__PURE__ */ new Map();
  const arrays = /* @__PURE__ */ new Map();
  let epoch = "";
  let hold = nothing();
  function list(key) {
    let list2 = arrays.get(key);
    if (list2) return list2;
    const asShown = (e) => shown.get(e.id);
    const fresh = untouched(ground, key).map(asShown);
    for (const e of touched(ground, key)) fresh.splice(place(fresh, e), 0, asShown(e));
    arrays.set(key, list2 = Object.freeze(fresh));
    return list2;
  }
  const byId = (mutation) => view.pending.find((p) => p.id === mutation && !p.over);
  const load = (entities) => take(entities, []);
  function release(wait = false) {
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
  function take(entities, acks) {
    for (const e of entities) {
      if (e.deleted) confirm(ground, e.id, void 0);
      else if (!(e.rev < ground.confirmed.get(e.id)?.rev)) confirm(ground, e.id, e);
    }
    return finish(acks.flatMap(({ clientMutationId: id, rev, events }) => forget(id, { ok: true, rev, events })));
  }
  function forget(id, verdict) {
    const pending = byId(id);
    if (!pending) return [];
    pending.stale = pending.over = true;
    return [{ pending, verdict }];
  }
  function finish(verdicts = [], newest) {
    const confirmed = [...ground.before.keys()];
    const ids = rebase(ground, view, newest);
    if (verdicts[0]) view.pending = view.pending.filter((p) => !p.over);
    return { changed: [...ids].sort(compare).flatMap(show), verdicts, confirmed };
  }
  function show(id) {
    const before = shown.get(id), after = stateOf(ground, id) ?? void 0;
    if (alike(before, after)) return [];
    if (after) shown.set(id, after);
    else shown.delete(id);
    for (const e of [before, after]) if (e) listsOf(e).forEach((key) => arrays.delete(key));
    return [{ id, before, after }];
  }
  const view = {
    user,
    resume: void 0,
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
      const p = {
        id,
        changes: freeze(JSON.parse(JSON.stringify(changes))),
        hidden: false,
        effect: /* @__PURE__ */ new Map(),
        stale: true,
        over: false,
        out: /* @__PURE__ */ new Map(),
        before: /* @__PURE__ */ new Map(),
        keys: /* @__PURE__ */ new Set()
      };
      view.pending = [...view.pending, p];
      return finish([], p);
    },
    hello(f) {
      const fresh = !f.resumed || !view.resume;
      hold = { ...nothing(), active: true, fresh };
      epoch = f.epoch;
      if (fresh) view.resume = void 0;
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
    }
  };
  return view;
}
export {
  createView,
  refused
};
