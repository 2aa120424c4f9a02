import { stateOf } from "./ground.js";
import { listsOf, sameSeat } from "./order.js";
import { alike } from "./patch.js";
import { replay, seatKey } from "./replay.js";
function rebase(ground, { user, note, pending }, newest) {
  const ids = /* @__PURE__ */ new Set();
  const different = /* @__PURE__ */ new Map();
  const compare = (id, old) => {
    const is = stateOf(ground, id), isMoved = !old || !is || !sameSeat(old, is);
    const lists = (e) => e && isMoved ? listsOf(e) : [];
    ids.add(id);
    if (alike(old, is)) different.delete(id);
    else different.set(id, { old, keys: [id, ...isMoved ? [seatKey(id)] : [], ...lists(old), ...lists(is)] });
  };
  const sees = (p) => {
    for (const { keys } of different.values()) for (const key of keys) if (p.keys.has(key)) return true;
  };
  if (!newest) ground.overlay = /* @__PURE__ */ new Map();
  ground.before.forEach((old, id) => compare(id, old));
  for (const p of newest ? [newest] : pending) {
    if (!p.stale && !sees(p)) {
      p.out.forEach((state, id) => ground.overlay.set(id, state));
      continue;
    }
    const was = p.out;
    p.stale = false;
    p.out = /* @__PURE__ */ new Map();
    p.before = /* @__PURE__ */ new Map();
    p.keys = /* @__PURE__ */ new Set();
    if (!p.hidden && !p.over) replay(ground, p, user);
    p.out.forEach((state, id) => note?.(p, id, p.before.get(id), state));
    for (const id of /* @__PURE__ */ new Set([...was.keys(), ...p.out.keys()])) {
      const d = different.get(id);
      compare(id, was.has(id) ? was.get(id) : d ? d.old : p.before.get(id));
    }
  }
  ground.before = /* @__PURE__ */ new Map();
  return ids;
}
export {
  rebase
};
