// What others, the browser and what stands between here and the server may do to the page.

import assert from "node:assert/strict";
import { test } from "node:test";

/** A storage that throws as long as it is blocked or full. */
function storage() {
  const map = new Map<string, string>();
  const kept = Object.defineProperties({} as Record<string, string>, {
    getItem: { value: (k: string) => map.get(k) ?? null },
    setItem: {
      value: (k: string, v: string) => {
        if (state.full) throw new DOMException("full", "QuotaExceededError");
        map.set(k, v);
        Object.defineProperty(kept, k, { enumerable: true, configurable: true, value: v });
      },
    },
    removeItem: { value: (k: string) => map.delete(k) && delete kept[k] },
  });
  return kept;
}
const state = { blocked: true, full: false };
const shelves = { localStorage: storage(), sessionStorage: storage() };
for (const [name, value] of Object.entries(shelves)) {
  Object.defineProperty(globalThis, name, {
    get: () => {
      if (state.blocked) throw new DOMException("blocked", "SecurityError");
      return value;
    },
  });
}
Object.assign(globalThis, { location: new URL("http://localhost/"), addEventListener: () => {}, dispatchEvent: () => true });

// All of it is loaded while nothing may be kept.
const { problemOf, request, Problem, signIn, signOut, who } = await import("../src/session.js");
const { hrefOf, parse, remember, route } = await import("../src/route.js");
const { own, shared } = await import("../src/storage.js");
const { addressOf, plain } = await import("../src/files/content.js");
const { note, notes } = await import("../src/say.js");
await import("../src/people/handover.js");
const { cardTitle, columnTitle } = await import("../src/board/short.js");

test("a browser that keeps nothing has a name, a token and a board all the same, as long as the page", () => {
  assert.match(who.value.user, /^[a-z]+-[a-z]+$/);
  signIn("a.b.c");
  assert.equal(own.get("snapback.token"), "a.b.c");
  signOut();
  assert.equal(own.get("snapback.token"), null);
  remember("garden");
  assert.equal(shared.get("snapback.board"), "garden");
  assert.equal(route.value.page, "board");
  assert.equal(hrefOf("garden"), "/boards/garden");
});

test("what has no room is kept as long as the page, and replaces what stood there", () => {
  state.blocked = false;
  shared.set("k", "old");
  assert.equal(shelves.localStorage["k"], "old");
  state.full = true;
  shared.set("k", "new");
  assert.equal(shared.get("k"), "new");
  state.full = false;
  assert.ok(shared.keys().includes("k") && shared.keys().includes("snapback.board"));
  shared.remove("k");
  assert.equal(shared.get("k"), null);
  assert.ok(!shared.keys().includes("k"));
});

test("an answer of any form is a problem with a code and details", async () => {
  for (const [status, body] of [[500, "<html>oops</html>"], [502, "null"], [503, "[1,"], [500, '"text"'], [500, '{"code":7,"details":null}'], [500, ""]] as const) {
    globalThis.fetch = (async () => new Response(body, { status })) as typeof fetch;
    await assert.rejects(request(new URL("http://localhost/v1/boards")), (e) =>
      e instanceof Problem && e.code === "unavailable" && e.status === status && typeof e.details === "object" && e.details !== null);
  }
  const { code, details } = problemOf(409, { code: "name_taken", details: { name: "a.txt" } });
  assert.deepEqual([code, details], ["name_taken", { name: "a.txt" }]);
});

test("nothing that was uploaded gets an address at which it would run as this page", async () => {
  const drawing = '<svg xmlns="http://www.w3.org/2000/svg"><script>alert("#")</script></svg>';
  const address = await addressOf(new Blob([drawing], { type: "image/svg+xml;charset=utf-8" }));
  assert.equal(address, `data:image/svg+xml,${encodeURIComponent(drawing)}`);
  const picture = await addressOf(new Blob(["x"], { type: "image/png" }));
  assert.match(picture, /^blob:/);
  URL.revokeObjectURL(picture);
  const saved = plain(new Blob(["<script>"], { type: "text/html" }));
  assert.deepEqual([saved.type, saved.size, await saved.text()], ["application/octet-stream", 8, "<script>"]);
});

test("an address names a board and a card, whatever is in it", () => {
  assert.deepEqual(parse("/boards/..%2F..%2Fv1/cards/%22%3E", null), { page: "board", board: "../../v1", card: '">' });
  assert.deepEqual(parse("/boards/%E0%A4%A", null), { page: "board", board: "%E0%A4%A" });
  assert.equal(hrefOf("../../v1", "javascript:alert(1)"), "/boards/..%2F..%2Fv1/cards/javascript%3Aalert(1)");
});

test("a title of many pages does not fill the board", () => {
  assert.equal(cardTitle("Dark mode"), "Dark mode");
  assert.equal(columnTitle("A  b"), "A  b");
  assert.deepEqual([cardTitle("W".repeat(16384)).length, columnTitle("W".repeat(16384)).length], [300, 100]);
  assert.ok(!cardTitle("👨‍👩‍👧‍👦".repeat(500)).includes("\ufffd"));
});

test("what was said to one person is taken away before the next one, and only then", () => {
  const token = (sub: string, exp: number) => `h.${btoa(JSON.stringify({ sub, exp }))}.s`;
  signIn(token("ann", 1));
  const ends: string[] = [];
  note({ tone: "plain", title: "Text put aside", text: "a secret of ann", onEnd: (how) => void ends.push(how) });
  signIn(token("ann", 2));
  assert.equal(notes.value.length, 1);
  signOut();
  assert.deepEqual([notes.value.length, ends], [0, ["taken"]]);
  note({ tone: "plain", title: "Not all is deleted" });
  assert.equal(notes.value.length, 1);
});
