import assert from "node:assert/strict";
import { test } from "node:test";

import type { Change, Entity, Kind, Patch } from "@snapback/client";

import { back, clip, describe, isKind, wordsIn } from "../src/text/mutation.js";
import { en } from "../src/words/words.js";

const entities: { readonly [id: string]: Entity } = {
  doing: { id: "doing", kind: "column", title: "Doing" },
  login: { id: "login", kind: "card", title: "Fix login", columnId: "doing" },
  said: { id: "said", kind: "comment", text: "Looks good", cardId: "login" },
  step: { id: "step", kind: "item", text: "Call them", checklistId: "list" },
};
const names = { get: ((id: string) => entities[id]) as never };
const of = (id: string, patch: Patch | null, more: Partial<Change> = {}) => describe(names, [{ entityId: id, patch, ...more }]);

test("what is asked for, in words", () => {
  assert.equal(of("login", { columnId: "doing", position: { after: null } }), "Move “Fix login” to “Doing”");
  assert.equal(of("login", { position: { after: null } }), "Move “Fix login” to another place");
  assert.equal(of("doing", { position: { after: null } }), "Move the column “Doing”");
  assert.equal(of("login", { title: "Fix the login" }), "Rename “Fix login” to “Fix the login”");
  assert.equal(of("login", { title: "Fix login" }), "Rename to “Fix login”");
  assert.equal(of("login", { archived: true }), "Archive “Fix login”");
  assert.equal(of("login", { archived: null }), "Restore “Fix login”");
  assert.equal(of("login", null), "Delete “Fix login”");
  assert.match(of("login", { due: "2026-03-01" }), /^Set the due date of “Fix login” to Mar 1/);
  assert.equal(of("login", { liked: false }), "Take back the like of “Fix login”");
  assert.equal(of("said", { text: "No" }), "Edit a comment on “Fix login”");
  assert.equal(of("step", { done: true }), "Mark “Call them” as done");
  assert.equal(of("doing", { wipLimit: 3 }), "Limit “Doing” to 3");
  assert.equal(of("new", { kind: "card", title: "Hello", columnId: "doing" }, { ifRev: 0 }), "Add the card “Hello” to “Doing”");
  assert.equal(of("new", { kind: "comment", text: "Hello", cardId: "login" }, { ifRev: 0 }), "Comment “Hello” on “Fix login”");
  assert.equal(of("gone", { "x-own": 1 }), "Change “something”");
  assert.equal(describe(names, []), "Nothing");
  const both: Change[] = [{ entityId: "login", patch: null }, { entityId: "doing", patch: null }, { entityId: "step", patch: null }];
  assert.equal(describe(names, both), "Delete “Fix login”, and 2 more");
});

test("every kind that can be made has words of its own", () => {
  const kinds: Kind[] = ["board", "card", "checklist", "column", "comment", "file", "item", "label", "member"];
  for (const kind of kinds) {
    assert.ok(isKind(kind));
    assert.ok(`change.add.${kind}` in en, kind);
    assert.doesNotMatch(of("new", { kind, name: "N" }, { ifRev: 0 }), /[{}]/);
  }
});

test("what undoing has brought about", () => {
  assert.equal(back(names, [{ entityId: "login", patch: { columnId: "doing", position: "a0" } }]), "“Fix login” is back in “Doing”");
  assert.equal(back(names, [{ entityId: "login", patch: { archived: null } }]), "“Fix login” is back");
  assert.equal(back(names, [{ entityId: "login", patch: { title: "Fix it" } }]), "“Fix it” has its name back");
});

test("words that somebody wrote are found, with what they were written upon", () => {
  assert.deepEqual(wordsIn([
    { entityId: "login", patch: { description: "Long", labels: ["a"] }, if: { description: "Short" } },
    { entityId: "n", patch: { kind: "card", title: "New" }, ifRev: 0 },
    { entityId: "login", patch: { description: null, title: " " } },
    { entityId: "login", patch: null },
  ]), [
    { entityId: "login", field: "description", text: "Long", isNew: false, from: "Short" },
    { entityId: "n", field: "title", text: "New", isNew: true, from: "" },
  ]);
});

test("a name is one line, cut between letters", () => {
  assert.equal(clip(" a\n b "), "a b");
  assert.equal([...clip("👍".repeat(100))].length, 60);
  assert.doesNotMatch(clip("👍".repeat(100)), /\p{Surrogate}/u);
});
