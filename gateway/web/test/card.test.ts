// The parts of a card that need no page.

import assert from "node:assert/strict";
import { test } from "node:test";

import type { Board, Card, Column, Comment, Entity, Role, Store } from "@snapback/client";

import { candidates, matches } from "../src/people/candidates.js";
import { colourName, labelName, nextColour } from "../src/card/colours.js";
import { concerned, countsOf } from "../src/card/counts.js";
import { dueState, fromInputs, toInputs } from "../src/card/due.js";
import { linesOf, portions } from "../src/card/lines.js";
import { pieces } from "../src/card/links.js";
import { extended, renewed, shownComments } from "../src/card/paging.js";
import { rightsOf } from "../src/card/standing.js";

const links = (text: string) => pieces(text).flatMap(({ href }) => href ?? []);

test("addresses are links without the punctuation around them, and nothing else is", () => {
  assert.deepEqual(links("see https://a.example/x?y=1, and http://b.example."), ["https://a.example/x?y=1", "http://b.example"]);
  assert.deepEqual(links("(https://en.example/wiki/A_(b))."), ["https://en.example/wiki/A_(b)"]);
  assert.deepEqual(links("HTTPS://A.EXAMPLE/ ok"), ["HTTPS://A.EXAMPLE/"]);
  assert.deepEqual(links("javascript:alert(1) data:text/html,x ftp://a.example xhttp://a.example http:// <b>https://c.example</b>"), ["https://c.example"]);
});

test("the pieces are the text again", () => {
  for (const text of ["", "plain", "https://a.example", "a\nhttps://a.example/!? b http://x", "(((https://a.example)))", "http://… http://["]) {
    assert.equal(pieces(text).map((p) => p.text).join(""), text);
  }
});

test("a pasted list becomes its lines, without bullets and boxes", () => {
  assert.deepEqual(linesOf("- one\r\n  * two\n\n[x] three\n- [ ] four\n5-6\n-seven"), ["one", "two", "three", "four", "5-6", "-seven"]);
  assert.deepEqual(portions(Array.from({ length: 201 }, (_, i) => i)).map((p) => p.length), [100, 100, 1]);
  assert.deepEqual(portions([]), []);
});

test("a due date is overdue after its end, and soon the day before", () => {
  const at = (hours: number) => new Date(2026, 2, 1, hours).getTime();
  assert.equal(dueState("2026-03-01", undefined, at(0)), "soon");
  assert.equal(dueState("2026-03-01", undefined, at(23)), "soon");
  assert.equal(dueState("2026-03-01", undefined, at(24)), "overdue");
  assert.equal(dueState("2026-03-02", undefined, at(-1)), "later");
  assert.equal(dueState("2026-03-01", "2026-04-01T00:00:00Z", at(99)), "done");
  assert.equal(dueState(new Date(at(12)).toISOString(), undefined, at(13)), "overdue");
});

test("dates go into the inputs and come out the same", () => {
  for (const value of ["2026-03-01", "2026-03-01T14:30:00Z", "0999-12-31", "2026-12-31T23:59:00Z"]) assert.equal(fromInputs(toInputs(value)), value);
  assert.deepEqual(toInputs(undefined), { day: "", clock: "" });
  assert.equal(fromInputs({ day: "", clock: "10:00" }), null);
  assert.equal(fromInputs({ day: "2026-03-01", clock: "" }), "2026-03-01");
});

const comment = (id: string, createdRev?: number): Comment => ({ id, kind: "comment", cardId: "c", text: id, ...(createdRev && { createdRev, rev: createdRev }) });

test("comments are shown newest first, and none across a hole", () => {
  const all = [comment("old", 1), comment("a", 5), comment("b", 6), comment("mine")];
  const ids = (fetched?: Parameters<typeof shownComments>[1]) => shownComments(all, fetched).map((c) => c.id);
  const first = extended(undefined, [comment("b", 6), comment("a", 5), { kind: "card", createdRev: 2 }], "x");
  assert.deepEqual(ids(first), ["mine", "b", "a"]);
  assert.deepEqual(ids(extended(first, [comment("old", 1)], null)), ["mine", "b", "a", "old"]);
  assert.deepEqual(ids(), ["mine", "b", "a", "old"]);
});

test("after the connection was lost, older pages stay if they are still held", () => {
  const far = { floor: 1, before: null };
  const near = { floor: 5, before: "x" };
  assert.equal(renewed(far, near, [comment("old", 1), comment("a", 5)]), far);
  assert.equal(renewed(far, near, [comment("a", 5)]), near);
  assert.equal(renewed(undefined, near, []), near);
  assert.equal(renewed(near, far, [comment("a", 5)]), far);
});

/** A board as it stands. */
function board(...entities: readonly { readonly [field: string]: unknown }[]): Store {
  const all = entities.map((e) => ({ rev: 1, ...e }) as unknown as Entity);
  const parent = (e: Entity) => e["checklistId"] ?? e["cardId"] ?? e["columnId"] ?? "";
  return {
    get: (id: string) => all.find((e) => e.id === id),
    list: (kind: string) => all.filter((e) => e.kind === kind),
    children: (id: string, kind: string) => all.filter((e) => e.kind === kind && parent(e) === id),
  } as unknown as Store;
}

test("a card counts what hangs on it, own comments before they are confirmed", () => {
  const store = board(
    { id: "c", kind: "card", columnId: "x", comments: 7 }, { id: "l", kind: "checklist", cardId: "c" }, { id: "m", kind: "checklist", cardId: "c" },
    { id: "1", kind: "item", checklistId: "l", done: true }, { id: "2", kind: "item", checklistId: "m" }, { id: "f", kind: "file", cardId: "c" },
    { id: "k", kind: "comment", cardId: "c" }, { id: "new", kind: "comment", cardId: "c", rev: undefined },
  );
  assert.deepEqual(countsOf(store, "c"), { items: 2, done: 1, comments: 8, files: 1 });
  assert.deepEqual(countsOf(store, "gone"), { items: 0, done: 0, comments: 0, files: 0 });
});

test("a card looks at its counts again after what can have changed them", () => {
  const store = board({ id: "l", kind: "checklist", cardId: "c" });
  const of = (kind: string, fields: object) => ({ id: "e", kind, ...fields }) as unknown as Entity;
  const by = (before: Entity | undefined, after: Entity | undefined, id = "e") => concerned(store, { id, before, after });
  const file = of("file", { cardId: "c" });
  assert.deepEqual(by(undefined, file), ["c"]);
  assert.deepEqual(by(file, of("file", { cardId: "d" })), ["c", "d"]);
  assert.deepEqual(by(file, undefined), ["c"]);
  assert.deepEqual(by(undefined, of("card", {}), "c"), ["c"]);
  assert.deepEqual(by(undefined, of("item", { checklistId: "l" })), ["c"]);
  assert.deepEqual(by(of("item", { checklistId: "gone" }), undefined), []);
  assert.deepEqual(by(undefined, of("column", {})), []);
});

test("you come first among who can be assigned; without keys anybody who is anywhere", () => {
  const store = board(
    { id: "member:ann", kind: "member", user: "ann", name: "Ann B." }, { id: "member:bob", kind: "member", user: "bob" }, { id: "c", kind: "card", assignees: ["zoe"] },
  );
  const users = (me: string, assigned: readonly string[], open: boolean) => candidates(store, me, assigned, open).map((p) => p.user);
  assert.deepEqual(users("bob", ["eve"], false), ["bob", "eve", "ann"]);
  assert.deepEqual(users("guest", [], false), ["ann", "bob"]);
  assert.deepEqual(users("guest", [], true), ["guest", "ann", "bob", "zoe"]);
  assert.equal(candidates(store, "ann", [], false)[0]!.name, "Ann B.");
});

test("what is typed finds names whatever their accents and capitals", () => {
  assert.ok(matches("rené", "Rene Dupont"));
  assert.ok(matches("dup RE", "René", "Dupont"));
  assert.ok(matches("", "anything"));
  assert.ok(!matches("renx", "René"));
});

test("a label without a name goes by its colour, and a new one takes a colour that is rare", () => {
  assert.equal(labelName({ name: "", color: "sky" }), "Sky blue");
  assert.equal(labelName({}), "No colour");
  assert.equal(colourName("teal"), "teal");
  assert.equal(nextColour([]), "red");
  assert.equal(nextColour(["red", "orange", "yellow", undefined]), "lime");
});

const as = (role: Role) => (needed: Role) => roles.indexOf(role) >= roles.indexOf(needed);
const roles: readonly Role[] = ["viewer", "commenter", "editor", "admin"];

test("nothing archived is edited, and nobody is offered what his role may not", () => {
  const card = { archived: false } as unknown as Card;
  const column = { archived: false } as unknown as Column;
  assert.deepEqual(rightsOf(card, column, undefined, as("editor")), { archived: undefined, edit: true, comment: true, restore: true });
  assert.deepEqual(rightsOf(card, column, undefined, as("commenter")), { archived: undefined, edit: false, comment: true, restore: false });
  assert.deepEqual(rightsOf(card, column, undefined, as("viewer")), { archived: undefined, edit: false, comment: false, restore: false });
  assert.deepEqual(rightsOf(card, undefined, undefined, as("admin")), { archived: "column", edit: false, comment: false, restore: true });
  assert.deepEqual(rightsOf({ ...card, archived: true }, column, undefined, as("editor")), { archived: "card", edit: false, comment: false, restore: true });
  assert.deepEqual(rightsOf({ ...card, archived: true }, column, { archived: true } as unknown as Board, as("admin")), { archived: "board", edit: false, comment: false, restore: false });
});
