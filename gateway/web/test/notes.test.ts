import assert from "node:assert/strict";
import { test } from "node:test";

import { joined, type Note, type Said } from "../src/say.js";
import { keepsOf, textOf, type Kept } from "../src/text/kept.js";
import { turnOf } from "../src/text/keys.js";
import { fieldName, wording } from "../src/words/refusal.js";
import { en } from "../src/words/words.js";

const several = { kind: "lab", title: (count: number) => `${count} taken back` };
const refusal = (title: string, text?: string, together: Said["together"] = several): Said => ({ tone: "refused", title, text, together });
const add = (all: readonly Note[], said: Said, id: number, now: number) => joined(all, said, id, now);

test("refusals of one kind that come at once are one note, which names each", () => {
  let all = add([], refusal("Full", "A is as it was"), 1, 0);
  all = add(all, refusal("Full", "B is as it was"), 2, 1000);
  all = add(all, refusal("Full", "C is as it was"), 3, 2900);
  assert.equal(all.length, 1);
  const [one] = all;
  assert.deepEqual([one?.id, one?.title, one?.text, one?.count], [1, "Full", "3 taken back", 3]);
  assert.deepEqual(one?.parts?.map((p) => p.text), ["A is as it was", "B is as it was", "C is as it was"]);
  all = add(all, refusal("Gone"), 4, 3000);
  assert.deepEqual([all[0]?.title, all[0]?.text, all[0]?.count], ["4 taken back", undefined, 4]);
  assert.equal(add(all, refusal("Full"), 5, 5000).length, 2, "later is another");
  assert.equal(add(all, refusal("Full", "", { ...several, kind: "wip_limit" }), 5, 3000).length, 2, "another kind, too");
  assert.equal(add(all, { tone: "refused", title: "Full", kept: "words" }, 5, 3000).length, 2, "words stand for themselves");
});

test("two thousand refusals are one note of bounded size", () => {
  let all: readonly Note[] = [];
  for (let i = 0; i < 2000; i++) all = add(all, refusal("Full", `${i}`), i, i);
  assert.equal(all.length, 1);
  assert.equal(all[0]?.count, 2000);
  assert.equal(all[0]?.parts?.length, 50);
  assert.equal(all[0]?.parts?.at(-1)?.text, "1999");
});

test("what has worked makes room for what works now, a refusal does not", () => {
  let all = add([], { tone: "refused", title: "Words", kept: "words" }, 0, 0);
  for (let i = 1; i < 9; i++) all = add(all, { tone: "done", title: `${i}` }, i, i);
  assert.ok(all.length <= 5);
  assert.equal(all[0]?.kept, "words");
  assert.equal(all.at(-1)?.title, "8");
});

function shelf(room = Infinity) {
  const map = new Map<string, string>();
  return {
    get length() {
      return map.size;
    },
    key: (i: number) => [...map.keys()][i] ?? null,
    getItem: (name: string) => map.get(name) ?? null,
    removeItem: (name: string) => void map.delete(name),
    setItem(name: string, value: string) {
      if (value.length > room) throw new DOMException("full", "QuotaExceededError");
      map.set(name, value);
    },
  };
}

const kept = (id: string, text = "words"): Kept => ({ id, title: "Refused", words: [{ entityId: "c", field: "title", text, isNew: false, from: "" }] });

test("refused words are kept over a reload until they are removed, the newest where there is no room for all", () => {
  const storage = shelf(700);
  const of = (user = "ann") => keepsOf({ board: "demo", user, storage });
  of().add(kept("1"));
  of().add(kept("2"));
  of().add(kept("2"));
  assert.deepEqual(of().all().map((k) => k.id), ["1", "2"]);
  assert.deepEqual(of("ben").all(), []);
  of().remove("1");
  assert.deepEqual(of().all().map((k) => textOf(k.words)), ["words"]);
  of().add(kept("3", "w".repeat(550)));
  assert.deepEqual(of().all().map((k) => k.id), ["3"]);
  assert.doesNotThrow(() => keepsOf({ board: "demo", user: "ann", storage: undefined }).add(kept("1")));
});

test("every code has words, and no word is missing in them", () => {
  const codes: { readonly [code: string]: { readonly [name: string]: unknown } } = {
    invalid: { field: "title", limit: 16384 }, not_found: { entityId: "x" }, conflict: { fields: ["title"] }, forbidden: { needs: "editor" },
    name_taken: { entityId: "f" }, wip_limit: { columnId: "d", limit: 3, count: 3 }, limit: { limit: 500, count: 500 }, not_empty: { cards: 2, archived: 0 },
    archived: { entityId: "x" }, expired: {}, withdrawn: {}, id_reused: {}, too_large: { limit: 262144 }, lab: {}, rate_limited: {}, unavailable: {},
    undecided: {}, silence: {}, closed: {}, offline: {}, unauthorized: {},
  };
  for (const [code, details] of Object.entries(codes)) {
    const words = wording({ code, details }, () => undefined, "Fix login");
    assert.doesNotMatch(words, /[{}]|undefined|\(.*_.*\)/, code);
    assert.doesNotMatch(words, /refused it \(/, `${code} has words of its own`);
  }
  const invalid = (field: string, limit?: number) => wording({ code: "invalid", details: { field, ...(limit && { limit }) } }, () => undefined);
  assert.equal(invalid("title", 16384), "Title: 16,384 characters at most");
  assert.equal(invalid("wipLimit", 9999), "Limit of the column: 9,999 at most");
  assert.equal(invalid("x-own"), "“x-own”: that is not allowed");
  assert.equal(wording({ code: "limit", details: { limit: 500 } }, () => undefined, "X", "X", "column"), "A board has room for 500 columns, and no more");
  assert.equal(wording({ code: "limit", details: { limit: 5 } }, () => undefined, "X", "X", "kind of tomorrow"), "There is room for 5 of these, and no more");
});

test("every field that can be refused has a name", () => {
  for (const field of ["title", "description", "text", "name", "wipLimit", "wipMode", "due", "labels", "assignees", "color", "position", "columnId", "role", "url"]) {
    assert.ok(`field.${field}` in en, field);
    assert.doesNotMatch(fieldName(field), /“/, field);
  }
});

test("the keys for undo and redo", () => {
  const key = (key: string, more: { [name: string]: boolean } = {}) => turnOf({ key, ctrlKey: true, metaKey: false, shiftKey: false, altKey: false, ...more });
  assert.equal(key("z"), "undo");
  assert.equal(key("Z", { shiftKey: true }), "redo");
  assert.equal(key("y"), "redo");
  assert.equal(key("z", { ctrlKey: false, metaKey: true }), "undo");
  assert.equal(key("y", { ctrlKey: false, metaKey: true }), undefined, "a browser's history on a Mac");
  assert.equal(key("z", { ctrlKey: false }), undefined);
  assert.equal(key("z", { altKey: true }), undefined);
});
