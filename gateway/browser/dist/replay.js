import { sortedList, stateOf, touched, untouched } from "./ground.js";
import { keyBetween } from "./key.js";
import { hangs, isArchived, listKey, listOf, position, positioned, search } from "./order.js";
import { freeze, merge, seatOf, strings } from "./patch.js";
const seatKey = (id) => "?" + id;
function replay(ground, p, user) {
  for (const c of p.changes) replayChange(ground, p, c, user);
}
function put(ground, p, id, state) {
  if (!p.out.has(id)) p.before.set(id, stateOf(ground, id));
  p.out.set(id, state);
  ground.overlay.set(id, state);
}
function replayChange(ground, p, { entityId: id, patch }, user) {
  const old = stateOf(ground, id);
  p.keys.add(id);
  if (!patch) {
    if (patch === null && old) replayDelete(ground, p, old);
    return;
  }
  const { kind } = patch;
  if (old === null || (old ? kind != null && kind !== old.kind : typeof kind !== "string" || !kind)) return;
  const next = merge(old ?? { id, kind, createdBy: user }, patch, user);
  if (positioned(next)) takeSeat(ground, p, old, next, patch);
  if (next.kind === "card") {
    const likedBy = strings(next["likedBy"]) ?? [];
    next["liked"] = likedBy.includes(user);
    next["likes"] = likedBy.length;
  }
  put(ground, p, id, freeze(next));
}
function replayDelete(ground, p, e) {
  const list = listKey("", e.id);
  put(ground, p, e.id, null);
  p.keys.add(e.id).add(list);
  for (const child of [...untouched(ground, list), ...touched(ground, list)]) {
    if (hangs(child) && stateOf(ground, child.id)) replayDelete(ground, p, child);
  }
}
function takeSeat(ground, p, old, next, patch) {
  const list = listOf(next);
  const due = !old || listOf(old) !== list;
  const seat = seatOf(patch.position) ?? (due && patch.position == null && last);
  if (!seat) return;
  p.keys.add(list).add(seatKey(seat.id));
  const anchor = stateOf(ground, seat.id), isKnown = anchor?.kind === next.kind && anchor.id !== next.id;
  if (seat.id && !isKnown && !due) return;
  const isHere = isKnown && listOf(anchor) === list && position(anchor);
  const key = isHere || (seat.after && !seat.id ? "" : void 0);
  let [low, high] = neighbours(ground, list, next.id, key);
  if (isHere && !isArchived(anchor)) {
    if (seat.after) low = isHere;
    else high = isHere;
  }
  const own = position(next);
  if (!due && !isArchived(old) && low < own && (!high || own < high)) return;
  next["position"] = keyBetween(low, high) ?? low;
}
const last = { after: false, id: "" };
function neighbours(ground, list, self, key) {
  let below = "", above = "";
  const take = (e) => {
    const k = position(e);
    if (!k || e.id === self || isArchived(e)) return;
    if ((key === void 0 || k < key) && k > below) below = k;
    if (k > key && (!above || k < above)) above = k;
  };
  const sorted = sortedList(ground, list);
  const start = search(sorted, (e) => key === void 0 || position(e) < key);
  const count = (e) => ground.overlay.has(e.id) || take(e);
  for (let i = start; i-- && !below; ) count(sorted[i]);
  for (let i = start; i < sorted.length && !above; i++) count(sorted[i]);
  ground.overlay.forEach((e) => e && listOf(e) === list && take(e));
  return [below, above];
}
export {
  replay,
  seatKey
};
