import { sortedList, stateOf, touched, untouched } from "./ground.js";
import { keyBetween } from "./key.js";
import { compare, hangs, isArchived, listKey, listOf, position, positioned, search } from "./order.js";
import { freeze, merge, seatOf, strings } from "./patch.js";
const seatKey = (id) => "?" + id;
function replay(ground, p, user) {
  for (const c of p.changes) replayChange(ground, p, c, user);
}
function put(ground, p, id, outcome) {
  if (!p.out.has(id)) p.before.set(id, stateOf(ground, id));
  p.out.set(id, outcome);
  ground.overlay.set(id, outcome);
}
function replayChange(ground, p, { entityId: id, patch }, user) {
  const old = stateOf(ground, id);
  p.keys.add(id);
  if (!patch) {
    if (patch === null && old) replayDelete(ground, p, old);
    return;
  }
  const { kind } = patch;
  if (old === null || (old ? typeof kind === "string" && kind !== old.kind : typeof kind !== "string" || !kind)) return;
  const next = merge(old ?? { id, kind, createdBy: user }, patch, user);
  if (positioned(next)) takeSeat(ground, p, old, next, patch);
  if (next.kind === "card") {
    const likedBy = strings(next["likedBy"]) ?? [];
    next["liked"] = likedBy.includes(user);
    next["likes"] = likedBy.length;
  }
  put(ground, p, id, { state: freeze(next), made: old ? ground.overlay.get(id)?.made ?? 0 : p.seq + p.out.size / 65536 });
}
function replayDelete(ground, p, e) {
  const list = listKey("", e.id);
  put(ground, p, e.id, { state: null, made: 0 });
  p.keys.add(e.id).add(list);
  for (const child of [...untouched(ground, list), ...touched(ground, list)]) {
    if (hangs(child) && stateOf(ground, child.id)) replayDelete(ground, p, child);
  }
}
function takeSeat(ground, p, old, next, patch) {
  const list = listOf(next);
  const due = !old || listOf(old) !== list;
  let seat = seatOf(patch.position) ?? (due && patch.position == null && last);
  if (!seat) return;
  p.keys.add(list);
  let anchor;
  if (seat.id) {
    p.keys.add(seatKey(seat.id));
    anchor = stateOf(ground, seat.id);
    if (!anchor || anchor.kind !== next.kind || anchor.id === next.id) {
      if (!due) return;
      anchor = null;
    }
    if (!anchor || listOf(anchor) !== list || !position(anchor)) {
      anchor = null;
      seat = last;
    }
  }
  const around = (key) => neighbours(ground, list, next.id, key);
  let low = "", high = "";
  if (anchor) {
    const key = position(anchor);
    [low, high] = around(key);
    if (!isArchived(anchor)) {
      if (seat.after) low = key;
      else high = key;
    }
  } else if (seat.after) [, high] = around("");
  else [low] = around();
  if (!due && !isArchived(old) && isBetween(position(old), low, high)) return;
  next["position"] = keyBetween(low, high) ?? low;
}
const last = { after: false, id: "" };
const isBetween = (key, low, high) => compare(low, key) < 0 && (!high || compare(key, high) < 0);
function neighbours(ground, list, self, key) {
  let below = "", above = "";
  const take = (e) => {
    const k = position(e);
    if (!k || e.id === self || isArchived(e)) return;
    const side = key === void 0 ? -1 : compare(k, key);
    if (side < 0 && compare(k, below) > 0) below = k;
    if (side > 0 && (!above || compare(k, above) < 0)) above = k;
  };
  const sorted = sortedList(ground, list);
  const start = search(sorted, (e) => key === void 0 || compare(position(e), key) < 0);
  const count = (e) => ground.overlay.has(e.id) || take(e);
  for (let i = start; i-- && !below; ) count(sorted[i]);
  for (let i = start; i < sorted.length && !above; i++) count(sorted[i]);
  touched(ground, list).forEach(take);
  return [below, above];
}
export {
  replay,
  seatKey
};
