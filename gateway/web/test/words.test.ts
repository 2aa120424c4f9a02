import assert from "node:assert/strict";
import { test } from "node:test";

import { wording } from "../src/words/refusal.js";
import { pseudo } from "../src/words/pseudo.js";
import { en, say } from "../src/words/words.js";

const nobody = () => undefined;

test("a refusal is worded from its code and details", () => {
  const names: { [id: string]: string } = { doing: "Doing", c: "Fix login" };
  const of = (id: string) => names[id];
  for (const [code, details, want] of [
    ["wip_limit", { columnId: "doing", count: 3, limit: 3 }, "“Doing” is full (3 of 3)"],
    ["name_taken", { entityId: "f" }, "“plan.pdf” already exists here"],
    ["forbidden", { needs: "admin" }, "Only an admin may do that"],
    ["forbidden", {}, "You may not do that"],
    ["forbidden", { needs: "something new" }, "You may not do that"],
    ["archived", { entityId: "c" }, "“Fix login” is archived"],
    ["not_empty", { cards: 1 }, "There is still 1 card in it"],
    ["not_empty", { cards: 3, archived: 2 }, "There are still 3 cards in it, 2 of them archived"],
    ["a code of tomorrow", {}, "The server refused it (a code of tomorrow)"],
  ] as const) assert.equal(wording({ code, details }, of, "Fix login", "plan.pdf"), want);
  assert.equal(wording({ code: "wip_limit", details: {} }, nobody, "X"), "“X” is full (0 of 0)");
});

test("numbers are written as the reader writes them, and what is not given stays visible", () => {
  assert.equal(say("board.wip", { count: 1234, limit: 5000 }), "1,234 of 5,000");
  assert.equal(say("board.archived"), "“{what}” is archived");
});

test("the made-up language marks every text and keeps its names", () => {
  for (const message of Object.values(en)) {
    for (const text of typeof message === "string" ? [message] : Object.values(message)) {
      const made = pseudo(text);
      assert.ok(made.startsWith("⟦") && made.endsWith("⟧"), made);
      assert.deepEqual(made.match(/\{\w+\}/g), text.match(/\{\w+\}/g));
    }
  }
});
