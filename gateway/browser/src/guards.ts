// The preconditions under which a mutation that waited long is sent: what it was made upon still stands.

import type { Change, Json } from "./entities.js";
import type { Engine, Entry } from "./engine.js";
import { isOwned, isSet } from "./patch.js";

/** What is added to one change. */
export type Guard = Pick<Change, "if" | "ifRev">;

/**
 * For each change of a mutation just made: every plain field it sets as it stood before, a creation is of something new, a
 * deletion of the very rev. Without a guard are what adds to and removes from a set, `liked`, and what nobody else
 * can have touched: an entity that only pending mutations of ours have made.
 */
export function guards(m: Entry, view: Engine["view"]): Guard[] {
  const earlier = view.pending.filter((p) => p.id !== m.id);
  return m.changes.map(({ entityId: id, patch }) => {
    const effect = m.pending.effect.get(id);
    const confirmed = view.confirmed(id);
    if (!confirmed) return effect?.created ? { ifRev: 0 } : {};
    const ours = earlier.filter((p) => p.changes.some((c) => c.entityId === id));
    // Our earlier mutations raise the rev, so a deletion behind them goes by the fields. The places they name are the
    // server's choice in the end; their own guards watch over those.
    if (!patch && !ours.length) return { ifRev: confirmed.rev! };
    const fields: { [field: string]: Json | undefined } = { __proto__: null, ...confirmed };
    for (const p of ours) p.effect.get(id)?.fields.forEach(({ after }, field) => (fields[field] = after));
    if (patch) effect?.fields.forEach(({ before }, field) => (fields[field] = before));
    const guard: { [field: string]: Json } = {};
    for (const field of Object.keys(patch ?? fields)) {
      const placed = field === "position" && (!patch || ours.some((p) => p.effect.get(id)?.fields.has(field)));
      const edited = patch ? isSet(field) && patch[field] && !Array.isArray(patch[field]) : field === "likedBy";
      if (!placed && !edited && !isOwned(field) && !/^liked$|^comments$/.test(field)) guard[field] = fields[field] ?? null;
    }
    return Object.keys(guard).length ? { if: guard } : {};
  });
}

/** The changes with their guards; what the application asked for itself comes first. */
export const guarded = (changes: readonly Change[], by: readonly Guard[]): readonly Change[] =>
  changes.map((change, i) => {
    const fields = { ...by[i]?.if, ...change.if };
    return { ...by[i], ...change, ...(Object.keys(fields).length && { if: fields }) };
  });
