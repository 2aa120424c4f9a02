import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

for (const [page, dir] of [["README.md", "test/readme"], ["../../README.md", "test/readme.first"]] as const) {
  test(`what ${page} shows is compiled: each of its blocks is a file in ${dir}`, () => {
    const shown = [...readFileSync(page, "utf8").matchAll(/^```tsx?\n(.*?)^```$/gms)].map((m) => m[1]);
    const compiled = readdirSync(dir).map((name) => readFileSync(`${dir}/${name}`, "utf8"));
    assert.deepEqual(shown.sort(), compiled.sort());
    assert.ok(shown.length);
  });
}
