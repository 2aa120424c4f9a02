function compare(a, b) {
  let i = 0;
  while (i < a.length && a[i] === b[i]) i++;
  return (a.codePointAt(i) ?? -1) - (b.codePointAt(i) ?? -1);
}
const kinds = "board member column card checklist item label comment file".split(" ");
const parents = [, , , "columnId", "cardId", "checklistId", , "cardId", "cardId"];
const rank = (e) => kinds.indexOf(e.kind);
const text = (v) => typeof v === "string" ? v : "";
const parentOf = (e) => text(e[parents[rank(e)] ?? ""]);
const position = (e) => text(e["position"]);
const positioned = (e) => rank(e) > 1 && rank(e) < 7;
const listKey = (kind, parent) => kind + "\n" + parent;
const listOf = (e) => listKey(e.kind, parentOf(e));
const listsOf = (e) => [listOf(e), listKey("", parentOf(e)), e.kind];
const sameSeat = (a, b) => listOf(a) === listOf(b) && position(a) === position(b) && isArchived(a) === isArchived(b);
const hangs = (e) => e.kind !== "card";
const isArchived = (e) => e["archived"] === true;
function compareSiblings(a, b) {
  return rank(a) - rank(b) || (positioned(a) ? compare(position(a), position(b)) : a.createdRev ? b.createdRev ? a.createdRev - b.createdRev : -1 : b.createdRev || -1) || compare(a.id, b.id);
}
function search(list, isBefore) {
  let low = 0, high = list.length;
  while (low < high) {
    const middle = low + high >> 1;
    if (isBefore(list[middle])) low = middle + 1;
    else high = middle;
  }
  return low;
}
export {
  compare,
  compareSiblings,
  hangs,
  isArchived,
  listKey,
  listOf,
  listsOf,
  parentOf,
  position,
  positioned,
  sameSeat,
  search
};
