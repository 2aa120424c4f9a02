// What a pending mutation changes, for its inverse and for its preconditions.

import type { Entity, Json } from "./entities.js";
import type { State } from "./ground.js";
import { listOf } from "./order.js";
import { isOwned, same } from "./patch.js";
import type { Effect, Pending, View } from "./view.js";

/**
 * A field by a name that anybody may have chosen, `constructor` among them. Text is as the server will store it: that is
 * what a precondition is held against.
 */
function field(e: Entity | null | undefined, name: string): Json | undefined {
  const v = e && Object.hasOwn(e, name) ? e[name] : undefined;
  if (typeof v !== "string" || /^x-/.test(name)) return v;
  return (/^(title|name|itemtext)$/.test((name === "text" ? e!.kind : "") + name) ? v.trim() : v).normalize();
}

/** Keeps {@link Pending.effect} of the mutations that are made from now on. The opt-in parts that read it ask for it. */
export function noteEffects(view: View): void {
  view.note = noteEffect;
}

function noteEffect(p: Pending, id: string, before: State, after: State): void {
  const effect: Effect = p.effect.get(id) ?? { created: false, deleted: false, fields: new Map() };
  p.effect.set(id, effect);
  if (!after) effect.deleted ||= !!before;
  else {
    effect.created ||= !before;
    const moved = before && listOf(before) !== listOf(after); // a place is a list and a key, also if the key is the same
    for (const name of Object.keys({ ...before, ...after })) {
      const change = { before: field(before, name), after: field(after, name) };
      const isSame = same(change.before, change.after) && !(moved && name === "position");
      if (!isOwned(name) && name !== "liked" && !isSame) effect.fields.set(name, change);
    }
  }
}
