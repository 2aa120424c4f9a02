import { isOwned, isSet } from "./patch.js";
function guards(m, view) {
  const earlier = view.pending.filter((p) => p.id !== m.id);
  return m.changes.map(({ entityId: id, patch }) => {
    const effect = m.pending.effect.get(id);
    const confirmed = view.confirmed(id);
    if (!confirmed) return effect?.created ? { ifRev: 0 } : {};
    const ours = earlier.filter((p) => p.changes.some((c) => c.entityId === id));
    if (!patch && !ours.length) return { ifRev: confirmed.rev };
    const fields = { __proto__: null, ...confirmed };
    for (const p of ours) p.effect.get(id)?.fields.forEach(({ after }, field) => fields[field] = after);
    if (patch) effect?.fields.forEach(({ before }, field) => fields[field] = before);
    const guard = {};
    for (const field of Object.keys(patch ?? fields)) {
      const placed = field === "position" && (!patch || ours.some((p) => p.effect.get(id)?.fields.has(field)));
      const edited = patch ? isSet(field) && patch[field] && !Array.isArray(patch[field]) : field === "likedBy";
      if (!placed && !edited && !isOwned(field) && !/^liked$|^comments$/.test(field)) guard[field] = fields[field] ?? null;
    }
    return Object.keys(guard).length ? { if: guard } : {};
  });
}
const guarded = (changes, by) => changes.map((change, i) => {
  const fields = { ...by[i]?.if, ...change.if };
  return { ...by[i], ...change, ...Object.keys(fields).length && { if: fields } };
});
export {
  guarded,
  guards
};
