import { listOf } from "./order.js";
import { isOwned, same } from "./patch.js";
function field(e, name) {
  const v = e && Object.hasOwn(e, name) ? e[name] : void 0;
  if (typeof v !== "string" || /^x-/.test(name)) return v;
  return (/^(title|name|itemtext)$/.test((name === "text" ? e.kind : "") + name) ? v.trim() : v).normalize();
}
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
      const isSame = same(change.before, change.after) && !(moved && name === "position");
      if (!isOwned(name) && name !== "liked" && !isSame) effect.fields.set(name, change);
    }
  }
}
export {
  noteEffects
};
