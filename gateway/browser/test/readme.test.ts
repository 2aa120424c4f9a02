import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

test("what the README shows is compiled: each of its blocks is a file in test/readme", () => {
  const shown = [...readFileSync("README.md", "utf8").matchAll(/^```tsx?\n(.*?)^```$/gms)].map((m) => m[1]);
  const compiled = readdirSync("test/readme").map((name) => readFileSync(`test/readme/${name}`, "utf8"));
  assert.deepEqual(shown.sort(), compiled.sort());
  assert.ok(shown.length);
});
