import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";

import { draftsOf, longestDraft, placeOf, type DraftStorage } from "../src/text/drafts.js";
import { differ } from "../src/text/differ.js";
import { isRequired, stored } from "../src/text/stored.js";

/** A storage with room for so many characters. */
function shelf(room = Infinity): DraftStorage & { readonly map: Map<string, string> } {
  const map = new Map<string, string>();
  const used = () => [...map].reduce((sum, [name, value]) => sum + name.length + value.length, 0);
  return {
    map,
    get length() {
      return map.size;
    },
    key: (i) => [...map.keys()][i] ?? null,
    getItem: (name) => map.get(name) ?? null,
    removeItem: (name) => void map.delete(name),
    setItem(name, value) {
      if (used() - (map.get(name)?.length ?? 0) + value.length > room) throw new DOMException("full", "QuotaExceededError");
      map.set(name, value);
    },
  };
}

const open = (storage: DraftStorage | undefined, user = "ann", now = () => 1) => draftsOf({ board: "demo", user, storage, now });

test("what is typed is written after a moment, and is there on the next page", (t: TestContext) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const storage = shelf();
  const first = open(storage);
  first.set("card/title", "Fix", "");
  first.set("card/title", "Fix it", "");
  assert.equal(storage.map.size, 0);
  t.mock.timers.tick(299);
  assert.equal(storage.map.size, 0);
  t.mock.timers.tick(1);
  assert.deepEqual(open(storage).get("card/title"), { text: "Fix it", from: "", at: 1 });
  assert.equal(open(storage, "ben").get("card/title"), undefined, "another user's");
  first.clear("card/title");
  assert.equal(open(storage).get("card/title"), undefined);
  assert.equal(storage.map.size, 0);
});

test("what was sent stays until its verdict, and is unfinished again after a refusal", () => {
  const storage = shelf();
  const drafts = open(storage);
  drafts.set("a", "words", "old");
  drafts.send("a", "01J");
  assert.deepEqual(open(storage).get("a"), { text: "words", from: "old", at: 1, sent: "01J" });
  drafts.send("a", undefined);
  assert.deepEqual(open(storage).get("a"), { text: "words", from: "old", at: 1 });
});

test("the signal of a field follows it", () => {
  const drafts = open(shelf());
  const shown = drafts.of("a");
  drafts.set("a", "words", "");
  assert.equal(shown.value?.text, "words");
  drafts.clear("a");
  assert.equal(shown.value, undefined);
  drafts.close();
});

test("the oldest gives way when there are many, but none that is on its way", () => {
  const storage = shelf();
  let now = 0;
  const drafts = open(storage, "ann", () => ++now);
  for (let i = 0; i < 100; i++) drafts.set(`k${i}`, "words", "");
  drafts.send("k0", "01J");
  drafts.set("one more", "words", "");
  drafts.flush();
  const left = open(storage).keys();
  assert.equal(left.length, 100);
  assert.ok(left.includes("k0") && left.includes("one more") && !left.includes("k1"));
});

test("a full storage loses the oldest, and a text that has no room stays in memory", () => {
  const storage = shelf(5000);
  let now = 0;
  const drafts = open(storage, "ann", () => ++now);
  for (let i = 0; i < 10; i++) {
    drafts.set(`k${i}`, "w".repeat(1000), "");
    drafts.flush();
  }
  assert.deepEqual([...open(storage).keys()], ["k6", "k7", "k8", "k9"]);
  drafts.set("huge", "w".repeat(longestDraft + 1), "");
  drafts.flush();
  assert.equal(drafts.get("huge")?.text.length, longestDraft + 1);
  assert.equal(open(storage).get("huge"), undefined);
  assert.equal(open(storage).get("k9")?.text.length, 1000, "nothing gave way to what has no room at all");
});

test("a browser that stores nothing, or something broken, still has the texts of this page", () => {
  const broken = { ...shelf(), getItem: () => { throw new Error("no"); }, key: () => { throw new Error("no"); }, length: 1 };
  for (const storage of [undefined, broken]) {
    const drafts = open(storage);
    drafts.set("a", "words", "");
    drafts.flush();
    assert.equal(drafts.get("a")?.text, "words");
  }
  const storage = shelf();
  storage.map.set("snapback.draft/demo/ann/a", "{");
  assert.equal(open(storage).get("a"), undefined);
});

test("a text is sent as it is stored", () => {
  assert.equal(stored("  Cafe\u0301 \n au lait ", true), "Caf\u00e9   au lait");
  assert.equal(stored("  a\r\nb \n\n", false), "  a\nb");
  assert.ok(isRequired("title", "card") && isRequired("text", "comment") && isRequired("name", "file"));
  assert.ok(!isRequired("description", "card") && !isRequired("title", "checklist") && !isRequired("name", "label"));
});

test("the words that differ are marked", () => {
  const marked = (a: string, b: string) => differ(a, b).map(({ text, isNew }) => (isNew ? `[${text}]` : text)).join("");
  assert.equal(marked("one two three", "one three"), "one [two ]three");
  assert.equal(marked("one big red three", "one three"), "one [big red ]three");
  assert.equal(marked("a x c y e", "a b c d e"), "a [x] c [y] e");
  assert.equal(marked("same", "same"), "same");
  assert.equal(marked("", "gone"), "");
  assert.equal(marked("all new", ""), "[all new]");
  const long = Array.from({ length: 3000 }, (_, i) => `w${i}`);
  const start = performance.now();
  assert.equal(differ(long.join(" "), long.slice().reverse().join(" ")).map((p) => p.text).join(""), long.join(" "));
  assert.ok(performance.now() - start < 1000);
});

test("a draft's name says where its text stands, or is to stand", () => {
  const places = ["card/title", "comment-2/text", "comment-card", "comment-card#01J", "items-list", "checklist-card", "add-card/next", "add-column"];
  assert.deepEqual(places.map(placeOf), ["card", "comment-2", "card", "card", "list", "card", "next", undefined]);
});

test("where two windows type at one text, the words of neither are lost", () => {
  const storage = shelf();
  const away: string[] = [];
  const window = (name: string) => draftsOf({ board: "demo", user: "ann", storage, now: () => 1, displaced: (key, d) => away.push(`${name}: ${key} ${d.text}`) });
  const one = window("one"), two = window("two");
  one.set("card/title", "of one", "");
  one.flush();
  two.set("card/title", "of two", ""); // had not heard
  two.flush();
  assert.deepEqual(away.splice(0), ["two: card/title of one"], "not overwritten unseen");
  one.close();
  assert.deepEqual(away.splice(0), ["one: card/title of one"], "the one that is left keeps its own");
  assert.equal(open(storage).get("card/title")?.text, "of two");
  two.set("card/title", "of two, more", "");
  two.close();
  assert.deepEqual(away, [], "its own are no other's");
  assert.equal(open(storage).get("card/title")?.text, "of two, more");
});

test("what another window has saved takes nothing from the words typed here", () => {
  const storage = shelf();
  const one = open(storage), two = open(storage);
  one.set("card/title", "of one", "");
  one.flush();
  storage.map.clear(); // the other's verdict
  one.close();
  assert.equal(open(storage).get("card/title")?.text, "of one");
  two.close();
});

test("who signs out leaves no draft: not one that was stored, nor one that was typed and is written when the board is closed", () => {
  const storage = shelf();
  const drafts = open(storage);
  drafts.set("a", "a secret", "");
  drafts.flush();
  drafts.set("b", "another", "");
  drafts.forget();
  drafts.set("c", "an editor that goes writes what it has", "");
  drafts.close();
  assert.equal(storage.map.size, 0);
  assert.deepEqual(drafts.keys(), []);
});
