// Search and filter, people, addresses and tokens, without a page.

import assert from "node:assert/strict";
import { test } from "node:test";

import type { Card, Label, Member, Peer } from "@snapback/client";

import { atCards, together } from "../src/people/gather.js";
import type { Listed } from "../src/people/listing.js";
import { fold, matching, narrows, tally } from "../src/people/matching.js";
import { initials } from "../src/people/names.js";
import { adding, inOrder, isLastAdmin } from "../src/people/roster.js";
import { everything, type Filter } from "../src/ui.js";

const store = () => {
  const map = new Map<string, string>();
  return { getItem: (k: string) => map.get(k) ?? null, setItem: (k: string, v: string) => void map.set(k, v), removeItem: (k: string) => void map.delete(k) };
};
Object.assign(globalThis, {
  location: new URL("http://localhost/boards?user=ann"), localStorage: store(), sessionStorage: store(),
  addEventListener: () => {}, dispatchEvent: () => true,
});
const { parse } = await import("../src/route.js");
const { claimsOf, isName, signIn, signOut, who } = await import("../src/session.js");
const { listing, sorted } = await import("../src/people/listing.js");
const { bar, knock, tryToken } = await import("../src/people/door.js");

/** A server that answers so; gives the addresses it was asked for. */
function answers(answer: (url: URL, init?: RequestInit) => Response): URL[] {
  const asked: URL[] = [];
  globalThis.fetch = (async (to: URL, init?: RequestInit) => {
    asked.push(to);
    return answer(to, init);
  }) as typeof fetch;
  return asked;
}
const problem = (status: number, code: string) => new Response(JSON.stringify({ code }), { status });

const now = new Date(2026, 2, 4, 12).getTime(); // a day alone is a whole day here
const card = (fields: Partial<Card>): Card => ({ id: "c", kind: "card", columnId: "next", position: "a", likes: 0, liked: false, title: "A card", ...fields });
const labels: readonly Label[] = [{ id: "bug", kind: "label", name: "Défaut", position: "a" }, { id: "ui", kind: "label", position: "b" }];
const members: readonly Member[] = [{ id: "member:u1", kind: "member", user: "u1", name: "Søren Ørsted", role: "admin" }];
const passes = (part: Partial<Filter>, fields: Partial<Card>) => matching({ ...everything, ...part }, labels, members, now)(card(fields));

test("search folds case, accents and width, and wants every word", () => {
  assert.equal(fold("ÉCOLE ｆｕｌｌ ﬁn"), "ecole full fin");
  assert.ok(passes({ words: "ECOLE d'ete" }, { title: "L’été", description: "d'Été à l'école" }));
  assert.ok(!passes({ words: "ecole hiver" }, { title: "L'école d'été" }));
  assert.ok(passes({ words: "  " }, {}));
});

test("search finds labels, people and numbers", () => {
  assert.ok(passes({ words: "defaut" }, { labels: ["bug"] }));
  assert.ok(!passes({ words: "defaut" }, { labels: ["ui", "gone"] }));
  assert.ok(passes({ words: "soren orsted" }, { assignees: ["u1"] }));
  assert.ok(passes({ words: "Ørsted" }, { assignees: ["u1"] }));
  assert.ok(passes({ words: "u1" }, { assignees: ["u1"] }));
  assert.ok(passes({ words: "stran" }, { assignees: ["stranger"] }), "who is no member is found by his user");
  assert.ok(passes({ words: "#12" }, { number: 12 }));
  assert.ok(!passes({ words: "#12" }, { number: 120 }));
  assert.ok(!passes({ words: "#12" }, {}), "a card that has no number yet");
  assert.ok(passes({ words: "#12" }, { title: "like #12" }));
});

test("labels any or all, people, due dates", () => {
  assert.ok(passes({ labels: ["bug", "ui"] }, { labels: ["ui"] }));
  assert.ok(!passes({ labels: ["bug", "ui"], every: true }, { labels: ["ui"] }));
  assert.ok(passes({ labels: ["bug", "ui"], every: true }, { labels: ["bug", "ui"] }));
  assert.ok(passes({ assignees: ["ann", "bob"] }, { assignees: ["bob"] }));
  assert.ok(!passes({ assignees: ["ann"] }, {}));
  assert.ok(passes({ due: "overdue" }, { due: "2026-03-03" }));
  assert.ok(!passes({ due: "overdue" }, { due: "2026-03-04" }), "today is not over");
  assert.ok(!passes({ due: "overdue" }, { due: "2026-03-03", done: "2026-03-03T10:00:00Z" }));
  assert.ok(passes({ due: "week" }, { due: "2026-03-10" }));
  assert.ok(!passes({ due: "week" }, { due: "2026-03-12" }));
  assert.ok(passes({ due: "none" }, {}));
});

test("the cards of a list are counted without the archived ones, once for each filter", () => {
  const cards = [card({ title: "One" }), card({ title: "Two" }), card({ title: "Two too", archived: true })];
  const two = matching({ ...everything, words: "two" }, [], [], now);
  const { all, count } = tally(cards, two);
  assert.deepEqual([all, count], [2, 1]);
  assert.equal(tally(cards, two), tally(cards, two));
  assert.equal(tally(cards, () => true).count, 2);
});

test("a card is looked at once for as long as it is the same", () => {
  let looks = 0;
  const one = card({});
  const watched = new Proxy(one, { get: (of, name) => (name === "due" && looks++, Reflect.get(of, name)) });
  const matches = matching({ ...everything, due: "none" }, labels, members, now);
  assert.ok(matches(watched) && matches(watched));
  assert.equal(looks, 1);
  assert.ok(!narrows(everything) && narrows({ ...everything, due: "none" }));
});

const peer = (user: string, session: string, data: unknown): Peer<unknown> => ({ user, session, name: undefined, picture: "javascript:1", data });

test("several windows of one person are one, with what tells most", () => {
  const others = [peer("ann", "1", {}), peer("bob", "2", { card: "a", doing: "look" }), peer("ann", "3", { card: "a", doing: "drag" }), peer("ann", "4", { card: "b", doing: "edit" })];
  assert.deepEqual(together(others, "bob").map((p) => [p.user, p.isMe, p.card, p.doing]), [["ann", false, "a", "drag"], ["bob", true, "a", "look"]]);
  assert.deepEqual([...atCards(others, "bob")].map(([id, people]) => [id, people.map((p) => `${p.user} ${p.doing}`)]), [["a", ["bob look", "ann drag"]], ["b", ["ann edit"]]]);
});

test("what others say of themselves is not believed", () => {
  for (const data of [null, 7, "x", [], { card: 7 }, { card: "" }, { card: "x".repeat(65) }]) {
    const [one] = together([peer("eve", "1", data)], "me");
    assert.deepEqual([one?.name, one?.picture, one?.card, one?.doing], ["eve", undefined, undefined, "look"]);
  }
  assert.equal(together([peer("eve", "1", { card: "a", doing: "<b>" })], "me")[0]?.doing, "look");
});

test("the first member brings along who adds him", () => {
  const ids = (changes: ReturnType<typeof adding>) => changes.map((c) => [c.entityId, c.patch?.["role"], c.ifRev]);
  assert.deepEqual(ids(adding([], "me", { user: "bob", name: "", role: "viewer" })), [["member:me", "admin", 0], ["member:bob", "viewer", 0]]);
  assert.deepEqual(ids(adding([], "me", { user: "me", name: "", role: "viewer" })), [["member:me", "admin", 0]]);
  assert.deepEqual(ids(adding(members, "me", { user: "bob", name: "", role: "viewer" })), [["member:bob", "viewer", 0]]);
  const second: Member = { id: "member:b", kind: "member", user: "b", role: "editor" };
  assert.ok(isLastAdmin([...members, second], "u1") && !isLastAdmin([...members, second], "b"));
  assert.ok(!isLastAdmin([...members, { ...second, role: "admin" }], "u1"));
  assert.deepEqual(inOrder([second, ...members], "en").map((m) => m.user), ["u1", "b"]);
});

test("addresses", () => {
  assert.deepEqual(parse("/", null), { page: "board", board: "demo" });
  assert.deepEqual(parse("/", "last"), { page: "board", board: "last" });
  assert.deepEqual(parse("/boards", "last"), { page: "boards" });
  assert.deepEqual(parse("/boards/", "last"), { page: "boards" });
  assert.deepEqual(parse("/boards/a%3Ab", null), { page: "board", board: "a:b" });
  assert.deepEqual(parse("/boards/%E0%A4%A", null), { page: "board", board: "%E0%A4%A" });
  assert.deepEqual(parse("/boards/a/cards/b", null), { page: "board", board: "a", card: "b" });
  assert.deepEqual(parse("/boards/a/cards/", null), { page: "board", board: "a" });
});

const token = (claims: object) => `x.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.y`;

test("what a token says of its bearer", () => {
  assert.deepEqual(claimsOf(token({ sub: "ann", name: "Änne ✓" })), { sub: "ann", name: "Änne ✓" });
  for (const broken of ["", "x", "a.b.c", token({ sub: 7 })]) assert.deepEqual(claimsOf(broken), {});
});

test("a fresh token of the same person leaves open what is open", () => {
  const seat = () => who.value.seat;
  signIn(token({ sub: "ann", exp: 1 }));
  const at = seat();
  signIn(token({ sub: "ann", exp: 2 }));
  assert.equal(seat(), at);
  signIn(token({ sub: "bob" }));
  assert.equal(seat(), at + 1);
  signOut();
  assert.deepEqual([who.value.token, seat()], ["", at + 2]);
});

test("names", () => {
  assert.deepEqual(["ann", "a b", "é".repeat(127), "é".repeat(128), "", "a\u202eb", "a\nb"].map(isName), [true, true, true, false, false, false, false]);
  assert.deepEqual(["ann lee", "quiet-heron", "李", "…"].map(initials), ["AL", "QH", "李", "?"]);
});

test("boards are found by title and sorted as people do", () => {
  const all: Listed[] = [["b10", "Team 10"], ["b2", "team 2"], ["x", ""], ["old", "Téam 1"]].map(([board, title]) => ({ board: board!, title: title!, archived: board === "old", role: "editor" }));
  const ids = (words: string) => Object.values(sorted(all, words, "en")).map((list) => list.map((b) => b.board));
  assert.deepEqual(ids(""), [["b2", "b10", "x"], ["old"]]);
  assert.deepEqual(ids("team 1"), [["b10"], ["old"]]);
});

test("what keeps a window out is known by a small question", async () => {
  const asked = answers(() => problem(401, "unauthorized"));
  await knock();
  assert.equal(bar.value, "token");
  assert.equal(asked[0]?.href, "http://localhost/v1/boards?limit=1&user=ann");
  signIn("old");
  await knock();
  assert.equal(bar.value, "stale");
  answers(() => { throw new TypeError("no connection"); });
  await knock();
  assert.equal(bar.value, "stale", "without an answer nothing is known");
  answers(() => problem(503, "unavailable"));
  await knock();
  assert.equal(bar.value, "stale");
  answers(() => Response.json({ boards: [] }));
  await knock();
  assert.equal(bar.value, undefined);
  signOut();
  answers(() => problem(400, "invalid"));
  await knock();
  assert.equal(bar.value, "name");
});

test("a token is tried before it is kept, and one that no header can carry is none", async () => {
  const asked = answers((url, init) => (new Headers(init?.headers).get("Authorization") === "Bearer good" && !url.searchParams.has("user") ? Response.json({}) : problem(401, "unauthorized")));
  await tryToken("good");
  await assert.rejects(tryToken("bad"), { code: "unauthorized" });
  await assert.rejects(tryToken("bäd\u2026"), { code: "unauthorized" });
  assert.equal(asked.length, 2);
});

test("the list of boards comes page by page, and goes on after one that failed", async () => {
  const list = listing();
  const asked = answers((url) => Response.json(url.searchParams.has("after") ? { boards: [{ board: "b" }] } : { boards: [{ board: "a" }], next: "a" }));
  await Promise.all([list.more(), list.more()]);
  assert.deepEqual([list.boards.value?.map((b) => b.board), list.hasMore.value, asked.length], [["a"], true, 1]);
  answers(() => { throw new TypeError("no connection"); });
  await list.more();
  assert.equal(list.problem.value?.code, "offline");
  answers((url) => Response.json({ boards: [{ board: `after ${url.searchParams.get("after")}` }] }));
  await list.more();
  assert.deepEqual([list.boards.value?.map((b) => b.board), list.hasMore.value, list.problem.value], [["a", "after a"], false, undefined]);
});
