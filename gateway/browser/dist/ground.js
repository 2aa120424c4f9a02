import { compareSiblings, listsOf, search } from "./order.js";
import { freeze } from "./patch.js";
function confirm(ground, e) {
  unconfirm(ground, e.id);
  ground.confirmed.set(e.id, freeze(e));
  for (const key of listsOf(e)) {
    const list = ground.lists.get(key) ?? { members: [] };
    ground.lists.set(key, list);
    list.members.splice(list.sorted ? place(list.members, e) : list.members.length, 0, e);
  }
}
function unconfirm(ground, id) {
  const e = ground.confirmed.get(id);
  if (!e) return;
  ground.confirmed.delete(id);
  for (const key of listsOf(e)) {
    const { members } = ground.lists.get(key);
    members.splice(members.indexOf(e), 1);
    if (!members.length) ground.lists.delete(key);
  }
}
function sortedList({ lists }, key) {
  const list = lists.get(key);
  if (!list) return [];
  if (!list.sorted) list.members.sort((a, b) => compareSiblings(a, b));
  list.sorted = true;
  return list.members;
}
function stateOf({ overlay, confirmed }, id) {
  const made = overlay.get(id);
  return made ? made.state : confirmed.get(id);
}
const untouched = (ground, key) => sortedList(ground, key).filter((e) => !ground.overlay.has(e.id));
const touched = ({ overlay }, key) => [...overlay.values()].flatMap(({ state }) => state && listsOf(state).includes(key) ? state : []);
const place = (list, e, made) => search(list, (x) => compareSiblings(x, e, made) < 0);
export {
  confirm,
  place,
  sortedList,
  stateOf,
  touched,
  unconfirm,
  untouched
};
