import assert from "node:assert/strict";
import { test } from "node:test";
import type { ServerFrame } from "../src/frames.js";
import { vectors } from "./vectors.js";

type OfType<T extends string, F = ServerFrame> = F extends { readonly type: infer U } ? (T extends U ? F : never) : never;
type Needed<F> = { [K in keyof F]-?: object extends Pick<F, K> ? never : K }[keyof F];

/** Of each frame what it always has, and of what JSON type that is. The compiler holds the names against frames.ts. */
const always: { readonly [T in ServerFrame["type"]]: { readonly [K in Needed<OfType<T>>]: string } } = {
  hello: {
    type: "string", protocol: "number", board: "string", user: "string", role: "string", session: "string", epoch: "string",
    rev: "number", resumed: "boolean", serverTime: "string", limits: "object",
  },
  sync: { type: "string", rev: "number", entity: "object" },
  ready: { type: "string", rev: "number" },
  lag: { type: "string", rev: "number" },
  ack: { type: "string", clientMutationId: "string", rev: "number", events: "number" },
  nack: { type: "string", clientMutationId: "string", code: "string", reason: "string", retryable: "boolean" },
  presence: { type: "string", session: "string", user: "string", data: "object" },
  loaded: { type: "string", id: "number", rev: "number", entities: "object", before: "any" },
  error: { type: "string", code: "string", reason: "string" },
  pong: { type: "string", serverTime: "string" },
  goaway: { type: "string", reconnectAfterMs: "number" },
};

test("the frames of the wire have what the types say", () => {
  const { server } = vectors<{ server: readonly ({ readonly type: ServerFrame["type"] } & { readonly [name: string]: unknown })[] }>("frames.json");
  const seen = new Set<string>();
  for (const frame of server) {
    seen.add(frame.type);
    for (const [name, type] of Object.entries(always[frame.type])) {
      assert.ok(Object.hasOwn(frame, name), `${frame.type} without ${name}`);
      if (type !== "any") assert.equal(typeof frame[name], type, `${name} of ${frame.type}`);
    }
  }
  assert.deepEqual([...seen].sort(), Object.keys(always).sort());
});
