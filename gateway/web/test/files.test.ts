import assert from "node:assert/strict";
import { test } from "node:test";

import type { Card, Column, Inspection } from "@snapback/client";

import { archived, matchingWords } from "../src/archive/archived.js";
import { over, sums, waiting } from "../src/inspect/inspecting.js";
import { hasPreview, hostOf, linkFrom, nameOfLink, sortOf, suffixOf } from "../src/files/kinds.js";
import { matching } from "../src/files/matching.js";
import { duration } from "../src/words/dates.js";

const card = (id: string, rev: number, more: Partial<Card> = {}): Card =>
  ({ id, kind: "card", title: id, rev, columnId: "c", position: "a", likes: 0, liked: false, ...more });
const column = (id: string, rev: number, more: Partial<Column> = {}): Column => ({ id, kind: "column", title: id, rev, position: "a", ...more });

test("what is archived, those changed last first, with the cards that went with their column", () => {
  const columns = [column("c", 1), column("away", 9, { archived: true })];
  const cards = [card("open", 20), card("old", 3, { archived: true }), card("new", 12, { archived: true }), card("with", 2, { columnId: "away" }), card("now", 1, { archived: true })];
  const all = archived(columns, cards, (id) => id === "now");
  assert.deepEqual(all.map(({ entity, column: c }) => [entity.id, c?.id]), [["now", undefined], ["new", undefined], ["away", undefined], ["old", undefined], ["with", "away"]]);
});

test("the search finds all words in any order, and numbers", () => {
  const all = archived([], [card("a", 1, { archived: true, title: "Fix the Login", number: 12 }), card("b", 2, { archived: true, title: "Dark mode", number: 1 })], () => false);
  const found = (text: string) => matchingWords(all, text).map(({ entity }) => entity.id);
  assert.deepEqual(found("login FIX"), ["a"]);
  assert.deepEqual(found("#12"), ["a"]);
  assert.deepEqual(found("dárk"), ["b"]);
  assert.deepEqual(found(" "), ["b", "a"]);
  assert.deepEqual(found("nothing"), []);
});

test("a card to move a file to: open ones, those that begin so first", () => {
  const cards = [card("1", 1, { title: "The login page" }), card("2", 1, { title: "Login" }), card("3", 1, { title: "Login", archived: true }), card("4", 1, { title: "Other" })];
  assert.deepEqual(matching(cards, "login", undefined).map((c) => c.id), ["2", "1"]);
  assert.deepEqual(matching(cards, "", "4").map((c) => c.id), ["1", "2"]);
});

test("kinds of files", () => {
  assert.equal(sortOf({ name: "a", url: "https://a.example/" }), "link");
  assert.equal(sortOf({ name: "a.png", contentType: "image/png" }), "picture");
  assert.equal(sortOf({ name: "Plan.PDF", contentType: "application/pdf" }), "text");
  assert.equal(sortOf({ name: "a.csv", contentType: "text/csv" }), "sheet");
  assert.equal(sortOf({ name: "a.tar.gz" }), "archive");
  assert.equal(sortOf({ name: "README", contentType: "text/plain" }), "text");
  assert.equal(sortOf({ name: "x.constructor" }), "other");
  assert.deepEqual([suffixOf("a.b.C"), suffixOf(".profile"), suffixOf("none")], ["c", "", ""]);
  const picture = { id: "f", kind: "file", name: "a.png", contentType: "image/png", size: 10 } as const;
  assert.ok(hasPreview(picture));
  assert.ok(!hasPreview({ ...picture, size: 1e9 }));
  assert.ok(!hasPreview({ ...picture, contentType: "image/tiff" }));
});

test("addresses that somebody typed", () => {
  assert.equal(linkFrom(" example.org/a b "), undefined);
  assert.equal(linkFrom("example.org/docs"), "https://example.org/docs");
  assert.equal(linkFrom("http://localhost:80/"), "http://localhost/");
  assert.equal(linkFrom("javascript:alert(1)"), undefined);
  assert.equal(linkFrom("javascript://example.org/%0aalert(1)"), undefined);
  assert.equal(linkFrom("mailto:a@example.org"), undefined);
  assert.equal(linkFrom("word"), undefined);
  assert.equal(linkFrom(""), undefined);
  assert.equal(nameOfLink("https://example.org/docs/Road%20map?x=1"), "Road map");
  assert.equal(nameOfLink("https://example.org/"), "example.org");
  assert.equal(nameOfLink("https://example.org/a%2Fb"), "a_b");
  assert.equal(nameOfLink("https://example.org/%ff"), "%ff");
  assert.deepEqual([hostOf("https://example.org:81/x"), hostOf("no")], ["example.org:81", "no"]);
});

test("the inspector's rows", () => {
  const speaking = { now: 10_000, describe: () => "Move it", why: () => "it is full", deadline: (id: string) => (id === "m1" ? "1970-01-01T00:00:12Z" : undefined) };
  const changes = [{ entityId: "a", patch: { title: "x" } }];
  const rows = waiting({ pending: [{ id: "m1", changes, madeAt: 9_600, state: "sent" }, { id: "m2", changes, madeAt: 4_000, state: "queued" }] }, speaking);
  assert.deepEqual(rows.map((r) => [r.what, r.state, r.tone, r.age, r.deadline]), [
    ["Move it", "sent", "wait", "made 400 ms ago", "2.0 sec left"], ["Move it", "queued", "wait", "made 6.0 sec ago", undefined],
  ]);
  const late = waiting({ pending: [{ id: "m1", changes, madeAt: 0, state: "unconfirmed" }] }, { ...speaking, now: 15_000 })[0]!;
  assert.deepEqual([late.tone, late.deadline], ["bad", "3.0 sec over its time"]);
  const verdicts: Inspection["verdicts"] = [
    { id: "1", changes, tookMs: 12, verdict: { ok: true, rev: 4, events: 1 } },
    { id: "2", changes, tookMs: 30, verdict: { ok: true, rev: 4, events: 0 } },
    { id: "3", changes, tookMs: 5, verdict: { ok: false, code: "wip_limit", details: {}, reason: "" } },
    { id: "4", changes, tookMs: 5, verdict: { ok: false, code: "lab", details: {}, reason: "" } },
    { id: "5", changes, tookMs: 5, verdict: { ok: false, code: "lab", details: {}, reason: "" } },
  ];
  const done = over({ verdicts }, speaking);
  assert.deepEqual(done.map((r) => r.id), ["5", "4", "3", "2", "1"]);
  assert.equal(done[2]!.verdict, "refused: it is full (wip_limit)");
  assert.equal(done[3]!.verdict, "accepted, changed nothing (revision 4)");
  assert.equal(done[4]!.took, "12 ms");
  assert.deepEqual(sums({ verdicts }), { accepted: 2, refused: 3, median: 30, codes: [["lab", 2], ["wip_limit", 1]] });
  assert.equal(duration(3_600_000), "60 min");
});
