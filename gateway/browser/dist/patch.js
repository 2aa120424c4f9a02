import { compare } from "./order.js";
const isOwned = (field) => /^(id|rev|number|likes|kind|created.*|updated.*)$/.test(field);
const isObject = (v) => typeof v === "object" && v !== null;
const strings = (v) => Array.isArray(v) && v.every((s) => typeof s === "string") ? v : void 0;
function seatOf(v) {
  const { after, before } = isObject(v) ? v : {};
  if (after !== void 0 || before !== void 0) return { after: after !== void 0, id: after ?? before ?? "" };
}
const isSet = (field) => /^(assignees|labels|likedBy)$/.test(field);
const toSet = (list) => [...new Set(list)].sort(compare);
const members = (v) => typeof v === "string" ? [v] : strings(v) ?? [];
function mergeSet(old, v) {
  const list = strings(v);
  if (list) return toSet(list);
  const { add, remove } = v, gone = members(remove);
  return isObject(v) ? toSet([...strings(old) ?? [], ...members(add)]).filter((s) => !gone.includes(s)) : v;
}
function merge(old, patch, user) {
  const out = new Map(Object.entries(old));
  const { liked } = patch;
  for (const [name, v] of Object.entries(patch)) {
    if (isOwned(name) || name === "position" && seatOf(v)) continue;
    if (v === null) out.delete(name);
    else out.set(name, isSet(name) ? mergeSet(out.get(name), v) : v);
  }
  if (typeof liked === "boolean") out.set("likedBy", mergeSet(out.get("likedBy"), { [liked ? "add" : "remove"]: user }));
  return Object.fromEntries(out);
}
function same(a, b) {
  if (a === b) return true;
  if (!isObject(a) || !isObject(b) || Array.isArray(a) !== Array.isArray(b)) return false;
  const values = Object.entries(a);
  return values.length === Object.keys(b).length && values.every(([name, v]) => Object.hasOwn(b, name) && same(v, b[name]));
}
const seen = ({ rev, updatedAt, updatedBy, ...rest }) => rest;
const alike = (a, b) => a === b || !!a && !!b && same(seen(a), seen(b));
function freeze(v) {
  if (!Object.isFrozen(v)) Object.values(Object.freeze(v)).forEach(freeze);
  return v;
}
export {
  alike,
  freeze,
  isOwned,
  isSet,
  merge,
  same,
  seatOf,
  strings
};
