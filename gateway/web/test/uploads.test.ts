import assert from "node:assert/strict";
import { test } from "node:test";

import { createUploads, type Failure, type Upload } from "../src/files/uploads.js";

/** A server that answers when it is told to. */
function stage() {
  const puts: { readonly upload: Upload; readonly mutation: string; progress(n: number): void; ended(why?: Failure): void; broken: boolean }[] = [];
  const arrivals = new Map<string, () => void>();
  const failed: string[] = [];
  const state = { live: true };
  let ids = 0;
  const uploads = createUploads({
    newId: () => `id${++ids}`,
    live: () => state.live,
    put(upload, progress, ended) {
      const one = { upload, mutation: upload.mutation, progress, ended, broken: false };
      puts.push(one);
      return () => void (one.broken = true);
    },
    there: (id, fn) => void arrivals.set(id, fn),
    failed: (upload, why) => void failed.push(`${upload.name} ${why.code}`),
  });
  const file = (name: string) => ({ name, content: new Blob([name]) });
  return { uploads, puts, arrivals, failed, state, file, states: () => uploads.list.value.map((u) => `${u.name} ${u.state.value}`) };
}

const why = (code: string): Failure => ({ code, details: {} });

test("three at a time, the next when one is done, gone when the board has it", () => {
  const { uploads, puts, arrivals, states, file } = stage();
  uploads.add(["a", "b", "c", "d"].map(file), "card");
  assert.deepEqual(states(), ["a sending", "b sending", "c sending", "d waiting"]);
  assert.equal(puts[0]!.upload.card, "card");
  puts[1]!.progress(1);
  assert.equal(uploads.list.value[1]!.sent.value, 1);
  puts[1]!.ended();
  assert.deepEqual(states(), ["a sending", "b stored", "c sending", "d sending"]);
  arrivals.get(puts[1]!.upload.id)!();
  assert.deepEqual(states(), ["a sending", "c sending", "d sending"]);
});

test("what has no answer is tried again under the same mutation id, what was refused under another", () => {
  for (const [code, same] of [["offline", true], ["undecided", true], ["unavailable", true], ["rate_limited", true], ["limit", false], ["archived", false], ["lab", false]] as const) {
    const { uploads, puts, failed, file } = stage();
    uploads.add([file("a")]);
    puts[0]!.ended(why(code));
    assert.deepEqual(failed, [`a ${code}`]);
    assert.equal(uploads.list.value[0]!.failure.value?.code, code);
    uploads.retry(puts[0]!.upload.id);
    assert.equal(puts[1]!.upload.id, puts[0]!.upload.id);
    assert.equal(puts[1]!.mutation === puts[0]!.mutation, same, code);
    assert.equal(uploads.list.value[0]!.failure.value, undefined);
  }
});

test("without a connection they wait, and go on by themselves", () => {
  const { uploads, puts, states, state, failed, file } = stage();
  uploads.add([file("a")]);
  state.live = false;
  puts[0]!.ended(why("offline"));
  uploads.add([file("b")]);
  assert.deepEqual(states(), ["a waiting", "b waiting"]);
  assert.deepEqual(failed, []);
  state.live = true;
  uploads.live();
  assert.deepEqual(states(), ["a sending", "b sending"]);
  assert.equal(puts[1]!.mutation, puts[0]!.mutation);
});

test("one that failed for lack of a connection goes on when there is one, another does not", () => {
  const { uploads, puts, states, file } = stage();
  uploads.add([file("a"), file("b")]);
  puts[0]!.ended(why("offline")); // before the page knew
  puts[1]!.ended(why("limit"));
  uploads.live();
  assert.deepEqual(states(), ["a sending", "b failed"]);
});

test("cancelled, it is broken off and makes room; a late answer changes nothing", () => {
  const { uploads, puts, states, failed, file } = stage();
  uploads.add(["a", "b", "c", "d"].map(file));
  uploads.cancel(puts[0]!.upload.id);
  assert.ok(puts[0]!.broken);
  assert.deepEqual(states(), ["b sending", "c sending", "d sending"]);
  puts[0]!.ended(why("offline"));
  puts[1]!.ended(why("limit"));
  puts[1]!.ended();
  uploads.cancel(puts[1]!.upload.id);
  assert.deepEqual(states(), ["c sending", "d sending"]);
  assert.deepEqual(failed, ["b limit"]);
  uploads.cancel("nobody");
  uploads.retry("nobody");
});
