import { listOf } from "./order.js";
import { isOwned, same } from "./patch.js";
const field = (e, name) => e && Object.hasOwn(e, name) ? e[name] : void 0;
const stored = (v) => typeof v === "string" ? v.trim().normalize() : v;
function noteEffects(view) {
  view.note = noteEffect;
}
function noteEffect(p, id, before, after) {
  const effect = p.effect.get(id) ?? { created: false, deleted: false, fields: /* @__PURE__ */ new Map() };
  p.effect.set(id, effect);
  if (!after) effect.deleted ||= !!before;
  else {
    effect.created ||= !before;
    const moved = before && listOf(before) !== listOf(after);
    for (const name of Object.keys({ ...before, ...after })) {
      const change = { before: field(before, name), after: field(after, name) };
      const isSame = same(stored(change.before), stored(change.after)) && !(moved && name === "position");
      if (!isOwned(name) && name !== "liked" && !isSame) effect.fields.set(name, change);
    }
  }
}
export {
  noteEffects
};
