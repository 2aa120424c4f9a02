import { compareSiblings, hangs, listKey, listsOf, search } from "./order.js";
import { freeze } from "./patch.js";
function confirm(ground, id, e) {
  const { confirmed, lists, before } = ground, old = confirmed.get(id);
  if (!before.has(id)) before.set(id, old);
  for (const key of old ? listsOf(old) : []) {
    const { members } = lists.get(key);
    members.splice(members.indexOf(old), 1);
  }
  if (e) {
    confirmed.set(id, freeze(e));
    for (const key of listsOf(e)) {
      const list = lists.get(key) ?? { members: [] };
      lists.set(key, list);
      list.members.splice(list.sorted ? place(list.members, e) : list.members.length, 0, e);
    }
  } else {
    confirmed.delete(id);
    for (const child of [...sortedList(ground, listKey("", id))]) if (hangs(child)) confirm(ground, child.id, void 0);
  }
}
function sortedList({ lists }, key) {
  const list = lists.get(key);
  if (!list) return [];
  if (!list.sorted) list.members.sort(compareSiblings);
  list.sorted = true;
  return list.members;
}
function stateOf({ overlay, confirmed }, id) {
  const state = overlay.get(id);
  return state === void 0 ? confirmed.get(id) : state;
}
const untouched = (ground, key) => sortedList(ground, key).filter((e) => !ground.overlay.has(e.id));
const touched = ({ overlay }, key) => [...overlay.values()].filter((e) => e && listsOf(e).includes(key));
const place = (list, e) => search(list, (x) => compareSiblings(x, e) < 0);
export {
  confirm,
  place,
  sortedList,
  stateOf,
  touched,
  untouched
};
